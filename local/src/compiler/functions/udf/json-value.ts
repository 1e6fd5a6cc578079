import { findInJson, type JsonReader, JsonSyntaxError, readJson } from "../../../storage/json-parser.ts";
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

/** The control characters, a range in a regular expression; named, for in a literal it would read as a mistake. */
export const CONTROL = "\\u0000-\\u001f";

/** What a number beyond its type's range becomes. */
export type WideNumbers = "round" | "exact";

/** An object of a text in which a key stands more than once: it is given back as written, and a path finds the first. */
export class RepeatingObject extends Map<string, Json> {
  constructor(readonly members: readonly (readonly [string, Json])[]) {
    super(members.toReversed());
  }
}

/** Text that is only searched is not made better than it is: numbers as they are written, and every member. */
const AS_WRITTEN: JsonReader<Json> = {
  number: (text) => ({ float: Number(text), text }),
  array: (items) => items,
  object: (members) => {
    const last = new Map(members);
    return members.length > last.size ? new RepeatingObject(members) : last;
  },
};

/** Reads values; `combine` gives the value of a key that an object has several times. */
function valueReader(wide: WideNumbers, combine: (first: Json, again: Json) => Json): JsonReader<Json> {
  return {
    number: (text) => numberValue(text, wide),
    array: (items) => items,
    object: (written) => {
      const members = new Map<string, Json>();
      for (const [key, value] of written) {
        const first = members.get(key);
        members.set(key, first === undefined ? value : combine(first, value));
      }
      return members;
    },
  };
}

/** INT64 and UINT64 are kept; what is wider is a double. */
function numberValue(text: string, wide: WideNumbers): Json {
  if (/^-?\d+$/.test(text)) {
    const integer = BigInt(text);
    if (integer >= -(2n ** 63n) && integer < 2n ** 64n) return text === "-0" ? { float: -0 } : { integer };
  }
  const float = Number(text);
  if (!Number.isFinite(float)) throw new EvaluationError(`number overflow parsing '${text}'`);
  if (wide === "exact" && !sameNumber(text, float)) {
    throw new EvaluationError(`Input number: ${text} cannot round-trip through string representation`);
  }
  return { float };
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
const ROUND_FIRST = valueReader("round", FIRST);

/** Parses JSON text, or throws an EvaluationError. */
export function parseJson(
  source: string,
  wide: WideNumbers = "round",
  combine: (first: Json, again: Json) => Json = FIRST,
): Json {
  const reader = wide === "round" && combine === FIRST ? ROUND_FIRST : valueReader(wide, combine);
  try {
    return readJson(source, reader);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw new EvaluationError(`syntax error while parsing value at ${error.offset}: ${error.message}`);
  }
}

/** The value at a path of JSON text, or undefined; what follows it is not read. */
export function findJson(source: string, path: JsonPath): Json | undefined {
  return findInJson(source, path, AS_WRITTEN);
}
