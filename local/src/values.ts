import type {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBIntervalValue,
  DuckDBListValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
} from "@duckdb/node-api";
import type { RangeType, SqlType } from "./types.ts";

/** An INTERVAL: its three parts do not convert into each other. */
export interface IntervalValue {
  readonly months: number;
  readonly days: number;
  readonly micros: bigint;
}

/**
 * A GoogleSQL value outside DuckDB. INT64 is a bigint; so are TIMESTAMP and DATETIME (µs since 1970), DATE (days since
 * 1970), TIME (µs of the day), NUMERIC (value * 10^9) and BIGNUMERIC (value * 10^38). FLOAT64 is a number; STRING, JSON
 * and GEOGRAPHY are strings. An ARRAY and a STRUCT (by position) are arrays, a RANGE one of two bounds, null where it has none.
 */
export type SqlValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | IntervalValue
  | readonly SqlValue[];

const DUCK_SCALARS = {
  INT64: "BIGINT",
  FLOAT64: "DOUBLE",
  BOOL: "BOOLEAN",
  STRING: "VARCHAR",
  BYTES: "BLOB",
  DATE: "DATE",
  DATETIME: "TIMESTAMP",
  TIME: "TIME",
  TIMESTAMP: "TIMESTAMPTZ",
  NUMERIC: "DECIMAL(38,9)",
  BIGNUMERIC: "BIGNUM",
  JSON: "JSON",
  GEOGRAPHY: "VARCHAR",
  INTERVAL: "INTERVAL",
} as const;

/**
 * The DuckDB type that holds a GoogleSQL type. A bound that a RANGE does not have is DuckDB's infinity: so two ranges compare as
 * BigQuery says by themselves, the lower bounds first (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#comparable_data_types).
 */
export function duckType(type: SqlType): string {
  if (type.kind === "RANGE") return `STRUCT(low ${duckType(type.element)}, high ${duckType(type.element)})`;
  if (type.kind === "ARRAY") return `${duckType(type.element)}[]`;
  if (type.kind !== "STRUCT") return DUCK_SCALARS[type.kind];
  // DuckDB has no STRUCT without fields; BigQuery has STRUCT<>, so a field that is always NULL stands for it.
  if (type.fields.length === 0) return "STRUCT(f0 BOOLEAN)";
  return `STRUCT(${type.fields.map((field, index) => `f${index} ${duckType(field.type)}`).join(", ")})`;
}

/** A DuckDB identifier, quoted. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A DuckDB string literal. */
export function quoteText(text: string): string {
  // DuckDB cannot hold NUL in a literal, but it can build it.
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes("\0") ? `(${quoted.replaceAll("\0", "' || chr(0) || '")})` : quoted;
}

/**
 * A DuckDB expression with exactly this value and type. It is constant for DuckDB's planner, so it may stand in a filter
 * that prunes.
 */
export function literalSql(type: SqlType, value: SqlValue): string {
  if (value === null) return `(NULL::${duckType(type)})`;
  switch (type.kind) {
    case "INT64":
      return `${quoteIfNegative(value as bigint)}::BIGINT`;
    case "FLOAT64":
      return floatLiteral(value as number);
    case "BOOL":
      return value ? "true" : "false";
    case "STRING":
    case "GEOGRAPHY":
      return quoteText(value as string);
    case "JSON":
      return `${quoteText(value as string)}::JSON`;
    case "BYTES":
      return `unhex('${Buffer.from(value as Uint8Array).toString("hex")}')`;
    case "DATE":
      return `(DATE '1970-01-01' + ${value as bigint}::INTEGER)`;
    case "DATETIME":
      return `make_timestamp(${value as bigint}::BIGINT)`;
    case "TIMESTAMP":
      return `make_timestamptz(${value as bigint}::BIGINT)`;
    case "TIME":
      return `TIME '${timeText(value as bigint)}'`;
    case "NUMERIC":
      return `'${decimalText(value as bigint, 9)}'::DECIMAL(38,9)`;
    case "BIGNUMERIC":
      return `'${value as bigint}'::BIGNUM`;
    case "INTERVAL": {
      const { months, days, micros } = value as IntervalValue;
      return `(to_months(${months}) + to_days(${days}) + to_microseconds(${micros}))`;
    }
    case "RANGE": {
      const [start = null, end = null] = value as readonly SqlValue[];
      return rangeSql(
        start === null ? infinity(type.element, "-") : literalSql(type.element, start),
        end === null ? infinity(type.element, "") : literalSql(type.element, end),
      );
    }
    case "ARRAY": {
      const items = (value as readonly SqlValue[]).map((item) => literalSql(type.element, item));
      // What indexes the array binds tighter than the cast.
      return `([${items.join(", ")}]::${duckType(type)})`;
    }
    case "STRUCT": {
      const values = value as readonly SqlValue[];
      const fields = type.fields.map(
        (field, index) => `f${index} := ${literalSql(field.type, values[index] ?? null)}`,
      );
      return fields.length === 0 ? "struct_pack(f0 := NULL::BOOLEAN)" : `struct_pack(${fields.join(", ")})`;
    }
  }
}

