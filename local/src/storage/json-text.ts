import { type JsonReader, readJson } from "./json-parser.ts";

/** A JSON number as it was written: no digit is lost. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A JSON object: members in order, duplicates included. */
export class JsonObject {
  readonly members: readonly (readonly [string, JsonValue])[];

  constructor(members: readonly (readonly [string, JsonValue])[]) {
    this.members = members;
  }
}

/** Any JSON value. */
export type JsonValue = null | boolean | string | JsonNumber | JsonObject | readonly JsonValue[];

const EXACT: JsonReader<JsonNumber | JsonObject | readonly JsonValue[]> = {
  number: (text) => new JsonNumber(text),
  array: (items) => items,
  object: (members) => new JsonObject(members),
};

/** Parses JSON without losing a digit of its numbers, or throws a JsonSyntaxError. */
export function parseExactJson(text: string): JsonValue {
  return readJson(text, EXACT);
}

/**
 * The text of a JSON value in the form GoogleSQL keeps: no spaces, members sorted by name and the first of equal names kept,
 * integers of 64 bits exact and other numbers as FLOAT64.
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#json_type
 * Half a surrogate pair, which no UTF-8 text can hold, is a SyntaxError.
 */
export function canonicalJson(value: JsonValue): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return jsonString(value);
  if (value instanceof JsonNumber) return canonicalNumber(value.text);
  if (value instanceof JsonObject) {
    const members = new Map(value.members.toReversed());
    const names = [...members.keys()].sort(compareUtf8);
    return `{${names.map((name) => `${jsonString(name)}:${canonicalJson(members.get(name) ?? null)}`).join(",")}}`;
  }
  return `[${value.map(canonicalJson).join(",")}]`;
}

function jsonString(text: string): string {
  // As one code point a surrogate is seen only where its other half is missing.
  if (/\p{Surrogate}/u.test(text)) throw new SyntaxError("JSON text holds half a surrogate pair");
  return JSON.stringify(text);
}

function canonicalNumber(text: string): string {
  if (/^-?\d+$/.test(text) && text !== "-0") {
    const integer = BigInt(text);
    if (integer >= -(2n ** 63n) && integer < 2n ** 64n) return integer.toString();
  }
  const value = Number(text);
  return Number.isFinite(value) ? jsonFloat(value) : text;
}

/** A finite FLOAT64 as a JSON value prints it: always with a point or an exponent. */
export function jsonFloat(value: number): string {
  return doubleText(value, 15);
}

/** A finite FLOAT64 with its shortest digits: with an exponent of two digits or more below 10^-4 and from 10^`limit` on, else plain. */
export function doubleText(value: number, limit: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const [mantissa = "", exponent = "0"] = Math.abs(value).toExponential().split("e");
  const sign = value < 0 ? "-" : "";
  const power = Number(exponent);
  if (power < -4 || power >= limit) {
    return `${sign}${mantissa}e${power < 0 ? "-" : "+"}${Math.abs(power).toString().padStart(2, "0")}`;
  }
  const digits = mantissa.replace(".", "");
  if (power < 0) return `${sign}0.${"0".repeat(-power - 1)}${digits}`;
  return `${sign}${digits.slice(0, power + 1).padEnd(power + 1, "0")}.${digits.slice(power + 1) || "0"}`;
}

function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
