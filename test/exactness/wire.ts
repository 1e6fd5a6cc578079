/** Values of the oracle to NDJSON and GoogleSQL, and from the REST API's rows. */
import {
  boundOf,
  boundTexts,
  decimalText,
  elementOf,
  type Field,
  type Interval,
  intervalText,
  isRange,
  parseDecimal,
  parseTimestamp,
  type Row,
  timestampText,
  type Value,
} from "./values.ts";

/**
 * A row as a line of NDJSON; absent columns are left out. A load job takes JSON as it is, insertAll as a text
 * (https://cloud.google.com/bigquery/docs/json-data).
 */
export function ndjsonLine(fields: readonly Field[], row: Row, way: "load" | "insertAll" = "load"): string {
  const members = fields.flatMap((field) => {
    const value = row[field.name];
    return value === undefined || value === null
      ? []
      : [`${JSON.stringify(field.name)}:${ndjson(field, value, way)}`];
  });
  return `{${members.join(",")}}`;
}

function ndjson(field: Field, value: Value, way: "load" | "insertAll"): string {
  if (value === null) return "null";
  if (field.mode === "REPEATED") {
    return `[${(value as readonly Value[]).map((item) => ndjson(elementOf(field), item, way)).join(",")}]`;
  }
  if (isRange(field)) {
    const [start, end] = boundTexts(value).map((bound) => bound && boundJson(field, bound));
    return JSON.stringify({ start, end });
  }
  switch (field.type) {
    case "RECORD":
      return ndjsonLine(field.fields ?? [], value as Row, way);
    case "BOOL":
      return `${value}`;
    case "JSON":
      return way === "load" ? (value as string) : JSON.stringify(value);
    case "FLOAT64":
      return Object.is(value, -0) ? "-0.0" : Number.isFinite(value) ? `${value}` : `"${value}"`;
    default:
      return JSON.stringify(scalarText(field, value));
  }
}

/** A bound of a RANGE as it stands in JSON, and in the text of a RANGE. */
function boundJson(field: Field, bound: string): string {
  return boundOf(field).type === "TIMESTAMP" ? `${bound}Z` : bound;
}

/** A scalar as the text that CAST takes. */
function scalarText(field: Field, value: Value): string {
  switch (field.type) {
    case "NUMERIC":
      return decimalText(value as bigint, 9);
    case "BIGNUMERIC":
      return decimalText(value as bigint, 38);
    case "BYTES":
      return Buffer.from(value as string, "hex").toString("base64");
    case "TIMESTAMP":
      return `${timestampText(value as bigint)}Z`;
    case "INTERVAL":
      return intervalText(value as Interval);
    default:
      return `${value}`;
  }
}

/** A GoogleSQL literal of exactly this value and type. */
export function sqlLiteral(field: Field, value: Value): string {
  if (field.mode === "REPEATED") {
    const items = ((value ?? []) as readonly Value[]).map((item) => sqlLiteral(elementOf(field), item));
    return `ARRAY<${sqlType(elementOf(field))}>[${items.join(", ")}]`;
  }
  if (value === null || value === undefined) return `CAST(NULL AS ${sqlType(field)})`;
  if (isRange(field)) {
    const [start, end] = boundTexts(value).map((bound) =>
      bound === null ? "NULL" : boundJson(field, bound),
    );
    return `${field.type} '[${start}, ${end})'`;
  }
  switch (field.type) {
    case "RECORD": {
      const members = (field.fields ?? []).map((member) =>
        sqlLiteral(member, (value as Row)[member.name] ?? null),
      );
      return `${sqlType(field)}(${members.join(", ")})`;
    }
    case "INT64":
      return value === -(2n ** 63n) ? "(-9223372036854775807 - 1)" : `${value}`;
    case "BOOL":
      return `${value}`.toUpperCase();
    case "FLOAT64":
      return `CAST('${Number.isFinite(value) ? (Object.is(value, -0) ? "-0.0" : value) : `${value}`.toLowerCase()}' AS FLOAT64)`;
    case "BYTES":
      return `FROM_HEX('${value as string}')`;
    case "STRING":
      return sqlString(value as string);
    case "GEOGRAPHY":
      return `ST_GEOGFROMTEXT(${sqlString(value as string)})`;
    case "JSON":
      return `JSON ${sqlString(value as string)}`;
    default:
      return `CAST(${sqlString(scalarText(field, value).replace("Z", "+00"))} AS ${field.type})`;
  }
}

