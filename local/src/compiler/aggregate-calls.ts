import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { displayName, functionCall } from "./call-arguments.ts";
import { checkedLimit } from "./checked-literals.ts";
import { exactArgument } from "./functions/exact-argument.ts";
import { aggregateFunctions } from "./functions/table.ts";
import type { AggregateCall, CompiledExpr } from "./functions/types.ts";
import { orderItems } from "./ordering.ts";
import { childOf, flagOf, functionName, nodeOf, textOf } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

/** A call of an aggregate function as its mapping sees it. */
export function aggregateCall(node: TreeNode, unit: Unit): AggregateCall {
  const { group } = functionName(node);
  if (group !== "ZetaSQL") throw unsupported(`the aggregate function ${functionName(node).name}`);
  refuseSafe(node);
  if (nodeOf(node, "withGroupRowsSubquery") !== undefined) throw unsupported("WITH GROUP ROWS");
  const limit = nodeOf(node, "limit");
  const having = nodeOf(node, "havingModifier");
  return {
    ...functionCall(node, unit),
    distinct: flagOf(node, "distinct"),
    nulls: nullHandling(node),
    orderBy: orderItems(node, unit),
    ...(limit === undefined ? {} : { limit: checkedLimit(unit.expr(limit)) }),
    ...(having === undefined
      ? {}
      : {
          having: {
            kind: having.kind === "MIN" ? ("min" as const) : ("max" as const),
            expr: unit.expr(childOf(having, "havingExpr")),
          },
        }),
  };
}

/** Refuses `SAFE.` before a function of many rows: DuckDB's errors of it end the query. */
export function refuseSafe(node: TreeNode): void {
  if (textOf(node, "errorMode") === "SAFE_ERROR_MODE") throw unsupported(`SAFE. before ${displayName(node)}`);
}

/** IGNORE NULLS or RESPECT NULLS of a call. */
export function nullHandling(node: TreeNode): "default" | "ignore" | "respect" {
  const modifier = textOf(node, "nullHandlingModifier");
  if (modifier === "IGNORE_NULLS") return "ignore";
  return modifier === "RESPECT_NULLS" ? "respect" : "default";
}

/** Functions that look for the extreme of a HAVING by themselves. */
export const HAVING_KNOWN = new Set(["any_value"]);

/** The DuckDB aggregate of a call. */
export function aggregateSql(call: AggregateCall): string {
  if (call.having !== undefined && call.only === undefined && !HAVING_KNOWN.has(call.name))
    throw unsupported(`${displayName(call.node)} with HAVING ${call.having.kind.toUpperCase()} here`);
  const mapping = aggregateFunctions.get(call.name);
  if (mapping === undefined) throw unsupported(displayName(call.node));
  return mapping(call);
}

const POINTS_IN_TIME: readonly string[] = ["TIMESTAMP", "DATETIME", "DATE"];

/** The element that ARRAY_AGG would put first, or NULL where the array would be empty. */
export function firstElementSql(call: AggregateCall): string {
  const [element] = call.args as readonly [CompiledExpr];
  const ignoresNulls = call.nulls === "ignore";
  const [key, ...more] = call.orderBy;
  if (key === undefined)
    return exactArgument(element, (sql) => `${ignoresNulls ? "any_value" : "first"}(${sql})`);
  // Without "_null" DuckDB passes over rows whose element is NULL.
  const suffix = ignoresNulls ? "" : "_null";
  const isPlain = POINTS_IN_TIME.includes(key.expr.type.kind) && key.nullsFirst === !key.descending;
  if (more.length === 0 && isPlain) {
    // No time is infinite in GoogleSQL, so infinity can stand for NULL, the smallest.
    const time = `coalesce(${key.expr.sql}, '-infinity')`;
    return exactArgument(
      element,
      (sql) => `${key.descending ? "arg_max" : "arg_min"}${suffix}(${sql}, ${time})`,
    );
  }
  const keys = call.orderBy.flatMap(({ expr, descending, nullsFirst }) => {
    const nulls = nullsFirst ? "NULLS FIRST" : "NULLS LAST";
    // Sort keys, unlike ORDER BY, tell 30 days from a month.
    const value = expr.type.kind === "INTERVAL" ? `normalized_interval(${expr.sql})` : expr.sql;
    const order = `${value}, '${descending ? "DESC" : "ASC"} ${nulls}'`;
    if (expr.type.kind !== "FLOAT64") return [order];
    return [`isnan(${expr.sql}), '${descending ? "ASC" : "DESC"} ${nulls}'`, order];
  });
  return exactArgument(element, (sql) => `arg_min${suffix}(${sql}, create_sort_key(${keys.join(", ")}))`);
}
