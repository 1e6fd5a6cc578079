import type { TreeNode } from "../googlesql/tree.ts";
import { childOf, nodeOf, nodesOf, textOf } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

/** INNER, CROSS, LEFT, RIGHT and FULL joins. USING arrives as a condition with projections above it. */
export function compileJoinScan(node: TreeNode, unit: Unit): string {
  const left = unit.from(childOf(node, "leftScan"));
  const right = unit.from(childOf(node, "rightScan"));
  const condition = nodeOf(node, "joinExpr");
  const columns = unit.columnList(nodesOf(node, "columnList"));
  const kind = textOf(node, "joinType") || "INNER";
  if (condition === undefined && kind === "INNER")
    return `SELECT ${columns} FROM ${left} CROSS JOIN ${right}`;
  const on = condition === undefined ? "true" : unit.expr(condition).sql;
  return `SELECT ${columns} FROM ${left} ${kind} JOIN ${right} ON ${on}`;
}
