import { EvaluationError } from "./define.ts";

/** A JSON value that keeps what JavaScript's own parser loses: integers of any size, and whether a number is an integer. */
export type Json =
  | null
  | boolean
  | string
  | { readonly integer: bigint }
  /** As written, where the text itself is to be given back. */
  | { readonly float: number; readonly text?: string }
  | readonly Json[]
  | ReadonlyMap<string, Json>;

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const SPACE = /[ \t\n\r]*/y;
/** A range of characters; named, for in a literal it would read as a mistake. */
const CONTROL = "\\u0000-\\u001f";
const PLAIN = new RegExp(`[^"\\\\${CONTROL}]*`, "y");
const MAX_DEPTH = 500;

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** What a number beyond its type's range becomes. */
export type WideNumbers = "round" | "exact";

/** An object of a text in which a key stands more than once: it is given back as written, and a path finds the first. */
class RepeatingObject extends Map<string, Json> {
  constructor(readonly members: readonly (readonly [string, Json])[]) {
    super(members.toReversed());
  }
}

const NOTHING = Symbol("nothing found");

class Found {
  constructor(readonly value: Json) {}
}

class Parser {
  private at = 0;

  constructor(
    private readonly source: string,
    private readonly wide: WideNumbers,
    /** The value of a key that an object has several times. */
    private readonly repeated: (first: Json, again: Json) => Json,
    /** Stop at this place, and keep numbers as they are written. */
    private readonly target?: JsonPath,
  ) {}

  /** Whether a member or element is the next step to the target. */
  private leads(onPath: boolean, depth: number, step: string | number): boolean {
    const wanted = this.target?.[depth];
    return onPath && wanted !== undefined && String(wanted) === String(step);
  }

  private valueAt(onPath: boolean, depth: number): Json {
    const value = this.value(depth, onPath);
    if (onPath && depth === this.target?.length) throw new Found(value);
    return value;
  }

  parse(): Json {
    const value = this.valueAt(this.target !== undefined, 0);
    this.space();
    if (this.at < this.source.length) this.fail("unexpected text after the value");
    return value;
  }

