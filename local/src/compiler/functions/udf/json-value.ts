import { EvaluationError } from "./define.ts";
import type { JsonPath } from "./json-path.ts";

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
/** The control characters, a range in a regular expression; named, for in a literal it would read as a mistake. */
export const CONTROL = "\\u0000-\\u001f";
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
export class RepeatingObject extends Map<string, Json> {
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
