import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { nullHandling } from "./aggregate-calls.ts";
import { displayName, functionCall } from "./call-arguments.ts";
import { analyticFunctions } from "./functions/table.ts";
import type { AnalyticCall, OrderItem } from "./functions/types.ts";
import { orderItems } from "./ordering.ts";
import { childOf, columnId, flagOf, functionName, nodeOf, nodesOf, refId } from "./tree-access.ts";
import type { Unit } from "./unit.ts";
import { compileFrame } from "./window-frames.ts";

/** Window functions over an input, one or more groups that share PARTITION BY and ORDER BY. */
export function compileAnalyticScan(node: TreeNode, unit: Unit): string {
  const computed = new Map<string, string>();
  const prepared = new Map<string, string>();
  const prepare = (sql: string): string => {
    const name = prepared.get(sql) ?? unit.fresh("p");
    prepared.set(sql, name);
    return name;
  };
  for (const group of nodesOf(node, "functionGroupList")) {
    const partition = nodeOf(group, "partitionBy");
    const keys =
      partition === undefined
        ? []
        : nodesOf(partition, "partitionByList").map((ref) => unit.columnSql(refId(ref)));
    const ordering = nodeOf(group, "orderBy");
    const orderBy = ordering === undefined ? [] : orderItems(ordering, unit);
    for (const item of nodesOf(group, "analyticFunctionList")) {
      const id = columnId(childOf(item, "column"));
      computed.set(id, analyticSql(childOf(item, "expr"), keys, orderBy, unit, prepare));
    }
  }
  const items = nodesOf(node, "columnList").map((column) => {
    const id = columnId(column);
    return unit.define(computed.get(id) ?? unit.columnSql(id), id);
  });
  const input = unit.from(childOf(node, "inputScan"));
  const first = [...prepared].map(([sql, name]) => `${sql} AS ${name}`);
  const from =
    first.length === 0 ? input : `(SELECT *, ${first.join(", ")} FROM ${input}) AS ${unit.fresh("q")}`;
  return `SELECT ${items.join(", ")} FROM ${from}`;
}

function analyticSql(
  node: TreeNode,
  keys: readonly string[],
  orderBy: readonly OrderItem[],
  unit: Unit,
  prepare: AnalyticCall["prepare"],
): string {
  if (functionName(node).group !== "ZetaSQL")
    throw unsupported(`the function ${functionName(node).name} with OVER`);
  const partition = keys.length === 0 ? "" : `PARTITION BY ${keys.join(", ")}`;
  const { order, frame } = compileFrame(nodeOf(node, "windowFrame"), orderBy, unit);
  const call: AnalyticCall = {
    ...functionCall(node, unit),
    distinct: flagOf(node, "distinct"),
    nulls: nullHandling(node),
    partition,
    orderBy,
    frame,
    over: `(${[partition, order, frame].filter((part) => part !== "").join(" ")})`,
    prepare,
  };
  const mapping = analyticFunctions.get(call.name);
  if (mapping === undefined) throw unsupported(`${displayName(node)} with OVER`);
  return mapping(call);
}
