import type { SqlType } from "../../types.ts";
import { duckType, quoteText } from "../../values.ts";

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

/**
 * The same expression with NULL for an error: TRY alone is right, but it evaluates row by row, and each row that fails
 * costs an exception. So what is known to fail is made to give NULL by itself: `raise`, and our own functions, each of
 * which has a twin that never fails. `sql` must hold no operand but names and literals.
 */
export function withoutErrors(sql: string): string {
  const quiet = sql
    .replaceAll(`CAST(concat('${OPEN}'`, `TRY_CAST(concat('${OPEN}'`)
    .replaceAll(/\bbq_(?!safe_)(?=\w+\()/g, "bq_safe_");
  // TRY takes no volatile function and would make a refusal NULL; what calls such a function of ours fails in no other way.
  return /\bbq_safe_(?:volatile|partial)_/.test(quiet) ? quiet : `TRY(${quiet})`;
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
