import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { nullHandling, refuseSafe } from "./aggregate-calls.ts";
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
  const values: string[] = [];
  const inColumn = (sql: string): string => {
    const name = unit.fresh("o");
    values.push(`${sql} AS ${name}`);
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
      computed.set(id, analyticSql(childOf(item, "expr"), keys, orderBy, unit, { prepare, inColumn }));
    }
  }
  const items = nodesOf(node, "columnList").map((column) => {
    const id = columnId(column);
    return unit.define(computed.get(id) ?? unit.columnSql(id), id);
  });
  const input = unit.from(childOf(node, "inputScan"));
  const first = [...prepared].map(([sql, name]) => `${sql} AS ${name}`);
  const from = [values, first].reduce(
    (rows, more) =>
      more.length === 0 ? rows : `(SELECT *, ${more.join(", ")} FROM ${rows}) AS ${unit.fresh("q")}`,
    input,
  );
  return `SELECT ${items.join(", ")} FROM ${from}`;
}

function analyticSql(
  node: TreeNode,
  keys: readonly string[],
  orderBy: readonly OrderItem[],
  unit: Unit,
  { prepare, inColumn }: { prepare: AnalyticCall["prepare"]; inColumn: (sql: string) => string },
): string {
  if (functionName(node).group !== "ZetaSQL")
    throw unsupported(`the function ${functionName(node).name} with OVER`);
  refuseSafe(node);
  const partition = keys.length === 0 ? "" : `PARTITION BY ${keys.join(", ")}`;
  const { order, frame } = compileFrame(nodeOf(node, "windowFrame"), orderBy, unit);
  const called = functionCall(node, unit);
  const call: AnalyticCall = {
    ...called,
    // What differs at every evaluation, and may be written several times, gets a value of its own for each row.
    args: called.args.map((arg) => (arg.isVolatile === true ? { ...arg, sql: inColumn(arg.sql) } : arg)),
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
