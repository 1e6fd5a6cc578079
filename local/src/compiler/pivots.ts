import type { TreeNode } from "../googlesql/tree.ts";
import { aggregateCall, aggregateSql } from "./aggregate-calls.ts";
import type { AggregateCall } from "./functions/types.ts";
import { childOf, columnId, flagOf, integerOf, nodesOf, refId } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

/** PIVOT: each pivot column aggregates only the rows whose FOR expression has its value. */
export function compilePivotScan(node: TreeNode, unit: Unit): string {
  const keys = nodesOf(node, "groupByList").map((item) => ({
    id: columnId(childOf(item, "column")),
    name: unit.fresh("k"),
    sql: unit.expr(childOf(item, "expr")).sql,
  }));
  const selector = unit.fresh("f");
  const values = nodesOf(node, "pivotValueList").map((value) => unit.expr(value).sql);
  const aggregates = nodesOf(node, "pivotExprList").map((expr) => aggregateCall(expr, unit));
  const pivoted = nodesOf(node, "pivotColumnList").map((item) => {
    const call = aggregates[integerOf(item, "pivotExprIndex")];
    const value = values[integerOf(item, "pivotValueIndex")];
    if (call === undefined || value === undefined) throw new Error("a pivot column without its expression");
    const sql = aggregateSql(restricted(call, `${selector} IS NOT DISTINCT FROM ${value}`));
    return unit.define(sql, columnId(childOf(item, "column")));
  });
  const named = [
    ...keys.map((key) => `${key.sql} AS ${key.name}`),
    `${unit.expr(childOf(node, "forExpr")).sql} AS ${selector}`,
  ];
  const from = `(SELECT *, ${named.join(", ")} FROM ${unit.from(childOf(node, "inputScan"))})`;
  const items = [...keys.map((key) => unit.define(key.name, key.id)), ...pivoted];
  const group = keys.length === 0 ? "" : ` GROUP BY ${keys.map((key) => key.name).join(", ")}`;
  const columns = unit.columnList(nodesOf(node, "columnList"));
  return `SELECT ${columns} FROM (SELECT ${items.join(", ")} FROM ${from}${group})`;
}

/** Functions of one argument that pass over rows where it is NULL. */
const PASS_OVER_NULL = new Set(["sum", "avg", "min", "max", "count", "any_value"]);

/**
 * The call over the rows of a condition alone. For each FILTER DuckDB copies the rows with the arguments of all calls, which takes time
 * by the square of their number; so where NULL does the same, the argument is NULL.
 */
function restricted(call: AggregateCall, condition: string): AggregateCall {
  if (call.name === "$count_star") {
    return {
      ...call,
      name: "count",
      args: [{ sql: `CASE WHEN ${condition} THEN 1 END`, type: INT64, hasColumns: true }],
    };
  }
  const [arg] = call.args;
  if (arg === undefined || !PASS_OVER_NULL.has(call.name) || call.having !== undefined)
    return { ...call, only: condition };
  const { sql, literal: _, ...facts } = arg;
  const chosen = { ...facts, sql: `CASE WHEN ${condition} THEN ${sql} END`, hasColumns: true };
  return { ...call, args: [chosen, ...call.args.slice(1)] };
}

const INT64 = { kind: "INT64" } as const;

/** UNPIVOT: one row per group of columns. */
export function compileUnpivotScan(node: TreeNode, unit: Unit): string {
  const values = nodesOf(node, "valueColumnList");
  const kept = nodesOf(node, "projectedInputColumnList").map((item) =>
    unit.define(unit.expr(childOf(item, "expr")).sql, columnId(childOf(item, "column"))),
  );
  const labels = nodesOf(node, "labelList").map((label) => unit.expr({ kind: "Literal", ...label }).sql);
  const rows = nodesOf(node, "unpivotArgList").map((group, index) => {
    const fields = nodesOf(group, "columnList").map((ref, i) => `v${i} := ${unit.columnSql(refId(ref))}`);
    return `struct_pack(${[...fields, `label := ${labels[index]}`].join(", ")})`;
  });
  const row = unit.fresh("r");
  const unnested = values.map((column, index) => unit.define(`${row}.v${index}`, columnId(column)));
  const label = childOf(node, "labelColumn");
  const items = [...kept, ...unnested, unit.define(`${row}.label`, columnId(label))];
  const from = `(SELECT *, unnest([${rows.join(", ")}]) AS ${row} FROM ${unit.from(childOf(node, "inputScan"))})`;
  const someValue = values.map((_, index) => `${row}.v${index} IS NOT NULL`).join(" OR ");
  const where = flagOf(node, "includeNulls") ? "" : ` WHERE ${someValue}`;
  const columns = unit.columnList(nodesOf(node, "columnList"));
  return `SELECT ${columns} FROM (SELECT ${items.join(", ")} FROM ${from}${where})`;
}
