import type { SqlType } from "../types.ts";

/** One key of DuckDB's ORDER BY; of FLOAT64 two, as NaN is the smallest number to GoogleSQL and the greatest to DuckDB. */
export function orderSql(sql: string, type: SqlType, descending: boolean, nullsFirst: boolean): string {
  const nulls = nullsFirst ? "NULLS FIRST" : "NULLS LAST";
  const direction = descending ? "DESC" : "ASC";
  if (type.kind !== "FLOAT64") return `${sql} ${direction} ${nulls}`;
  // DuckDB gives back 0 for a column of -0 that it has sorted by, so it sorts by a value of its own.
  return `isnan(${sql}) ${descending ? "ASC" : "DESC"} ${nulls}, (${sql} + 0) ${direction} ${nulls}`;
}
