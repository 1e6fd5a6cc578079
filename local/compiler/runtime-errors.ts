import { BigQueryError } from "../errors.ts";
import { raisedMessage } from "./functions/raise.ts";

/** DuckDB's own errors that a query can cause, and what BigQuery says of the same. */
const MESSAGES: readonly (readonly [RegExp, (match: RegExpExecArray) => string])[] = [
  [/More than one row returned by a subquery/, () => "Scalar subquery produced more than one element"],
  [/Overflow in \w+ of (?:INT64|BIGINT)[^(]*\(([^)]*)\)/, (match) => `int64 overflow: ${match[1]}`],
  [/Overflow on (?:abs|negation)|Cannot take absolute value|Overflow in negation/, () => "int64 overflow"],
  [
    /Overflow in multiplication of DECIMAL|Overflow in \w+ of DECIMAL|to DECIMAL\(38,\s*9\)/,
    () => "numeric overflow",
  ],
  [/max_expression_depth|Max expression depth/i, () => "Query is too deeply nested"],
];

/** What a client may see of an error that DuckDB threw while a statement ran; others are given back as they are. */
export function toRuntimeError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof BigQueryError) return error;
  const raised = raisedMessage(error.message);
  if (raised !== undefined) return new BigQueryError("invalidQuery", raised, "query");
  for (const [pattern, message] of MESSAGES) {
    const match = pattern.exec(error.message);
    if (match !== null) return new BigQueryError("invalidQuery", message(match), "query");
  }
  return error;
}
