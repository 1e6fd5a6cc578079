import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { SqlType } from "../types.ts";
import { duckType } from "../values.ts";
import { CallScope } from "./call-scope.ts";
import { isConstant } from "./facts.ts";
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
  if (isWithoutFrom(node))
    return { ...insideProjection(scan, unit).columnOperand(columnId(onlyColumnOf(scan))), type };
  const usesRows = usesOuterRows(node, unit);
  const isGuarded =
    unit.guard !== undefined && canBeGuarded(scan, usesRows || unit.guard.hasColumns !== true);
  const isCorrelated = usesRows || (isGuarded && unit.guard?.hasColumns === true);
  const inner = unit.inSubquery(isGuarded);
  const { result: sql, facts } = unit.noting(() => subquerySql(node, scan, type, isCorrelated, inner));
  return { ...facts, hasSubquery: true, sql, type };
}

function subquerySql(
  node: TreeNode,
  scan: TreeNode,
  type: SqlType,
  isCorrelated: boolean,
  unit: Unit,
): string {
  const inner = isCorrelated ? unit.withCorrelation() : unit;
  const query = tellingRowsApart(node, inner.scan(scan), inner);
  // DuckDB takes the result of a subquery by itself with an aggregate.
  const resultSql = (result: (column: string) => string): string => {
    const column = onlyColumn(scan, unit);
    return isCorrelated ? result(column.sql) : exactArgument(column, result, type);
  };
  const kind = textOf(node, "subqueryType") || "SCALAR";
  switch (kind) {
    case "SCALAR":
      // More than one row is an error of DuckDB's, which runtime-errors.ts words as BigQuery does.
      return resultSql((column) => `(SELECT ${column} FROM (${query}))`);
    case "ARRAY": {
      // DuckDB keeps the subquery's order. An ARRAY subquery of no rows is an empty array, never NULL.
      const sql = resultSql((column) => `ARRAY(SELECT ${column} FROM (${query}))`);
      return `coalesce(${sql}, []::${duckType(type)})`;
    }
    case "EXISTS":
      return `EXISTS(${query})`;
    case "IN":
      return inSubquery(node, scan, query, unit);
    default:
      throw unsupported(`a subquery of the form ${kind}`);
  }
}

/**
 * Whether the scans of a subquery may be given a condition on the rows outside. One over tables that is worked out once for all rows is
 * not: it would be worked out for each of them.
 */
function canBeGuarded(scan: TreeNode, isBound: boolean): boolean {
  let can = true;
  walkTree(scan, ({ kind = "" }) => {
    can &&= kind !== "WithScan" && kind !== "WithRefScan" && kind !== "RecursiveScan";
    can &&= isBound || (kind !== "TableScan" && kind !== "TVFScan");
    return can;
  });
  return can;
}

/** Whether a subquery uses columns of outer queries: by their names, or as arguments of the function whose body it stands in. */
function usesOuterRows(subquery: TreeNode, unit: Unit): boolean {
  let uses = nodesOf(subquery, "parameterList").length > 0;
  walkTree(childOf(subquery, "subquery"), (node) => {
    const argument =
      node.kind === "ArgumentRef"
        ? unit.functionArguments.get(textOf(node, "name").toLowerCase())
        : undefined;
    uses ||= argument !== undefined && !isConstant(argument);
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
  const context = new CallScope(unit, [value, { sql: name, hasColumns: true }]);
  const same = equalSql({ context }, value, { sql: name, type: value.type });
  return (
    `(SELECT CASE WHEN count(*) = 0 THEN false WHEN bool_or(same) THEN true WHEN count(same) < count(*) THEN NULL ` +
    `ELSE false END FROM (SELECT ${same} AS same FROM (${query})))`
  );
}
