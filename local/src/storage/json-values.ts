import type { FieldSchema, RangeElementKind } from "../types.ts";
import type { SqlValue } from "../values.ts";
import { canonicalJson, doubleText, JsonNumber, JsonObject, type JsonValue } from "./json-text.ts";
import { isUnbounded, rangeOf } from "./ranges.ts";
import { limitValue, parseText, scalarKind, ValueError } from "./text-values.ts";

/** How rows given as JSON are read. */
export interface JsonRowOptions {
  readonly ignoreUnknownValues: boolean;
  /** insertAll has its own words for the same mistakes. */
  readonly words: "load" | "insert";
  /** What a field that a row leaves out holds, where that is not NULL. */
  readonly missing?: (field: FieldSchema) => SqlValue | undefined;
}

/** Reads rows of one schema; fields are found by name whatever the case. */
export class JsonRowReader {
  readonly #options: JsonRowOptions;
  readonly #indexes = new Map<readonly FieldSchema[], ReadonlyMap<string, number>>();

  constructor(options: JsonRowOptions) {
    this.#options = options;
  }

  /** A row's values in the schema's order; throws a ValueError. */
  row(schema: readonly FieldSchema[], value: JsonValue): SqlValue[] {
    if (!(value instanceof JsonObject))
      throw new ValueError("Value encountered without start of object.", "");
    return this.#record(schema, value, "");
  }

  #record(fields: readonly FieldSchema[], value: JsonObject, parent: string): SqlValue[] {
    const index = this.#indexOf(fields);
    const given: (JsonValue | undefined)[] = new Array(fields.length).fill(undefined);
    for (const [name, member] of value.members) {
      const at = index.get(name.toLowerCase());
      if (at !== undefined) given[at] = member;
      else if (!this.#options.ignoreUnknownValues) throw this.#unknown(`${parent}${name}`);
    }
    return fields.map((field, at) => this.#field(field, given[at], `${parent}${field.name}`));
  }

  #indexOf(fields: readonly FieldSchema[]): ReadonlyMap<string, number> {
    let index = this.#indexes.get(fields);
    if (index === undefined) {
      index = new Map(fields.map((field, at) => [field.name.toLowerCase(), at]));
      this.#indexes.set(fields, index);
    }
    return index;
  }

  #field(field: FieldSchema, value: JsonValue | undefined, path: string): SqlValue {
    const missing = value === undefined ? this.#options.missing?.(field) : undefined;
    if (missing !== undefined) return missing;
    if (field.mode === "REPEATED") return this.#repeated(field, value, path);
    if (value === undefined) {
      if (field.mode !== "REQUIRED") return null;
      throw this.#error(`Missing required ${this.#load ? "fields" : "field"}: ${path}.`, path);
    }
    if (value === null && (field.type !== "JSON" || field.mode === "REQUIRED")) {
      if (field.mode !== "REQUIRED") return null;
      throw this.#error(
        this.#load
          ? `Only optional fields can be set to NULL. Field: ${path}; Value: NULL`
          : `Missing required field: ${path}.`,
        path,
      );
    }
    return value === null ? null : this.#element(field, value, path);
  }

  #repeated(field: FieldSchema, value: JsonValue | undefined, path: string): SqlValue {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) {
      throw this.#error(`Repeated field must be imported as a JSON array. Field: ${path}.`, path);
    }
    return value.map((item: JsonValue) => {
      if (item !== null) return this.#element(field, item, path);
      throw this.#error(`Only optional fields can be set to NULL. Field: ${path}; Value: NULL`, path);
    });
  }

  #json(value: JsonValue, path: string): string {
    try {
      return canonicalJson(value);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw this.#error("Invalid JSON value: a surrogate without its other half", path);
    }
  }

  #element(field: FieldSchema, value: NonNullable<JsonValue>, path: string): SqlValue {
    // insertAll takes JSON as text, as the clients send it; what stands in its place is no record.
    const isText =
      !this.#load &&
      (typeof value === "string" || typeof value === "object") &&
      !(value instanceof JsonNumber);
    if (field.type === "JSON" && !isText) return this.#json(value, path);
    if (Array.isArray(value)) {
      throw this.#error(
        this.#load
          ? `Array specified for non-repeated field: ${path}.`
          : "Array specified for non-repeated field.",
        path,
      );
    }
    if (field.type === "RECORD") {
      if (value instanceof JsonObject) return this.#record(field.fields ?? [], value, `${path}.`);
      throw this.#error(
        this.#load
          ? `JSON object specified for non-record field or value given for record: ${path}`
          : "This field is not a record.",
        path,
      );
    }
    if (field.rangeElementType !== undefined) {
      return this.#range(field, field.rangeElementType.type, value, path);
    }
    if (value instanceof JsonObject) {
      throw this.#error(
        this.#load
          ? `JSON object specified for non-record field: ${path}`
          : `This field: ${path} is not a record.`,
        path,
      );
    }
    const parsed = parseScalar(field, value as string | boolean | JsonNumber);
    const kept = parsed === undefined ? undefined : limitValue(field, parsed);
    if (kept === undefined)
      throw this.#error(this.#badValue(field, textOf(value), path, parsed !== undefined), path);
    return kept;
  }

  /** `{"start": …, "end": …}`: https://cloud.google.com/bigquery/docs/streaming-data-into-bigquery#send_range_data */
  #range(field: FieldSchema, element: RangeElementKind, value: JsonValue, path: string): SqlValue {
    if (!(value instanceof JsonObject)) {
      const form = "a RANGE that is no JSON object with the fields start and end";
      throw this.#error(`Not supported by the local BigQuery endpoint: ${form} (field ${path})`, path);
    }
    const bounds = ["start", "end"].map((name): FieldSchema => ({ name, type: element, mode: "NULLABLE" }));
    // The Node client sends the text for a bound that is not there.
    const members = value.members.map(([name, bound]): [string, JsonValue] => [
      name,
      typeof bound === "string" && isUnbounded(bound) ? null : bound,
    ]);
    const [start = null, end = null] = this.#record(bounds, new JsonObject(members), `${path}.`);
    const range = rangeOf(start, end);
    if (range !== undefined) return range;
    throw this.#error(badValueMessage(field.type, canonicalJson(value)), path);
  }

  get #load(): boolean {
    return this.#options.words === "load";
  }

  #unknown(path: string): ValueError {
    return this.#error(this.#load ? `No such field: ${path}.` : `no such field: ${path}.`, path);
  }

  #error(message: string, path: string): ValueError {
    return new ValueError(message, path);
  }

  #badValue(field: FieldSchema, text: string, path: string, tooLong: boolean): string {
    const problem = tooLong ? tooLongMessage(field) : badValueMessage(field.type, text);
    if (!this.#load) return problem;
    return `${problem} Field: ${path}; Value: ${text}`;
  }
}

