import type { SqlType } from "../types.ts";

/** Bytes of a value of fixed size: https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#data_type_sizes */
const FIXED: Partial<Record<SqlType["kind"], number>> = {
  INT64: 8,
  FLOAT64: 8,
  NUMERIC: 16,
  BIGNUMERIC: 32,
  BOOL: 1,
  DATE: 8,
  DATETIME: 8,
  TIME: 8,
  TIMESTAMP: 8,
  INTERVAL: 16,
  RANGE: 16,
};

/** A pair of coordinates in the text of a GEOGRAPHY. */
const VERTEX = "[-+0-9.eE]+ [-+0-9.eE]+";

/** The DuckDB expression for a value's logical size in bytes; NULL has none. */
export function valueSize(type: SqlType, sql: string, depth = 0): string {
  if (type.kind === "STRUCT") {
    const fields = type.fields.map((field, index) =>
      valueSize(field.type, `struct_extract(${sql}, 'f${index}')`, depth),
    );
    return fields.length === 0 ? "0" : `(${fields.join(" + ")})`;
  }
  const fixed = FIXED[type.kind];
  if (fixed !== undefined) return `CASE WHEN ${sql} IS NULL THEN 0 ELSE ${fixed} END`;
  return `coalesce(${varyingSize(type, sql, depth)}, 0)`;
}

/** The DuckDB aggregate for the logical bytes of a column of values. One aggregate a leaf: it is worked out for all that is written. */
export function sizeSum(type: SqlType, sql: string): string {
  if (type.kind === "STRUCT") {
    const fields = type.fields.map((field, index) =>
      sizeSum(field.type, `struct_extract(${sql}, 'f${index}')`),
    );
    return fields.length === 0 ? "0" : `(${fields.join(" + ")})`;
  }
  const fixed = FIXED[type.kind];
  if (fixed !== undefined) return `count(${sql}) * ${fixed}`;
  return `coalesce(sum(${varyingSize(type, sql, 0)}), 0)`;
}

/** The size of a value whose type alone does not tell it; NULL for NULL. */
function varyingSize(type: SqlType, sql: string, depth: number): string {
  switch (type.kind) {
    case "ARRAY": {
      const fixed = FIXED[type.element.kind];
      if (fixed !== undefined) return `len(${sql}) * ${fixed}`;
      const item = `e${depth}`;
      const sizes = `list_transform(${sql}, lambda ${item}: ${valueSize(type.element, item, depth + 1)})`;
      return `list_sum(${sizes})::BIGINT`;
    }
    case "BYTES":
      return `octet_length(${sql}) + 2`;
    case "JSON":
      return `strlen(${sql})`;
    case "GEOGRAPHY":
      return `16 + 24 * len(regexp_extract_all(${sql}, '${VERTEX}'))`;
    default:
      return `strlen(${sql}) + 2`;
  }
}
