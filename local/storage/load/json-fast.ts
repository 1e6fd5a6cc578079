import type { FieldSchema } from "../../types.ts";
import { duckType, quoteName, quoteText } from "../../values.ts";
import { elementType } from "../schema.ts";
import { giveUp, match, textToValue, timestampForm, when } from "./text-sql.ts";

/**
 * How the fast path reads STRING fields: as text, which is fastest but cannot tell the string `{"a":1}` from an object, so that a text
 * that starts like one sends the load down the next path; or as JSON, which can.
 */
export type StringReading = "text" | "json";

/**
 * The rows that stand before the file's own. DuckDB refuses keys it does not know only where it finds the schema itself, and it finds
 * it in these two rows alone: text everywhere, or JSON where the two differ.
 */
export function seedRows(schema: readonly FieldSchema[], strings: StringReading): string {
  const row = (fields: readonly FieldSchema[], other: boolean): Record<string, unknown> =>
    Object.fromEntries(
      fields.map((field) => {
        const json = scalarReadType(field, strings) === "JSON";
        const value = field.fields !== undefined ? row(field.fields, other) : json && other ? {} : "x";
        return [field.name, field.mode === "REPEATED" ? [value] : value];
      }),
    );
  return `${JSON.stringify(row(schema, false))}\n${JSON.stringify(row(schema, true))}\n`;
}

/** No column of a table may have this name. */
const FILE_NAME = "_FILE_name";

/**
 * The DuckDB query that gives an NDJSON file's rows in the schema's order, or fails where it is not sure of a row: a key that the schema
 * does not have in just that case, a value that BigQuery may take differently. `seed` is a file with `seedRows`.
 */
export function jsonQuery(
  schema: readonly FieldSchema[],
  file: string,
  strings: StringReading,
  seed: string,
): string {
  const values = schema.map((field) => fieldValue(field, quoteName(field.name), strings, 0));
  const found =
    "auto_detect=true, sample_size=2, maximum_sample_files=1, map_inference_threshold=-1, field_appearance_threshold=0, convert_strings_to_integers=false";
  const files = `[${quoteText(seed)}, ${quoteText(file)}]`;
  return `SELECT ${values.join(", ")} FROM read_json(${files}, ${found}, ${READER}, filename=${quoteText(FILE_NAME)}) WHERE ${quoteName(FILE_NAME)} <> ${quoteText(seed)}`;
}

/** As `jsonQuery`, but keys that the schema does not have are left out. */
export function lenientJsonQuery(
  schema: readonly FieldSchema[],
  file: string,
  strings: StringReading,
): string {
  const values = schema.map((field) => fieldValue(field, quoteName(field.name), strings, 0));
  const columns = schema.map((field) => `${quoteName(field.name)}: ${quoteText(readType(field, strings))}`);
  return `SELECT ${values.join(", ")} FROM read_json(${quoteText(file)}, ${READER}, columns={${columns.join(", ")}})`;
}

const READER = "format='newline_delimited', records='true', compression='uncompressed'";

/**
 * A DuckDB query with one row: the keys that the file's objects have, one list for each RECORD of the schema and the row itself, and the
 * names that the schema has there. Keys are the same whatever their case; DuckDB's reader takes them as different.
 */
export function keyQuery(
  schema: readonly FieldSchema[],
  file: string,
): { sql: string; known: ReadonlySet<string>[] } {
  const known: ReadonlySet<string>[] = [];
  const keys: string[] = [];
  const walk = (fields: readonly FieldSchema[], path: string): void => {
    const sql = path === "$" ? "json_keys(json)" : `json_keys(json, ${quoteText(path)})`;
    keys.push(`${path.includes("[*]") ? `flatten(${sql})` : sql} AS k${known.length}`);
    known.push(new Set(fields.map((field) => field.name)));
    for (const field of fields) {
      if (field.fields === undefined) continue;
      walk(field.fields, `${path}.${jsonPathName(field.name)}${field.mode === "REPEATED" ? "[*]" : ""}`);
    }
  };
  walk(schema, "$");
  const lists = known.map((_, index) => `list_distinct(flatten(list(k${index})))`);
  const objects = `read_ndjson_objects(${quoteText(file)}, compression='uncompressed')`;
  return {
    sql: `SELECT ${lists.join(", ")} FROM (SELECT DISTINCT ${keys.join(", ")} FROM ${objects})`,
    known,
  };
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
  // As text, DuckDB gives a number's FLOAT64; a NUMERIC needs to know whether it was written as a string. For a FLOAT64 it is faster.
  // And BYTES are a string: `true` is none, though its letters are base64.
  if (["NUMERIC", "BIGNUMERIC", "FLOAT", "BYTES"].includes(field.type)) return "JSON";
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
  const limited = field.maxLength !== undefined || field.precision !== undefined;
  if (limited) return textToValue(field, sql);
  switch (field.type) {
    case "STRING":
      return strings === "text"
        ? when(sql, `NOT starts_with(${sql}, '{') AND NOT starts_with(${sql}, '[')`, sql, "VARCHAR")
        : textOfJson(sql);
    case "BYTES":
      return when(
        `${sql}::VARCHAR`,
        `starts_with(${sql}::VARCHAR, '"')`,
        textToValue(field, `(${sql}->>'$')`),
        "BLOB",
      );
    case "FLOAT":
      // A string is left to the exact path, but for those that stand for values JSON has no numbers for.
      return `CASE WHEN ${sql}::VARCHAR IN ('"NaN"', '"Infinity"', '"-Infinity"') THEN CAST(${sql}->>'$' AS DOUBLE) ELSE ${textToValue(field, `${sql}::VARCHAR`)} END`;
    case "NUMERIC":
    case "BIGNUMERIC":
      return decimalValue(field, sql);
    case "TIMESTAMP":
      return timestampValue(sql);
    default:
      return textToValue(field, sql);
  }
}

/** The text of a JSON value that is no object or array; a number in the form that DuckDB gives it when it reads text. */
function textOfJson(sql: string): string {
  const broken = match(`${sql}::VARCHAR`, String.raw`-?\d+\.\d+|.*[eE].*`);
  return `CASE json_type(${sql}) WHEN 'OBJECT' THEN ${giveUp("VARCHAR")} WHEN 'ARRAY' THEN ${giveUp("VARCHAR")} WHEN 'DOUBLE' THEN CASE WHEN ${broken} THEN CAST(${sql} AS DOUBLE)::VARCHAR ELSE ${sql}::VARCHAR END ELSE ${sql}->>'$' END`;
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
function timestampValue(sql: string): string {
  const seconds = match(sql, String.raw`\d{1,11}(\.\d{1,4})?`);
  const micros = `CAST(CAST(${sql} AS DECIMAL(24,6)) * 1000000 AS BIGINT)`;
  const text = `WHEN ${timestampForm(sql)} THEN CAST(${sql} AS TIMESTAMPTZ)`;
  const number = `WHEN ${seconds} THEN make_timestamptz(${micros})`;
  return `CASE WHEN ${sql} IS NULL THEN NULL ${text} ${number} ELSE ${giveUp("TIMESTAMPTZ")} END`;
}
