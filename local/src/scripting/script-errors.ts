import { BigQueryError } from "../errors.ts";
import { shiftPosition } from "../googlesql/analysis-errors.ts";
import { type ByteText, rangeOf } from "../googlesql/parse-tree.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { SqlValue } from "../values.ts";
import { asBigQueryError } from "./execute.ts";

const POSITION = / at \[(\d+):(\d+)\]$/;

/** What is known of an error that a statement of a script failed with; such an error names its place in the script. */
interface ScriptError {
  readonly statement: string;
  /** What RAISE was given, which `@@error.message` shows as it is. */
  readonly raised?: string;
}

const known = new WeakMap<BigQueryError, ScriptError>();

/** The error of a statement, with its place in the script: a position in the statement's own text is moved there. */
export function locateError(error: unknown, node: TreeNode, text: ByteText): unknown {
  const origin = text.position(rangeOf(node).start);
  const shown = asBigQueryError(error);
  if (!(shown instanceof BigQueryError) || shown.reason === "stopped" || known.has(shown)) return shown;
  const moved = shiftPosition(shown, origin) as BigQueryError;
  const at = POSITION.test(moved.message) ? "" : ` at [${origin.line}:${origin.column}]`;
  return describe(moved, `${moved.message}${at}`, text.textOf(node));
}

/** The error of an expression, which names its place in the script already; without a place the statement's is given later. */
export function locatedError(error: unknown, node: TreeNode, text: ByteText): unknown {
  const shown = asBigQueryError(error);
  if (!(shown instanceof BigQueryError) || !POSITION.test(shown.message)) return shown;
  return describe(shown, shown.message, text.textOf(node));
}

function describe(error: BigQueryError, text: string, statement: string): BigQueryError {
  const message = text.startsWith("Query error: ") ? text : `Query error: ${text}`;
  const result = new BigQueryError(error.reason, message, error.location, error.details);
  known.set(result, { statement });
  return result;
}

/** The error that RAISE USING MESSAGE makes. */
export function raisedError(message: string, node: TreeNode, text: ByteText): BigQueryError {
  const { line, column } = text.position(rangeOf(node).start);
  const error = new BigQueryError("invalidQuery", `${message} at [${line}:${column}]`, "query");
  known.set(error, { statement: text.textOf(node), raised: message });
  return error;
}

/** The system variables that tell a handler what happened. */
export function errorVariables(error: BigQueryError): ReadonlyMap<string, SqlValue> {
  const [, line = "1", column = "1"] = POSITION.exec(error.message) ?? [];
  const { statement = null, raised = error.message } = known.get(error) ?? {};
  return new Map<string, SqlValue>([
    ["error.message", raised],
    ["error.statement_text", statement],
    ["error.formatted_stack_trace", `At [${line}:${column}]`],
    ["error.stack_trace", [[BigInt(line), BigInt(column), null, null]]],
  ]);
}
