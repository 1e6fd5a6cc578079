import { BigQueryError } from "../errors.ts";
import {
  type FieldSchema,
  isRangeElement,
  RANGE_ELEMENTS,
  type RangeElementKind,
  type ScalarKind,
  type SqlType,
} from "../types.ts";

/** Every spelling REST takes for a type, and the one it gives back. */
const REST_TYPES: Readonly<Record<string, string>> = {
  STRING: "STRING",
  BYTES: "BYTES",
  INTEGER: "INTEGER",
  INT64: "INTEGER",
  FLOAT: "FLOAT",
  FLOAT64: "FLOAT",
  NUMERIC: "NUMERIC",
  DECIMAL: "NUMERIC",
  BIGNUMERIC: "BIGNUMERIC",
  BIGDECIMAL: "BIGNUMERIC",
  BOOLEAN: "BOOLEAN",
  BOOL: "BOOLEAN",
  TIMESTAMP: "TIMESTAMP",
  DATE: "DATE",
  TIME: "TIME",
  DATETIME: "DATETIME",
  GEOGRAPHY: "GEOGRAPHY",
  JSON: "JSON",
  INTERVAL: "INTERVAL",
  RANGE: "RANGE",
  RECORD: "RECORD",
  STRUCT: "RECORD",
};

const SCALARS: Readonly<Record<string, ScalarKind>> = {
  STRING: "STRING",
  BYTES: "BYTES",
  INTEGER: "INT64",
  FLOAT: "FLOAT64",
  NUMERIC: "NUMERIC",
  BIGNUMERIC: "BIGNUMERIC",
  BOOLEAN: "BOOL",
  TIMESTAMP: "TIMESTAMP",
  DATE: "DATE",
  TIME: "TIME",
  DATETIME: "DATETIME",
  GEOGRAPHY: "GEOGRAPHY",
  JSON: "JSON",
  INTERVAL: "INTERVAL",
};

const REST_NAME_OF: ReadonlyMap<string, string> = new Map(
  Object.entries(SCALARS).map(([rest, kind]) => [kind, rest]),
);

