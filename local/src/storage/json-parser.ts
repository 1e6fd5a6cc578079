/** The text is not JSON. It is no Error: of texts that cannot be read there may be one in every row, and nobody reads their stacks. */
export class JsonSyntaxError {
  constructor(
    readonly message: string,
    /** Where, counted in characters from the text's start. */
    readonly offset: number,
  ) {}
}

/** What every reader has the same of: null, TRUE and FALSE, and strings. */
type Plain = null | boolean | string;

/** What a reader makes of the other parts of a text: numbers as they were written, members in order, duplicates included. */
export interface JsonReader<T> {
  readonly number: (text: string) => T;
  readonly array: (items: readonly (T | Plain)[]) => T;
  readonly object: (members: readonly (readonly [string, T | Plain])[]) => T;
}

const SPACE = /[ \t\n\r]*/y;
/** The space itself; what else counts as space comes before it. */
const LAST_SPACE = 32;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids control characters in strings
const UNESCAPED = /[^"\\\u0000-\u001f]*/y;
/** What follows the backslash of a character: a pair of surrogates, or a unit that is none. */
const ESCAPED_UNITS = /u(d[89ab][\da-f]{2})\\u(d[c-f][\da-f]{2})|u((?!d[89a-f])[\da-f]{4})/iy;
/** The same of text that is only searched, where half of a pair may stand alone. */
const ANY_UNIT = /u([\da-f]{4})/iy;
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

/** Reads JSON text (RFC 8259), or throws a JsonSyntaxError. */
export function readJson<T>(text: string, reader: JsonReader<T>): T | Plain {
  return new Parser(text, reader).whole();
}

/** The value at a path of JSON text, the first of several; undefined where there is none. What follows it is not read. */
export function findInJson<T>(
  text: string,
  path: readonly (string | number)[],
  reader: JsonReader<T>,
): T | Plain | undefined {
  try {
    new Parser(text, reader, path.map(String)).whole();
  } catch (stopped) {
    if (stopped instanceof Found) return stopped.value as T | Plain;
    if (!(stopped instanceof JsonSyntaxError)) throw stopped;
  }
  return undefined;
}

class Found {
  constructor(readonly value: unknown) {}
}

class Parser<T> {
  #at = 0;

  constructor(
    private readonly text: string,
    private readonly reader: JsonReader<T>,
    /** Names and indexes on the way to the value that is sought. */
    private readonly path?: readonly string[],
  ) {}

  whole(): T | Plain {
    const value = this.#value(0, this.path !== undefined);
    this.#skipSpace();
    if (this.#at < this.text.length) throw this.#unexpected();
    return value;
  }

  /** A value, on the way to the one that is sought or not. */
  #value(depth: number, onPath: boolean): T | Plain {
    const value = this.#unsought(depth, onPath);
    if (onPath && depth === this.path?.length) throw new Found(value);
    return value;
  }

  #unsought(depth: number, onPath: boolean): T | Plain {
    if (depth > MAX_DEPTH) throw new JsonSyntaxError("nested too deeply", this.#at);
    this.#skipSpace();
    switch (this.text[this.#at]) {
      case "{":
        return this.#object(depth, onPath);
      case "[":
        return this.#array(depth, onPath);
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.reader.number(this.#number());
    }
  }

  #object(depth: number, onPath: boolean): T {
    const members: [string, T | Plain][] = [];
    this.#at += 1;
    this.#skipSpace();
    if (this.#take("}")) return this.reader.object(members);
    for (;;) {
      this.#skipSpace();
      if (this.text[this.#at] !== '"') throw this.#unexpected();
      const name = this.#string();
      this.#skipSpace();
      if (!this.#take(":")) throw this.#unexpected();
      members.push([name, this.#value(depth + 1, onPath && this.path?.[depth] === name)]);
      this.#skipSpace();
      if (this.#take("}")) return this.reader.object(members);
      if (!this.#take(",")) throw this.#unexpected();
    }
  }

  #array(depth: number, onPath: boolean): T {
    const items: (T | Plain)[] = [];
    this.#at += 1;
    this.#skipSpace();
    if (this.#take("]")) return this.reader.array(items);
    for (;;) {
      items.push(this.#value(depth + 1, onPath && this.path?.[depth] === String(items.length)));
      this.#skipSpace();
      if (this.#take("]")) return this.reader.array(items);
      if (!this.#take(",")) throw this.#unexpected();
    }
  }

  #string(): string {
    this.#at += 1;
    let value = "";
    for (;;) {
      UNESCAPED.lastIndex = this.#at;
      UNESCAPED.test(this.text);
      value += this.text.slice(this.#at, UNESCAPED.lastIndex);
      this.#at = UNESCAPED.lastIndex;
      if (this.#take('"')) return value;
      if (!this.#take("\\")) throw this.#unexpected();
      value += this.#escaped();
    }
  }

  /** What follows a backslash. */
  #escaped(): string {
    const plain = ESCAPES[this.text[this.#at] ?? ""];
    if (plain !== undefined) {
      this.#at += 1;
      return plain;
    }
    const pattern = this.path === undefined ? ESCAPED_UNITS : ANY_UNIT;
    pattern.lastIndex = this.#at;
    const [all, ...units] = pattern.exec(this.text) ?? [];
    if (all === undefined) throw this.#unexpected();
    this.#at += all.length;
    return units.map((unit) => (unit ? String.fromCharCode(Number.parseInt(unit, 16)) : "")).join("");
  }

  #number(): string {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.text);
    if (match === null) throw this.#unexpected();
    this.#at += match[0].length;
    return match[0];
  }

  #word<W extends Plain>(word: string, value: W): W {
    if (!this.text.startsWith(word, this.#at)) throw this.#unexpected();
    this.#at += word.length;
    return value;
  }

  #skipSpace(): void {
    // Most often there is none, which a pattern takes longer to see.
    if (this.text.charCodeAt(this.#at) > LAST_SPACE) return;
    SPACE.lastIndex = this.#at;
    SPACE.test(this.text);
    this.#at = SPACE.lastIndex;
  }

  #take(character: string): boolean {
    if (this.text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #unexpected(): JsonSyntaxError {
    return this.#at >= this.text.length
      ? new JsonSyntaxError("Parser terminated before end of string", this.#at)
      : new JsonSyntaxError(`Unexpected token: ${this.text.slice(this.#at, this.#at + 20)}`, this.#at);
  }
}
