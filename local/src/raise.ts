import type { SqlType } from "./types.ts";
import { duckType, quoteText } from "./values.ts";

/** What a raised message begins with. */
const OPEN = "«bq:";
const CLOSE = ":bq»";

/** A piece of an error message: constant text, or the DuckDB expression of a VARCHAR. */
export type MessagePart = string | { readonly sql: string };

/**
 * DuckDB SQL that fails with this message whenever it is evaluated. It is a conversion that cannot succeed, because
 * DuckDB's own `error()` counts as volatile: it may not stand in TRY and stops filters from being pushed down.
 */
export function raise(type: SqlType, ...message: readonly MessagePart[]): string {
  const parts = message.map((part) => (typeof part === "string" ? quoteText(part) : part.sql));
  const failure = `CAST(concat('${OPEN}', ${parts.join(", ")}, '${CLOSE}') AS BIGINT)`;
  return type.kind === "INT64" ? failure : `CAST(CAST(${failure} AS VARCHAR) AS ${duckType(type)})`;
}

/** A message as `raisedMessage` recognizes it, for errors that our own functions throw. */
export function markMessage(message: string): string {
  return OPEN + message + CLOSE;
}

/** The message that `raise` put into a DuckDB error, if it was made by it. */
export function raisedMessage(duckMessage: string): string | undefined {
  const start = duckMessage.indexOf(OPEN);
  if (start < 0) return undefined;
  const end = duckMessage.indexOf(CLOSE, start);
  return end < 0 ? undefined : duckMessage.slice(start + OPEN.length, end);
}

/** `sql`, unless `condition` holds: then it fails with the message. */
export function failWhen(
  condition: string,
  type: SqlType,
  message: readonly MessagePart[],
  sql: string,
): string {
  return `(CASE WHEN ${condition} THEN ${raise(type, ...message)} ELSE ${sql} END)`;
}
