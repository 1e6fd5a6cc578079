import type { FieldSchema } from "../../types.ts";
import { duckType, quoteName, quoteText } from "../../values.ts";
import { elementType } from "../schema.ts";
import { giveUp, match, textToValue, when } from "./text-sql.ts";

/**
 * How the fast path reads STRING fields: as text, which is fastest but cannot tell the string `{"a":1}` from an object, so that a text
 * that starts like one sends the load down the next path; or as JSON, which can.
 */
export type StringReading = "text" | "json";

/** The DuckDB query that gives an NDJSON file's rows in the schema's order, or fails where it is not sure of a row. */
export function jsonQuery(schema: readonly FieldSchema[], file: string, strings: StringReading): string {
  const columns = schema.map((field) => `${quoteName(field.name)}: ${quoteText(readType(field, strings))}`);
  const values = schema.map((field) => fieldValue(field, quoteName(field.name), strings, 0));
  return `SELECT ${values.join(", ")} FROM read_json(${quoteText(file)}, format='newline_delimited', records='true', compression='uncompressed', columns={${columns.join(", ")}})`;
}

/**
 * DuckDB queries that give the keys a file has at each RECORD, one row per key: DuckDB's reader skips keys that it does not know,
 * BigQuery refuses them.
 */
export function keyQueries(
  schema: readonly FieldSchema[],
  file: string,
): { sql: string; paths: string[]; known: Set<string>[] } {
  const paths: string[] = [];
  const known: Set<string>[] = [];
  const keys: string[] = [];
  const walk = (fields: readonly FieldSchema[], path: string): void => {
    paths.push(path);
    known.push(new Set(fields.map((field) => field.name)));
    keys.push(path === "$" ? "json_keys(json)" : `json_keys(json, ${quoteText(path)})`);
    for (const field of fields) {
      if (field.fields === undefined) continue;
      const child = `${path}.${jsonPathName(field.name)}${field.mode === "REPEATED" ? "[*]" : ""}`;
      walk(field.fields, child);
    }
  };
  walk(schema, "$");
  const lists = keys.map((sql, index) => {
    const flat = paths[index]?.includes("[*]") ? `flatten(${sql})` : sql;
    return `${flat} AS k${index}`;
  });
  // DuckDB's parser forgives a comma before a closing bracket and words like NaN; BigQuery's does not.
  const suspect = String.raw`regexp_matches(json, ',\s*[}\]]') AS suspect`;
  const sql = `SELECT DISTINCT ${lists.join(", ")}, ${suspect} FROM read_ndjson_objects(${quoteText(file)}, compression='uncompressed')`;
  return { sql, paths, known };
}

function jsonPathName(name: string): string {
  return `"${name.replaceAll('"', '\\"')}"`;
}

function readType(field: FieldSchema, strings: StringReading): string {
  const element =
    field.fields === undefined
      ? scalarReadType(field, strings)
      : `STRUCT(${field.fields.map((child) => `${quoteName(child.name)} ${readType(child, strings)}`).join(", ")})`;
  return field.mode === "REPEATED" ? `${element}[]` : element;
}

function scalarReadType(field: FieldSchema, strings: StringReading): string {
  // As text, DuckDB gives a number's FLOAT64; a NUMERIC needs to know whether it was written as a string.
  if (field.type === "NUMERIC" || field.type === "BIGNUMERIC" || field.type === "BOOLEAN") return "JSON";
  return field.type === "STRING" && strings === "json" ? "JSON" : "VARCHAR";
}

function fieldValue(field: FieldSchema, sql: string, strings: StringReading, depth: number): string {
  if (field.mode === "REPEATED") {
    const item = `item${depth}`;
    const type = `${duckType(elementType(field))}[]`;
    const element = required(field, item, elementValue(field, item, strings, depth + 1));
    return `CASE WHEN ${sql} IS NULL THEN []::${type} ELSE list_transform(${sql}, lambda ${item}: ${element}) END`;
  }
  const value = elementValue(field, sql, strings, depth);
  return field.mode === "REQUIRED" ? required(field, sql, value) : value;
}

/** NULL in an ARRAY or a REQUIRED field is for the exact path to report. */
function required(field: FieldSchema, sql: string, value: string): string {
  return `CASE WHEN ${sql} IS NOT NULL THEN ${value} ELSE ${giveUp(duckType(elementType(field)))} END`;
}

function elementValue(field: FieldSchema, sql: string, strings: StringReading, depth: number): string {
  if (field.fields !== undefined) {
    const fields = field.fields.map(
      (child, index) =>
        `f${index} := ${fieldValue(child, `${sql}.${quoteName(child.name)}`, strings, depth)}`,
    );
    return `CASE WHEN ${sql} IS NULL THEN NULL ELSE struct_pack(${fields.join(", ")}) END`;
  }
  const type = duckType(elementType(field));
  const limited = field.maxLength !== undefined || field.precision !== undefined;
  if (limited) return textToValue(field, sql);
  switch (field.type) {
    case "STRING":
      return strings === "text"
        ? when(sql, `NOT starts_with(${sql}, '{') AND NOT starts_with(${sql}, '[')`, sql, "VARCHAR")
        : when(sql, `json_type(${sql}) NOT IN ('OBJECT', 'ARRAY')`, `${sql}->>'$'`, "VARCHAR");
    case "BOOLEAN":
      return when(sql, `${sql}::VARCHAR IN ('true', 'false')`, `${sql}::VARCHAR = 'true'`, type);
    case "NUMERIC":
    case "BIGNUMERIC":
      return decimalValue(field, sql);
    case "TIMESTAMP":
      return timestampValue(field, sql);
    default:
      return textToValue(field, sql);
  }
}

/** A number written with a point has become a FLOAT64 on the way: it is exact enough for NUMERIC only while it is short. */
function decimalValue(field: FieldSchema, sql: string): string {
  const text = `${sql}::VARCHAR`;
  const unquoted = textToValue(field, `(${sql}->>'$')`);
  const short = field.type === "NUMERIC" ? String.raw`-?\d{1,6}\.\d{1,8}|` : "";
  const plain = match(text, String.raw`".*"|${short}-?\d{1,15}`);
  return when(sql, plain, unquoted, duckType(elementType(field)));
}

/** A number is seconds since 1970. */
function timestampValue(field: FieldSchema, sql: string): string {
  const seconds = match(sql, String.raw`\d{1,11}(\.\d{1,4})?`);
  const micros = `CAST(CAST(${sql} AS DECIMAL(24,6)) * 1000000 AS BIGINT)`;
  return `CASE WHEN ${seconds} THEN make_timestamptz(${micros}) ELSE ${textToValue(field, sql)} END`;
}
