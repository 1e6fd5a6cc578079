import type { TreeNode } from "../googlesql/tree.ts";
import { joinRegion, plannedAlone } from "./join-steps.ts";
import { childOf, nodeOf, nodesOf, textOf } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

/** INNER, CROSS, LEFT, RIGHT and FULL joins. USING arrives as a condition with projections above it. */
export function compileJoinScan(node: TreeNode, unit: Unit): string {
  const { ends } = joinRegion(node, unit);
  const left = unit.from(childOf(node, "leftScan"));
  const right = unit.from(childOf(node, "rightScan"));
  const condition = nodeOf(node, "joinExpr");
  const columns = unit.columnList(nodesOf(node, "columnList"));
  const kind = textOf(node, "joinType") || "INNER";
  if (condition === undefined && kind === "INNER")
    return `SELECT ${columns} FROM ${left} CROSS JOIN ${right}`;
  const on = condition === undefined ? "true" : unit.expr(condition).sql;
  if (kind === "FULL" && unit.correlated) {
    // DuckDB has no FULL JOIN in a correlated subquery.
    const again = unit.from(childOf(node, "leftScan"));
    const unmatched = `${unit.from(childOf(node, "rightScan"))} LEFT JOIN ${unit.from(childOf(node, "leftScan"))} ON false`;
    return (
      `SELECT ${columns} FROM ${left} LEFT JOIN ${right} ON ${on} ` +
      `UNION ALL SELECT ${columns} FROM ${unmatched} WHERE NOT EXISTS (SELECT 1 FROM ${again} WHERE ${on})`
    );
  }
  const sql = `SELECT ${columns} FROM ${left} ${kind} JOIN ${right} ON ${on}`;
  return ends ? plannedAlone(sql) : sql;
}
