import type { RunLogRow } from "../../../generator/src/warehouse/status.ts";

/** The log of hourly runs of one week, up to a time. */
export function weekOfRuns(until: number): readonly RunLogRow[] {
  return Array.from({ length: 168 }, (_, index) => {
    const time = until - (167 - index) * 3_600_000;
    const wave = Math.round(900 + 700 * Math.sin(index / 4));
    return {
      kind: "update",
      read_at: new Date(time - 15_000).toISOString(),
      merged_at: new Date(time).toISOString(),
      watermark_after: new Date(time - 60_000 * (3 + (index % 9))).toISOString(),
      rows_read: wave + 120,
      rows_changed: wave,
      bad_rows: index % 40 === 0 ? 3 : 0,
      future_rows: 0,
      users: 10_000 + index * 37,
      batch_bytes_billed: 4e8 + wave * 2e4,
      merge_bytes_billed: 2e9 + wave * 1e5,
      read_to_merge_ms: 9000 + wave,
    };
  });
}
