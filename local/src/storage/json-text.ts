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

/** The text is not JSON. */
export class JsonSyntaxError extends Error {
  override readonly name = "JsonSyntaxError";
  /** Where, counted in characters from the text's start. */
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids control characters in strings
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const MAX_DEPTH = 500;

/** Parses JSON without losing a digit of its numbers. */
export function parseExactJson(text: string): JsonValue {
  const parser = new Parser(text);
  const value = parser.value(0);
  parser.end();
  return value;
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
  return Number.isFinite(value) ? doubleText(value, 15) : text;
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

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw new JsonSyntaxError("nested too deeply", this.#at);
    this.#skipSpace();
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected();
  }

  #object(depth: number): JsonObject {
    const members: [string, JsonValue][] = [];
    this.#at += 1;
    this.#skipSpace();
    if (this.#take("}")) return new JsonObject(members);
    for (;;) {
      this.#skipSpace();
      const name = this.#string();
      this.#skipSpace();
      if (!this.#take(":")) throw this.#unexpected();
      members.push([name, this.value(depth + 1)]);
      this.#skipSpace();
      if (this.#take("}")) return new JsonObject(members);
      if (!this.#take(",")) throw this.#unexpected();
    }
  }

  #array(depth: number): readonly JsonValue[] {
    const items: JsonValue[] = [];
    this.#at += 1;
    this.#skipSpace();
    if (this.#take("]")) return items;
    for (;;) {
      items.push(this.value(depth + 1));
      this.#skipSpace();
      if (this.#take("]")) return items;
      if (!this.#take(",")) throw this.#unexpected();
    }
  }

  #string(): string {
    const raw = this.#match(STRING);
    return raw.includes("\\") ? (JSON.parse(raw) as string) : raw.slice(1, -1);
  }

  #number(): JsonNumber {
    return new JsonNumber(this.#match(NUMBER));
  }

  #word<T extends JsonValue>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#unexpected();
    this.#at += word.length;
    return value;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) throw this.#unexpected();
    this.#at += match[0].length;
    return match[0];
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#at;
    SPACE.exec(this.#text);
    this.#at = SPACE.lastIndex;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #unexpected(): JsonSyntaxError {
    return this.#at >= this.#text.length
      ? new JsonSyntaxError("Parser terminated before end of string", this.#at)
      : new JsonSyntaxError(`Unexpected token: ${this.#text.slice(this.#at, this.#at + 20)}`, this.#at);
  }
}
