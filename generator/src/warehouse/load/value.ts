import type { TableField } from "@google-cloud/bigquery";
import { findNear } from "../../project/near.ts";
import { isObject } from "../../project/problems.ts";
import { boundFields, isBackwards } from "./ranges.ts";
import { LIMITS } from "./value-limits.ts";

/** A number of a row as it is written, by its path: a double has no more than 15 digits of it for sure. */
export type Written = (path: string) => string | undefined;

/** What is wrong with a value: the path of its column, and what would be right. */
export interface ValueProblem {
  readonly path: string;
  readonly message: string;
}

/**
 * The first thing in a row that BigQuery is certain to refuse, found before anything is sent. It knows less than
 * BigQuery on purpose: what it lets pass BigQuery still judges, and what it refuses BigQuery would refuse too
 * (https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-json).
 */
export function findRowProblem(
  row: unknown,
  fields: readonly TableField[],
  written: Written = () => undefined,
): ValueProblem | undefined {
  if (!isObject(row)) return { path: "", message: `expected one JSON object per line, got ${describe(row)}` };
  return findRecordProblem(row, fields, "", written);
}

function findRecordProblem(
  record: Record<string, unknown>,
  fields: readonly TableField[],
  parent: string,
  written: Written,
): ValueProblem | undefined {
  const named = new Set<TableField>();
  for (const [name, value] of Object.entries(record)) {
    const field = findField(name, fields);
    const path = parent === "" ? name : `${parent}.${name}`;
    if (field === undefined) return { path, message: unknownField(name, fields) };
    if (named.has(field)) return { path, message: `a second value for the column ${field.name}` };
    named.add(field);
    const problem = findFieldProblem(value, field, path, written);
    if (problem !== undefined) return problem;
  }
  const missing = fields.find((field) => field.mode === "REQUIRED" && memberOf(record, field) === undefined);
  if (missing === undefined) return undefined;
  const path = parent === "" ? `${missing.name}` : `${parent}.${missing.name}`;
  return { path, message: "REQUIRED, but the row has no value for it" };
}

/** Column names are compared as BigQuery compares them: without their case. */
export function findField(name: string, fields: readonly TableField[]): TableField | undefined {
  return fields.find((field) => field.name === name) ?? fields.find((field) => sameName(field.name, name));
}

/** What to say of a name that the schema does not have. */
export function unknownField(name: string, fields: readonly TableField[]): string {
  const names = fields.map((field) => field.name ?? "");
  const near = findNear(name, names);
  return near === undefined
    ? `no such column in the table; it has ${names.join(", ")}`
    : `no such column in the table; did you mean ${near}?`;
}