  private fail(what: string): never {
    // Nobody reads why a search ended; an Error with its stack would cost more than the search.
    if (this.target !== undefined) throw NOTHING;
    throw new EvaluationError(`syntax error while parsing value at ${this.at}: ${what}`);
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.source);
    if (found !== null) this.at += found[0].length;
    return found;
  }

  private space(): void {
    this.match(SPACE);
  }

  private take(token: string): boolean {
    if (!this.source.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  private value(depth: number, onPath: boolean): Json {
    if (depth > MAX_DEPTH) this.fail("too deeply nested");
    this.space();
    if (this.take("{")) return this.object(depth, onPath);
    if (this.take("[")) return this.array(depth, onPath);
    if (this.source[this.at] === '"') return this.string();
    if (this.take("true")) return true;
    if (this.take("false")) return false;
    if (this.take("null")) return null;
    return this.number();
  }

  private object(depth: number, onPath: boolean): Json {
    const members = new Map<string, Json>();
    const written: (readonly [string, Json])[] = [];
    this.space();
    if (this.take("}")) return members;
    do {
      this.space();
      if (this.source[this.at] !== '"') this.fail("expected a key");
      const key = this.string();
      this.space();
      if (!this.take(":")) this.fail("expected ':'");
      const value = this.valueAt(this.leads(onPath, depth, key), depth + 1);
      const first = members.get(key);
      members.set(key, first === undefined ? value : this.repeated(first, value));
      // Text that is only searched is not made better than it is.
      if (this.target !== undefined) written.push([key, value]);
      this.space();
    } while (this.take(","));
    if (!this.take("}")) this.fail("expected '}'");
    return written.length > members.size ? new RepeatingObject(written) : members;
  }

  private array(depth: number, onPath: boolean): Json {
    const items: Json[] = [];
    this.space();
    if (this.take("]")) return items;
    do {
      items.push(this.valueAt(this.leads(onPath, depth, items.length), depth + 1));
      this.space();
    } while (this.take(","));
    if (!this.take("]")) this.fail("expected ']'");
    return items;
  }

  private string(): string {
    this.at++;
    let text = "";
    for (;;) {
      text += this.match(PLAIN)?.[0] ?? "";
      if (this.take('"')) return text;
      if (!this.take("\\")) this.fail("expected the end of a string");
      const code = this.source[this.at++] ?? "";
      if (code === "u") {
        const digits = this.source.slice(this.at, this.at + 4);
        if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail("bad \\u escape");
        text += String.fromCharCode(Number.parseInt(digits, 16));
        this.at += 4;
      } else {
        const plain = ESCAPES[code];
        if (plain === undefined) this.fail("bad escape");
        text += plain;
      }
    }
  }

  private number(): Json {
    const found = this.match(NUMBER);
    if (found === null) this.fail("expected a value");
    const [text, fraction, exponent] = found;
    if (this.target !== undefined) return { float: Number(text), text };
    if (fraction === undefined && exponent === undefined) {
      const integer = BigInt(text);
      // INT64 and UINT64 are kept; what is wider is a double.
      if (integer >= -(2n ** 63n) && integer < 2n ** 64n) return text === "-0" ? { float: -0 } : { integer };
    }
    const float = Number(text);
    if (!Number.isFinite(float)) this.fail(`number overflow parsing '${text}'`);
    if (this.wide === "exact" && !sameNumber(text, float)) {
      throw new EvaluationError(`Input number: ${text} cannot round-trip through string representation`);
    }
    return { float };
  }
}

/** Whether a double prints as the number that was read. */
function sameNumber(text: string, float: number): boolean {
  return (
    normalized(text) === normalized(float.toString()) ||
    normalized(text) === normalized(float.toPrecision(17))
  );
}

/** Whether a decimal's text is that of a double. */
export function isExactFloat(text: string): boolean {
  return sameNumber(text, Number(text));
}

/** Digits and exponent of a number, without zeros at either end. */
function normalized(text: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  const trimmed = digits.replace(/0+$/, "");
  if (trimmed === "") return "0";
  return `${sign}${trimmed}e${Number(exponent) - fraction.length + digits.length - trimmed.length}`;
}

/** Of equal keys the first one holds. */
const FIRST = (first: Json): Json => first;

/** Parses JSON text, or throws an EvaluationError. */
export function parseJson(
  source: string,
  wide: WideNumbers = "round",
  repeated: (first: Json, again: Json) => Json = FIRST,
): Json {
  return new Parser(source, wide, repeated).parse();
}

/** The value at a path of JSON text, or undefined; what follows it is not read. */
export function findJson(source: string, path: JsonPath): Json | undefined {
  try {
    new Parser(source, "round", FIRST, path).parse();
  } catch (stopped) {
    if (stopped instanceof Found) return stopped.value;
    if (stopped !== NOTHING) throw stopped;
  }
  return undefined;
}

const MUST_ESCAPE = new RegExp(`["\\\\${CONTROL}\\u2028\\u2029]`, "g");
const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** A STRING as BigQuery quotes it in JSON. */
export function quoteJson(text: string): string {
  const body = text.replace(
    MUST_ESCAPE,
    (char) => SHORT[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `"${body}"`;
}

/** A FLOAT64 as a JSON value prints it: always with a point or an exponent. */
export function jsonFloat(value: number): string {
  if (Object.is(value, -0)) return "-0.0";
  const text = value.toString();
  const magnitude = Math.abs(value);
  if (magnitude >= 1e15 || (magnitude < 1e-4 && magnitude > 0)) {
    const [mantissa, exponent = ""] = value.toExponential().split("e");
    const digits = exponent.slice(1).padStart(2, "0");
    return `${mantissa}e${exponent[0]}${digits}`;
  }
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** JSON as BigQuery prints it: members by key, no spaces. */
export function printJson(value: Json, sorted = true): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return quoteJson(value);
  if (value instanceof Map) {
    const members =
      value instanceof RepeatingObject ? [...value.members] : [...(value as ReadonlyMap<string, Json>)];
    if (sorted) members.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return `{${members.map(([key, item]) => `${quoteJson(key)}:${printJson(item, sorted)}`).join(",")}}`;
  }
  if (Array.isArray(value))
    return `[${(value as readonly Json[]).map((item) => printJson(item, sorted)).join(",")}]`;
  const number = value as { integer: bigint } | { float: number; text?: string };
  return "integer" in number ? number.integer.toString() : (number.text ?? jsonFloat(number.float));
}

/** JSON over several lines, two spaces a level. */
export function prettyJson(value: Json, indent = ""): string {
  const inner = `${indent}  `;
  if (value instanceof Map) {
    const members = [...(value as ReadonlyMap<string, Json>)];
    if (members.length === 0) return "{}";
    const lines = members.map(([key, item]) => `${inner}${quoteJson(key)}: ${prettyJson(item, inner)}`);
    return `{\n${lines.join(",\n")}\n${indent}}`;
  }
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    if (items.length === 0) return "[]";
    return `[\n${items.map((item) => inner + prettyJson(item, inner)).join(",\n")}\n${indent}]`;
  }
  return printJson(value);
}

/** The steps of a JSONPath: member names and array indexes. */
export type JsonPath = readonly (string | number)[];

/** A member's name as it may stand without quotes. */
const NAME = "\\.([\\p{L}\\p{N}_\\-:\\s]+)";
const STANDARD_STEP = new RegExp(`${NAME}|\\."((?:[^"\\\\]|\\\\.)*)"|\\[\\s*(\\d+)\\s*\\]`, "uy");
const LEGACY_STEP = new RegExp(
  `${NAME}|\\['((?:[^'\\\\]|\\\\.)*)'\\]|\\[\\s*([\\p{L}\\p{N}_\\-]+)\\s*\\]`,
  "uy",
);
const paths = new Map<string, JsonPath>();

/** Parses a JSONPath in the form of JSON_VALUE (`$."a b"`) or of JSON_EXTRACT (`$['a b']`). */
export function parsePath(path: string, legacy: boolean): JsonPath {
  const key = `${legacy}${path}`;
  const known = paths.get(key);
  if (known !== undefined) return known;
  if (!path.startsWith("$")) throw new EvaluationError("JSONPath must start with '$'");
  const steps: (string | number)[] = [];
  const pattern = legacy ? LEGACY_STEP : STANDARD_STEP;
  for (let at = 1; at < path.length; at = pattern.lastIndex) {
    pattern.lastIndex = at;
    const found = pattern.exec(path);
    if (found === null) throw new EvaluationError(`Invalid token in JSONPath at: ${path.slice(at)}`);
    const [, name, quoted, bracketed = ""] = found;
    if (name !== undefined) steps.push(name);
    else if (quoted !== undefined) steps.push(unquote(quoted));
    else steps.push(/^\d+$/.test(bracketed) ? Number(bracketed) : bracketed);
  }
  if (paths.size > 1000) paths.clear();
  paths.set(key, steps);
  return steps;
}

function unquote(text: string): string {
  return text.replace(/\\(.)/g, "$1");
}
