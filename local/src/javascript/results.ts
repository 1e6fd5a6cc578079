import { parseDecimal } from "../storage/decimal.ts";
import { canonicalJson, parseExactJson } from "../storage/json-text.ts";
import { dateText, dateTimeText } from "../storage/temporal.ts";
import { parseInteger } from "../storage/text-values.ts";
import { typeText } from "../type-text.ts";
import type { SqlType } from "../types.ts";
import { decimalText } from "../values.ts";

/** The error of a result that is no value of the function's type. */
export class CoercionError extends Error {
  override readonly name = "CoercionError";
}

/** A Date as the sandbox hands it out: milliseconds, null for an invalid one, and the microseconds beyond them. */
interface DateResult {
  readonly date: number | null;
  readonly microsecond: number;
}

/** 0001-01-01 and 9999-12-31, in days. */
const FIRST_DAY = -719_162;
const LAST_DAY = 2_932_896;

/**
 * What DuckDB is given for a result of this type: a scalar's text, an ARRAY's or a STRUCT's JSON in which every scalar is a text and a
 * STRUCT's fields are `f0`, `f1`. A result that is no value of the type is a CoercionError.
 */
export function resultText(type: SqlType, result: unknown): string | null {
  if (result === null) return null;
  if (type.kind !== "ARRAY" && type.kind !== "STRUCT") return scalarText(type, result);
  return JSON.stringify(nested(type, result));
}

function nested(type: SqlType, result: unknown): unknown {
  if (result === null) return null;
  if (type.kind !== "ARRAY" && type.kind !== "STRUCT") return scalarText(type, result);
  if (!Array.isArray(result)) throw notCoercible(result, type);
  const values = result as readonly unknown[];
  if (type.kind === "ARRAY") return values.map((value) => nested(type.element, value));
  return Object.fromEntries(
    type.fields.map((field, index) => [`f${index}`, nested(field.type, values[index] ?? null)]),
  );
}

/** https://cloud.google.com/bigquery/docs/user-defined-functions#supported-javascript-udf-data-types */
function scalarText(type: SqlType, result: unknown): string {
  const text = textOf(type.kind, result);
  if (text === undefined) throw notCoercible(result, type);
  return text;
}

function textOf(kind: SqlType["kind"], result: unknown): string | undefined {
  switch (kind) {
    case "STRING":
      return typeof result === "string" ? result : undefined;
    case "JSON":
      return jsonText(result);
    case "BOOL":
      return typeof result === "boolean" ? String(result) : undefined;
    case "FLOAT64":
      return numberText(result);
    case "INT64":
      return parseInteger(decimalTextOf(result) ?? "")?.toString();
    case "NUMERIC": {
      const value = parseDecimal("NUMERIC", decimalTextOf(result) ?? "");
      return value === undefined ? undefined : decimalText(value, 9);
    }
    case "BIGNUMERIC":
      return parseDecimal("BIGNUMERIC", decimalTextOf(result) ?? "")?.toString();
    case "BYTES":
      return bytesText(result);
    case "DATE": {
      const days = daysOf(result);
      return days === undefined ? undefined : dateText(BigInt(days));
    }
    case "TIMESTAMP":
      return timestampText(result);
    default:
      return undefined;
  }
}

function jsonText(result: unknown): string | undefined {
  if (typeof result !== "string") return undefined;
  try {
    return canonicalJson(parseExactJson(result));
  } catch {
    return undefined;
  }
}

function numberText(result: unknown): string | undefined {
  if (typeof result === "number") return String(result);
  const { number } = taggedOf(result);
  return typeof number === "string" ? number : undefined;
}

/** A number's or a text's digits: both may be given for an integer or a decimal. */
function decimalTextOf(result: unknown): string | undefined {
  if (typeof result === "string") return result;
  const { bigint, number } = taggedOf(result);
  if (typeof bigint === "string") return bigint;
  if (number === "-0") return "0";
  return typeof result === "number" ? String(result) : undefined;
}

/** Base64 as DuckDB's text of a BLOB. */
function bytesText(result: unknown): string | undefined {
  if (typeof result !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(result) || result.length % 4 !== 0)
    return undefined;
  return Buffer.from(result, "base64").toString("hex").replaceAll(/../g, "\\x$&");
}

function daysOf(result: unknown): number | undefined {
  const { date } = taggedOf(result) as Partial<DateResult>;
  if (typeof date !== "number") return undefined;
  const days = Math.floor(date / 86_400_000);
  return days < FIRST_DAY || days > LAST_DAY ? undefined : days;
}

function timestampText(result: unknown): string | undefined {
  if (daysOf(result) === undefined) return undefined;
  const { date, microsecond } = result as DateResult;
  return `${dateTimeText(BigInt(date ?? 0) * 1000n + BigInt(microsecond), " ")}+00`;
}

function taggedOf(result: unknown): Readonly<Record<string, unknown>> {
  return typeof result === "object" && result !== null ? (result as Record<string, unknown>) : {};
}

function notCoercible(result: unknown, type: SqlType): CoercionError {
  return new CoercionError(`Failed to coerce output value ${shown(result)} to type ${typeText(type)}`);
}

function shown(result: unknown): string {
  const { date, number, bigint, other } = taggedOf(result);
  if (date === null) return "Invalid Date";
  if (typeof date === "number") return new Date(date).toISOString();
  const text = String(number ?? bigint ?? other ?? JSON.stringify(result));
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
