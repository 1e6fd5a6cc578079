import { BigQueryError } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { childOf, columnId, nodesOf, textOf } from "./tree-access.ts";
import type { Unit } from "./unit.ts";
import { insideProjection, isOneRow } from "./without-from.ts";

const OPERATORS: Readonly<Record<string, string>> = {
  UNION_ALL: "UNION ALL",
  UNION_DISTINCT: "UNION",
  INTERSECT_DISTINCT: "INTERSECT",
  EXCEPT_DISTINCT: "EXCEPT",
};

/**
 * The operator of a set operation. INTERSECT ALL and EXCEPT ALL are GoogleSQL's, not BigQuery's
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#set_operators).
 */
export function setOperator(type: string): string {
  const operator = OPERATORS[type || "UNION_ALL"];
  if (operator !== undefined) return operator;
  throw new BigQueryError("invalidQuery", `${type.replace("_", " ")} is not supported`, "query");
}

/** UNION, INTERSECT and EXCEPT; columns of the inputs are matched by the analyzer, by name too, and stand here by position. */
export function compileSetOperationScan(node: TreeNode, unit: Unit): string {
  const operator = setOperator(textOf(node, "opType"));
  const targets = nodesOf(node, "columnList").map(columnId);
  const items = nodesOf(node, "inputItemList");
  const constants = operator === "UNION ALL" ? constantRows(items, targets, unit) : undefined;
  if (constants !== undefined) return constants;
  // `a UNION b UNION c` reads from the left in both languages.
  return items.map((item) => `(${setOperationItem(item, targets, unit)})`).join(` ${operator} `);
}

/**
 * Rows of constants as one list of them. DuckDB reads the inputs of a UNION ALL side by side, so that an aggregate without an order of
 * its own, or a window whose order has ties, would find them in another order each time.
 */
function constantRows(
  items: readonly TreeNode[],
  targets: readonly string[],
  unit: Unit,
): string | undefined {
  const rows: string[] = [];
  for (const item of items) {
    const scan = childOf(item, "scan");
    if (!isOneRow(scan)) return undefined;
    const inner = insideProjection(scan, unit);
    const cells = nodesOf(item, "outputColumnList").map((column) => inner.columnSql(columnId(column)));
    if (cells.length === 0 || !cells.every((cell) => unit.isConstant(cell))) return undefined;
    rows.push(`(${cells.join(", ")})`);
  }
  const names = targets.map((_, index) => `v${index}`);
  const columns = targets.map((target, index) => unit.define(`v${index}`, target));
  return `SELECT ${columns.join(", ")} FROM (VALUES ${rows.join(", ")}) AS ${unit.fresh("q")}(${names.join(", ")})`;
}

/** An input of a set operation, with the columns of the result. */
export function setOperationItem(item: TreeNode, targets: readonly string[], unit: Unit): string {
  const sources = nodesOf(item, "outputColumnList").map(columnId);
  const columns = targets.map((target, index) => unit.define(unit.column(sources[index] ?? target), target));
  return `SELECT ${columns.join(", ")} FROM (${unit.scan(childOf(item, "scan"))})`;
}

/** The query's own name inside the recursive part of a WITH RECURSIVE. */
export function compileRecursiveRefScan(node: TreeNode, unit: Unit): string {
  const query = unit.withQueries.get(RECURSIVE);
  if (query === undefined) throw new Error("a recursive reference outside a recursive query");
  const columns = nodesOf(node, "columnList").map((column, index) =>
    unit.define(`${query.name}.${unit.column(query.ids[index] ?? "")}`, columnId(column)),
  );
  return `SELECT ${columns.join(", ")} FROM ${query.name}`;
}

/** The key under which the enclosing recursive query is known. */
export const RECURSIVE = "\0recursive";
