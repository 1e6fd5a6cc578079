import type { SqlType } from "../types.ts";
import { duckType } from "../values.ts";

/**
 * DuckDB SQL that gives a stored value of one type as another: STRUCT fields are matched by name, missing ones are NULL (empty for
 * ARRAYs), scalars are widened. `sql` is evaluated where it stands, so it must be a column or a lambda's parameter.
 */
export function conversion(sql: string, from: SqlType, to: SqlType): string {
  return convert(sql, from, to, 0);
}

function convert(sql: string, from: SqlType, to: SqlType, depth: number): string {
  if (duckType(from) === duckType(to) && sameNames(from, to)) return sql;
  if (from.kind === "ARRAY" && to.kind === "ARRAY") {
    const item = `item${depth}`;
    return `list_transform(${sql}, lambda ${item}: ${convert(item, from.element, to.element, depth + 1)})`;
  }
  if (from.kind === "STRUCT" && to.kind === "STRUCT") {
    const fields = to.fields.map((field, index) => {
      const at = from.fields.findIndex((other) => other.name.toLowerCase() === field.name.toLowerCase());
      const source = from.fields[at];
      const value =
        source === undefined
          ? `${field.type.kind === "ARRAY" ? "[]" : "NULL"}::${duckType(field.type)}`
          : convert(`${sql}.f${at}`, source.type, field.type, depth);
      return `f${index} := ${value}`;
    });
    return `CASE WHEN ${sql} IS NULL THEN NULL ELSE struct_pack(${fields.join(", ")}) END`;
  }
  if (to.kind === "BIGNUMERIC") {
    // A BIGNUMERIC is stored as value * 10^38, a NUMERIC as a DECIMAL with 9 digits after the point.
    const text =
      from.kind === "INT64"
        ? `${sql}::VARCHAR || repeat('0', 38)`
        : `replace(${sql}::VARCHAR, '.', '') || repeat('0', 29)`;
    if (from.kind === "INT64" || from.kind === "NUMERIC") return `(${text})::BIGNUM`;
  }
  return `CAST(${sql} AS ${duckType(to)})`;
}

function sameNames(from: SqlType, to: SqlType): boolean {
  if (from.kind === "ARRAY" && to.kind === "ARRAY") return sameNames(from.element, to.element);
  if (from.kind !== "STRUCT" || to.kind !== "STRUCT") return true;
  return from.fields.every((field, index) => {
    const other = to.fields[index];
    return (
      other !== undefined &&
      other.name.toLowerCase() === field.name.toLowerCase() &&
      sameNames(field.type, other.type)
    );
  });
}
