/** The values of an update as plain data, and the total order rule R3 puts on them. Shares nothing with the generator. */

/** BigQuery's types by their GoogleSQL names; RECORD has fields of its own. */
export type Kind =
  | "INT64"
  | "FLOAT64"
  | "BOOL"
  | "STRING"
  | "BYTES"
  | "DATE"
  | "DATETIME"
  | "TIME"
  | "TIMESTAMP"
  | "NUMERIC"
  | "BIGNUMERIC"
  | "JSON"
  | "GEOGRAPHY"
  | "INTERVAL"
  | "RANGE<DATE>"
  | "RANGE<DATETIME>"
  | "RANGE<TIMESTAMP>"
  | "RECORD";

/** How a leaf takes new values: R11's policies, and a RECORD that moves as one value. */
export type Merge = "latest" | "first" | "max" | "min" | "union" | "atomic";

/** A field of a user schema, as BigQuery's schema JSON writes it. */
export interface Field {
  readonly name: string;
  readonly type: Kind;
  readonly mode?: "NULLABLE" | "REQUIRED" | "REPEATED";
  readonly fields?: readonly Field[];
  readonly merge?: Merge;
}

/** An INTERVAL; its parts do not convert into each other. */
export interface Interval {
  readonly months: bigint;
  readonly days: bigint;
  readonly micros: bigint;
}

/**
 * A value: INT64, TIMESTAMP (µs since 1970), NUMERIC (times 10^9) and BIGNUMERIC (times 10^38) are bigints; BYTES is lower-case
 * hex; DATE, TIME and DATETIME are ISO text with six digits of fraction; JSON is canonical JSON text; GEOGRAPHY is WKT; a RANGE is the
 * text `[2024-01-31, UNBOUNDED)` of its two bounds, those of TIMESTAMP as `timestampText` writes them.
 */
export type Value = null | boolean | bigint | number | string | Interval | Row | readonly Value[];

/** A row, or the value of a RECORD: a missing column is NULL. */
export interface Row {
  readonly [name: string]: Value;
}

/** Whether a value is a RECORD's. */
export function isRecord(field: Field, value: Value): value is Row {
  return field.type === "RECORD" && value !== null && typeof value === "object" && !Array.isArray(value);
}

/** What one element of a REPEATED field is. */
export function elementOf(field: Field): Field {
  return { ...field, mode: "NULLABLE" };
}

/** Whether values of a field are RANGEs. */
export function isRange(field: Field): boolean {
  return field.type.startsWith("RANGE<");
}

/** What the bounds of a RANGE are. */
export function boundOf(field: Field): Field {
  return { name: field.name, type: field.type.slice("RANGE<".length, -1) as Kind };
}

/** The texts of a RANGE's two bounds, null where it has none. */
export function boundTexts(range: Value): [string | null, string | null] {
  const [start = "", end = ""] = (range as string).slice(1, -1).split(", ");
  return [start === "UNBOUNDED" ? null : start, end === "UNBOUNDED" ? null : end];
}

/** The bounds of a RANGE as values of their own type. */
function boundValues(field: Field, range: Value): [Value, Value] {
  const read = (text: string | null): Value =>
    text !== null && boundOf(field).type === "TIMESTAMP" ? parseTimestamp(text) : text;
  const [start, end] = boundTexts(range);
  return [read(start), read(end)];
}

/** By the starts, then by the ends; no start comes before all others, no end after all others. */
function compareRanges(left: Value, right: Value): number {
  const [[leftStart, leftEnd], [rightStart, rightEnd]] = [boundTexts(left), boundTexts(right)];
  const byStart = compareText(leftStart ?? "", rightStart ?? "");
  return byStart === 0 ? compareText(leftEnd ?? "~", rightEnd ?? "~") : byStart;
}

