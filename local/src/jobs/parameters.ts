import { z } from "zod";
import { BigQueryError } from "../errors.ts";
import { isUnbounded, rangeOf } from "../storage/ranges.ts";
import { parseText } from "../storage/text-values.ts";
import { isRangeElement, RANGE_ELEMENTS, type RangeType, type ScalarKind, type SqlType } from "../types.ts";
import type { SqlValue } from "../values.ts";
import type { ParameterValue } from "./ports.ts";

/** A parameter's type in a request. @public The declarations of the package name it. */
export interface TypeJson {
  type: string;
  arrayType?: TypeJson | null | undefined;
  rangeElementType?: TypeJson | null | undefined;
  structTypes?: { name?: string | null | undefined; type: TypeJson }[] | null | undefined;
}

/** A parameter's value in a request. @public The declarations of the package name it. */
export interface ValueJson {
  value?: unknown;
  arrayValues?: ValueJson[] | null | undefined;
  structValues?: Record<string, ValueJson> | null | undefined;
  rangeValue?:
    | { start?: ValueJson | null | undefined; end?: ValueJson | null | undefined }
    | null
    | undefined;
}

const typeSchema: z.ZodType<TypeJson> = z.lazy(() =>
  z.looseObject({
    type: z.string(),
    arrayType: typeSchema.nullish(),
    rangeElementType: typeSchema.nullish(),
    structTypes: z.array(z.looseObject({ name: z.string().nullish(), type: typeSchema })).nullish(),
  }),
);

const valueSchema: z.ZodType<ValueJson> = z.lazy(() =>
  z.looseObject({
    value: z.union([z.string(), z.number(), z.boolean()]).nullish(),
    arrayValues: z.array(valueSchema).nullish(),
    structValues: z.record(z.string(), valueSchema).nullish(),
    rangeValue: z.looseObject({ start: valueSchema.nullish(), end: valueSchema.nullish() }).nullish(),
  }),
);

/** `queryParameters` as requests carry them (https://cloud.google.com/bigquery/docs/reference/rest/v2/QueryParameter). */
export const parametersSchema = z.array(
  z.looseObject({
    name: z.string().nullish(),
    parameterType: typeSchema,
    parameterValue: valueSchema.nullish(),
  }),
);

/** Query parameters as JSON. */
export type ParametersJson = z.infer<typeof parametersSchema>;

/** Names of types in parameters: GoogleSQL's, and those of the older REST schema. */
const SCALARS: Readonly<Record<string, ScalarKind>> = {
  INT64: "INT64",
  INTEGER: "INT64",
  INT: "INT64",
  SMALLINT: "INT64",
  BIGINT: "INT64",
  TINYINT: "INT64",
  BYTEINT: "INT64",
  FLOAT64: "FLOAT64",
  FLOAT: "FLOAT64",
  BOOL: "BOOL",
  BOOLEAN: "BOOL",
  STRING: "STRING",
  BYTES: "BYTES",
  DATE: "DATE",
  DATETIME: "DATETIME",
  TIME: "TIME",
  TIMESTAMP: "TIMESTAMP",
  NUMERIC: "NUMERIC",
  DECIMAL: "NUMERIC",
  BIGNUMERIC: "BIGNUMERIC",
  BIGDECIMAL: "BIGNUMERIC",
  JSON: "JSON",
  GEOGRAPHY: "GEOGRAPHY",
  INTERVAL: "INTERVAL",
};

/** Reads query parameters: by name, or by position where they have none. */
export function readParameters(
  parameters: ParametersJson,
  mode: string | null | undefined,
): ReadonlyMap<string, ParameterValue> | readonly ParameterValue[] {
  const named = parameters.filter((parameter) => parameter.name);
  const isPositional =
    mode == null ? parameters.length > 0 && named.length === 0 : mode.toUpperCase() === "POSITIONAL";
  if (isPositional) {
    if (named.length > 0) throw invalid("Positional parameters must not have a name.", "queryParameters");
    return parameters.map((parameter, index) => readParameter(parameter, `at position ${index + 1}`));
  }
  if (mode != null && mode.toUpperCase() !== "NAMED") {
    throw invalid(
      `Invalid value for parameterMode: ${mode}. NAMED and POSITIONAL are known.`,
      "parameterMode",
    );
  }
  const byName = new Map<string, ParameterValue>();
  for (const parameter of parameters) {
    if (!parameter.name) throw invalid("Every named parameter needs a name.", "queryParameters");
    const key = parameter.name.toLowerCase();
    if (byName.has(key))
      throw invalid(`Duplicate query parameter name ${parameter.name}.`, "queryParameters");
    byName.set(key, readParameter(parameter, parameter.name));
  }
  return byName;
}