function findFieldProblem(
  value: unknown,
  field: TableField,
  path: string,
  written: Written,
): ValueProblem | undefined {
  if (field.mode !== "REPEATED") return findValueProblem(value, field, path, written);
  if (value === null) return undefined;
  if (!Array.isArray(value)) return { path, message: `REPEATED: expected an array, got ${describe(value)}` };
  for (const [index, element] of value.entries()) {
    if (element === null)
      return { path: `${path}[${index}]`, message: "an array in BigQuery cannot hold NULL" };
    const problem = findValueProblem(element, field, `${path}[${index}]`, written);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function findValueProblem(
  value: unknown,
  field: TableField,
  path: string,
  written: Written,
): ValueProblem | undefined {
  if (value === null) {
    return field.mode === "REQUIRED" ? { path, message: "REQUIRED, but the value is null" } : undefined;
  }
  const type = typeName(field);
  if (type === "JSON") return undefined;
  if (type === "RECORD") {
    if (!isObject(value)) return { path, message: `RECORD: expected an object, got ${describe(value)}` };
    return findRecordProblem(value, field.fields ?? [], path, written);
  }
  if (type === "RANGE") return findRangeProblem(value, field, path, written);
  if (type === "GEOGRAPHY" && isObject(value)) return undefined;
  const form = forms[type];
  if (form === undefined) return undefined;
  const isLong = typeof value === "number" && type !== "FLOAT64" && !isExact(value);
  const text = (isLong ? written(path) : undefined) ?? String(value);
  const right = isPossible(value, form, text) ? LIMITS[type]?.(text, field) : form.example;
  if (right === undefined) return undefined;
  return { path, message: `${field.type}: expected ${right}, got ${isLong ? text : describe(value)}` };
}

/** Whether a number's own text, of at most 15 digits, is what was written. */
function isExact(value: number): boolean {
  return Math.abs(value) < 1e15;
}

function findRangeProblem(
  value: unknown,
  field: TableField,
  path: string,
  written: Written,
): ValueProblem | undefined {
  if (!isObject(value)) {
    const type = `RANGE<${field.rangeElementType?.type}>`;
    const form = '{"start": …, "end": …}, or in CSV "[…, …)", where null and UNBOUNDED are no bound';
    return { path, message: `${type}: expected ${form}, got ${describe(value)}` };
  }
  const bounds = boundFields(field);
  const problem = findRecordProblem(value, bounds, path, written);
  if (problem !== undefined) return problem;
  const [start, end] = bounds.map((bound) => memberOf(value, bound));
  return isBackwards(start, end) ? { path, message: "RANGE: the start must be before the end" } : undefined;
}

/** BigQuery's type under the one name used here, of the two that its API gives to some types. */
export function typeName(field: TableField): string {
  const type = (field.type ?? "").toUpperCase();
  return synonyms[type] ?? type;
}

const synonyms: Record<string, string> = {
  INTEGER: "INT64",
  FLOAT: "FLOAT64",
  BOOLEAN: "BOOL",
  STRUCT: "RECORD",
  DECIMAL: "NUMERIC",
  BIGDECIMAL: "BIGNUMERIC",
};

interface Form {
  /** The JSON types a value of this type may have. */
  readonly kinds: readonly ("string" | "number" | "boolean")[];
  /** What a text or number must look like at least. */
  readonly pattern?: RegExp;
  readonly example: string;
}

const date = String.raw`\d{1,4}[-/](0?[1-9]|1[0-2])[-/](0?[1-9]|[12]\d|3[01])`;
const time = String.raw`([01]?\d|2[0-3]):[0-5]?\d:([0-5]?\d|60)(\.\d*)?`;
const zone = String.raw`(\s*(Z|[+-]\d{1,2}(:?\d{2})?|UTC([+-]\d{1,2}(:\d{2})?)?|[A-Za-z]+(/[A-Za-z_+\-0-9]+)*))?`;
const numeric = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;

const forms: Record<string, Form | undefined> = {
  STRING: { kinds: ["string", "number", "boolean"], example: "a text" },
  BYTES: { kinds: ["string"], pattern: /^[A-Za-z0-9+/_\-\s]*={0,2}\s*$/, example: 'base64 such as "aGk="' },
  INT64: {
    kinds: ["string", "number"],
    pattern: /^\s*[+-]?(0x[0-9a-f]+|\d+(\.0*)?(e\+?\d+)?)\s*$/i,
    example: "a whole number",
  },
  FLOAT64: {
    kinds: ["string", "number"],
    pattern: /^\s*[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|nan|inf|infinity)\s*$/i,
    example: "a number",
  },
  NUMERIC: { kinds: ["string", "number"], pattern: numeric, example: "a decimal number" },
  BIGNUMERIC: { kinds: ["string", "number"], pattern: numeric, example: "a decimal number" },
  BOOL: {
    kinds: ["boolean", "string", "number"],
    pattern: /^\s*(true|false|t|f|yes|no|y|n|1|0)\s*$/i,
    example: "true or false",
  },
  DATE: { kinds: ["string"], pattern: new RegExp(`^\\s*${date}\\s*$`), example: '"2026-01-31"' },
  TIME: { kinds: ["string"], pattern: new RegExp(`^\\s*${time}\\s*$`), example: '"23:59:59.999999"' },
  DATETIME: {
    kinds: ["string"],
    pattern: new RegExp(`^\\s*${date}([ tT]+${time})?\\s*$`),
    example: '"2026-01-31T23:59:59"',
  },
  TIMESTAMP: {
    kinds: ["string", "number"],
    pattern: new RegExp(`^\\s*(${date}([ tT]+${time})?${zone}|[+-]?\\d+(\\.\\d*)?(e[+-]?\\d+)?)\\s*$`, "i"),
    example: '"2026-01-31T23:59:59Z"',
  },
  GEOGRAPHY: { kinds: ["string"], example: 'WKT such as "POINT(1 2)"' },
  INTERVAL: { kinds: ["string"], example: '"1-2 3 4:5:6"' },
};

function isPossible(value: unknown, form: Form, text: string): boolean {
  if (!form.kinds.some((kind) => kind === typeof value)) return false;
  return form.pattern === undefined || typeof value === "boolean" || form.pattern.test(text);
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** A row's or RECORD's value of a column, whose name BigQuery compares without its case. */
export function memberOf(record: Record<string, unknown>, field: TableField): unknown {
  const name = field.name ?? "";
  if (Object.hasOwn(record, name)) return record[name];
  return Object.entries(record).find(([other]) => sameName(other, name))?.[1];
}

function sameName(left: string | undefined, right: string): boolean {
  return left !== undefined && left.toLowerCase() === right.toLowerCase();
}
