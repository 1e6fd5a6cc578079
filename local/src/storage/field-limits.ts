import { type MessagePart, raise } from "../raise.ts";
import type { FieldSchema } from "../types.ts";
import { decimalText, duckType } from "../values.ts";
import { elementType, fieldType } from "./schema.ts";

/** True for a field of type STRING(n), BYTES(n), NUMERIC(p, s) or BIGNUMERIC(p, s), and for a RECORD that has one in it. */
export function isLimited(field: FieldSchema): boolean {
  return (
    field.maxLength !== undefined || field.precision !== undefined || (field.fields ?? []).some(isLimited)
  );
}

/**
 * DuckDB SQL for a value as its field keeps it, at any depth: decimals are rounded to the field's scale, and what is too long or too great
 * fails (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#parameterized_data_types). `sql` is evaluated several
 * times, so it must be a column or a lambda's parameter.
 */
function limitedSql(field: FieldSchema, sql: string, path = field.name, depth = 0): string {
  if (!isLimited(field)) return sql;
  if (field.mode === "REPEATED") {
    const item = `l${depth}`;
    return `list_transform(${sql}, lambda ${item}: ${limitedSql({ ...field, mode: "NULLABLE" }, item, path, depth + 1)})`;
  }
  if (field.fields === undefined) return limitedScalar(field, sql, path);
  const fields = field.fields.map(
    (child, index) =>
      `f${index} := ${limitedSql(child, `(${sql}).f${index}`, `${path}.${child.name}`, depth)}`,
  );
  return `(CASE WHEN ${sql} IS NOT NULL THEN struct_pack(${fields.join(", ")}) END)`;
}

/** As `limitedSql`, for the value of one scalar field, or one element of a REPEATED one. */
export function limitedScalar(field: FieldSchema, sql: string, path: string): string {
  if (field.maxLength !== undefined) return limitedText(field, sql, path);
  return field.precision === undefined ? sql : limitedDecimal(field, sql, path);
}

/** A query's rows with the limits of the fields that its columns go to; the i-th column of `query` is that of the i-th field. */
export function limitedQuery(fields: readonly FieldSchema[], query: string): string {
  if (!fields.some(isLimited)) return query;
  const names = fields.map((_, index) => `r${index}`);
  const values = fields.map((field, index) => limitedSql(field, `q.r${index}`));
  return `SELECT ${values.join(", ")} FROM (${query}) AS q(${names.join(", ")})`;
}

function limitedText(field: FieldSchema, sql: string, path: string): string {
  const length = `${field.type === "BYTES" ? "octet_length" : "length"}(${sql})`;
  const type = `${field.type}(${field.maxLength})`;
  return failing(field, `${length} > ${field.maxLength}`, sql, [
    `Field ${path}: ${type} has maximum length ${field.maxLength} but got a value with length `,
    { sql: `${length}::VARCHAR` },
  ]);
}

function limitedDecimal(field: FieldSchema, sql: string, path: string): string {
  const typeScale = field.type === "NUMERIC" ? 9 : 38;
  const [precision, scale] = [Number(field.precision), Number(field.scale ?? "0")];
  const unit = 10n ** BigInt(typeScale - scale);
  const greatest = 10n ** BigInt(precision - scale + typeScale) - unit;
  // Half a unit more is rounded to a number with one digit too many.
  const first = greatest + (unit === 1n ? 1n : unit / 2n);
  const limit = decimalText(greatest, typeScale);
  const type = `${field.type}(${precision}${scale === 0 ? "" : `, ${scale}`})`;
  const message = `Field ${path}: ${type} has precision ${precision} and scale ${scale} but got a value that is not in range of [-${limit}, ${limit}]`;
  const isEven = field.roundingMode === "ROUND_HALF_EVEN";
  if (field.type === "BIGNUMERIC") {
    const rounded = `bq_bignumeric_round${isEven ? "_even" : ""}(${sql}, ${scale})`;
    return failing(field, `bq_bignumeric_abs(${sql}) >= '${first}'::BIGNUM`, rounded, [message]);
  }
  const exceeds =
    first >= 10n ** 38n ? "false" : `abs(${sql}) >= '${decimalText(first, typeScale)}'::DECIMAL(38,9)`;
  const rounded = isEven ? `bq_numeric_round_even(${sql}, ${scale})` : `round(${sql}, ${scale})`;
  return failing(field, exceeds, scale === 9 ? sql : `CAST(${rounded} AS DECIMAL(38,9))`, [message]);
}

function failing(
  field: FieldSchema,
  condition: string,
  value: string,
  message: readonly MessagePart[],
): string {
  return `(CASE WHEN ${condition} THEN ${raise(elementType(field), ...message)} ELSE ${value} END)`;
}

/** The fields with the limits of the table's fields of the same name, where they have none of their own. */
export function withLimits(fields: readonly FieldSchema[], table: readonly FieldSchema[]): FieldSchema[] {
  const byName = new Map(table.map((field) => [field.name.toLowerCase(), field]));
  return fields.map((field) => {
    const own = byName.get(field.name.toLowerCase());
    if (own === undefined || duckType(fieldType(own)) !== duckType(fieldType(field))) return field;
    if (field.fields !== undefined) return { ...field, fields: withLimits(field.fields, own.fields ?? []) };
    if (field.maxLength !== undefined || field.precision !== undefined) return field;
    const { maxLength, precision, scale, roundingMode } = own;
    return {
      ...field,
      ...(maxLength === undefined ? {} : { maxLength }),
      ...(precision === undefined ? {} : { precision }),
      ...(scale === undefined ? {} : { scale }),
      ...(roundingMode === undefined ? {} : { roundingMode }),
    };
  });
}
