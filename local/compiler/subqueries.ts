import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { duckType } from "../values.ts";
import { compileExpr } from "./expressions.ts";
import { equalSql } from "./functions/comparison.ts";
import { exactArgument } from "./functions/exact-argument.ts";
import type { CompiledExpr } from "./functions/types.ts";
import { confusesRows, usesRowIds } from "./row-identity.ts";
import { compileScan } from "./scans.ts";
import { childOf, columnId, nodesOf, refId, textOf, walkTree } from "./tree-access.ts";
import { typeOf } from "./tree-types.ts";
import type { Unit } from "./unit.ts";

/** SCALAR, ARRAY, EXISTS and IN subqueries. */
export function compileSubquery(node: TreeNode, unit: Unit): CompiledExpr {
  const type = typeOf(node);
  const scan = childOf(node, "subquery");
  const kind = textOf(node, "subqueryType") || "SCALAR";
  if (kind === "SCALAR") {
    const sql = withoutFrom(scan, unit);
    if (sql !== undefined) return { sql, type };
  }
  const isCorrelated = nodesOf(node, "parameterList").length > 0;
  const inner = isCorrelated ? unit.withCorrelation() : unit;
  const query = tellingRowsApart(node, compileScan(scan, inner), inner);
  // DuckDB takes the result of a subquery by itself with an aggregate.
  const resultSql = (result: (column: string) => string): string => {
    const column = onlyColumn(scan, unit);
    return isCorrelated ? result(column.sql) : exactArgument(column, result, type);
  };
  switch (kind) {
    case "SCALAR":
      // More than one row is an error of DuckDB's, which runtime-errors.ts words as BigQuery does.
      return { sql: resultSql((column) => `(SELECT ${column} FROM (${query}))`), type };
    case "ARRAY": {
      // DuckDB keeps the subquery's order. An ARRAY subquery of no rows is an empty array, never NULL.
      const sql = resultSql((column) => `ARRAY(SELECT ${column} FROM (${query}))`);
      return { sql: `coalesce(${sql}, []::${duckType(type)})`, type };
    }
    case "EXISTS":
      return { sql: `EXISTS(${query})`, type };
    case "IN":
      return { sql: inSubquery(node, scan, query, unit), type };
    default:
      throw unsupported(`a subquery of the form ${kind}`);
  }
}

/**
 * The value of a scalar subquery without FROM, such as `(SELECT AS STRUCT a, b)`, as an expression: no join to plan.
 * Undefined where an expression would stand in it more than once.
 */
function withoutFrom(scan: TreeNode, unit: Unit): string | undefined {
  const inner = insideProjection(scan, unit);
  const [column] = nodesOf(scan, "columnList");
  return inner === undefined || column === undefined ? undefined : inner.columnSql(columnId(column));
}

/** Where the columns stand for their expressions, if the scan makes one row out of nothing. */
function insideProjection(scan: TreeNode, unit: Unit): Unit | undefined {
  if (scan.kind !== "ProjectScan") return undefined;
  const input = childOf(scan, "inputScan");
  const made = nodesOf(scan, "exprList");
  const inner = input.kind === "SingleRowScan" ? unit : insideProjection(input, unit);
  if (inner === undefined || usesTwice(made, nodesOf(input, "exprList"))) return undefined;
  return inner.withColumns(
    new Map(
      made.map((item) => [columnId(childOf(item, "column")), compileExpr(childOf(item, "expr"), inner).sql]),
    ),
  );
}

/** Whether expressions use one of these columns twice, other than a field or an outer column by itself. */
function usesTwice(expressions: readonly TreeNode[], columns: readonly TreeNode[]): boolean {
  const uses = new Map<string, number>();
  walkTree(expressions, (node) => {
    if (node.kind === "ColumnRef") uses.set(refId(node), (uses.get(refId(node)) ?? 0) + 1);
    return true;
  });
  return columns.some(
    (item) => (uses.get(columnId(childOf(item, "column"))) ?? 0) > 1 && !isPath(childOf(item, "expr")),
  );
}

function isPath(expr: TreeNode): boolean {
  return expr.kind === "GetStructField" ? isPath(childOf(expr, "expr")) : expr.kind === "ColumnRef";
}

/** The query, worked out/** The query, worked out for each of the outer rows that it could confuse otherwise. */
function tellingRowsApart(node: TreeNode, query: string, unit: Unit): string {
  const condition = confusesRows(node) ? usesRowIds(unit) : "";
  return condition === "" ? query : `SELECT * FROM (${query}) WHERE ${condition}`;
}

function onlyColumn(scan: TreeNode, unit: Unit): CompiledExpr {
  const [column] = nodesOf(scan, "columnList");
  if (column === undefined) throw new Error("a subquery without a column");
  return { sql: unit.column(columnId(column)), type: typeOf(column) };
}

function inSubquery(node: TreeNode, scan: TreeNode, query: string, unit: Unit): string {
  const value = compileExpr(childOf(node, "inExpr"), unit);
  const name = onlyColumn(scan, unit).sql;
  if (!["FLOAT64", "STRUCT", "ARRAY"].includes(value.type.kind))
    return `(${value.sql} IN (SELECT ${name} FROM (${query})))`;
  // One TRUE decides, else one NULL, else FALSE; no rows are FALSE whatever the value is.
  const same = equalSql({ context: unit }, value, { sql: name, type: value.type });
  return (
    `(SELECT CASE WHEN count(*) = 0 THEN false WHEN bool_or(same) THEN true WHEN count(same) < count(*) THEN NULL ` +
    `ELSE false END FROM (SELECT ${same} AS same FROM (${query})))`
  );
}
