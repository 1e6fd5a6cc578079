import type { FieldSchema } from "../../types.ts";
import { duckType, quoteName, quoteText } from "../../values.ts";
import { elementType } from "../schema.ts";
import {
  match,
  NEVER_UNSURE,
  type Reading,
  sureRows,
  sureValue,
  textReading,
  timestampForm,
} from "./text-sql.ts";
import { usualDate, usualFloat, usualTimestamp } from "./usual-forms.ts";

/**
 * Which values a query is sure of; what it is not sure of sends the load on to the next. `usual`: the forms that most files have, which
 * are checked fastest. `text`: all forms that DuckDB and BigQuery read alike. Both read STRING fields as text, which is fast but cannot
 * tell the string `{"a":1}` from an object: a text that starts like one is not sure. `json`: reads them as JSON, which can.
 */
export type Forms = "usual" | "text" | "json";

/** From the fastest to the one that is sure of most. */
export const FORMS: readonly Forms[] = ["usual", "text", "json"];

/**
 * The rows that stand before the file's own. DuckDB refuses keys it does not know only where it finds the schema itself, and it finds
 * it in these two rows alone: text everywhere, or JSON where the two differ.
 */
export function seedRows(schema: readonly FieldSchema[], forms: Forms): string {
  const row = (fields: readonly FieldSchema[], other: boolean): Record<string, unknown> =>
    Object.fromEntries(
      fields.map((field) => {
        const json = scalarReadType(field, forms) === "JSON";
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
export function jsonQuery(schema: readonly FieldSchema[], file: string, forms: Forms, seed: string): string {
  const found =
    "auto_detect=true, sample_size=2, maximum_sample_files=1, map_inference_threshold=-1, field_appearance_threshold=0, convert_strings_to_integers=false";
  const files = `[${quoteText(seed)}, ${quoteText(file)}]`;
  const reader = `read_json(${files}, ${found}, ${READER}, filename=${quoteText(FILE_NAME)})`;
  return sureRows(rowReadings(schema, forms), reader, `${quoteName(FILE_NAME)} <> ${quoteText(seed)}`);
}

/** As `jsonQuery`, but keys that the schema does not have are left out. */
export function lenientJsonQuery(schema: readonly FieldSchema[], file: string, forms: Forms): string {
  const columns = schema.map((field) => `${quoteName(field.name)}: ${quoteText(readType(field, forms))}`);
  const reader = `read_json(${quoteText(file)}, ${READER}, columns={${columns.join(", ")}})`;
  return sureRows(rowReadings(schema, forms), reader);
}

function rowReadings(schema: readonly FieldSchema[], forms: Forms): Reading[] {
  return memberReadings(schema, "", forms, 0);
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

function readType(field: FieldSchema, forms: Forms): string {
  const element =
    field.fields === undefined
      ? scalarReadType(field, forms)
      : `STRUCT(${field.fields.map((child) => `${quoteName(child.name)} ${readType(child, forms)}`).join(", ")})`;
  return field.mode === "REPEATED" ? `${element}[]` : element;
}

function scalarReadType(field: FieldSchema, forms: Forms): string {
  // As text, DuckDB gives a number's FLOAT64; a NUMERIC needs to know whether it was written as a string. For a FLOAT64 it is faster.
  // And BYTES are a string: `true` is none, though its letters are base64.
  if (["NUMERIC", "BIGNUMERIC", "FLOAT", "BYTES"].includes(field.type)) return "JSON";
  return field.type === "STRING" && forms === "json" ? "JSON" : "VARCHAR";
}

function fieldReading(field: FieldSchema, sql: string, forms: Forms, depth: number): Reading {
  if (field.mode !== "REPEATED") return elementReading(field, sql, forms, depth);
  const item = `item${depth}`;
  const { value, unsure } = elementReading(field, item, forms, depth + 1);
  const type = duckType(elementType(field));
  // NULL in an ARRAY is for the exact path to report.
  const element = sureValue({ value, unsure: (read) => [`${item} IS NULL`, ...unsure(read)] }, type);
  const list = `list_transform(${sql}, lambda ${item}: ${element})`;
  return { value: `CASE WHEN ${sql} IS NULL THEN []::${type}[] ELSE ${list} END`, unsure: NEVER_UNSURE };
}

function elementReading(field: FieldSchema, sql: string, forms: Forms, depth: number): Reading {
  if (field.fields !== undefined) return recordReading(field.fields, sql, forms, depth);
  if (field.maxLength !== undefined || field.precision !== undefined) return textReading(field, sql);
  switch (field.type) {
    case "STRING":
      return forms === "json" ? textOfJson(sql) : plainText(sql);
    case "BYTES": {
      const { value, unsure } = textReading(field, `(${sql}->>'$')`);
      return { value, unsure: (read) => [`NOT starts_with(${sql}::VARCHAR, '"')`, ...unsure(read)] };
    }
    case "FLOAT":
      return forms === "usual" ? usualFloat(sql) : floatReading(field, sql);
    case "NUMERIC":
    case "BIGNUMERIC":
      return decimalReading(field, sql);
    case "DATE":
      return forms === "usual" ? usualDate(sql) : textReading(field, sql);
    case "TIMESTAMP":
      return forms === "usual" ? usualTimestamp(sql) : timestampReading(sql);
    default:
      return textReading(field, sql);
  }
}

function recordReading(fields: readonly FieldSchema[], sql: string, forms: Forms, depth: number): Reading {
  const readings = memberReadings(fields, sql, forms, depth);
  const members = readings.map(({ value }, index) => `f${index} := ${value}`);
  return {
    value: `CASE WHEN ${sql} IS NULL THEN NULL ELSE struct_pack(${members.join(", ")}) END`,
    unsure: (value) => readings.flatMap(({ unsure }, index) => unsure(`${value}.f${index}`)),
  };
}

/** The fields of a RECORD, or of the row itself, which has no name. A REQUIRED one is only missing where there is a RECORD. */
function memberReadings(
  fields: readonly FieldSchema[],
  record: string,
  forms: Forms,
  depth: number,
): Reading[] {
  return fields.map((field) => {
    const sql = record === "" ? quoteName(field.name) : `${record}.${quoteName(field.name)}`;
    const { value, unsure } = fieldReading(field, sql, forms, depth);
    const missing = `${record === "" ? "" : `${record} IS NOT NULL AND `}${sql} IS NULL`;
    return field.mode === "REQUIRED"
      ? { value, unsure: (read) => [missing, ...unsure(read)] }
      : { value, unsure };
  });
}

/** What is no JSON, but DuckDB's reader takes as a number: in whatever case, of which these are what programs write. */
const NOT_FINITE = ["NaN", "Infinity", "-Infinity"];

/** A text that starts like an object or an array may be one. */
function plainText(sql: string): Reading {
  // Comparisons look at a text's first bytes only: `\` follows `[`, and `|` follows `{`. What starts with a small letter is done after two.
  const isArray = `${sql} >= '['`;
  const isNotFinite = NOT_FINITE.map((name) => `${sql} = '${name}'`);
  return {
    value: sql,
    unsure: () => [
      `${sql} < '\\' AND (${[isArray, ...isNotFinite].join(" OR ")})`,
      `${sql} >= '{' AND ${sql} < '|'`,
    ],
  };
}

/** The text of a JSON value that is no object or array; a number in the form that DuckDB gives it when it reads text. */
function textOfJson(sql: string): Reading {
  const text = `${sql}::VARCHAR`;
  const broken = match(text, String.raw`-?\d+\.\d+|.*[eE].*`);
  const double = `CASE WHEN ${broken} THEN CAST(${sql} AS DOUBLE)::VARCHAR ELSE ${text} END`;
  return {
    value: `CASE json_type(${sql}) WHEN 'DOUBLE' THEN ${double} ELSE ${sql}->>'$' END`,
    unsure: () => [
      `json_type(${sql}) IN ('OBJECT', 'ARRAY')`,
      `json_type(${sql}) = 'DOUBLE' AND NOT isfinite(TRY_CAST(${sql} AS DOUBLE))`,
      match(text, "(?i)-?(nan|inf(inity)?)"),
    ],
  };
}

/** A string is left to the exact path, but for those that stand for values JSON has no numbers for. */
function floatReading(field: FieldSchema, sql: string): Reading {
  const text = `${sql}::VARCHAR`;
  const special = `${text} IN ('"NaN"', '"Infinity"', '"-Infinity"')`;
  const { value, unsure } = textReading(field, text);
  return {
    value: `CASE WHEN ${special} THEN CAST(${sql}->>'$' AS DOUBLE) ELSE ${value} END`,
    unsure: (read) => [
      `(${unsure(read)
        .map((condition) => `(${condition})`)
        .join(" OR ")}) AND NOT (${special})`,
    ],
  };
}

/** A number written with a point has become a FLOAT64 on the way: it is exact enough for NUMERIC only while it is short. */
function decimalReading(field: FieldSchema, sql: string): Reading {
  const { value, unsure } = textReading(field, `(${sql}->>'$')`);
  const short = field.type === "NUMERIC" ? String.raw`-?\d{1,6}\.\d{1,8}|` : "";
  const plain = match(`${sql}::VARCHAR`, String.raw`".*"|${short}-?\d{1,15}`);
  return { value, unsure: (read) => [`NOT ${plain}`, ...unsure(read)] };
}

/** A number is seconds since 1970. */
function timestampReading(sql: string): Reading {
  const micros = `CAST(CAST(${sql} AS DECIMAL(24,6)) * 1000000 AS BIGINT)`;
  const cast = `CAST(${sql} AS TIMESTAMPTZ)`;
  const seconds = match(sql, String.raw`\d{1,11}(\.\d{1,4})?`);
  return {
    value: `CASE WHEN contains(${sql}, '-') THEN ${cast} ELSE make_timestamptz(${micros}) END`,
    unsure: () => [`NOT (${timestampForm(sql)} OR ${seconds})`],
  };
}
