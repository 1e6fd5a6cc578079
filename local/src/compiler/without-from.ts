import type { TreeNode } from "../googlesql/tree.ts";
import { childOf, columnId, flagOf, nodesOf, refId, textOf, walkTree } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

/**
 * Whether a subquery is a scalar one without FROM, such as `(SELECT AS STRUCT a, b)`, that can be written as an expression: no
 * join to plan, and no expression of its that would stand twice, or in another subquery.
 */
export function isWithoutFrom(subquery: TreeNode): boolean {
  return (
    (textOf(subquery, "subqueryType") || "SCALAR") === "SCALAR" && isOneRow(childOf(subquery, "subquery"))
  );
}

/** Whether a scan is projections of one row out of nothing. */
export function isOneRow(scan: TreeNode): boolean {
  if (scan.kind !== "ProjectScan") return false;
  const input = childOf(scan, "inputScan");
  if (input.kind === "SingleRowScan") return true;
  return isOneRow(input) && canStandFor(nodesOf(input, "exprList"), nodesOf(scan, "exprList"));
}

/** A place where the columns of such projections stand for their expressions. */
export function insideProjection(scan: TreeNode, unit: Unit): Unit {
  const input = childOf(scan, "inputScan");
  const inner = input.kind === "SingleRowScan" ? unit : insideProjection(input, unit);
  return inner.withColumns(
    new Map(
      nodesOf(scan, "exprList").map((item) => [
        columnId(childOf(item, "column")),
        inner.expr(childOf(item, "expr")).sql,
      ]),
    ),
  );
}

/** Whether what makes columns can stand in their places: a path anywhere, anything else once, and not in a subquery. */
function canStandFor(columns: readonly TreeNode[], users: readonly TreeNode[]): boolean {
  const once = new Set(
    columns.filter((item) => !isPath(childOf(item, "expr"))).map((item) => columnId(childOf(item, "column"))),
  );
  const uses = new Set<string>();
  let can = true;
  walkTree(users, (node) => {
    if (node.kind === "ColumnRef" && once.has(refId(node))) {
      can &&= !uses.has(refId(node)) && !flagOf(node, "isCorrelated");
      uses.add(refId(node));
    }
    return can;
  });
  return can;
}

function isPath(expr: TreeNode): boolean {
  return expr.kind === "GetStructField" ? isPath(childOf(expr, "expr")) : expr.kind === "ColumnRef";
}