/** https://cloud.google.com/bigquery/docs/schemas#column_names */
const NAME = /^[\p{L}\p{N}\p{M}_\p{Pc}&%=+:'<>#|\t \p{Pd}]{1,300}$/u;
const RESERVED_PREFIX = /^(_TABLE_|_FILE_|_PARTITION|_ROW_TIMESTAMP|__ROOT__|_COLIDENTIFIER)/i;
/** https://cloud.google.com/bigquery/quotas#all_tables */
const MAX_COLUMNS = 10_000;
const MAX_DEPTH = 15;

/** The type of a field, its mode included. */
export function fieldType(field: FieldSchema): SqlType {
  const type = elementType(field);
  return field.mode === "REPEATED" ? { kind: "ARRAY", element: type } : type;
}

/** The type of one value of a field: its own, whatever the mode. */
export function elementType(field: FieldSchema): SqlType {
  if (field.type === "RECORD") {
    return {
      kind: "STRUCT",
      fields: (field.fields ?? []).map((f) => ({ name: f.name, type: fieldType(f) })),
    };
  }
  if (field.rangeElementType !== undefined) {
    return { kind: "RANGE", element: { kind: field.rangeElementType.type } };
  }
  const kind = SCALARS[field.type];
  if (kind === undefined) throw new Error(`not a field type: ${field.type}`);
  return { kind };
}

/** The columns of a schema as the analyzer wants them. */
export function schemaColumns(schema: readonly FieldSchema[]): { name: string; type: SqlType }[] {
  return schema.map((field) => ({ name: field.name, type: fieldType(field) }));
}

/** The field that holds values of a type: what a query's result or a CREATE TABLE AS makes. */
export function fieldOfType(name: string, type: SqlType): FieldSchema {
  if (type.kind === "ARRAY") return { ...fieldOfType(name, type.element), mode: "REPEATED" };
  if (type.kind === "RANGE") {
    return { name, type: "RANGE", mode: "NULLABLE", rangeElementType: { type: type.element.kind } };
  }
  if (type.kind !== "STRUCT")
    return { name, type: REST_NAME_OF.get(type.kind) ?? type.kind, mode: "NULLABLE" };
  return {
    name,
    type: "RECORD",
    mode: "NULLABLE",
    // REST names the unnamed fields of a STRUCT so: https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#anonymous_fields
    fields: type.fields.map((field, index) => fieldOfType(field.name || `_field_${index + 1}`, field.type)),
  };
}

/** Whether a result's column has no name of its own, and is called `f0_` and so on. */
export function isUnnamed(name: string): boolean {
  return name === "" || name.startsWith("$");
}

/** The schema of a query's result. Unnamed columns get the names BigQuery gives them, `f0_`, `f1_`, … */
export function schemaOfColumns(columns: readonly { name: string; type: SqlType }[]): FieldSchema[] {
  let unnamed = 0;
  return columns.map((column) => {
    return fieldOfType(isUnnamed(column.name) ? `f${unnamed++}_` : column.name, column.type);
  });
}

/**
 * Reads the `fields` of a REST schema, with every rule BigQuery has for a table's columns. An empty list of policy tags, which takes a
 * column's from it, is kept only where a table is `changed`.
 */
export function parseSchema(fields: unknown, isChange = false): FieldSchema[] {
  if (!Array.isArray(fields)) throw invalid("Invalid schema: fields must be an array");
  const parsed = parseFields(fields, "", 1);
  if (!isChange) dropEmptyTags(parsed);
  const count = countFields(parsed);
  if (count > MAX_COLUMNS) {
    throw invalid(`Too many total leaf fields: ${count}, max allowed field count: ${MAX_COLUMNS}`);
  }
  return parsed;
}

/** Checks a schema that was not read from REST: a CREATE TABLE's, a query's destination. */
export function checkSchema(schema: readonly FieldSchema[]): void {
  parseSchema(schema);
}

/** Throws BigQuery's error where a column may not have this name. */
export function checkFieldName(name: string): void {
  if (!NAME.test(name)) {
    throw invalid(
      `Invalid field name "${name}". Fields must contain the allowed characters, and be at most 300 characters long. For allowed characters, please refer to https://cloud.google.com/bigquery/docs/schemas#column_names`,
    );
  }
  if (RESERVED_PREFIX.test(name)) {
    throw invalid(
      `Invalid field name "${name}". Field names are not allowed to start with the (case-insensitive) prefixes _PARTITION, _TABLE_, _FILE_, _ROW_TIMESTAMP, __ROOT__ and _COLIDENTIFIER`,
    );
  }
}

/** The field of this name, whatever the case; undefined where there is none. */
export function findField<T extends { name: string }>(fields: readonly T[], name: string): T | undefined {
  const place = placeOfField(fields, name);
  return place === undefined ? undefined : fields[place];
}

/** The place of the field of this name, whatever the case; of two, the one that is written alike. */
export function placeOfField(fields: readonly { name: string }[], name: string): number | undefined {
  const { exact, folded } = placesOf(fields);
  return exact.get(name) ?? folded.get(name.toLowerCase());
}

interface Places {
  readonly count: number;
  readonly exact: ReadonlyMap<string, number>;
  readonly folded: ReadonlyMap<string, number>;
}

/** Places of fields by name: of a table of 10,000 columns each is asked for by its name. */
const places = new WeakMap<readonly object[], Places>();

function placesOf(fields: readonly { name: string }[]): Places {
  const known = places.get(fields);
  if (known?.count === fields.length) return known;
  const exact = new Map<string, number>();
  const folded = new Map<string, number>();
  for (const [place, { name }] of fields.entries()) {
    if (!exact.has(name)) exact.set(name, place);
    const key = name.toLowerCase();
    if (!folded.has(key)) folded.set(key, place);
  }
  const made = { count: fields.length, exact, folded };
  places.set(fields, made);
  return made;
}

function parseFields(fields: readonly unknown[], parent: string, depth: number): FieldSchema[] {
  if (depth > MAX_DEPTH) {
    throw invalid(
      `Field ${parent.slice(0, -1)} is nested too deeply: RECORD fields may nest at most ${MAX_DEPTH} levels`,
    );
  }
  const seen = new Set<string>();
  return fields.map((field) => {
    const parsed = parseField(field, parent, depth);
    const key = parsed.name.toLowerCase();
    if (seen.has(key)) throw invalid(`Field ${parent}${parsed.name} already exists in schema`);
    seen.add(key);
    return parsed;
  });
}

function parseField(value: unknown, parent: string, depth: number): FieldSchema {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid("Invalid schema: a field must be an object");
  }
  const given = value as Record<string, unknown>;
  const name = given.name;
  if (typeof name !== "string" || name === "") throw invalid("Invalid schema: a field has no name");
  checkFieldName(name);
  const path = `${parent}${name}`;
  const field: FieldSchema = { name, type: parseType(given.type, path), mode: parseMode(given.mode, path) };
  if (field.type === "RECORD") {
    if (!Array.isArray(given.fields) || given.fields.length === 0) {
      throw invalid(`Field ${path} is type RECORD but has no schema`);
    }
    field.fields = parseFields(given.fields, `${path}.`, depth + 1);
  } else if (Array.isArray(given.fields) && given.fields.length > 0) {
    throw invalid(`Field ${path} is type ${field.type} but has a schema: only RECORD fields have fields`);
  }
  const element = parseRangeElement(given.rangeElementType, field.type, path);
  if (element !== undefined) field.rangeElementType = { type: element };
  copyText(given, field, ["description", "defaultValueExpression", "roundingMode", "collation"]);
  copyText(given, field, ["maxLength", "precision", "scale"]);
  const tags = parsePolicyTags(given.policyTags, field, path);
  if (tags !== undefined) field.policyTags = { names: tags };
  checkCollation(field.collation);
  checkParameters(field, path);
  return field;
}