function sqlString(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u{10ffff}]/gu, (char) => {
    return `\\U${(char.codePointAt(0) ?? 0).toString(16).padStart(8, "0")}`;
  });
}

/** A field's type as GoogleSQL writes it. */
function sqlType(field: Field): string {
  if (field.mode === "REPEATED") return `ARRAY<${sqlType(elementOf(field))}>`;
  if (field.type !== "RECORD") return field.type;
  const members = (field.fields ?? []).map((member) => `\`${member.name}\` ${sqlType(member)}`);
  return `STRUCT<${members.join(", ")}>`;
}

/** A cell of the REST API: `{v: …}`, nested by `f`. */
export interface Cell {
  readonly v: string | null | readonly Cell[] | { readonly f: readonly Cell[] };
}

/** A result row of the REST API, its columns in the order of `fields`. Timestamps must be asked for as INT64 microseconds. */
export function decodeRow(fields: readonly Field[], cells: readonly Cell[]): Row {
  return Object.fromEntries(
    fields.map((field, index) => [field.name, decode(field, cells[index]?.v ?? null)]),
  );
}

function decode(field: Field, value: Cell["v"]): Value {
  if (field.mode === "REPEATED") {
    return ((value ?? []) as readonly Cell[]).map((cell) => decode(elementOf(field), cell.v));
  }
  if (value === null) return null;
  if (field.type === "RECORD") return decodeRow(field.fields ?? [], (value as { f: readonly Cell[] }).f);
  return decodeScalar(field, value as string);
}

function decodeScalar(field: Field, text: string): Value {
  if (isRange(field)) {
    const [start, end] = boundTexts(text).map((bound) => {
      if (bound === null) return "UNBOUNDED";
      const value = decodeScalar(boundOf(field), bound);
      return typeof value === "bigint" ? timestampText(value) : value;
    });
    return `[${start}, ${end})`;
  }
  switch (field.type) {
    case "INT64":
      return BigInt(text);
    case "TIMESTAMP":
      return /^-?\d+$/.test(text) ? BigInt(text) : parseTimestamp(text.replace(/( UTC|\+00)$/, "Z"));
    case "FLOAT64":
      return text === "NaN" ? Number.NaN : Number(text);
    case "BOOL":
      return text === "true";
    case "BYTES":
      return Buffer.from(text, "base64").toString("hex");
    case "NUMERIC":
      return parseDecimal(text, 9);
    case "BIGNUMERIC":
      return parseDecimal(text, 38);
    case "DATETIME":
    case "TIME":
      return `${text}${text.includes(".") ? "" : "."}`.padEnd(field.type === "TIME" ? 15 : 26, "0");
    case "INTERVAL":
      return parseInterval(text);
    default:
      return text;
  }
}

/** `Y-M D H:M:S[.f]`, the year part and the time part with a sign each. */
function parseInterval(text: string): Interval {
  const [, sign, years, months, days, minus, hours, minutes, seconds, fraction = ""] =
    /^(-?)(\d+)-(\d+) (-?\d+) (-?)(\d+):(\d+):(\d+)(?:\.(\d{1,6}))?$/.exec(text) ?? [];
  if (years === undefined) throw new Error(`not an interval: ${text}`);
  const clock = (BigInt(hours ?? 0) * 60n + BigInt(minutes ?? 0)) * 60n + BigInt(seconds ?? 0);
  const micros = clock * 1_000_000n + BigInt(fraction.padEnd(6, "0"));
  const monthCount = BigInt(years) * 12n + BigInt(months ?? 0);
  return {
    months: sign === "-" ? -monthCount : monthCount,
    days: BigInt(days ?? 0),
    micros: minus === "-" ? -micros : micros,
  };
}

/** A row of NDJSON as a person writes it: numbers and text for what they are. */
export function rowFromJson(fields: readonly Field[], json: Readonly<Record<string, unknown>>): Row {
  return Object.fromEntries(fields.map((field) => [field.name, fromJson(field, json[field.name] ?? null)]));
}

function fromJson(field: Field, value: unknown): Value {
  if (field.mode === "REPEATED")
    return ((value ?? []) as readonly unknown[]).map((item) => fromJson(elementOf(field), item));
  if (value === null) return null;
  if (field.type === "RECORD") return rowFromJson(field.fields ?? [], value as Record<string, unknown>);
  if (field.type === "TIMESTAMP") return parseTimestamp(value as string);
  return field.type === "JSON" ? JSON.stringify(value) : decodeScalar(field, `${value}`);
}
