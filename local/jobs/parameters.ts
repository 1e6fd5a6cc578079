import { z } from "zod";
import { BigQueryError } from "../errors.ts";
import { parseText } from "../storage/text-values.ts";
import type { ScalarKind, SqlType } from "../types.ts";
import type { SqlValue } from "../values.ts";
import type { ParameterValue } from "./ports.ts";

interface TypeJson {
  type: string;
  arrayType?: TypeJson | null | undefined;
  structTypes?: { name?: string | null | undefined; type: TypeJson }[] | null | undefined;
}

interface ValueJson {
  value?: unknown;
  arrayValues?: ValueJson[] | null | undefined;
  structValues?: Record<string, ValueJson> | null | undefined;
}

const typeSchema: z.ZodType<TypeJson> = z.lazy(() =>
  z.looseObject({
    type: z.string(),
    arrayType: typeSchema.nullish(),
    structTypes: z.array(z.looseObject({ name: z.string().nullish(), type: typeSchema })).nullish(),
  }),
);

const valueSchema: z.ZodType<ValueJson> = z.lazy(() =>
  z.looseObject({
    value: z.union([z.string(), z.number(), z.boolean()]).nullish(),
    arrayValues: z.array(valueSchema).nullish(),
    structValues: z.record(z.string(), valueSchema).nullish(),
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
    throw invalid(`Not supported by the local BigQuery endpoint: type RANGE (query parameter ${name})`);
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
  if (json.value == null) return null;
  const value = parseText(type.kind, String(json.value));
  if (value === undefined) {
    throw invalid(
      `Invalid value for query parameter ${name}: could not parse ${JSON.stringify(json.value)} as ${type.kind}`,
    );
  }
  return value;
}

function invalid(message: string, location?: string): BigQueryError {
  return new BigQueryError("invalid", message, location);
}
