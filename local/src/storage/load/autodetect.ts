import type { FieldSchema } from "../../types.ts";
import { JsonSyntaxError } from "../json-parser.ts";
import { JsonNumber, JsonObject, type JsonValue, parseExactJson } from "../json-text.ts";
import { checkFieldName, checkSchema, findField } from "../schema.ts";
import { parseDate, parseDateTime, parseTime, parseTimestamp } from "../temporal.ts";
import { parseInteger } from "../text-values.ts";
import { loadError } from "./bad-records.ts";
import { type CsvRecord, readCsvRecords } from "./csv-rows.ts";
import { readLines } from "./json-rows.ts";
import type { LoadOptions } from "./options.ts";

/** https://cloud.google.com/bigquery/docs/schema-detect: BigQuery looks at up to the first 500 rows. */
const SAMPLE = 500;

/** A schema found in a file, and how many rows at its start are no data. */
export interface DetectedSchema {
  readonly schema: readonly FieldSchema[];
  readonly skipRows: number;
}

/** Finds a file's schema in its first rows; fields that the table has keep the table's types. */
export async function detectSchema(
  file: string,
  options: LoadOptions,
  table: readonly FieldSchema[] | undefined,
): Promise<DetectedSchema> {
  const detected =
    options.format === "CSV" ? await detectCsv(file, options) : await detectJson(file, options);
  const schema = detected.schema.map((field) => (table && findField(table, field.name)) ?? field);
  checkSchema(schema);
  return { ...detected, schema };
}

async function detectCsv(file: string, options: LoadOptions): Promise<DetectedSchema> {
  const { csv } = options;
  // The last of the skipped rows, or a first row unlike the others, names the columns.
  const skipBefore = csv.skipGiven ? Math.max(0, csv.skipRows - 1) : 0;
  const records: CsvRecord[] = [];
  for await (const record of readCsvRecords(file, { ...csv, skipRows: skipBefore }, options.latin1)) {
    if (record.problem === undefined) records.push(record);
    if (records.length > SAMPLE) break;
  }
  const [first, ...rest] = records;
  if (first === undefined) throw loadError("Failed to detect schema: the file has no data");
  const width = Math.max(...records.map((record) => record.cells.length));
  const typesOf = (rows: readonly CsvRecord[]): string[] =>
    Array.from({ length: width }, (_, index) => columnType(rows.map((row) => row.cells[index]?.text ?? "")));
  const types = typesOf(rest.length > 0 ? rest : [first]);
  const named = first.cells.every((cell) => cell.text !== "" && textType(cell.text) === "STRING");
  const header = csv.skipGiven
    ? csv.skipRows > 0
    : named && types.some((type) => type !== "STRING") && rest.length > 0;
  const names = header ? first.cells.map((cell) => cell.text) : [];
  const schema = (header ? types : typesOf(records)).map((type, index) => ({
    name: cleanName(names[index], `${typePrefix(type)}_field_${index}`),
    type,
    mode: "NULLABLE" as const,
  }));
  return { schema: uniqueNames(schema), skipRows: header ? skipBefore + 1 : csv.skipRows };
}

async function detectJson(file: string, options: LoadOptions): Promise<DetectedSchema> {
  const root = new Shape();
  let rows = 0;
  for await (const line of readLines(file, options.latin1)) {
    const text = line.text.replace(/^\ufeff/, "");
    if (text.trim() === "") continue;
    try {
      root.add(parseExactJson(text));
    } catch (error) {
      if (!(error instanceof JsonSyntaxError)) throw error;
    }
    rows += 1;
    if (rows >= SAMPLE) break;
  }
  const schema = root.fields();
  if (schema.length === 0) throw loadError("Failed to detect schema: the file has no data");
  return { schema, skipRows: 0 };
}

/** What the values of one JSON member have in common. */
class Shape {
  readonly #members = new Map<string, Shape>();
  readonly #types = new Set<string>();
  #repeated = false;

