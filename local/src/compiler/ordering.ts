import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { SqlType } from "../types.ts";
import type { OrderItem } from "./functions/types.ts";
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

/** One key of DuckDB's ORDER BY; of FLOAT64 two, as NaN is the smallest number to GoogleSQL and the greatest to DuckDB. */
export function orderSql(sql: string, type: SqlType, descending: boolean, nullsFirst: boolean): string {
  const nulls = nullsFirst ? "NULLS FIRST" : "NULLS LAST";
  const direction = descending ? "DESC" : "ASC";
  if (type.kind !== "FLOAT64") return `${sql} ${direction} ${nulls}`;
  // DuckDB gives back 0 for a column of -0 that it has sorted by, so it sorts by a value of its own.
  return `isnan(${sql}) ${descending ? "ASC" : "DESC"} ${nulls}, (${sql} + 0) ${direction} ${nulls}`;
}

/** `ORDER BY …`, or nothing. */
export function orderClause(items: readonly OrderItem[]): string {
  return items.length === 0 ? "" : ` ORDER BY ${items.map((item) => item.sql).join(", ")}`;
}
