import type { SqlType } from "../types.ts";
import type { Message } from "./client.ts";

/** Features that GoogleSQL calls complete but BigQuery does not have: with them BigQuery's errors would be accepted. */
const NOT_IN_BIGQUERY: readonly string[] = [
  "FEATURE_ANONYMIZATION_CASE_INSENSITIVE_OPTIONS",
  "FEATURE_BETWEEN_UINT64_INT64",
  "FEATURE_EXPERIMENTAL_MODULES",
  "FEATURE_EXTENDED_TYPES",
  "FEATURE_STRATIFIED_RESERVOIR_TABLESAMPLE",
  // TIMESTAMP has microseconds (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#timestamp_type).
  "FEATURE_TIMESTAMP_NANOS",
  // "Equality is not defined for arguments of type ARRAY".
  "FEATURE_V_1_1_ARRAY_EQUALITY",
  "FEATURE_V_1_2_ARRAY_ELEMENTS_WITH_SET",
  "FEATURE_V_1_2_CORRELATED_REFS_IN_NESTED_DML",
  "FEATURE_V_1_2_GENERATED_COLUMNS",
  "FEATURE_V_1_2_NESTED_UPDATE_DELETE_WITH_OFFSET",
  "FEATURE_V_1_2_PROTO_EXTENSIONS_WITH_NEW",
  "FEATURE_V_1_2_PROTO_EXTENSIONS_WITH_SET",
  "FEATURE_V_1_3_ALLOW_SLASH_PATHS",
  "FEATURE_V_1_3_ARRAY_GREATEST_LEAST",
  "FEATURE_V_1_3_ARRAY_ORDERING",
  "FEATURE_V_1_3_BRACED_PROTO_CONSTRUCTORS",
  "FEATURE_V_1_3_DML_RETURNING",
  "FEATURE_V_1_3_ENUM_VALUE_DESCRIPTOR_PROTO",
  "FEATURE_V_1_3_EXTRACT_FROM_PROTO",
  "FEATURE_V_1_3_FILTER_FIELDS",
  "FEATURE_V_1_3_IGNORE_PROTO3_USE_DEFAULTS",
  "FEATURE_V_1_3_INLINE_LAMBDA_ARGUMENT",
  "FEATURE_V_1_3_PROTO_DEFAULT_IF_NULL",
  "FEATURE_V_1_3_PROTO_MAPS",
  "FEATURE_V_1_3_REPLACE_FIELDS",
  "FEATURE_V_1_3_UNNEST_AND_FLATTEN_ARRAYS",
  "FEATURE_V_1_3_WITH_GROUP_ROWS",
  "FEATURE_V_1_4_ARRAY_AGGREGATION_FUNCTIONS",
  "FEATURE_V_1_4_ARRAY_FIND_FUNCTIONS",
  "FEATURE_V_1_4_PI_FUNCTIONS",
  "FEATURE_V_1_4_SAFE_FUNCTION_CALL_WITH_LAMBDA_ARGS",
  "FEATURE_V_1_4_SINGLE_TABLE_NAME_ARRAY_PATH",
  "FEATURE_V_1_4_STRUCT_POSITIONAL_ACCESSOR",
];

/** Features that BigQuery has and GoogleSQL of this age still calls unfinished. */
const ALSO_IN_BIGQUERY: readonly string[] = [
  "FEATURE_ALTER_COLUMN_SET_DATA_TYPE",
  "FEATURE_ALTER_VIEWS_ALTER_COLUMN_SET_OPTIONS",
  "FEATURE_CREATE_TABLE_CLONE",
  "FEATURE_CREATE_VIEWS_WITH_COLUMN_OPTIONS",
  "FEATURE_DISABLE_ARRAY_MIN_AND_MAX",
  "FEATURE_INTERVAL_TYPE",
  "FEATURE_INVERSE_TRIG_FUNCTIONS",
  "FEATURE_JSON_STRICT_NUMBER_PARSING",
  "FEATURE_TIME_BUCKET_FUNCTIONS",
  "FEATURE_V_1_4_GROUPING_BUILTIN",
  "FEATURE_V_1_4_GROUPING_SETS",
  "FEATURE_V_1_4_SET_OPERATION_COLUMN_PROPAGATION_MODE",
];

/** The language as BigQuery has it, from what the server calls its complete one. */
export function bigQueryLanguage(maximum: Message): Message {
  const all = maximum.enabledLanguageFeatures as readonly string[];
  return {
    ...maximum,
    enabledLanguageFeatures: [...all.filter((name) => !NOT_IN_BIGQUERY.includes(name)), ...ALSO_IN_BIGQUERY],
    supportedStatementKinds: [],
    productMode: "PRODUCT_EXTERNAL",
    reservedKeywords: ["QUALIFY"],
  };
}

const STRING: SqlType = { kind: "STRING" };
const INT64: SqlType = { kind: "INT64" };

/** BigQuery's system variables (https://cloud.google.com/bigquery/docs/reference/system-variables), by their path in lower case. */
export const SYSTEM_VARIABLES: ReadonlyMap<string, SqlType> = new Map<string, SqlType>([
  ["current_job_id", STRING],
  ["dataset_id", STRING],
  ["dataset_project_id", STRING],
  ["error.formatted_stack_trace", STRING],
  ["error.message", STRING],
  [
    "error.stack_trace",
    {
      kind: "ARRAY",
      element: {
        kind: "STRUCT",
        fields: [
          { name: "line", type: INT64 },
          { name: "column", type: INT64 },
          { name: "filename", type: STRING },
          { name: "location", type: STRING },
        ],
      },
    },
  ],
  ["error.statement_text", STRING],
  ["last_job_id", STRING],
  ["location", STRING],
  ["project_id", STRING],
  ["query_label", STRING],
  ["row_count", INT64],
  ["script.bytes_billed", INT64],
  ["script.bytes_processed", INT64],
  ["script.creation_time", { kind: "TIMESTAMP" }],
  ["script.job_id", STRING],
  ["script.num_child_jobs", INT64],
  ["script.slot_ms", INT64],
  ["session_id", STRING],
  ["time_zone", STRING],
]);
