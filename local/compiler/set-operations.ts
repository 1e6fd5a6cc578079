import { BigQueryError } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { compileScan } from "./scans.ts";
import { childOf, columnId, nodesOf, textOf } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

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
  // `a UNION b UNION c` reads from the left in both languages.
  const inputs = nodesOf(node, "inputItemList").map((item) => `(${setOperationItem(item, targets, unit)})`);
  return inputs.join(` ${operator} `);
}

/** An input of a set operation, with the columns of the result. */
export function setOperationItem(item: TreeNode, targets: readonly string[], unit: Unit): string {
  const sources = nodesOf(item, "outputColumnList").map(columnId);
  const columns = targets.map((target, index) => unit.define(unit.column(sources[index] ?? target), target));
  return `SELECT ${columns.join(", ")} FROM (${compileScan(childOf(item, "scan"), unit)})`;
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