/** Below zero when `left` comes first in R3's total order, zero when the two are one value. */
export function compareValues(field: Field, left: Value, right: Value): number {
  if (field.mode === "REPEATED" || field.type === "RECORD") {
    return compareText(toJsonString(field, left), toJsonString(field, right));
  }
  if (isRange(field)) return compareRanges(left, right);
  switch (field.type) {
    case "FLOAT64":
      return compareFloats(left as number, right as number);
    case "INTERVAL": {
      const difference = intervalMicros(left as Interval) - intervalMicros(right as Interval);
      if (difference !== 0n) return difference < 0n ? -1 : 1;
      return compareText(intervalText(left as Interval), intervalText(right as Interval));
    }
    case "INT64":
    case "NUMERIC":
    case "BIGNUMERIC":
    case "TIMESTAMP":
    case "BOOL":
      return left === right ? 0 : (left as bigint) < (right as bigint) ? -1 : 1;
    default:
      return compareText(left as string, right as string);
  }
}

/** NaN is the smallest; -0.0 comes before 0.0, so that no two different values tie. */
function compareFloats(left: number, right: number): number {
  if (Object.is(left, right)) return 0;
  if (Number.isNaN(left)) return -1;
  if (Number.isNaN(right)) return 1;
  if (left === right) return Object.is(left, -0) ? -1 : 1;
  return left < right ? -1 : 1;
}

/** GoogleSQL compares text by its UTF-8 bytes, JavaScript by UTF-16 units: the two differ above U+FFFF. */
function compareText(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left, "utf8"), Buffer.from(right, "utf8"));
}

/** An INTERVAL's length for comparison: a month is 30 days, a day 24 hours. */
function intervalMicros(value: Interval): bigint {
  return (value.months * 30n + value.days) * 86_400_000_000n + value.micros;
}

/** CAST(interval AS STRING). */
export function intervalText({ months, days, micros }: Interval): string {
  const monthPart = months < 0n ? -months : months;
  const clock = micros < 0n ? -micros : micros;
  const seconds = clock / 1_000_000n;
  const parts = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n].join(":");
  return (
    `${months < 0n ? "-" : ""}${monthPart / 12n}-${monthPart % 12n} ${days} ` +
    `${micros < 0n ? "-" : ""}${parts}${narrowFraction(clock % 1_000_000n)}`
  );
}

/** A fraction of a second in 0, 3 or 6 digits, as GoogleSQL prints it. */
function narrowFraction(micros: bigint): string {
  const digits = micros.toString().padStart(6, "0");
  if (micros === 0n) return "";
  return `.${digits.endsWith("000") ? digits.slice(0, 3) : digits}`;
}

/** A scaled integer as decimal text, without trailing zeros. */
export function decimalText(value: bigint, scale: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, "0");
  const fraction = digits.slice(-scale).replace(/0+$/, "");
  return `${value < 0n ? "-" : ""}${digits.slice(0, -scale)}${fraction === "" ? "" : `.${fraction}`}`;
}

/** Decimal text as a scaled integer. */
export function parseDecimal(text: string, scale: number): bigint {
  const [, sign, whole, fraction] = /^(-?)(\d*)\.?(\d*)$/.exec(text) ?? [];
  if (whole === undefined || fraction === undefined) throw new Error(`not a decimal: ${text}`);
  const magnitude = BigInt(whole + fraction.padEnd(scale, "0").slice(0, scale));
  return sign === "-" ? -magnitude : magnitude;
}

