import { sqlxIdentifier } from "../project/names.ts";
import type { SchemaField } from "../project/schema.ts";
import type { TreeNode } from "./nodes.ts";

/** A STRUCT's fields stand on one line where they are no longer than this. */
const WIDTH = 180;

/**
 * A field's type as SQLX writes it, below the top level without parameters: `ARRAY<STRUCT<street STRING, city STRING>>`. What
 * BigQuery knows beyond that, `npm run init` sets through the API.
 */
export function sqlType(field: SchemaField): string {
  const gap = hasRange(field) ? " " : "";
  const fields = field.fields.map((inner) => `${sqlxIdentifier(inner.name)} ${sqlType(inner)}`);
  const type = field.type === "STRUCT" ? structOf(fields, gap) : field.type;
  return field.mode === "REPEATED" ? `ARRAY<${type}${gap}>` : type;
}

/** The type of what final stores of the versions of these nodes: a TIMESTAMP for each leaf. */
export function versionsType(nodes: readonly TreeNode[]): string {
  return structOf(
    nodes.map((node) => `${node.sql} ${node.kind === "leaf" ? "TIMESTAMP" : versionsType(node.children)}`),
  );
}

function structOf(fields: readonly string[], gap = ""): string {
  const line = `STRUCT<${fields.join(", ")}${gap}>`;
  if (line.length <= WIDTH && !line.includes("\n")) return line;
  const list = fields.join(",\n").replaceAll("\n", "\n  ");
  return `STRUCT<\n  ${list}\n>`;
}

/** True where `>` may not follow at once: GoogleSQL loses count of the brackets after a RANGE<…> and takes >> for a shift. */
function hasRange({ type, fields }: Pick<SchemaField, "type" | "fields">): boolean {
  return type.startsWith("RANGE<") || fields.some(hasRange);
}
