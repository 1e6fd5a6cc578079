import type { ScalarKind, SqlType } from "../types.ts";
import { decimalText, type IntervalValue, type SqlValue } from "../values.ts";
import { rangeText } from "./ranges.ts";
import { clockText, dateText, dateTimeText } from "./temporal.ts";

/** How a client wants its values: https://cloud.google.com/bigquery/docs/reference/rest/v2/DataFormatOptions */
export interface RestFormat {
  readonly timestamps: "FLOAT64" | "INT64" | "ISO8601_STRING";
}

/** What a client that asks for nothing gets. */
export const DEFAULT_FORMAT: RestFormat = { timestamps: "FLOAT64" };

/** Reads the query parameters or JSON fields by which clients choose a format. */
export function parseRestFormat(options: {
  useInt64Timestamp?: unknown;
  timestampOutputFormat?: unknown;
}): RestFormat {
  const named = options.timestampOutputFormat;
  if (named === "INT64" || named === "ISO8601_STRING" || named === "FLOAT64") return { timestamps: named };
  return String(options.useInt64Timestamp) === "true" ? { timestamps: "INT64" } : DEFAULT_FORMAT;
}

/**
 * A function that turns rows of these column types into REST's `f` and `v`, as JSON text: made as objects first, large results take
 * several times as long.
 */
export function rowEncoder(
  types: readonly SqlType[],
  format: RestFormat,
): (row: readonly SqlValue[]) => string {
  const encoders = types.map((type) => valueEncoder(type, format));
  return (row) =>
    `{"f":[${encoders.map((encode, index) => `{"v":${encode(row[index] ?? null)}}`).join(",")}]}`;
}

/** A function that turns values of this type into the JSON text that stands after `v`. */
export function valueEncoder(type: SqlType, format: RestFormat): (value: SqlValue) => string {
  if (type.kind === "ARRAY") {
    const encode = valueEncoder(type.element, format);
    // A query's NULL array is shown as an empty one.
    return (value) =>
      value === null
        ? "[]"
        : `[${(value as readonly SqlValue[]).map((item) => `{"v":${encode(item)}}`).join(",")}]`;
  }
  if (type.kind === "STRUCT") {
    const encode = rowEncoder(
      type.fields.map((field) => field.type),
      format,
    );
    return (value) => (value === null ? "null" : encode(value as readonly SqlValue[]));
  }
  if (type.kind === "RANGE") {
    const encode = scalarEncoder(type.element.kind, format);
    const bound = (value: SqlValue | undefined): string | null => (value == null ? null : encode(value));
    return (value) => {
      const [start, end] = (value ?? []) as readonly SqlValue[];
      return value === null ? "null" : `"${rangeText(bound(start), bound(end))}"`;
    };
  }
  const encode = scalarEncoder(type.kind, format);
  if (TEXTS.has(type.kind)) return (value) => (value === null ? "null" : JSON.stringify(value));
  return (value) => (value === null ? "null" : `"${encode(value)}"`);
}

/** Their values may hold characters that JSON writes otherwise. */
const TEXTS: ReadonlySet<ScalarKind> = new Set(["STRING", "JSON", "GEOGRAPHY"]);

/** Dates repeat, and take long to write. */
const MAX_DATES = 4096;

function dateEncoder(): (value: SqlValue) => string {
  const known = new Map<SqlValue, string>();
  return (value) => {
    let text = known.get(value);
    if (text === undefined) {
      text = dateText(value as bigint);
      if (known.size >= MAX_DATES) known.clear();
      known.set(value, text);
    }
    return text;
  };
}

function scalarEncoder(kind: ScalarKind, format: RestFormat): (value: SqlValue) => string {
  switch (kind) {
    case "FLOAT64":
      return (value) => floatText(value as number);
    case "DATE":
      return dateEncoder();
    case "TIME":
      return (value) => clockText(value as bigint);
    case "DATETIME":
      return (value) => dateTimeText(value as bigint, "T");
    case "TIMESTAMP":
      return timestampEncoder(format);
    case "NUMERIC":
      return (value) => decimalText(value as bigint, 9);
    case "BIGNUMERIC":
      return (value) => decimalText(value as bigint, 38);
    case "BYTES":
      return (value) => Buffer.from(value as Uint8Array).toString("base64");
    case "INTERVAL":
      return (value) => intervalText(value as IntervalValue);
    default:
      return String;
  }
}

function timestampEncoder(format: RestFormat): (value: SqlValue) => string {
  switch (format.timestamps) {
    case "INT64":
      return String;
    case "ISO8601_STRING":
      return (value) => `${dateTimeText(value as bigint, "T")}Z`;
    case "FLOAT64":
      return (value) => secondsText(value as bigint);
  }
}

/** A FLOAT64 as BigQuery's REST API prints it: always with a point or an exponent. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e7) return Number.isInteger(value) ? `${value}.0` : String(value);
  const [mantissa = "0", exponent = "0"] = size.toExponential().split("e");
  return pointText(value < 0, mantissa.replace(".", ""), Number(exponent));
}

/** Microseconds as seconds in the same form; exact even where a FLOAT64 could not be. */
function secondsText(micros: bigint): string {
  if (micros === 0n) return "0.0";
  const digits = (micros < 0n ? -micros : micros).toString();
  return pointText(micros < 0n, digits.replace(/0+$/, ""), digits.length - 7);
}

/** Digits d.ddd * 10^exponent in plain form between 10^-3 and 10^7, else with an exponent. */
function pointText(negative: boolean, digits: string, exponent: number): string {
  const sign = negative ? "-" : "";
  if (exponent < -3 || exponent >= 7) {
    return `${sign}${digits.slice(0, 1)}.${digits.slice(1) || "0"}E${exponent}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${sign}${whole}.${digits.slice(exponent + 1) || "0"}`;
}

/** An INTERVAL in canonical form: `[-]Y-M [-]D [-]H:M:S[.F]`. */
export function intervalText(value: IntervalValue): string {
  const months = Math.abs(value.months);
  const micros = value.micros < 0n ? -value.micros : value.micros;
  const seconds = micros / 1_000_000n;
  const fraction = (micros % 1_000_000n).toString().padStart(6, "0").replace(/000$/, "");
  const clock = `${seconds / 3600n}:${(seconds / 60n) % 60n}:${seconds % 60n}${fraction === "000" ? "" : `.${fraction}`}`;
  return `${value.months < 0 ? "-" : ""}${Math.floor(months / 12)}-${months % 12} ${value.days} ${value.micros < 0n ? "-" : ""}${clock}`;
}
