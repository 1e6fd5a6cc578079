import { raise } from "../raise.ts";
import { isLimited, limitedScalar } from "../storage/field-limits.ts";
import { fieldOfType } from "../storage/schema.ts";
import type { FieldSchema, SqlType } from "../types.ts";
import { duckType } from "../values.ts";
import { structSql } from "./expressions.ts";
import type { Unit } from "./unit.ts";

/**
 * A value as a column of this schema keeps it: an array is never NULL and has no NULL in it, REQUIRED fields have a
 * value, texts and decimals fit (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#array_nulls).
 */
export function storedSql(sql: string, type: SqlType, field: FieldSchema, unit: Unit): string {
  return stored(sql, type, field, field.name, unit);
}

/** A value as a client gets it in a result. */
export function resultSql(sql: string, type: SqlType, name: string, unit: Unit): string {
  return stored(sql, type, fieldOfType(name, type), name, unit);
}

function stored(sql: string, type: SqlType, field: FieldSchema, path: string, unit: Unit): string {
  if (!needsWork(field)) return sql;
  if (type.kind === "ARRAY") return storedArray(sql, type.element, field, path, unit);
  const value = storedElement(sql, type, field, path, unit);
  if (field.mode !== "REQUIRED") return value;
  return `coalesce(${value}, ${raise(type, `Required field ${path} cannot be null`)})`;
}

function storedArray(sql: string, element: SqlType, field: FieldSchema, path: string, unit: Unit): string {
  const type: SqlType = { kind: "ARRAY", element };
  return unit.once(sql, (list) => {
    const name = unit.fresh("e");
    const inner = storedElement(name, element, field, path, unit);
    const items = inner === name ? list : `list_transform(${list}, lambda ${name}: ${inner})`;
    const message = `Array cannot have a null element; error in writing field ${path}`;
    return `(CASE WHEN ${list} IS NULL THEN []::${duckType(type)} WHEN list_count(${list}) < len(${list}) THEN ${raise(type, message)} ELSE ${items} END)`;
  });
}

/** The value itself, whatever the field's mode. */
function storedElement(sql: string, type: SqlType, field: FieldSchema, path: string, unit: Unit): string {
  if (type.kind === "STRUCT") {
    const fields = field.fields ?? [];
    if (!fields.some(needsWork)) return sql;
    return unit.once(sql, (struct) => {
      const values = type.fields.map((item, index) => {
        const inner = fields[index];
        const value = `(${struct}).f${index}`;
        return inner === undefined ? value : stored(value, item.type, inner, `${path}.${inner.name}`, unit);
      });
      return `(CASE WHEN ${struct} IS NOT NULL THEN ${structSql(values)} END)`;
    });
  }
  if (!isLimited(field)) return sql;
  return unit.once(sql, (value) => limitedScalar(field, value, path));
}

function needsWork(field: FieldSchema): boolean {
  if (field.mode !== "NULLABLE" || isLimited(field)) return true;
  return field.fields?.some(needsWork) ?? false;
}
