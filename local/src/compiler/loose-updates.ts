import type { SqlType } from "../types.ts";
import { quoteName } from "../values.ts";
import { tableColumn } from "./assignments.ts";
import type { DmlStep } from "./compiled.ts";
import type { PhysicalTable } from "./context.ts";
import { hasLooseEquality } from "./row-identity.ts";

/**
 * DuckDB does not write a value that equals the one in its place, though 0.0 and -0.0, `P1M` and `P30D` differ. Where the rows to write
 * (`rid`, `v0`, `v1`, …) hold such a value, this step first puts another one in its place. None for columns that hold no such values,
 * nor where a column holds an ARRAY: then DuckDB writes the whole row, and gives it another row id.
 */
export function partEqualValues(table: PhysicalTable, names: readonly string[], rows: string): DmlStep[] {
  const types = names.map((name) => tableColumn(table, name).type);
  if (types.some(hasArray)) return [];
  const loose = types.flatMap((type, index) =>
    hasLooseEquality(type) ? [{ type, column: quoteName(names[index] ?? ""), written: `m.v${index}` }] : [],
  );
  if (loose.length === 0) return [];
  const differing = loose.flatMap(({ type, column, written }) => looselyEqual(type, `t.${column}`, written));
  const set = loose.map(({ type, column }) => `${column} = ${otherValue(type, `t.${column}`)}`).join(", ");
  const where = `t.rowid = m.rid AND (${differing.join(" OR ")})`;
  return [{ sql: `UPDATE ${table.sql} AS t SET ${set} FROM ${rows} AS m WHERE ${where}` }];
}

/** Whether values of a type hold an ARRAY anywhere. */
export function hasArray(type: SqlType): boolean {
  return (
    type.kind === "ARRAY" || (type.kind === "STRUCT" && type.fields.some((field) => hasArray(field.type)))
  );
}

/** Conditions, each true where DuckDB holds a part of two values equal that differs. */
function looselyEqual(type: SqlType, before: string, after: string): string[] {
  if (type.kind === "STRUCT") {
    return type.fields.flatMap((field, index) =>
      looselyEqual(field.type, `${before}.f${index}`, `${after}.f${index}`),
    );
  }
  if (!hasLooseEquality(type)) return [];
  const equal = type.kind === "FLOAT64" ? `${before} = 0 AND ${after} = 0` : `${before} = ${after}`;
  return [`(${equal} AND ${before}::VARCHAR <> ${after}::VARCHAR)`];
}

/** The value with another one in the place of each part that DuckDB could hold equal to a different one. */
function otherValue(type: SqlType, value: string): string {
  if (type.kind === "FLOAT64") return `CASE WHEN ${value} = 0 THEN 1 ELSE ${value} END`;
  if (type.kind === "INTERVAL") return `${value} + INTERVAL 1 MICROSECOND`;
  if (type.kind !== "STRUCT" || !hasLooseEquality(type)) return value;
  const fields = type.fields.map(
    (field, index) => `f${index} := ${otherValue(field.type, `${value}.f${index}`)}`,
  );
  return `CASE WHEN ${value} IS NULL THEN NULL ELSE struct_pack(${fields.join(", ")}) END`;
}
