import type { FieldType } from "../project/field-types.ts";
import type { SchemaField } from "../project/schema.ts";

/**
 * What a column of each type can become: the "coerce to" column of
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/conversion_rules, to which
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#alter_column_set_data_type_statement
 * refers.
 */
const COERCIBLE: Partial<Record<FieldType, readonly FieldType[]>> = {
  INT64: ["NUMERIC", "BIGNUMERIC", "FLOAT64"],
  NUMERIC: ["BIGNUMERIC", "FLOAT64"],
  BIGNUMERIC: ["FLOAT64"],
  DATE: ["DATETIME"],
};

/** Digits before and after the point: https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#decimal_types */
const DIGITS: Partial<Record<FieldType, { readonly whole: number; readonly scale: number }>> = {
  INT64: { whole: 19, scale: 0 },
  NUMERIC: { whole: 29, scale: 9 },
  BIGNUMERIC: { whole: 38, scale: 38 },
};

type Typed = Pick<SchemaField, "type" | "mode" | "typeParameters" | "fields">;

/** A column's type as a schema's reader knows it: `REPEATED STRING`, `NUMERIC(10, 2)`, `RECORD (street, city)`. */
export function describeType(field: Typed): string {
  const parameters = field.typeParameters === undefined ? "" : `(${field.typeParameters})`;
  const fields = field.type === "STRUCT" ? ` (${field.fields.map(({ name }) => name).join(", ")})` : "";
  const type = field.type === "STRUCT" ? "RECORD" : field.type;
  return `${field.mode === "REPEATED" ? "REPEATED " : ""}${type}${parameters}${fields}`;
}

/** True when both hold values of the same type, whatever their parameters and the fields within. */
export function isSameType(before: Typed, after: Typed): boolean {
  return before.type === after.type && (before.mode === "REPEATED") === (after.mode === "REPEATED");
}

/** True where BigQuery's `ALTER COLUMN … SET DATA TYPE` takes the change: to a type that holds every value of the old one. */
export function canSetType(before: Typed, after: Typed): boolean {
  if (before.mode === "REPEATED" || after.mode === "REPEATED") {
    // An array is coerced to nothing; its elements' parameters may still be relaxed.
    return isSameType(before, after) && isWider(before, after);
  }
  const isCoercible = before.type === after.type || (COERCIBLE[before.type] ?? []).includes(after.type);
  return isCoercible && isWider(before, after);
}

function isWider(before: Typed, after: Typed): boolean {
  if (after.typeParameters === undefined) return true;
  if (after.type === "STRING" || after.type === "BYTES") {
    return (
      before.typeParameters !== undefined && Number(after.typeParameters) >= Number(before.typeParameters)
    );
  }
  const [old, now] = [digitsOf(before), digitsOf(after)];
  return old !== undefined && now !== undefined && now.whole >= old.whole && now.scale >= old.scale;
}

function digitsOf({ type, typeParameters }: Typed): { whole: number; scale: number } | undefined {
  if (typeParameters === undefined) return DIGITS[type];
  const [precision = 0, scale = 0] = typeParameters.split(",").map(Number);
  return { whole: precision - scale, scale };
}
