import type { SqlValue } from "../values.ts";

/** The text of a RANGE of these bounds: `[2020-01-01, UNBOUNDED)`. */
export function rangeText(start: string | null, end: string | null): string {
  return `[${start ?? UNBOUNDED}, ${end ?? UNBOUNDED})`;
}

const UNBOUNDED = "UNBOUNDED";

/** Whether a bound's text says that there is none (https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#range_literals). */
export function isUnbounded(text: string): boolean {
  return /^(?:UNBOUNDED|NULL)$/i.test(text);
}

/** The RANGE of two bounds, null where it has none; undefined where it would hold nothing. */
export function rangeOf(start: SqlValue, end: SqlValue): SqlValue | undefined {
  const holdsNothing = typeof start === "bigint" && typeof end === "bigint" && start >= end;
  return holdsNothing ? undefined : [start, end];
}

/** The RANGE that a text stands for, in the form of a range literal; undefined where it stands for none. */
export function parseRange(
  text: string,
  parseBound: (text: string) => SqlValue | undefined,
): SqlValue | undefined {
  const match = /^\[([^,\s](?:[^,]*[^,\s])?), ([^,\s](?:[^,]*[^,\s])?)\)$/.exec(text);
  if (match === null) return undefined;
  const [start, end] = [match[1] ?? "", match[2] ?? ""].map((bound) =>
    isUnbounded(bound) ? null : parseBound(bound),
  );
  return start === undefined || end === undefined ? undefined : rangeOf(start, end);
}
