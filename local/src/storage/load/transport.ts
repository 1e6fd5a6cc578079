import type { FieldSchema, ScalarKind, SqlType } from "../../types.ts";
import {
  decimalText,
  duckType,
  type IntervalValue,
  infinity,
  quoteName,
  quoteText,
  rangeSql,
  type SqlValue,
} from "../../values.ts";
import { fieldType } from "../schema.ts";

/**
 * Values that were checked one by one travel to DuckDB as NDJSON: every value in a form that its reader takes exactly (times as
 * microseconds, decimals as text), keyed by position.
 */
export function encodeRow(schema: readonly FieldSchema[], row: readonly SqlValue[]): string {
  const cells = schema.map(
    (field, index) => `"c${index}":${encodeValue(fieldType(field), row[index] ?? null)}`,
  );
  return `{${cells.join(",")}}\n`;
}

/** The DuckDB query that gives the rows of such a file, in the schema's order. */
export function transportQuery(schema: readonly FieldSchema[], file: string, longestRow: number): string {
  const types = schema.map((field, index) => `c${index}: ${quoteText(readType(fieldType(field)))}`);
  const values = schema.map((field, index) => decode(fieldType(field), `c${index}`, 0));
  // DuckDB's buffers hold at least two rows of this size; 16 MB is its own default.
  const size = Math.max(16 * 1024 * 1024, longestRow * 2);
  return `SELECT ${values.join(", ")} FROM read_json(${quoteText(file)}, format='newline_delimited', records='true', compression='uncompressed', maximum_object_size=${size}, columns={${types.join(", ")}})`;
}

function encodeValue(type: SqlType, value: SqlValue): string {
  if (value === null) return "null";
  switch (type.kind) {
    case "ARRAY":
      return `[${(value as readonly SqlValue[]).map((item) => encodeValue(type.element, item)).join(",")}]`;
    case "STRUCT": {
      const values = value as readonly SqlValue[];
      const fields = type.fields.map(
        (field, index) => `"f${index}":${encodeValue(field.type, values[index] ?? null)}`,
      );
      return `{${fields.join(",")}}`;
    }
    case "BOOL":
    case "INT64":
    case "DATE":
    case "TIME":
    case "DATETIME":
    case "TIMESTAMP":
      return String(value);
    case "FLOAT64":
      return `"${Object.is(value, -0) ? "-0.0" : String(value)}"`;
    case "NUMERIC":
      return `"${decimalText(value as bigint, 9)}"`;
    case "BIGNUMERIC":
      return `"${value as bigint}"`;
    case "BYTES":
      return `"${Buffer.from(value as Uint8Array).toString("hex")}"`;
    case "STRING":
    case "JSON":
    case "GEOGRAPHY":
      // DuckDB keeps only valid UTF-8; half of a surrogate pair becomes the replacement character.
      return JSON.stringify((value as string).replace(/\p{Surrogate}/gu, "\ufffd"));
    case "RANGE": {
      const [start = null, end = null] = value as readonly SqlValue[];
      return `{"l":${encodeValue(type.element, start)},"h":${encodeValue(type.element, end)}}`;
    }
    case "INTERVAL": {
      const { months, days, micros } = value as IntervalValue;
      return `{"m":${months},"d":${days},"u":${micros}}`;
    }
  }
}

const READ_TYPES: Readonly<Record<ScalarKind, string>> = {
  INT64: "BIGINT",
  FLOAT64: "DOUBLE",
  BOOL: "BOOLEAN",
  STRING: "VARCHAR",
  BYTES: "VARCHAR",
  DATE: "INTEGER",
  DATETIME: "BIGINT",
  TIME: "BIGINT",
  TIMESTAMP: "BIGINT",
  NUMERIC: "VARCHAR",
  BIGNUMERIC: "VARCHAR",
  JSON: "VARCHAR",
  GEOGRAPHY: "VARCHAR",
  INTERVAL: "STRUCT(m INTEGER, d INTEGER, u BIGINT)",
};

function readType(type: SqlType): string {
  if (type.kind === "ARRAY") return `${readType(type.element)}[]`;
  if (type.kind === "RANGE") return `STRUCT(l ${readType(type.element)}, h ${readType(type.element)})`;
  if (type.kind !== "STRUCT") return READ_TYPES[type.kind];
  return `STRUCT(${type.fields.map((field, index) => `${quoteName(`f${index}`)} ${readType(field.type)}`).join(", ")})`;
}

function decode(type: SqlType, sql: string, depth: number): string {
  switch (type.kind) {
    case "ARRAY": {
      const item = `item${depth}`;
      return `list_transform(${sql}, lambda ${item}: ${decode(type.element, item, depth + 1)})`;
    }
    case "STRUCT": {
      const fields = type.fields.map(
        (field, index) => `f${index} := ${decode(field.type, `${sql}.f${index}`, depth)}`,
      );
      return `CASE WHEN ${sql} IS NULL THEN NULL ELSE struct_pack(${fields.join(", ")}) END`;
    }
    case "RANGE": {
      const low = `coalesce(${decode(type.element, `${sql}.l`, depth)}, ${infinity(type.element, "-")})`;
      const high = `coalesce(${decode(type.element, `${sql}.h`, depth)}, ${infinity(type.element, "")})`;
      return `CASE WHEN ${sql} IS NULL THEN NULL ELSE ${rangeSql(low, high)} END`;
    }
    case "BYTES":
      return `unhex(${sql})`;
    case "DATE":
      return `(DATE '1970-01-01' + ${sql})`;
    case "DATETIME":
      return `make_timestamp(${sql})`;
    case "TIME":
      return `(TIME '00:00:00' + to_microseconds(${sql}))`;
    case "TIMESTAMP":
      return `make_timestamptz(${sql})`;
    case "NUMERIC":
    case "BIGNUMERIC":
    case "JSON":
      return `CAST(${sql} AS ${duckType(type)})`;
    case "INTERVAL":
      return `(to_months(${sql}.m) + to_days(${sql}.d) + to_microseconds(${sql}.u))`;
    default:
      return sql;
  }
}
