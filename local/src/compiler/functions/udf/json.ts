import { jsonFloat } from "../../../storage/json-text.ts";
import { bool, EvaluationError, float, int, list, text, type Udf, udf } from "./define.ts";
import { parseEditedPath, parsePath } from "./json-path.ts";
import { prettyJson, printJson, quoteJson } from "./json-print.ts";
import { findJson, isExactFloat, type Json, parseJson, type WideNumbers } from "./json-value.ts";

/** What a path leads to. Text that breaks off or goes wrong after that place does no harm; before it, nothing is found. */
function found(source: string, path: string, legacy: boolean): Json | undefined {
  return findJson(source, parsePath(path, legacy));
}

/** A scalar as JSON_VALUE gives it; NULL for null, objects and arrays. */
function scalar(value: Json | undefined): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return value;
  if (Array.isArray(value) || value instanceof Map) return null;
  return printJson(value);
}

function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function asInteger(value: Json): bigint | undefined {
  if (value === null || typeof value !== "object" || isArray(value) || value instanceof Map) return undefined;
  const number = value as { integer: bigint } | { float: number };
  if ("integer" in number) return number.integer;
  return Number.isInteger(number.float) ? BigInt(number.float) : undefined;
}

function int64(source: string): bigint {
  const value = parseJson(source);
  const integer = asInteger(value);
  if (integer === undefined && numberOf(value) !== undefined) {
    throw new EvaluationError(
      `The provided JSON number: ${printJson(value)} cannot be converted to an integer`,
    );
  }
  if (integer === undefined || BigInt.asIntN(64, integer) !== integer)
    throw new EvaluationError("The provided JSON input is not an integer");
  return integer;
}

function numberOf(value: Json): number | undefined {
  if (value === null || typeof value !== "object" || isArray(value) || value instanceof Map) return undefined;
  const number = value as { integer: bigint } | { float: number };
  return "integer" in number ? Number(number.integer) : number.float;
}

function float64(source: string, mode: string): number {
  const value = parseJson(source);
  const number = numberOf(value);
  if (number === undefined) throw new EvaluationError("The provided JSON input is not a number");
  if (mode !== "exact" && mode !== "round") {
    throw new EvaluationError(`Invalid \`wide_number_mode\` specified: ${mode}`);
  }
  const integer = asInteger(value);
  if (mode === "exact" && integer !== undefined && BigInt(number) !== integer) {
    throw new EvaluationError(
      `JSON number: ${printJson(value)} cannot be converted to double without loss of precision`,
    );
  }
  return number;
}

function typeName(source: string): string {
  const value = parseJson(source);
  if (value === null) return "null";
  if (isArray(value)) return "array";
  if (value instanceof Map) return "object";
  return typeof value === "object" ? "number" : typeof value;
}

function laxBool(value: Json): boolean | null {
  if (typeof value === "boolean") return value;
  if (typeof value === "string") {
    const lower = value.toLowerCase();
    return lower === "true" ? true : lower === "false" ? false : null;
  }
  const number = numberOf(value);
  return number === undefined ? null : number !== 0;
}

function laxNumber(value: Json): number | bigint | null {
  if (typeof value === "boolean") return value ? 1n : 0n;
  if (typeof value === "string") {
    const text = value.trim();
    if (/^[+-]?\d+$/.test(text)) return BigInt(text);
    if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return Number(text);
    const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
    if (special === null) return null;
    return special[2]?.toLowerCase() === "nan" ? Number.NaN : special[1] === "-" ? -Infinity : Infinity;
  }
  if (value === null || isArray(value) || value instanceof Map) return null;
  const number = value as { integer: bigint } | { float: number };
  return "integer" in number ? number.integer : number.float;
}

function laxInt(value: Json): bigint | null {
  const number = laxNumber(value);
  if (number === null || (typeof number === "number" && !Number.isFinite(number))) return null;
  const integer =
    typeof number === "bigint" ? number : BigInt(Math.sign(number) * Math.round(Math.abs(number)));
  return BigInt.asIntN(64, integer) === integer ? integer : null;
}

function laxString(value: Json): string | null {
  if (typeof value === "boolean") return String(value);
  const isNumber = value !== null && typeof value === "object" && "float" in value;
  return isNumber ? floatText(value.float) : scalar(value);
}

/** FLOAT64 as CAST prints it: 15 digits where they read back the same, else 17. */
function floatText(value: number): string {
  if (value === 0) return "0";
  const short = value.toPrecision(15);
  const digits = Number(short) === value ? short : value.toPrecision(17);
  const [mantissa = "", exponent] = digits.split("e");
  const trimmed = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
  const power = Math.floor(Math.log10(Math.abs(value)));
  if (exponent === undefined && power >= -4) return trimmed;
  const [m = "", e = ""] = Number(digits).toExponential().split("e");
  return `${m}e${e[0]}${e.slice(1).padStart(2, "0")}`;
}

function wideMode(mode: string): WideNumbers {
  if (mode !== "exact" && mode !== "round")
    throw new EvaluationError(`Invalid \`wide_number_mode\` specified: ${mode}`);
  return mode;
}

function parseWith(source: string, mode: string): string {
  const wide = wideMode(mode);
  try {
    return printJson(parseJson(source, wide));
  } catch (error) {
    throw error instanceof EvaluationError
      ? new EvaluationError(`Invalid input to PARSE_JSON: ${error.message}`)
      : error;
  }
}

