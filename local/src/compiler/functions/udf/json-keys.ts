import { bool, EvaluationError, int, list, partialUdf, Refusal, text, type Udf, udf } from "./define.ts";
import { printJson, quoteJson } from "./json-print.ts";
import { type Json, parseJson } from "./json-value.ts";
import { normalized } from "./text.ts";

/** Which arrays on the way to a key are looked into: none, those of objects, or also those of arrays. */
type Mode = "strict" | "lax" | "lax recursive";

function isMode(text: string): text is Mode {
  return text === "strict" || text === "lax" || text === "lax recursive";
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** A key as a path has it: between quotes where it could be read in another way. */
function pathKey(key: string): string {
  const quoted = quoteJson(key);
  return key.includes(".") || quoted !== `"${key}"` ? quoted : key;
}

function collect(value: Json, prefix: string, depth: bigint, mode: Mode, keys: Set<string>): void {
  if (value instanceof Map) {
    for (const [name, inner] of value as ReadonlyMap<string, Json>) {
      const key = prefix === "" ? pathKey(name) : `${prefix}.${pathKey(name)}`;
      keys.add(key);
      if (depth > 1n) collect(inner, key, depth - 1n, mode, keys);
    }
  } else if (isArray(value) && mode !== "strict") {
    for (const item of value) {
      if (mode === "lax recursive" || !isArray(item)) collect(item, prefix, depth, mode, keys);
    }
  }
}

function jsonKeys(source: string, maxDepth: bigint, written: string): readonly string[] {
  if (maxDepth <= 0n) throw new EvaluationError("max_depth must be positive.");
  const mode = written.toLowerCase();
  if (!isMode(mode)) throw new EvaluationError(`Invalid JSON mode specified: ${written}`);
  const keys = new Set<string>();
  collect(parseJson(source), "", maxDepth, mode, keys);
  return [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function flattened(value: Json): readonly Json[] {
  return isArray(value) ? value.flatMap(flattened) : [value];
}

/** The texts that CONTAINS_SUBSTR searches in a value: keys, and values that are neither object nor array; null is none. */
function* texts(value: Json, keys: boolean, values: boolean): Generator<string | null> {
  if (value instanceof Map) {
    for (const [key, inner] of value as ReadonlyMap<string, Json>) {
      if (keys) yield key;
      yield* texts(inner, keys, values);
    }
  } else if (isArray(value)) {
    for (const item of value) yield* texts(item, keys, values);
  } else if (values) {
    yield typeof value === "string" || value === null ? value : printJson(value);
  }
}

function contains(source: string, sought: string, keys: boolean, values: boolean): boolean {
  const found = [...texts(parseJson(source), keys, values)];
  if (found.some((each) => each !== null && normalized(each, "NFKC", true).includes(sought))) return true;
  // Whether a null in JSON makes the result NULL, as one of SQL does, is not documented.
  if (!found.includes(null)) return false;
  throw new Refusal("CONTAINS_SUBSTR of a null in JSON");
}

/** What is in a JSON value, at any depth (https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#json_keys). */
export const jsonKeysUdfs: readonly Udf[] = [
  udf("json_keys", [text, int, text], list(text), jsonKeys),
  partialUdf("json_contains", [text, text, bool, bool], bool, contains),
  udf("json_flatten", [text], list(text), (source) =>
    flattened(parseJson(source)).map((item) => printJson(item)),
  ),
];
