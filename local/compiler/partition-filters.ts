import type { TreeNode } from "../googlesql/tree.ts";
import type { PhysicalTable } from "./context.ts";
import { compileExpr } from "./expressions.ts";
import { columnExpression } from "./table-scans.ts";
import { columnId, functionName, nodesOf, refId, textOf, walkTree } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

/** Comparisons that can rule partitions out (https://cloud.google.com/bigquery/docs/querying-partitioned-tables). */
const PRUNING = new Set([
  "$equal",
  "$less",
  "$less_or_equal",
  "$greater",
  "$greater_or_equal",
  "$between",
  "$in",
  "$is_null",
]);

/** The parts of a filter that compare the partitioning column with what is constant in the query, if there are any. */
export function partitionFilter(
  filter: TreeNode,
  scan: TreeNode,
  table: PhysicalTable,
  unit: Unit,
): string | undefined {
  const { timePartitioning, rangePartitioning } = table.partitioning;
  if (timePartitioning === undefined && rangePartitioning === undefined) return undefined;
  const field = (timePartitioning?.field ?? rangePartitioning?.field)?.toLowerCase();
  const isPartitioning = (name: string): boolean =>
    field === undefined ? ["_partitiontime", "_partitiondate"].includes(name) : name === field;
  const columns = nodesOf(scan, "columnList").filter((column) =>
    isPartitioning(textOf(column, "name").toLowerCase()),
  );
  if (columns.length === 0) return undefined;
  const ids = new Map(
    columns.map((column) => [columnId(column), columnExpression(table, textOf(column, "name"))]),
  );
  const inner = unit.withColumns(ids);
  const conditions = conjuncts(filter)
    .filter((part) => isPruning(part, ids))
    .map((part) => compileExpr(part, inner).sql);
  return conditions.length === 0 ? undefined : conditions.join(" AND ");
}

function conjuncts(filter: TreeNode): readonly TreeNode[] {
  if (filter.kind !== "FunctionCall" || functionName(filter).name !== "$and") return [filter];
  return nodesOf(filter, "argumentList").flatMap(conjuncts);
}

function isPruning(part: TreeNode, ids: ReadonlyMap<string, string>): boolean {
  if (part.kind !== "FunctionCall" || !PRUNING.has(functionName(part).name)) return false;
  let constant = true;
  let mentions = 0;
  walkTree(part, (node) => {
    if (node.kind === "SubqueryExpr") constant = false;
    if (node.kind === "ColumnRef") {
      if (ids.has(refId(node))) mentions += 1;
      else constant = false;
    }
    return constant;
  });
  return constant && mentions > 0;
}
