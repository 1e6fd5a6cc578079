import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { nullHandling } from "./aggregate-calls.ts";
import { displayName, functionCall } from "./call-arguments.ts";
import { analyticFunctions } from "./functions/table.ts";
import type { AnalyticCall, OrderItem } from "./functions/types.ts";
import { orderItems } from "./ordering.ts";
import { childOf, columnId, flagOf, functionName, nodeOf, nodesOf, refId, textOf } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

/** Window functions over an input, one or more groups that share PARTITION BY and ORDER BY. */
export function compileAnalyticScan(node: TreeNode, unit: Unit): string {
  const computed = new Map<string, string>();
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
      computed.set(id, analyticSql(childOf(item, "expr"), keys, orderBy, unit));
    }
  }
  const items = nodesOf(node, "columnList").map((column) => {
    const id = columnId(column);
    return unit.define(computed.get(id) ?? unit.columnSql(id), id);
  });
  return `SELECT ${items.join(", ")} FROM ${unit.from(childOf(node, "inputScan"))}`;
}

function analyticSql(
  node: TreeNode,
  keys: readonly string[],
  orderBy: readonly OrderItem[],
  unit: Unit,
): string {
  if (functionName(node).group !== "ZetaSQL")
    throw unsupported(`the function ${functionName(node).name} with OVER`);
  const window = nodeOf(node, "windowFrame");
  const partition = keys.length === 0 ? "" : `PARTITION BY ${keys.join(", ")}`;
  const frame = window === undefined ? "" : frameSql(window, unit);
  const order = orderBy.map((item) => (isOffsetRange(window) ? plainKey(item) : item.sql)).join(", ");
  const over = [partition, order === "" ? "" : `ORDER BY ${order}`, frame]
    .filter((part) => part !== "")
    .join(" ");
  const call: AnalyticCall = {
    ...functionCall(node, unit),
    distinct: flagOf(node, "distinct"),
    nulls: nullHandling(node),
    partition,
    orderBy,
    frame,
    over: `(${over})`,
  };
  const mapping = analyticFunctions.get(call.name);
  if (mapping === undefined) throw unsupported(`${displayName(node)} with OVER`);
  return mapping(call);
}

function isOffsetRange(window: TreeNode | undefined): boolean {
  if (window === undefined || textOf(window, "frameUnit") !== "RANGE") return false;
  return [nodeOf(window, "startExpr"), nodeOf(window, "endExpr")].some((bound) =>
    nodeOf(bound ?? {}, "expression"),
  );
}

/** RANGE with an offset wants exactly one key, so NaN stays where DuckDB sorts it. */
function plainKey(item: OrderItem): string {
  return `${item.expr.sql} ${item.descending ? "DESC" : "ASC"} NULLS ${item.nullsFirst ? "FIRST" : "LAST"}`;
}

function frameSql(window: TreeNode, unit: Unit): string {
  const unitName = textOf(window, "frameUnit") || "ROWS";
  return `${unitName} BETWEEN ${boundSql(childOf(window, "startExpr"), unit)} AND ${boundSql(childOf(window, "endExpr"), unit)}`;
}

function boundSql(bound: TreeNode, unit: Unit): string {
  const kind = textOf(bound, "boundaryType") || "UNBOUNDED_PRECEDING";
  const offset = nodeOf(bound, "expression");
  if (offset === undefined) return kind.replace("_", " ");
  return `${unit.expr(offset).sql} ${kind.replace("OFFSET_", "")}`;
}
