import type { SqlType } from "../types.ts";
import { decimalText, type SqlValue } from "../values.ts";

type Encoder = (value: SqlValue) => unknown;

const NUMERIC_SCALE = 9;
const BIGNUMERIC_SCALE = 38;
/** The integers that a JavaScript number holds exactly. */
const EXACT = 2n ** 53n;

/** About how many characters a task's rows may have: the sandbox holds them twice. */
const TASK_SIZE = 4_000_000;

/** Rows as the sandbox reads them. */
export interface EncodedRows {
  readonly text: string;
  readonly count: number;
}

/** Turns columns of arguments into JSON, in as many parts as keep each of them small. */
export function encodeRows(
  types: readonly SqlType[],
  columns: readonly (readonly SqlValue[])[],
  rows: number,
): EncodedRows[] {
  const encoded = types.map((type, index) => (columns[index] ?? []).map(encoderOf(type)));
  const parts: EncodedRows[] = [];
  let start = 0;
  let size = 0;
  for (let row = 0; row < rows; row++) {
    for (const column of encoded) size += sizeOf(column[row]);
    if (size < TASK_SIZE && row + 1 < rows) continue;
    const count = row + 1 - start;
    const part = encoded.map((column) => column.slice(start, row + 1));
    parts.push({ text: JSON.stringify({ rows: count, columns: part }), count });
    start = row + 1;
    size = 0;
  }
  return parts;
}

function sizeOf(encoded: unknown): number {
  if (typeof encoded === "string") return encoded.length;
  return Array.isArray(encoded) ? encoded.reduce((sum: number, item) => sum + sizeOf(item), 0) : 1;
}

/**
 * A value as JSON for the sandbox, which makes of it what JavaScript gets for this type:
 * https://cloud.google.com/bigquery/docs/user-defined-functions#supported-javascript-udf-data-types
 */
function encoderOf(type: SqlType): Encoder {
  const encode = encoderOfValue(type);
  return (value) => (value === null ? null : encode(value));
}

function encoderOfValue(type: SqlType): Encoder {
  switch (type.kind) {
    case "ARRAY": {
      const encode = encoderOf(type.element);
      return (value) => (value as readonly SqlValue[]).map(encode);
    }
    case "STRUCT": {
      const encoders = type.fields.map((field) => encoderOf(field.type));
      return (value) =>
        encoders.map((encode, index) => encode((value as readonly SqlValue[])[index] ?? null));
    }
    case "FLOAT64":
      return (value) => numberJson(value as number);
    case "BYTES":
      return (value) => Buffer.from(value as Uint8Array).toString("base64");
    case "NUMERIC":
      return (value) => decimalJson(value as bigint, NUMERIC_SCALE);
    case "BIGNUMERIC":
      return (value) => decimalJson(value as bigint, BIGNUMERIC_SCALE);
    case "DATE":
      return (value) => Number(value) * 86_400_000;
    case "TIMESTAMP":
      return (value) => timestampJson(value as bigint);
    default:
      return (value) => value;
  }
}

/** JSON has neither NaN nor the infinities, and `JSON.stringify` forgets the sign of zero. */
function numberJson(value: number): number | string {
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? value : String(value);
}

/** A whole number that JavaScript holds exactly is a number, any other a text. */
function decimalJson(value: bigint, scale: number): number | string {
  const one = 10n ** BigInt(scale);
  const whole = value / one;
  const isExact = whole * one === value && whole >= -EXACT && whole <= EXACT;
  return isExact ? Number(whole) : decimalText(value, scale);
}

/** Milliseconds, and the microseconds beyond them, which a JavaScript Date lacks. */
function timestampJson(micros: bigint): [number, number] {
  const rest = ((micros % 1000n) + 1000n) % 1000n;
  return [Number((micros - rest) / 1000n), Number(rest)];
}
