import { BigQueryError } from "../errors.ts";
import { raisedMessage } from "../raise.ts";

/** What RE2, which both engines use, says of a regular expression that it cannot read. */
const RE2 =
  /^Invalid Input Error: ((?:invalid (?:escape sequence|character class|repetition size|perl operator|UTF-8|named capture group)|missing [\])]|unexpected \)|trailing \\|no argument for repetition operator|bad repetition operator).*)/;

/** DuckDB's own errors that a query can cause, and what BigQuery says of the same. */
const MESSAGES: readonly (readonly [RegExp, (match: RegExpExecArray) => string])[] = [
  // A physical table's own check, for a REQUIRED column that a statement leaves out.
  [/\(Error: (Required field .* cannot be null)\)/s, (match) => match[1] ?? ""],
  [/More than one row returned by a subquery/, () => "Scalar subquery produced more than one element"],
  [/Overflow in \w+ of (?:INT64|BIGINT)[^(]*\(([^)]*)\)/, (match) => `int64 overflow: ${match[1]}`],
  [/Overflow in division of (\S+ \/ \S+)/, (match) => `int64 overflow: ${match[1]}`],
  [/Failed to cast decimal value (\S+) to type INT64/, (match) => `int64 out of range: ${match[1]}`],
  [/Overflow on (?:abs|negation)|Cannot take absolute value|Overflow in negation/, () => "int64 overflow"],
  [/out of range for the destination type INT64/, () => "int64 overflow"],
  [/Overflow in \w+ of DECIMAL|Overflow in HUGEINT|to DECIMAL\(38,\s*9\)/, () => "numeric overflow"],
  [RE2, (match) => `Cannot parse regular expression: ${match[1]}`],
  [/max_expression_depth|Max expression depth/i, () => "Query is too deeply nested"],
  [
    /^Out of Memory Error/,
    () =>
      "Resources exceeded during query execution: The query could not be executed in the allotted memory.",
  ],
  // Whatever else the data of a query can bring about: the first line has no SQL in it.
  [/^(?:Out of Range|Conversion|Invalid Input) Error: (.*)/, (match) => match[1] ?? ""],
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