/** A RANGE of two bounds that DuckDB holds. */
export function rangeSql(low: string, high: string): string {
  return `struct_pack(low := ${low}, high := ${high})`;
}

/** The bound that a RANGE does not have, as DuckDB holds it: `-` for the lower one. */
export function infinity(element: RangeType["element"], sign: "-" | ""): string {
  return `'${sign}infinity'::${duckType(element)}`;
}

function quoteIfNegative(value: bigint): string {
  // A cast binds tighter than the minus sign.
  return value < 0n ? `'${value}'` : `${value}`;
}

function floatLiteral(value: number): string {
  if (Number.isNaN(value)) return "'nan'::DOUBLE";
  if (!Number.isFinite(value)) return `'${value < 0 ? "-" : ""}infinity'::DOUBLE`;
  return Object.is(value, -0) ? "'-0.0'::DOUBLE" : `'${value}'::DOUBLE`;
}

/** A decimal number from its value times 10^scale, as BigQuery prints it: no trailing zeros after the point. */
export function decimalText(unscaled: bigint, scale: number): string {
  const negative = unscaled < 0n;
  const digits = (negative ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
  const fraction = digits.slice(-scale).replace(/0+$/, "");
  const whole = digits.slice(0, -scale);
  return `${negative ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

/** Microseconds of the day as `HH:MM:SS.ffffff`. */
function timeText(micros: bigint): string {
  const two = (part: bigint): string => part.toString().padStart(2, "0");
  const seconds = micros / 1_000_000n;
  const clock = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n].map(two).join(":");
  return `${clock}.${(micros % 1_000_000n).toString().padStart(6, "0")}`;
}

/** What the DuckDB client gives for a value of this type, as a SqlValue. */
export function fromDuck(type: SqlType, value: unknown): SqlValue {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case "INT64":
    case "BIGNUMERIC":
      // The client gives small BIGNUM values as numbers.
      return typeof value === "bigint" ? value : BigInt(value as number);
    case "FLOAT64":
      return Number(value);
    case "BOOL":
      return value as boolean;
    case "STRING":
    case "JSON":
    case "GEOGRAPHY":
      return value as string;
    case "BYTES":
      // The bytes themselves go with the rows that they were read from.
      return (value as DuckDBBlobValue).bytes.slice();
    case "DATE":
      return BigInt((value as DuckDBDateValue).days);
    case "DATETIME":
      return (value as DuckDBTimestampValue).micros;
    case "TIMESTAMP":
      return (value as DuckDBTimestampTZValue).micros;
    case "TIME":
      return (value as DuckDBTimeValue).micros;
    case "NUMERIC":
      return (value as DuckDBDecimalValue).value;
    case "INTERVAL": {
      const { months, days, micros } = value as DuckDBIntervalValue;
      return { months, days, micros };
    }
    case "RANGE": {
      const { low, high } = (value as DuckDBStructValue).entries;
      return [boundFromDuck(type.element, low), boundFromDuck(type.element, high)];
    }
    case "ARRAY":
      return (value as DuckDBListValue).items.map((item) => fromDuck(type.element, item));
    case "STRUCT": {
      const { entries } = value as DuckDBStructValue;
      return type.fields.map((field, index) => fromDuck(field.type, entries[`f${index}`]));
    }
  }
}

function boundFromDuck(element: RangeType["element"], value: unknown): SqlValue {
  const bound = value as DuckDBDateValue | DuckDBTimestampValue;
  return bound.isFinite ? fromDuck(element, value) : null;
}
