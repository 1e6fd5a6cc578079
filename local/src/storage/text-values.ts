import type { FieldSchema, ScalarKind } from "../types.ts";
import type { SqlValue } from "../values.ts";
import { limitDecimal, parseDecimal } from "./decimal.ts";
import { canonicalWkt } from "./geography.ts";
import { canonicalJson, parseExactJson } from "./json-text.ts";
import { parseRange } from "./ranges.ts";
import { elementType } from "./schema.ts";
import { parseEpochSeconds, parseTemporal } from "./temporal.ts";

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

/** A value that cannot be stored in its field. */
export class ValueError extends Error {
  override readonly name = "ValueError";
  /** The field's path, as `a.b`. */
  readonly path: string;

  constructor(message: string, path: string) {
    super(message);
    this.path = path;
  }
}

/** The scalar type of a field. */
export function scalarKind(field: FieldSchema): ScalarKind {
  const type = elementType(field);
  if (type.kind === "ARRAY" || type.kind === "STRUCT" || type.kind === "RANGE")
    throw new Error("not a scalar field");
  return type.kind;
}

/** The value of a field that is no RECORD that a text stands for, as `parseText`. */
export function parseFieldText(field: FieldSchema, text: string): SqlValue | undefined {
  const type = elementType(field);
  if (type.kind !== "RANGE") return parseText(scalarKind(field), text);
  // https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv#data_types
  return parseRange(text.trim(), (bound) => parseText(type.element.kind, bound));
}

/**
 * The value that a text stands for in a CSV cell or a JSON string; undefined where it stands for none. `text` is what stands there,
 * without quotes.
 */
export function parseText(kind: ScalarKind, text: string): SqlValue | undefined {
  switch (kind) {
    case "STRING":
      return text;
    case "INT64":
      return parseInteger(text.trim());
    case "FLOAT64":
      return parseFloat64(text.trim());
    case "BOOL":
      return parseBool(text.trim());
    case "BYTES":
      return parseBase64(text);
    case "NUMERIC":
    case "BIGNUMERIC":
      return parseDecimal(kind, text.trim());
    case "DATE":
    case "TIME":
    case "DATETIME":
      return parseTemporal(kind, text.trim());
    case "TIMESTAMP":
      return (
        parseTemporal(kind, text.trim().replaceAll("/", "-")) ??
        parseTemporal(kind, text.trim()) ??
        parseEpochSeconds(text.trim())
      );
    case "JSON":
      try {
        return canonicalJson(parseExactJson(text));
      } catch {
        return undefined;
      }
    case "GEOGRAPHY":
      return canonicalWkt(text);
    case "INTERVAL":
      return parseInterval(text.trim());
  }
}

/** Applies a field's STRING(n), BYTES(n) and NUMERIC(p, s); undefined where the value does not fit. */
export function limitValue(field: FieldSchema, value: SqlValue): SqlValue | undefined {
  if (field.maxLength !== undefined) {
    const length = typeof value === "string" ? [...value].length : (value as Uint8Array).length;
    if (length > Number(field.maxLength)) return undefined;
  }
  if (field.precision !== undefined) {
    const typeScale = field.type === "NUMERIC" ? 9 : 38;
    const [precision, scale] = [Number(field.precision), Number(field.scale ?? "0")];
    return limitDecimal(value as bigint, typeScale, precision, scale, field.roundingMode);
  }
  return value;
}

/** An integer's text; a number with a fraction of zeros, such as `1.0` or `1e3`, counts. */
export function parseInteger(text: string): bigint | undefined {
  const exact = /^[+-]?\d{1,30}$/.test(text) ? BigInt(text.replace("+", "")) : parseWhole(text);
  return exact === undefined || exact < MIN_INT64 || exact > MAX_INT64 ? undefined : exact;
}

function parseWhole(text: string): bigint | undefined {
  if (!/^[+-]?\d{1,30}(?:\.\d{1,30})?(?:[eE]\+?\d{1,2})?$/.test(text)) return undefined;
  const scaled = parseDecimal("BIGNUMERIC", text);
  const unit = 10n ** 38n;
  return scaled === undefined || scaled % unit !== 0n ? undefined : scaled / unit;
}

function parseFloat64(text: string): number | undefined {
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : undefined;
  }
  if (/^nan$/i.test(text)) return Number.NaN;
  if (/^[+]?inf(inity)?$/i.test(text)) return Number.POSITIVE_INFINITY;
  if (/^-inf(inity)?$/i.test(text)) return Number.NEGATIVE_INFINITY;
  return undefined;
}

/** https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv#data_types lists the words for BOOL. */
function parseBool(text: string): boolean | undefined {
  if (/^(true|t|yes|y|1)$/i.test(text)) return true;
  if (/^(false|f|no|n|0)$/i.test(text)) return false;
  return undefined;
}

function parseBase64(text: string): Uint8Array | undefined {
  const compact = text.replace(/\s+/g, "").replaceAll("-", "+").replaceAll("_", "/");
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact) || compact.replace(/=+$/, "").length % 4 === 1)
    return undefined;
  return new Uint8Array(Buffer.from(compact, "base64"));
}

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#interval_type */
function parseInterval(text: string): SqlValue | undefined {
  const match = /^([+-]?)(\d+)-(\d+) ([+-]?\d+) ([+-]?)(\d+):(\d+):(\d+)(?:\.(\d{1,6}))?$/.exec(text);
  if (match === null) return undefined;
  const months = Number(match[2]) * 12 + Number(match[3]);
  const seconds = BigInt(match[6] ?? 0) * 3600n + BigInt(match[7] ?? 0) * 60n + BigInt(match[8] ?? 0);
  const micros = seconds * 1_000_000n + BigInt((match[9] ?? "").padEnd(6, "0"));
  if (months > 120_000 || Math.abs(Number(match[4])) > 3_660_000) return undefined;
  return {
    months: match[1] === "-" ? -months : months,
    days: Number(match[4]),
    micros: match[5] === "-" ? -micros : micros,
  };
}