function removed(value: Json, path: readonly (string | number)[]): Json {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (value instanceof Map) {
    const members = new Map(value as ReadonlyMap<string, Json>);
    const inner = members.get(String(step));
    if (inner === undefined) return value;
    if (rest.length === 0) members.delete(String(step));
    else members.set(String(step), removed(inner, rest));
    return members;
  }
  if (isArray(value) && typeof step === "number" && step < value.length) {
    if (rest.length === 0) return value.filter((_, index) => index !== step);
    return value.map((item, index) => (index === step ? removed(item, rest) : item));
  }
  return value;
}

/**
 * A decimal's text as JSON. TO_JSON_STRING quotes what has a fraction or lies beyond 2^53
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#json_encodings); TO_JSON makes a number, or
 * fails where none is exact.
 */
function decimalJson(source: string, style: string, type: string): string {
  const integer = /^-?\d+$/.test(source) ? BigInt(source) : undefined;
  if (integer !== undefined && integer >= -(2n ** 53n) && integer <= 2n ** 53n) return source;
  if (style === "print") return `"${source}"`;
  if (integer !== undefined && style === "value" && integer >= -(2n ** 63n) && integer < 2n ** 64n)
    return source;
  if (isExactFloat(source)) return jsonFloat(Number(source));
  if (style === "wide") return `"${source}"`;
  throw new EvaluationError(`Failed to convert type ${type} to JSON: it needs stringify_wide_numbers`);
}

/** JSON functions over JSON text. */
export const jsonUdfs: readonly Udf[] = [
  udf("json_quote", [text], text, quoteJson),
  udf("json_float", [float], text, (x) =>
    Number.isFinite(x) ? jsonFloat(x) : Number.isNaN(x) ? '"NaN"' : x > 0 ? '"Infinity"' : '"-Infinity"',
  ),
  udf("json_decimal", [text, text, text], text, decimalJson),
  udf("json_pretty", [text], text, (source) => prettyJson(parseJson(source))),
  udf("json_canonical", [text], text, (source) => printJson(parseJson(source))),
  udf("parse_json", [text, text], text, parseWith),
  udf("json_query", [text, text, bool, bool], text, (source, path, legacy, typed) => {
    const value = found(source, path, legacy);
    // A JSON null stays a JSON null; in text it is NULL.
    return value === undefined || (value === null && !typed) ? null : printJson(value, typed);
  }),
  udf("json_value", [text, text, bool, bool], text, (source, path, legacy) =>
    scalar(found(source, path, legacy)),
  ),
  udf("json_query_array", [text, text, bool, bool], list(text), (source, path, legacy, typed) => {
    const value = found(source, path, legacy);
    return isArray(value) ? value.map((item) => printJson(item, typed)) : null;
  }),
  udf("json_value_array", [text, text, bool, bool], list(text), (source, path, legacy) => {
    const value = found(source, path, legacy);
    if (!isArray(value) || value.some((item) => isArray(item) || item instanceof Map)) return null;
    return value.map(scalar);
  }),
  udf("json_type", [text], text, typeName),
  udf("json_bool", [text], bool, (source) => {
    const value = parseJson(source);
    if (typeof value !== "boolean") throw new EvaluationError("The provided JSON input is not a boolean");
    return value;
  }),
  udf("json_int64", [text], int, int64),
  udf("json_float64", [text, text], float, float64),
  udf("json_string", [text], text, (source) => {
    const value = parseJson(source);
    if (typeof value !== "string") throw new EvaluationError("The provided JSON input is not a string");
    return value;
  }),
  udf("json_lax_bool", [text], bool, (source) => laxBool(parseJson(source))),
  udf("json_lax_int64", [text], int, (source) => laxInt(parseJson(source))),
  udf("json_lax_float64", [text], float, (source) => {
    const value = parseJson(source);
    const number = typeof value === "boolean" ? null : laxNumber(value);
    return number === null ? null : Number(number);
  }),
  udf("json_lax_string", [text], text, (source) => laxString(parseJson(source))),
  udf("json_element", [text, int], text, (source, index) => {
    const value = parseJson(source);
    const item = isArray(value) && index >= 0n ? value[Number(index)] : undefined;
    return item === undefined ? null : printJson(item);
  }),
  udf("json_member", [text, text], text, (source, key) => {
    const value = parseJson(source);
    const item = value instanceof Map ? (value as ReadonlyMap<string, Json>).get(key) : undefined;
    return item === undefined ? null : printJson(item);
  }),
  udf("json_object", [list(text), list(text)], text, (keys, values) => {
    const members = new Map<string, Json>();
    keys.forEach((key, index) => {
      if (key === null) throw new EvaluationError("Invalid input to JSON_OBJECT: A key cannot be NULL");
      if (!members.has(key)) members.set(key, parseJson(values[index] ?? "null"));
    });
    return printJson(members);
  }),
  udf("json_remove", [text, list(text)], text, (source, steps) => {
    let value = parseJson(source);
    // A NULL is no path, and takes nothing away.
    for (const path of steps) {
      if (path === null) continue;
      const parsed = parseEditedPath(path);
      if (parsed.length === 0) throw new EvaluationError("The JSONPath cannot be '$'");
      value = removed(value, parsed);
    }
    return printJson(value);
  }),
];