const POLICY_TAG = /^projects\/[^/]+\/locations\/[^/]+\/taxonomies\/[^/]+\/policyTags\/[^/]+$/;

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema: one at most, and RECORDs have none. */
function parsePolicyTags(value: unknown, field: FieldSchema, path: string): string[] | undefined {
  if (value == null) return undefined;
  const { names = [] } = value as { names?: unknown };
  const list = names ?? [];
  if (!Array.isArray(list)) throw invalid(`Field ${path}: policyTags.names must be an array`);
  if (list.length > 1) throw invalid(`Field ${path}: at most one policy tag is allowed`);
  const wrong = list.find((name) => typeof name !== "string" || !POLICY_TAG.test(name));
  if (wrong !== undefined) throw invalid(`Field ${path}: invalid policy tag ${String(wrong).slice(0, 300)}`);
  if (list.length > 0 && field.type === "RECORD")
    throw invalid(`Field ${path} is type RECORD and cannot have a policy tag`);
  return [...list] as string[];
}

/** Empty lists of policy tags are none. */
export function dropEmptyTags(fields: readonly FieldSchema[]): void {
  for (const field of fields) {
    if (field.policyTags?.names.length === 0) delete field.policyTags;
    dropEmptyTags(field.fields ?? []);
  }
}

/** Refuses a collation, which would change how texts compare; the empty one is none. */
export function checkCollation(collation: unknown): void {
  if (collation == null || collation === "") return;
  throw invalid(`Not supported by the local BigQuery endpoint: collation ${String(collation).slice(0, 100)}`);
}

function parseType(value: unknown, path: string): string {
  if (value === undefined || value === null) throw invalid(`Field ${path} has no type`);
  const type = typeof value === "string" ? REST_TYPES[value.toUpperCase()] : undefined;
  if (type === undefined)
    throw invalid(`Invalid value for type: ${String(value)} is not a valid value (field ${path})`);
  return type;
}

/** The type of a RANGE's bounds: https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema */
function parseRangeElement(value: unknown, type: string, path: string): RangeElementKind | undefined {
  if (type !== "RANGE") {
    if (value === undefined || value === null) return undefined;
    throw invalid(`Field ${path} is type ${type} but has a rangeElementType: only RANGE fields have one`);
  }
  const kind = typeof value === "object" ? (value as { type?: unknown } | null)?.type : undefined;
  const element = typeof kind === "string" ? kind.toUpperCase() : undefined;
  if (isRangeElement(element)) return element;
  throw invalid(
    `Field ${path} is type RANGE and needs a rangeElementType whose type is one of ${RANGE_ELEMENTS.join(", ")}`,
  );
}

function parseMode(value: unknown, path: string): FieldSchema["mode"] {
  if (value === undefined || value === null || value === "") return "NULLABLE";
  const mode = String(value).toUpperCase();
  if (mode === "NULLABLE" || mode === "REQUIRED" || mode === "REPEATED") return mode;
  throw invalid(`Invalid value for mode: ${String(value)} is not a valid value (field ${path})`);
}

type TextKey =
  | "description"
  | "defaultValueExpression"
  | "roundingMode"
  | "collation"
  | "maxLength"
  | "precision"
  | "scale";

function copyText(from: Record<string, unknown>, to: FieldSchema, keys: readonly TextKey[]): void {
  for (const key of keys) {
    const value = from[key];
    if (typeof value === "string" || typeof value === "number") to[key] = String(value);
  }
}

/** https://cloud.google.com/bigquery/docs/schemas#parameterized_data_types */
function checkParameters(field: FieldSchema, path: string): void {
  for (const key of ["maxLength", "precision", "scale"] as const) {
    const text = field[key];
    if (text === undefined) continue;
    if (text === "0" && key !== "scale") {
      delete field[key];
      continue;
    }
    if (!/^\d{1,18}$/.test(text)) throw invalid(`Field ${path}: invalid ${key} ${text}`);
    const allowed = key === "maxLength" ? ["STRING", "BYTES"] : ["NUMERIC", "BIGNUMERIC"];
    if (!allowed.includes(field.type))
      throw invalid(`Field ${path}: ${key} is not allowed for type ${field.type}`);
  }
  if (field.scale !== undefined && field.precision === undefined) {
    throw invalid(`Field ${path}: scale is given without precision`);
  }
  if (field.precision === undefined) return;
  const [maxWhole, maxScale] = field.type === "NUMERIC" ? [29, 9] : [38, 38];
  const scale = Number(field.scale ?? "0");
  const whole = Number(field.precision) - scale;
  if (scale > maxScale || whole > maxWhole || whole < 0 || Number(field.precision) < 1) {
    throw invalid(
      `Field ${path}: invalid precision ${field.precision} and scale ${scale} for type ${field.type}`,
    );
  }
}

/** How many fields a schema has that are no RECORDs, at any depth. */
export function countFields(fields: readonly FieldSchema[]): number {
  let count = 0;
  for (const field of fields) count += field.fields === undefined ? 1 : countFields(field.fields);
  return count;
}

function invalid(message: string): BigQueryError {
  return new BigQueryError("invalid", message);
}
