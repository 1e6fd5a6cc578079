import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { duckType } from "../values.ts";
import { equalSql } from "./functions/comparison.ts";
import { exactArgument } from "./functions/exact-argument.ts";
import type { CompiledExpr } from "./functions/types.ts";
import { confusesRows, usesRowIds } from "./row-identity.ts";
import { childOf, columnId, nodesOf, textOf, walkTree } from "./tree-access.ts";
import { typeOf } from "./tree-types.ts";
import type { Unit } from "./unit.ts";
import { insideProjection, isWithoutFrom } from "./without-from.ts";

/** SCALAR, ARRAY, EXISTS and IN subqueries. */
export function compileSubquery(node: TreeNode, unit: Unit): CompiledExpr {
  const type = typeOf(node);
  const scan = childOf(node, "subquery");
  const kind = textOf(node, "subqueryType") || "SCALAR";
  if (isWithoutFrom(node))
    return { sql: insideProjection(scan, unit).columnSql(columnId(onlyColumnOf(scan))), type };
  const isCorrelated = usesOuterRows(node, unit);
  const inner = isCorrelated ? unit.withCorrelation() : unit;
  const query = tellingRowsApart(node, inner.scan(scan), inner);
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

/** Whether a subquery uses columns of outer queries: by their names, or as arguments of the function whose body it stands in. */
function usesOuterRows(subquery: TreeNode, unit: Unit): boolean {
  let uses = nodesOf(subquery, "parameterList").length > 0;
  walkTree(childOf(subquery, "subquery"), (node) => {
    const argument =
      node.kind === "ArgumentRef"
        ? unit.functionArguments.get(textOf(node, "name").toLowerCase())
        : undefined;
    uses ||= argument !== undefined && !unit.isConstant(argument.sql);
    return !uses;
  });
  return uses;
}

/** The query, worked out for each of the outer rows that it could confuse otherwise. */
function tellingRowsApart(node: TreeNode, query: string, unit: Unit): string {
  const condition = confusesRows(node) ? usesRowIds(unit) : "";
  return condition === "" ? query : `SELECT * FROM (${query}) WHERE ${condition}`;
}

function onlyColumn(scan: TreeNode, unit: Unit): CompiledExpr {
  const column = onlyColumnOf(scan);
  return { sql: unit.column(columnId(column)), type: typeOf(column) };
}

function onlyColumnOf(scan: TreeNode): TreeNode {
  const [column] = nodesOf(scan, "columnList");
  if (column === undefined) throw new Error("a subquery without a column");
  return column;
}

function inSubquery(node: TreeNode, scan: TreeNode, query: string, unit: Unit): string {
  const value = unit.expr(childOf(node, "inExpr"));
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
