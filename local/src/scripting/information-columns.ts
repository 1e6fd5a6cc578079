import type { Described, TableEntry } from "../storage/entries.ts";
import { isIngestionTimePartitioned } from "../storage/partition-keys.ts";
import { elementType } from "../storage/schema.ts";
import { typeText } from "../type-text.ts";
import type { FieldSchema } from "../types.ts";
import type { SqlValue } from "../values.ts";

/** A field's type as GoogleSQL writes it, with its type parameters. */
export function dataType(field: FieldSchema): string {
  const type = elementType(field);
  const { kind } = type;
  let text: string = typeText(type);
  if (kind === "STRUCT") {
    text = `STRUCT<${(field.fields ?? []).map((child) => `${child.name} ${dataType(child)}`).join(", ")}>`;
  } else if (field.maxLength !== undefined) text = `${kind}(${field.maxLength})`;
  else if (field.precision !== undefined) {
    text = `${kind}(${field.precision}${field.scale === undefined ? "" : `, ${field.scale}`})`;
  }
  return field.mode === "REPEATED" ? `ARRAY<${text}>` : text;
}

/** The columns of a table for COLUMNS, from column_name on. */
export function columnRows(entry: TableEntry): SqlValue[][] {
  const { timePartitioning, rangePartitioning } = entry.partitioning;
  const partitioning = (timePartitioning?.field ?? rangePartitioning?.field)?.toLowerCase();
  const rows = entry.schema.map((field, index): SqlValue[] => {
    const clustering = entry.clustering.findIndex((name) => name.toLowerCase() === field.name.toLowerCase());
    return [
      field.name,
      BigInt(index + 1),
      field.mode === "REQUIRED" ? "NO" : "YES",
      dataType(field),
      "NEVER",
      null,
      null,
      "NO",
      null,
      "NO",
      field.name.toLowerCase() === partitioning ? "YES" : "NO",
      clustering < 0 ? null : BigInt(clustering + 1),
      field.collation ?? "NULL",
      field.defaultValueExpression ?? "NULL",
      field.roundingMode ?? null,
    ];
  });
  if (!isIngestionTimePartitioned(entry.partitioning)) return rows;
  const pseudo = (name: string, type: string, used: string): SqlValue[] => {
    return [
      name,
      null,
      "YES",
      type,
      "NEVER",
      null,
      null,
      "YES",
      null,
      "YES",
      used,
      null,
      "NULL",
      "NULL",
      null,
    ];
  };
  return [...rows, pseudo("_PARTITIONTIME", "TIMESTAMP", "YES"), pseudo("_PARTITIONDATE", "DATE", "NO")];
}

/** All fields of a table, nested ones too, for COLUMN_FIELD_PATHS, from column_name on. */
export function columnFieldPathRows(entry: TableEntry): SqlValue[][] {
  const rows: SqlValue[][] = [];
  const walk = (field: FieldSchema, column: string, path: string): void => {
    const { description = null, collation = "NULL", roundingMode = null } = field;
    rows.push([column, path, dataType(field), description, collation, roundingMode]);
    for (const child of field.fields ?? []) walk(child, column, `${path}.${child.name}`);
  };
  for (const field of entry.schema) walk(field, field.name, field.name);
  return rows;
}

/** What OPTIONS a table or dataset has: name, type and value as SQL. */
export function optionRows(
  entry: Described & Partial<Pick<TableEntry, "expirationTime" | "requirePartitionFilter" | "partitioning">>,
): [string, string, string][] {
  const rows: [string, string, string][] = [];
  const quote = (text: string): string => JSON.stringify(text);
  if (entry.description !== undefined) rows.push(["description", "STRING", quote(entry.description)]);
  if (entry.friendlyName !== undefined) rows.push(["friendly_name", "STRING", quote(entry.friendlyName)]);
  if (entry.expirationTime !== undefined) {
    const time = new Date(entry.expirationTime).toISOString();
    rows.push(["expiration_timestamp", "TIMESTAMP", `TIMESTAMP "${time}"`]);
  }
  const labels = Object.entries(entry.labels ?? {});
  if (labels.length > 0) {
    const pairs = labels.map(([name, value]) => `STRUCT(${quote(name)}, ${quote(value)})`);
    rows.push(["labels", "ARRAY<STRUCT<STRING, STRING>>", `[${pairs.join(", ")}]`]);
  }
  if (entry.requirePartitionFilter === true) rows.push(["require_partition_filter", "BOOL", "true"]);
  const expirationMs = entry.partitioning?.timePartitioning?.expirationMs;
  if (expirationMs !== undefined) {
    rows.push(["partition_expiration_days", "FLOAT64", String(Number(expirationMs) / 86_400_000)]);
  }
  return rows;
}