  add(value: JsonValue): void {
    if (value === null) return;
    if (Array.isArray(value)) {
      this.#repeated = true;
      for (const item of value) this.add(item as JsonValue);
    } else if (value instanceof JsonObject) {
      this.#types.add("RECORD");
      for (const [name, member] of value.members) {
        let shape = this.#members.get(name);
        if (shape === undefined) {
          shape = new Shape();
          this.#members.set(name, shape);
        }
        shape.add(member);
      }
    } else {
      this.#types.add(jsonType(value as boolean | string | JsonNumber));
    }
  }

  fields(): FieldSchema[] {
    const fields: FieldSchema[] = [];
    for (const [name, shape] of this.#members) {
      const type = commonType([...shape.#types]);
      const mode = shape.#repeated ? "REPEATED" : "NULLABLE";
      const nested = type === "RECORD" ? shape.fields() : undefined;
      if (nested?.length === 0) continue;
      fields.push({
        name: cleanName(name, "field"),
        type,
        mode,
        ...(nested === undefined ? {} : { fields: nested }),
      });
    }
    return fields;
  }
}

function jsonType(value: boolean | string | JsonNumber): string {
  if (typeof value === "boolean") return "BOOLEAN";
  if (value instanceof JsonNumber) return /^-?\d+$/.test(value.text) ? "INTEGER" : "FLOAT";
  return textType(value);
}

function columnType(texts: readonly string[]): string {
  return commonType([...new Set(texts.filter((text) => text !== "").map(textType))]);
}

/** The type that a text looks like. */
function textType(text: string): string {
  const trimmed = text.trim();
  if (/^(true|false)$/i.test(trimmed)) return "BOOLEAN";
  if (/^[+-]?\d+$/.test(trimmed)) return parseInteger(trimmed) === undefined ? "FLOAT" : "INTEGER";
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(trimmed)) return "FLOAT";
  if (!/^\d/.test(trimmed)) return "STRING";
  if (parseDate(trimmed) !== undefined) return "DATE";
  if (/^\d{1,2}:\d{1,2}:\d{1,2}/.test(trimmed)) return parseTime(trimmed) === undefined ? "STRING" : "TIME";
  if (/[Zz]$|[+-]\d{1,2}(:\d{2})?$|UTC$/.test(trimmed.slice(10))) {
    return parseTimestamp(trimmed) === undefined ? "STRING" : "TIMESTAMP";
  }
  // A date with a clock is a TIMESTAMP with a space between them and a DATETIME with a T.
  if (parseDateTime(trimmed) !== undefined) return trimmed.includes("T") ? "DATETIME" : "TIMESTAMP";
  return "STRING";
}

function commonType(types: readonly string[]): string {
  const [first, ...others] = types;
  if (first === undefined) return "STRING";
  if (others.length === 0) return first;
  if (types.every((type) => type === "INTEGER" || type === "FLOAT")) return "FLOAT";
  if (types.every((type) => type === "DATE" || type === "TIMESTAMP")) return "TIMESTAMP";
  return "STRING";
}

function typePrefix(type: string): string {
  return type === "INTEGER"
    ? "int64"
    : type === "FLOAT"
      ? "double"
      : type === "BOOLEAN"
        ? "bool"
        : type.toLowerCase();
}

function cleanName(name: string | undefined, otherwise: string): string {
  const cleaned = (name ?? otherwise).trim().replace(/[^\p{L}\p{N}_]/gu, "_") || otherwise;
  const legal = /^\d/.test(cleaned) ? `_${cleaned}` : cleaned;
  checkFieldName(legal);
  return legal;
}

function uniqueNames(fields: readonly FieldSchema[]): FieldSchema[] {
  const seen = new Set<string>();
  return fields.map((field) => {
    let name = field.name;
    for (let count = 1; seen.has(name.toLowerCase()); count += 1) name = `${field.name}_${count}`;
    seen.add(name.toLowerCase());
    return { ...field, name };
  });
}
