/** The scalar types of GoogleSQL that BigQuery has, by the name BigQuery prints. */
export type ScalarKind =
  | "INT64"
  | "FLOAT64"
  | "BOOL"
  | "STRING"
  | "BYTES"
  | "DATE"
  | "DATETIME"
  | "TIME"
  | "TIMESTAMP"
  | "NUMERIC"
  | "BIGNUMERIC"
  | "JSON"
  | "GEOGRAPHY"
  | "INTERVAL";

/** A scalar type. */
export interface ScalarType {
  readonly kind: ScalarKind;
}

/** An ARRAY; its element is never an ARRAY itself. */
export interface ArrayType {
  readonly kind: "ARRAY";
  readonly element: SqlType;
}

/** One field of a STRUCT; the name is "" where the field has none. Names may repeat. */
export interface StructField {
  readonly name: string;
  readonly type: SqlType;
}

/** A STRUCT: fields by position. */
export interface StructType {
  readonly kind: "STRUCT";
  readonly fields: readonly StructField[];
}

/** Any GoogleSQL type that BigQuery has. */
export type SqlType = ScalarType | ArrayType | StructType;

/**
 * A column or nested field as BigQuery's REST API describes it
 * (https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema).
 */
export interface FieldSchema {
  name: string;
  /** REST's own names: STRING, BYTES, INTEGER, FLOAT, NUMERIC, BIGNUMERIC, BOOLEAN, TIMESTAMP, DATE, TIME, DATETIME, GEOGRAPHY, JSON, INTERVAL, RECORD. */
  type: string;
  mode: "NULLABLE" | "REQUIRED" | "REPEATED";
  fields?: FieldSchema[];
  description?: string;
  maxLength?: string;
  precision?: string;
  scale?: string;
  defaultValueExpression?: string;
  roundingMode?: string;
  collation?: string;
}

/** A table's full name. */
export interface TableRef {
  projectId: string;
  datasetId: string;
  tableId: string;
}
