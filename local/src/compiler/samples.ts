import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { childOf, nodeOf, nodesOf, textOf } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

/** `TABLESAMPLE SYSTEM (n PERCENT)`, which is all that BigQuery has. */
export function compileSampleScan(node: TreeNode, unit: Unit): string {
  const method = textOf(node, "method").toUpperCase();
  const refused =
    nodeOf(node, "weightColumn") ?? nodeOf(node, "repeatableArgument") ?? nodesOf(node, "partitionByList")[0];
  if (method !== "SYSTEM" || textOf(node, "unit") !== "PERCENT" || refused !== undefined) {
    throw unsupported(`TABLESAMPLE ${method} other than SYSTEM (… PERCENT)`);
  }
  const size = unit.expr(childOf(node, "size")).literal;
  if (typeof size !== "bigint" && typeof size !== "number")
    throw unsupported("TABLESAMPLE with a size that is no literal");
  // DuckDB samples vectors of 2048 rows under SYSTEM, all or none of a small table; rows are as good a block.
  const columns = unit.columnList(nodesOf(node, "columnList"));
  return `SELECT ${columns} FROM ${unit.from(childOf(node, "inputScan"))} TABLESAMPLE BERNOULLI (${size} PERCENT)`;
}
