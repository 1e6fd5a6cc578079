import { bool, EvaluationError, list, text, type Udf, udf } from "./define.ts";
import { type JsonPath, parseEditedPath } from "./json-path.ts";
import { printJson } from "./json-print.ts";
import { type Json, parseJson } from "./json-value.ts";

function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** Changes what stands at a path; `change` gets undefined where nothing does, and gives undefined to change nothing. */
function changed(
  value: Json | undefined,
  path: JsonPath,
  create: boolean,
  change: (old: Json | undefined) => Json | undefined,
): Json | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return change(value);
  // A missing or null value becomes what the step needs.
  const empty = value === undefined || value === null;
  if (typeof step === "string") {
    if (!(value instanceof Map) && !(empty && create)) return undefined;
    const members = new Map(value instanceof Map ? (value as ReadonlyMap<string, Json>) : []);
    if (!members.has(step) && !create) return undefined;
    const inner = changed(members.get(step), rest, create, change);
    if (inner === undefined) return undefined;
    return members.set(step, inner);
  }
  if (!isArray(value) && !(empty && create)) return undefined;
  const items = isArray(value) ? [...value] : [];
  if (step >= items.length && !create) return undefined;
  const inner = changed(items[step], rest, create, change);
  if (inner === undefined) return undefined;
  checkSize(step + 1);
  while (items.length < step) items.push(null);
  items[step] = inner;
  return items;
}

/** The JSON with its place at a path changed, or as it is where that changes nothing. */
function edited(
  json: Json,
  path: JsonPath,
  create: boolean,
  change: (old: Json | undefined) => Json | undefined,
): Json {
  const result = changed(json, path, create, change);
  // A JSON null is a result.
  return result === undefined ? json : result;
}

/** Applies an edit for each pair of a path and a value, one after the other; a pair whose path is NULL is left out. */
function editAll(
  source: string,
  paths: readonly (string | null)[],
  values: readonly (string | null)[],
  edit: (json: Json, path: JsonPath, value: Json) => Json,
): string {
  return printJson(
    paths.reduce(
      (json: Json, path, index) =>
        path === null ? json : edit(json, parseEditedPath(path), parseJson(values[index] ?? "null")),
      parseJson(source),
    ),
  );
}

function strip(value: Json, arrays: boolean, remove: boolean): Json | undefined {
  if (value === null) return undefined;
  if (isArray(value)) {
    // An array that is kept keeps its elements, those that are left empty too.
    if (!arrays) {
      return value.map((item) => (item === null ? null : (strip(item, arrays, remove) ?? new Map())));
    }
    const items = value.map((item) => strip(item, arrays, remove)).filter((item) => item !== undefined);
    return remove && items.length === 0 ? undefined : items;
  }
  if (!(value instanceof Map)) return value;
  const members = new Map<string, Json>();
  for (const [key, item] of value as ReadonlyMap<string, Json>) {
    const kept = strip(item, arrays, remove);
    if (kept !== undefined) members.set(key, kept);
  }
  return remove && members.size === 0 ? undefined : members;
}

/** A path may name any element, up to which an array is filled; GoogleSQL's own limit. */
const LARGEST_ARRAY = 1_000_000;

function checkSize(length: number): void {
  if (length > LARGEST_ARRAY) throw new EvaluationError(`Exceeded maximum array size of ${LARGEST_ARRAY}`);
}

/** An array at the path gets the elements; a null there becomes an array of them. */
function withElements(json: Json, path: JsonPath, elements: readonly Json[]): Json {
  return edited(json, path, false, (old) => {
    if (isArray(old)) {
      checkSize(old.length + elements.length);
      return [...old, ...elements];
    }
    return old === null ? elements : undefined;
  });
}

function inserted(json: Json, path: JsonPath, elements: readonly Json[]): Json {
  const index = path.at(-1);
  if (typeof index !== "number") return json;
  return edited(json, path.slice(0, -1), false, (old) => {
    if (!isArray(old) && old !== null) return undefined;
    const items = isArray(old) ? [...old] : [];
    checkSize(Math.max(index, items.length) + elements.length);
    while (items.length < index) items.push(null);
    items.splice(index, 0, ...elements);
    return items;
  });
}

function elementsOf(value: Json, each: boolean): readonly Json[] {
  return each && isArray(value) ? value : [value];
}

/** Functions that give a changed JSON value. */
export const jsonEditUdfs: readonly Udf[] = [
  udf("json_set", [text, list(text), list(text), bool], text, (source, paths, values, create) =>
    editAll(source, paths, values, (json, path, value) => edited(json, path, create, () => value)),
  ),
  udf("json_array_append", [text, list(text), list(text), bool], text, (source, paths, values, each) =>
    editAll(source, paths, values, (json, path, value) => withElements(json, path, elementsOf(value, each))),
  ),
  udf("json_array_insert", [text, list(text), list(text), bool], text, (source, paths, values, each) =>
    editAll(source, paths, values, (json, path, value) => inserted(json, path, elementsOf(value, each))),
  ),
  udf("json_strip_nulls", [text, text, bool, bool], text, (source, path, arrays, remove) => {
    const json = parseJson(source);
    const steps = parseEditedPath(path);
    return printJson(edited(json, steps, false, (old) => strip(old ?? null, arrays, remove) ?? null));
  }),
];
