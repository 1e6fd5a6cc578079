import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { duckType } from "../values.ts";
import { compileExpr } from "./expressions.ts";
import { equalSql } from "./functions/comparison.ts";
import type { CompiledExpr } from "./functions/types.ts";
import { compileScan } from "./scans.ts";
import { childOf, columnId, nodesOf, textOf } from "./tree-access.ts";
import { typeOf } from "./tree-types.ts";
import type { Unit } from "./unit.ts";

/** SCALAR, ARRAY, EXISTS and IN subqueries. */
export function compileSubquery(node: TreeNode, unit: Unit): CompiledExpr {
  const type = typeOf(node);
  const scan = childOf(node, "subquery");
  const inner = nodesOf(node, "parameterList").length > 0 ? unit.withCorrelation() : unit;
  const query = compileScan(scan, inner);
  switch (textOf(node, "subqueryType") || "SCALAR") {
    case "SCALAR":
      // More than one row is an error of DuckDB's, which runtime-errors.ts words as BigQuery does.
      return { sql: `(SELECT ${onlyColumn(scan, unit)} FROM (${query}))`, type };
    case "ARRAY":
      // DuckDB keeps the subquery's order. An ARRAY subquery of no rows is an empty array, never NULL.
      return {
        sql: `coalesce(ARRAY(SELECT ${onlyColumn(scan, unit)} FROM (${query})), []::${duckType(type)})`,
        type,
      };
    case "EXISTS":
      return { sql: `EXISTS(${query})`, type };
    case "IN":
      return { sql: inSubquery(node, scan, query, unit), type };
    default:
      throw unsupported(`a subquery of the form ${textOf(node, "subqueryType")}`);
  }
}

function onlyColumn(scan: TreeNode, unit: Unit): string {
  const [column] = nodesOf(scan, "columnList");
  if (column === undefined) throw new Error("a subquery without a column");
  return unit.column(columnId(column));
}

function inSubquery(node: TreeNode, scan: TreeNode, query: string, unit: Unit): string {
  const value = compileExpr(childOf(node, "inExpr"), unit);
  const name = onlyColumn(scan, unit);
  if (!["FLOAT64", "STRUCT", "ARRAY"].includes(value.type.kind))
    return `(${value.sql} IN (SELECT ${name} FROM (${query})))`;
  // One TRUE decides, else one NULL, else FALSE; no rows are FALSE whatever the value is.
  const same = equalSql({ context: unit }, value, { sql: name, type: value.type });
  return (
    `(SELECT CASE WHEN count(*) = 0 THEN false WHEN bool_or(same) THEN true WHEN count(same) < count(*) THEN NULL ` +
    `ELSE false END FROM (SELECT ${same} AS same FROM (${query})))`
  );
}
