import type { SqlType } from "../types.ts";
import type { Message } from "./client.ts";
import { toTypeProto } from "./types.ts";

const STRING: SqlType = { kind: "STRING" };
const BYTES: SqlType = { kind: "BYTES" };
const INT64: SqlType = { kind: "INT64" };
const FLOAT64: SqlType = { kind: "FLOAT64" };
const JSON_TYPE: SqlType = { kind: "JSON" };
const GREATEST = "9223372036854775807";

function arrayOf(element: SqlType): SqlType {
  return { kind: "ARRAY", element };
}

function fixed(type: SqlType, options: Message = {}): Message {
  return { kind: "ARG_TYPE_FIXED", type: toTypeProto(type), numOccurrences: 1, options };
}

/** An argument that may only be given by its name, or left out. */
function named(type: SqlType, argumentName: string, options: Message = {}): Message {
  return fixed(type, { cardinality: "OPTIONAL", argumentName, namedArgumentKind: "NAMED_ONLY", ...options });
}

function scalar(name: string, ...signature: readonly Message[]): Message {
  return { namePath: [name], group: "ZetaSQL", mode: "SCALAR", signature };
}

const VALUE: Message = { kind: "ARG_TYPE_ANY_1", numOccurrences: 1 };
const ORDERED: Message = {
  kind: "ARG_TYPE_ANY_2",
  numOccurrences: 1,
  options: { mustSupportOrdering: true },
};

/** `MAX_BY(x, y)` is `ANY_VALUE(x HAVING MAX y)` and has no clauses of its own. */
function valueBy(name: string): Message {
  return {
    namePath: [name],
    group: "ZetaSQL",
    mode: "AGGREGATE",
    signature: [{ argument: [VALUE, ORDERED], returnType: VALUE }],
    options: { supportsOverClause: false, supportsHavingModifier: false },
  };
}

/** Distances between vectors: dense ones, and sparse ones by number or by name. */
function vectorDistance(name: string): Message {
  const sparse = (dimension: SqlType): SqlType =>
    arrayOf({
      kind: "STRUCT",
      fields: [
        { name: "dimension", type: dimension },
        { name: "magnitude", type: FLOAT64 },
      ],
    });
  const of = (vector: SqlType): Message => ({
    argument: [fixed(vector), fixed(vector)],
    returnType: fixed(FLOAT64),
  });
  return scalar(name, of(arrayOf(FLOAT64)), of(sparse(INT64)), of(sparse(STRING)));
}

function editDistance(type: SqlType): Message {
  const limit = named(INT64, "max_distance", { defaultValue: { int64Value: GREATEST } });
  return { argument: [fixed(type), fixed(type), limit], returnType: fixed(INT64) };
}

/** Functions that GoogleSQL of this age knows with fewer arguments than BigQuery gives them: ours stand in their place. */
export const EXTENDED_FUNCTIONS: readonly string[] = ["FN_JSON_SET"];

/**
 * Functions of BigQuery that GoogleSQL of this age does not know, as a catalog takes them; in trees they stand among
 * GoogleSQL's own. Signatures by https://cloud.google.com/bigquery/docs/reference/standard-sql/functions-all.
 */
export const LATER_BUILTIN_FUNCTIONS: readonly Message[] = [
  valueBy("max_by"),
  valueBy("min_by"),
  scalar("contains_substr", {
    argument: [
      { kind: "ARG_TYPE_ARBITRARY", numOccurrences: 1 },
      fixed(STRING, { mustBeConstant: true, mustBeNonNull: true }),
      named(STRING, "json_scope", { mustBeConstant: true, defaultValue: { stringValue: "JSON_VALUES" } }),
    ],
    returnType: fixed({ kind: "BOOL" }),
  }),
  scalar("edit_distance", editDistance(STRING), editDistance(BYTES)),
  scalar("json_keys", {
    argument: [
      fixed(JSON_TYPE),
      fixed(INT64, { cardinality: "OPTIONAL", defaultValue: { int64Value: GREATEST } }),
      named(STRING, "mode", { mustBeConstant: true, defaultValue: { stringValue: "strict" } }),
    ],
    returnType: fixed(arrayOf(STRING)),
  }),
  scalar("json_set", {
    argument: [
      fixed(JSON_TYPE),
      fixed(STRING, { mustBeConstant: true }),
      { kind: "ARG_TYPE_ARBITRARY", numOccurrences: 1 },
      fixed(STRING, { cardinality: "REPEATED", mustBeConstant: true }),
      { kind: "ARG_TYPE_ARBITRARY", numOccurrences: 1, options: { cardinality: "REPEATED" } },
      named({ kind: "BOOL" }, "create_if_missing", {
        mustBeConstant: true,
        defaultValue: { boolValue: true },
      }),
    ],
    returnType: fixed(JSON_TYPE),
  }),
  scalar("json_flatten", { argument: [fixed(JSON_TYPE)], returnType: fixed(arrayOf(JSON_TYPE)) }),
  scalar("text_analyze", {
    argument: [
      fixed(STRING),
      named(STRING, "analyzer", { mustBeConstant: true, defaultValue: { stringValue: "LOG_ANALYZER" } }),
      named(STRING, "analyzer_options", { mustBeConstant: true, defaultValue: { stringValue: "" } }),
    ],
    returnType: fixed(arrayOf(STRING)),
  }),
  vectorDistance("cosine_distance"),
  vectorDistance("euclidean_distance"),
];
