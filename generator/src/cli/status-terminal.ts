import { stripVTControlCharacters, styleText } from "node:util";
import { withoutBackticks } from "../review/changes.ts";
import type { EntityStatus } from "../warehouse/status.ts";
import { formatDuration } from "../watch/durations.ts";
import { type Health, WORDS, type Word } from "../watch/health.ts";
import { formatBytes, formatDuration as formatMilliseconds } from "./numbers.ts";
import { formatTable } from "./table.ts";

const COLOURS: Readonly<Record<Word, "green" | "yellow" | "red">> = {
  well: "green",
  look: "yellow",
  bad: "red",
};
/** Runs of each entity that fit a screen. */
const SHOWN_RUNS = 5;

/** One screen: a word for all, a line for each entity with what is to be looked at, and the last runs. */
export function formatStatus(
  statuses: readonly EntityStatus[],
  healths: readonly Health[],
  word: Word,
  isColoured: boolean,
): string {
  const paint = (of: Word, text: string) => {
    const coloured = styleText([COLOURS[of], "bold"], text, { validateStream: false });
    return isColoured ? coloured : stripVTControlCharacters(coloured);
  };
  const reasons = healths.flatMap(({ entity, word: own, reasons: list }) =>
    list.map((reason) => `${paint(own, entity)}: ${withoutBackticks(reason)}`),
  );
  const summary = formatTable(
    ["entity", "state", "watermark", "lag", "updates waiting", "users", "bad rows"],
    statuses.map((status) => [
      status.entity,
      status.state,
      status.watermark,
      status.lagSeconds === null ? null : formatDuration(status.lagSeconds),
      status.waiting,
      status.users,
      status.reportedRows === 0 ? status.badRows : `${status.badRows}, ${status.reportedRows} reported`,
    ]),
  );
  const runs = statuses.flatMap((status) => status.runs.slice(0, SHOWN_RUNS).map((run) => ({ status, run })));
  const log = formatTable(
    [
      "entity",
      "merged at",
      "kind",
      "rows read",
      "rows changed",
      "bad rows",
      "rows from the future",
      "batch billed",
      "merge billed",
      "read to merge",
    ],
    runs.map(({ status, run }) => [
      status.entity,
      run.mergedAt,
      run.kind,
      run.rowsRead,
      run.rowsChanged,
      run.badRows,
      run.futureRows,
      run.batchBytesBilled === undefined ? null : formatBytes(run.batchBytesBilled),
      run.mergeBytesBilled === undefined ? null : formatBytes(run.mergeBytesBilled),
      run.readToMergeMs === undefined ? null : formatMilliseconds(run.readToMergeMs),
    ]),
  );
  return [paint(word, WORDS[word]), ...reasons, summary, ...(runs.length === 0 ? [] : [log])].join("\n");
}
