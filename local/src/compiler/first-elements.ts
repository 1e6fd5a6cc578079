import type { TreeNode } from "../googlesql/tree.ts";
import { childOf, columnId, flagOf, functionName, nodeOf, nodesOf, walkTree } from "./tree-access.ts";

/**
 * The columns that hold an ARRAY_AGG of which a tree asks only for `[SAFE_OFFSET(0)]`. DuckDB need not sort a list per
 * group to find the first element: a running maximum does, at a tenth of the cost.
 */
export function findFirstElements(tree: TreeNode): ReadonlySet<string> {
  const aggregates = new Set<string>();
  const firsts = new Map<string, number>();
  const uses = new Map<string, number>();
  const count = (map: Map<string, number>, id: string): void => {
    map.set(id, (map.get(id) ?? 0) + 1);
  };
  // What a scan outputs to a subquery, a WITH query or a table function's call is used by position, not by a reference.
  const countOutput = (scan: unknown): void => {
    if (scan !== undefined)
      for (const column of nodesOf(scan as TreeNode, "columnList")) count(uses, columnId(column));
  };
  countOutput(tree);
  walkTree(tree, (node, field) => {
    const first = firstElementColumn(node);
    if (first !== undefined) count(firsts, first);
    countOutput(node.withSubquery);
    countOutput(node.subquery);
    for (const item of node.kind === "AggregateScan" ? nodesOf(node, "aggregateList") : []) {
      if (isListOfElements(nodeOf(item, "expr"))) {
        aggregates.add(columnId(item.column as TreeNode));
        // Its own definition is not a use.
        count(firsts, columnId(item.column as TreeNode));
      }
    }
    // Every other mention of a column, whatever the field.
    if (field !== "columnList" && node.columnId !== undefined) count(uses, columnId(node));
    return field !== "columnList";
  });
  return new Set(
    [...aggregates].filter((id) => (firsts.get(id) ?? 0) > 1 && firsts.get(id) === uses.get(id)),
  );
}

function isListOfElements(expr: TreeNode | undefined): boolean {
  return (
    expr?.kind === "AggregateFunctionCall" &&
    functionName(expr).group === "ZetaSQL" &&
    functionName(expr).name === "array_agg" &&
    !flagOf(expr, "distinct") &&
    nodeOf(expr, "havingModifier") === undefined &&
    nodeOf(expr, "withGroupRowsSubquery") === undefined &&
    keepsAnElement(nodeOf(expr, "limit"))
  );
}

/** LIMIT 0 would keep none. */
function keepsAnElement(limit: TreeNode | undefined): boolean {
  if (limit === undefined) return true;
  const value = nodeOf(nodeOf(limit, "value") ?? {}, "value")?.int64Value;
  return limit.kind === "Literal" && typeof value === "string" && Number(value) > 0;
}

/** The column of which this call takes the first element, or NULL where there is none. */
export function firstElementColumn(node: TreeNode): string | undefined {
  if (node.kind !== "FunctionCall") return undefined;
  const { name } = functionName(node);
  const start = { $safe_array_at_offset: "0", $safe_array_at_ordinal: "1" }[name];
  const [array, index] = nodesOf(node, "argumentList");
  if (start === undefined || array?.kind !== "ColumnRef" || index?.kind !== "Literal") return undefined;
  const value = nodeOf(nodeOf(index, "value") ?? {}, "value");
  return value?.int64Value === start ? String(childOf(array, "column").columnId) : undefined;
}
