import type { SqlType } from "../types.ts";
import { duckType, literalSql, quoteName, type SqlValue } from "../values.ts";

/** The types that the views' columns mostly have. */
export const STRING: SqlType = { kind: "STRING" };
export const INT64: SqlType = { kind: "INT64" };

/** Column names and types of a view, in order. */
export type Columns = readonly (readonly [name: string, type: SqlType])[];

/** The DuckDB query that gives these rows. */
export function valuesSql(columns: Columns, rows: readonly (readonly SqlValue[])[]): string {
  if (rows.length === 0) {
    const empty = columns.map(([name, type]) => `NULL::${duckType(type)} AS ${quoteName(name)}`);
    return `SELECT ${empty.join(", ")} WHERE false`;
  }
  const literals = rows.map(
    (row) => `(${columns.map(([, type], index) => literalSql(type, row[index] ?? null)).join(", ")})`,
  );
  const names = columns.map(([name]) => quoteName(name));
  return `SELECT * FROM (VALUES ${literals.join(", ")}) AS rows(${names.join(", ")})`;
}

/** Milliseconds as a TIMESTAMP. */
export function micros(milliseconds: number): bigint {
  return BigInt(milliseconds) * 1000n;
}