/** What is wrong with a text for a type, in BigQuery's words. */
function badValueMessage(type: string, text: string): string {
  switch (type) {
    case "INTEGER":
      return "Could not convert value to integer.";
    case "FLOAT":
      return "Could not convert value to double.";
    case "BOOLEAN":
      return "Could not convert value to boolean.";
    case "TIMESTAMP":
      return `Couldn't convert value to timestamp: Could not parse '${text}' as a timestamp. Required format is YYYY-MM-DD HH:MM[:SS[.SSSSSS]] or YYYY/MM/DD HH:MM[:SS[.SSSSSS]]`;
    case "DATE":
      return `Invalid date: '${text}'`;
    case "TIME":
      return `Invalid time string "${text}"`;
    case "DATETIME":
      return `Invalid datetime string "${text}"`;
    case "NUMERIC":
    case "BIGNUMERIC":
      return `Invalid ${type} value: ${text}`;
    case "BYTES":
      return "Could not decode base64 string to bytes.";
    case "GEOGRAPHY":
      return `Invalid geography value: '${text}'`;
    case "STRING":
      return "Could not convert non-string JSON value to STRING type.";
    default:
      return `Invalid ${type} value: '${text}'`;
  }
}

/** What is wrong with a value that has the right type but not the field's length or precision. */
export function tooLongMessage(field: FieldSchema): string {
  if (field.maxLength !== undefined) {
    return `Value has length exceeding maximum length ${field.maxLength} of ${field.type}(${field.maxLength}).`;
  }
  return `Value does not fit ${field.type}(${field.precision}, ${field.scale ?? "0"}).`;
}

function parseScalar(field: FieldSchema, value: string | boolean | JsonNumber): SqlValue | undefined {
  const kind = scalarKind(field);
  if (kind === "STRING") return value instanceof JsonNumber ? numberText(value.text) : textOf(value);
  if (typeof value === "boolean") return kind === "BOOL" ? value : undefined;
  if (value instanceof JsonNumber) {
    const numeric = ["INT64", "FLOAT64", "NUMERIC", "BIGNUMERIC", "TIMESTAMP"];
    return numeric.includes(kind) ? parseText(kind, value.text) : undefined;
  }
  return parseText(kind, value);
}

/** A number for a STRING: an integer as it is, any other as the FLOAT64 it stands for, in the form DuckDB's JSON reader gives. */
function numberText(text: string): string {
  if (/^-?\d+$/.test(text)) return text === "-0" ? "0" : text;
  return Number.isFinite(Number(text)) ? doubleText(Number(text), 16) : text;
}

function textOf(value: JsonValue): string {
  if (typeof value === "string") return value;
  return value instanceof JsonNumber ? value.text : canonicalJson(value);
}
