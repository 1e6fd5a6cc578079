import { sqlxIdentifier } from "../project/names.ts";
import type { SchemaField } from "../project/schema.ts";

/** A field's type as SQLX writes it, without its parameters: `ARRAY<STRUCT<street STRING, city STRING>>`. */
export function sqlType(field: SchemaField): string {
  const fields = field.fields.map((inner) => `${sqlxIdentifier(inner.name)} ${sqlType(inner)}`);
  const gap = hasRange(field) ? " " : "";
  const type = field.type === "STRUCT" ? `STRUCT<${fields.join(", ")}${gap}>` : field.type;
  return field.mode === "REPEATED" ? `ARRAY<${type}${gap}>` : type;
}

/** True where `>` may not follow at once: GoogleSQL loses count of the brackets after a RANGE<…> and takes >> for a shift. */
export function hasRange({ type, fields }: Pick<SchemaField, "type" | "fields">): boolean {
  return type.startsWith("RANGE<") || fields.some(hasRange);
}
