import { raise } from "../raise.ts";
import { isLimited, limitedScalar } from "../storage/field-limits.ts";
import { fieldOfType } from "../storage/schema.ts";
import type { FieldSchema, SqlType } from "../types.ts";
import { duckType } from "../values.ts";
import { CallScope } from "./call-scope.ts";
import { structSql } from "./expressions.ts";
import type { Operand } from "./functions/types.ts";
import type { Unit } from "./unit.ts";

/**
 * A value as a column of this schema keeps it: an array is never NULL and has no NULL in it, REQUIRED fields have a
 * value, texts and decimals fit (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#array_nulls).
 */
export function storedSql(value: Operand, type: SqlType, field: FieldSchema, unit: Unit): string {
  return stored(value.sql, type, field, field.name, new CallScope(unit, [value]));
}

/** A value as a client gets it in a result. */
export function resultSql(value: Operand, type: SqlType, name: string, unit: Unit): string {
  return stored(value.sql, type, fieldOfType(name, type), name, new CallScope(unit, [value]));
}

function stored(sql: string, type: SqlType, field: FieldSchema, path: string, scope: CallScope): string {
  if (!needsWork(field)) return sql;
  if (type.kind === "ARRAY") return storedArray(sql, type.element, field, path, scope);
  const value = storedElement(sql, type, field, path, scope);
  if (field.mode !== "REQUIRED") return value;
  return `coalesce(${value}, ${raise(type, `Required field ${path} cannot be null`)})`;
}

function storedArray(
  sql: string,
  element: SqlType,
  field: FieldSchema,
  path: string,
  scope: CallScope,
): string {
  const type: SqlType = { kind: "ARRAY", element };
  return scope.once(sql, (list) => {
    const name = scope.parameter("e");
    const inner = storedElement(name, element, field, path, scope);
    const items = inner === name ? list : `list_transform(${list}, lambda ${name}: ${inner})`;
    const message = `Array cannot have a null element; error in writing field ${path}`;
    return `(CASE WHEN ${list} IS NULL THEN []::${duckType(type)} WHEN list_count(${list}) < len(${list}) THEN ${raise(type, message)} ELSE ${items} END)`;
  });
}

/** The value itself, whatever the field's mode. */
function storedElement(
  sql: string,
  type: SqlType,
  field: FieldSchema,
  path: string,
  scope: CallScope,
): string {
  if (type.kind === "STRUCT") {
    const fields = field.fields ?? [];
    if (!fields.some(needsWork)) return sql;
    return scope.once(sql, (struct) => {
      const values = type.fields.map((item, index) => {
        const inner = fields[index];
        const value = `(${struct}).f${index}`;
        return inner === undefined ? value : stored(value, item.type, inner, `${path}.${inner.name}`, scope);
      });
      return `(CASE WHEN ${struct} IS NOT NULL THEN ${structSql(values)} END)`;
    });
  }
  if (!isLimited(field)) return sql;
  return scope.once(sql, (value) => limitedScalar(field, value, path));
}

function needsWork(field: FieldSchema): boolean {
  if (field.mode !== "NULLABLE" || isLimited(field)) return true;
  return field.fields?.some(needsWork) ?? false;
}