/** Microseconds since 1970 as `YYYY-MM-DDTHH:MM:SS.ffffff`. */
export function timestampText(micros: bigint): string {
  const seconds = (micros - (((micros % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n;
  const date = new Date(Number(seconds) * 1000);
  const year = date.getUTCFullYear().toString().padStart(4, "0");
  const fraction = (((micros % 1_000_000n) + 1_000_000n) % 1_000_000n).toString().padStart(6, "0");
  return `${year}-${date.toISOString().slice(-19, -5)}.${fraction}`;
}

/** `YYYY-MM-DDTHH:MM:SS[.ffffff]` (UTC) as microseconds since 1970. */
export function parseTimestamp(text: string): bigint {
  const [, day, clock, fraction = ""] =
    /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z?$/.exec(text) ?? [];
  if (day === undefined) throw new Error(`not a timestamp: ${text}`);
  return BigInt(Date.parse(`${day}T${clock}Z`)) * 1000n + BigInt(fraction.padEnd(6, "0"));
}

/**
 * TO_JSON_STRING (https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#json_encodings). -0.0 prints as
 * 0: in an ARRAY or a RECORD the sign of zero does not order values.
 */
export function toJsonString(field: Field, value: Value): string {
  if (value === null || value === undefined) return "null";
  if (field.mode === "REPEATED") {
    const element = elementOf(field);
    return `[${(value as readonly Value[]).map((item) => toJsonString(element, item)).join(",")}]`;
  }
  if (isRange(field)) {
    const [start, end] = boundValues(field, value).map((bound) => toJsonString(boundOf(field), bound));
    return `{"start":${start},"end":${end}}`;
  }
  switch (field.type) {
    case "RECORD": {
      const members = (field.fields ?? []).map(
        (member) => `${quoteJson(member.name)}:${toJsonString(member, memberOf(member, value as Row))}`,
      );
      return `{${members.join(",")}}`;
    }
    case "INT64": {
      const wide = (value as bigint) > 2n ** 53n || (value as bigint) < -(2n ** 53n);
      return wide ? `"${value}"` : `${value}`;
    }
    case "NUMERIC":
    case "BIGNUMERIC": {
      const scale = field.type === "NUMERIC" ? 9 : 38;
      const text = decimalText(value as bigint, scale);
      const limit = 2n ** 53n * 10n ** BigInt(scale);
      const wide = (value as bigint) > limit || (value as bigint) < -limit;
      return wide || text.includes(".") ? `"${text}"` : text;
    }
    case "FLOAT64":
      return floatJson(value as number);
    case "BOOL":
      return `${value}`;
    case "BYTES":
      return `"${Buffer.from(value as string, "hex").toString("base64")}"`;
    case "TIMESTAMP":
      return `"${narrow(timestampText(value as bigint))}Z"`;
    case "DATETIME":
    case "TIME":
      return `"${narrow(value as string)}"`;
    case "JSON":
      return value as string;
    case "INTERVAL":
      return quoteJson(intervalIso(value as Interval));
    default:
      return quoteJson(value as string);
  }
}

/** A member's value: a REPEATED one that was left out is the empty array a table stores for it. */
function memberOf(member: Field, record: Row): Value {
  return record[member.name] ?? (member.mode === "REPEATED" ? [] : null);
}

function narrow(text: string): string {
  return `${text.slice(0, -7)}${narrowFraction(BigInt(text.slice(-6)))}`;
}

function quoteJson(text: string): string {
  return JSON.stringify(text).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}

/** C's %.15g, or %.17g where that does not read back as the same number. */
function floatJson(value: number): string {
  if (Number.isNaN(value)) return '"NaN"';
  if (!Number.isFinite(value)) return value > 0 ? '"Infinity"' : '"-Infinity"';
  if (value === 0) return "0";
  const short = formatG(value, 15);
  return Number(short) === value ? short : formatG(value, 17);
}

function formatG(value: number, digits: number): string {
  const [mantissa = "", exponentText = "0"] = value.toExponential(digits - 1).split("e");
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= digits) {
    const trimmed = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
    return `${trimmed}e${exponent < 0 ? "-" : "+"}${Math.abs(exponent).toString().padStart(2, "0")}`;
  }
  const plain = value.toFixed(Math.max(0, digits - 1 - exponent));
  return plain.includes(".") ? plain.replace(/\.?0+$/, "") : plain;
}

/** ISO 8601 as TO_JSON_STRING prints an INTERVAL: `P1Y2M3DT4H5M6.789S`, every part with its own sign. */
function intervalIso({ months, days, micros }: Interval): string {
  const seconds = micros / 1_000_000n;
  const fraction = micros % 1_000_000n;
  const digits = (fraction < 0n ? -fraction : fraction).toString().padStart(6, "0").replace(/0+$/, "");
  const [hour, minute, second] = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n];
  const part = (amount: bigint, unit: string): string => (amount === 0n ? "" : `${amount}${unit}`);
  let text = `P${part(months / 12n, "Y")}${part(months % 12n, "M")}${part(days, "D")}`;
  if (micros !== 0n) text += `T${part(hour, "H")}${part(minute, "M")}`;
  if (fraction !== 0n) text += `${second === 0n && micros < 0n ? "-0" : second}.${digits}S`;
  else text += part(second, "S");
  return text === "P" ? "P0Y" : text;
}
