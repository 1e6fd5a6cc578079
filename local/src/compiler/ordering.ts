import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { OrderItem } from "./functions/types.ts";
import { orderSql } from "./order-sql.ts";
import { childOf, flagOf, nodeOf, nodesOf, textOf } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

/**
 * The keys of an ORDER BY. In GoogleSQL NULL is the smallest value unless NULLS FIRST or LAST says otherwise
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#order_by_clause).
 */
export function orderItems(node: TreeNode, unit: Unit): readonly OrderItem[] {
  return nodesOf(node, "orderByItemList").map((item) => {
    if (
      nodeOf(item, "collationName") !== undefined ||
      textOf(nodeOf(item, "collation") ?? {}, "collationName") !== ""
    )
      throw unsupported("COLLATE");
    const expr = unit.expr(childOf(item, "columnRef"));
    const descending = flagOf(item, "isDescending");
    const asked = textOf(item, "nullOrder");
    const nullsFirst = asked === "NULLS_FIRST" || (asked !== "NULLS_LAST" && !descending);
    return { expr, descending, nullsFirst, sql: orderSql(expr.sql, expr.type, descending, nullsFirst) };
  });
}

/** `ORDER BY …`, or nothing. */
export function orderClause(items: readonly OrderItem[]): string {
  return items.length === 0 ? "" : ` ORDER BY ${items.map((item) => item.sql).join(", ")}`;
}