function readParameter(parameter: ParametersJson[number], name: string): ParameterValue {
  const type = readType(parameter.parameterType, name);
  return { type, value: readValue(type, parameter.parameterValue ?? undefined, name) };
}

function readType(json: TypeJson, name: string): SqlType {
  const kind = json.type.toUpperCase();
  if (kind === "ARRAY") {
    if (json.arrayType == null) throw invalid(`Query parameter ${name}: an ARRAY needs its arrayType.`);
    const element = readType(json.arrayType, name);
    if (element.kind === "ARRAY")
      throw invalid(`Query parameter ${name}: an ARRAY of ARRAYs is not allowed.`);
    return { kind: "ARRAY", element };
  }
  if (kind === "STRUCT" || kind === "RECORD") {
    const fields = (json.structTypes ?? []).map((field) => ({
      name: field.name ?? "",
      type: readType(field.type, `${name}.${field.name ?? ""}`),
    }));
    return { kind: "STRUCT", fields };
  }
  if (kind === "RANGE") {
    const element = json.rangeElementType?.type.toUpperCase();
    if (isRangeElement(element)) return { kind: "RANGE", element: { kind: element } };
    throw invalid(
      `Query parameter ${name}: a RANGE needs a rangeElementType whose type is one of ${RANGE_ELEMENTS.join(", ")}.`,
    );
  }
  const scalar = SCALARS[kind];
  if (scalar === undefined) throw invalid(`Query parameter ${name} has an unknown type: ${json.type}`);
  return { kind: scalar };
}

function readValue(type: SqlType, json: ValueJson | undefined, name: string): SqlValue {
  if (json === undefined) return null;
  if (type.kind === "ARRAY") {
    // BigQuery gives an empty array where the client sends no values.
    return (json.arrayValues ?? []).map((item) => readValue(type.element, item, name));
  }
  if (type.kind === "STRUCT") {
    const values = json.structValues;
    if (values == null) return null;
    return type.fields.map((field) => readValue(field.type, values[field.name], `${name}.${field.name}`));
  }
  if (type.kind === "RANGE") return readRange(type, json, name);
  return readScalar(type.kind, json, name);
}

/** A RANGE's bounds; one that is missing, NULL or the text UNBOUNDED, which the Node client sends, is none. */
function readRange(type: RangeType, json: ValueJson, name: string): SqlValue {
  if (json.rangeValue == null) {
    if (json.value == null) return null;
    throw invalid(`Invalid value for query parameter ${name}: a RANGE has a rangeValue.`);
  }
  const bound = (value: ValueJson | null | undefined, which: string): SqlValue => {
    if (value == null || (typeof value.value === "string" && isUnbounded(value.value))) return null;
    return readScalar(type.element.kind, value, `${name}.${which}`);
  };
  const range = rangeOf(bound(json.rangeValue.start, "start"), bound(json.rangeValue.end, "end"));
  if (range !== undefined) return range;
  throw invalid(`Invalid value for query parameter ${name}: the start of a RANGE must be before its end.`);
}

function readScalar(kind: ScalarKind, json: ValueJson, name: string): SqlValue {
  if (json.value == null) return null;
  const value = parseText(kind, String(json.value));
  if (value === undefined) {
    throw invalid(
      `Invalid value for query parameter ${name}: could not parse ${JSON.stringify(json.value)} as ${kind}`,
    );
  }
  return value;
}

function invalid(message: string, location?: string): BigQueryError {
  return new BigQueryError("invalid", message, location);
}
