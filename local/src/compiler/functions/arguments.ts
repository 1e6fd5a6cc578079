import { unsupported } from "../../errors.ts";
import type { TreeNode } from "../../googlesql/tree.ts";
import type { SqlType } from "../../types.ts";
import type { CompiledExpr, FunctionCall } from "./types.ts";

/** Shorthands for the types that mappings name most. */
export const INT64: SqlType = { kind: "INT64" };
export const FLOAT64: SqlType = { kind: "FLOAT64" };
export const STRING: SqlType = { kind: "STRING" };

/** The n-th argument; a signature guarantees that it is there. */
export function arg(call: FunctionCall, index: number): CompiledExpr {
  const found = call.args[index];
  if (found === undefined) throw new Error(`${call.name}: argument ${index} is missing`);
  return found;
}

/** The DuckDB expression of the n-th argument. */
export function sqlOf(call: FunctionCall, index: number): string {
  return arg(call, index).sql;
}

/** The kind of the n-th argument's type. */
export function kindOf(call: FunctionCall, index: number): SqlType["kind"] {
  return arg(call, index).type.kind;
}

/** Gives `use` the arguments as expressions that may be written several times. */
export function onceAll(call: FunctionCall, use: (...operands: string[]) => string): string {
  return onceEach(
    call,
    call.args.map((each) => each.sql),
    use,
  );
}

/** Gives `use` these expressions so that each may be written several times. */
export function onceEach(
  call: Pick<FunctionCall, "context">,
  sqls: readonly string[],
  use: (...operands: string[]) => string,
): string {
  const bind = (index: number, bound: readonly string[]): string => {
    const sql = sqls[index];
    return sql === undefined
      ? use(...bound)
      : call.context.once(sql, (operand) => bind(index + 1, [...bound, operand]));
  };
  return bind(0, []);
}

/** The text of an argument that must be known when the statement is compiled; undefined if it is not, or is NULL. */
export function literalText(expr: CompiledExpr | undefined): string | undefined {
  return typeof expr?.literal === "string" ? expr.literal : undefined;
}

/** Refuses a call by its name. */
export function refuse(call: Pick<FunctionCall, "name">, why = ""): never {
  throw unsupported(`${call.name.toUpperCase()}${why === "" ? "" : ` ${why}`}`);
}

/** The numbers of googlesql.functions.DateTimestampPart. */
const PARTS = [
  "",
  "YEAR",
  "MONTH",
  "DAY",
  "DAYOFWEEK",
  "DAYOFYEAR",
  "QUARTER",
  "HOUR",
  "MINUTE",
  "SECOND",
  "MILLISECOND",
  "MICROSECOND",
  "NANOSECOND",
  "DATE",
  "WEEK",
  "DATETIME",
  "TIME",
  "ISOYEAR",
  "ISOWEEK",
  "WEEK_MONDAY",
  "WEEK_TUESDAY",
  "WEEK_WEDNESDAY",
  "WEEK_THURSDAY",
  "WEEK_FRIDAY",
  "WEEK_SATURDAY",
] as const;

/** A part of a date or time, as EXTRACT, *_TRUNC, *_DIFF and *_ADD name it. */
export type DatePart = Exclude<(typeof PARTS)[number], "">;

/** The number of an argument that is an enum literal. */
export function enumArgument(call: FunctionCall, index: number): number {
  const list = (call.node.argumentList ?? call.node.genericArgumentList) as readonly TreeNode[] | undefined;
  let node = list?.[index];
  if (node?.expr !== undefined) node = node.expr as TreeNode;
  const value = (node?.value as { value?: { enumValue?: number } } | undefined)?.value?.enumValue;
  if (typeof value !== "number") refuse(call, "with this argument");
  return value;
}

/** The date part an argument names. */
export function partArgument(call: FunctionCall, index: number): DatePart {
  const part = PARTS[enumArgument(call, index)];
  if (part === undefined || part === "") refuse(call, "with this part");
  return part;
}

/** 0 for Sunday to 6 for Saturday: the day on which a WEEK part starts; undefined for parts that are no such week. */
export function weekStart(part: DatePart): number | undefined {
  if (part === "WEEK") return 0;
  const day = PARTS.indexOf(part) - PARTS.indexOf("WEEK_MONDAY");
  return part.startsWith("WEEK_") ? day + 1 : undefined;
}
