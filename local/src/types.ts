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

/** What the bounds of a RANGE may be (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#range_type). */
export type RangeElementKind = "DATE" | "DATETIME" | "TIMESTAMP";

/** What the bounds of a RANGE may be, as types and in REST's `rangeElementType`. */
export const RANGE_ELEMENTS: readonly RangeElementKind[] = ["DATE", "DATETIME", "TIMESTAMP"];

/** Whether a type may stand between the brackets of `RANGE<…>`. */
export function isRangeElement(kind: unknown): kind is RangeElementKind {
  return (RANGE_ELEMENTS as readonly unknown[]).includes(kind);
}

/** A RANGE between two bounds of one type; the lower one is in it, the upper one is not. */
export interface RangeType {
  readonly kind: "RANGE";
  readonly element: { readonly kind: RangeElementKind };
}

/** An ARRAY; its element is never an ARRAY itself. */
interface ArrayType {
  readonly kind: "ARRAY";
  readonly element: SqlType;
}

/** One field of a STRUCT; the name is "" where the field has none. Names may repeat. */
interface StructField {
  readonly name: string;
  readonly type: SqlType;
}

/** A STRUCT: fields by position. */
interface StructType {
  readonly kind: "STRUCT";
  readonly fields: readonly StructField[];
}

/** Any GoogleSQL type that BigQuery has. */
export type SqlType = ScalarType | RangeType | ArrayType | StructType;

/**
 * A column or nested field as BigQuery's REST API describes it
 * (https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema).
 */
export interface FieldSchema {
  name: string;
  /** REST's own names: STRING, BYTES, INTEGER, FLOAT, NUMERIC, BIGNUMERIC, BOOLEAN, TIMESTAMP, DATE, TIME, DATETIME, GEOGRAPHY, JSON, INTERVAL, RANGE, RECORD. */
  type: string;
  mode: "NULLABLE" | "REQUIRED" | "REPEATED";
  fields?: FieldSchema[];
  /** Of a RANGE, and only of one. */
  rangeElementType?: { type: RangeElementKind };
  description?: string;
  maxLength?: string;
  precision?: string;
  scale?: string;
  defaultValueExpression?: string;
  roundingMode?: string;
  collation?: string;
  /** What guards the column; kept and answered, as nobody is refused anything here. */
  policyTags?: { names: string[] };
}

/** A table's full name. */
export interface TableRef {
  projectId: string;
  datasetId: string;
  tableId: string;
}

/** Time, ingestion-time or integer-range partitioning as it stands in the table resource. */
export interface Partitioning {
  readonly timePartitioning?: {
    type: "DAY" | "HOUR" | "MONTH" | "YEAR";
    field?: string;
    expirationMs?: string;
  };
  readonly rangePartitioning?: { field: string; range: { start: string; end: string; interval: string } };
}

/** A foreign key, as REST has it. */
export interface ForeignKey {
  readonly name?: string;
  readonly referencedTable: TableRef;
  readonly columnReferences: readonly {
    readonly referencingColumn: string;
    readonly referencedColumn: string;
  }[];
}

/**
 * Keys of a table, as REST has them. Nobody enforces them
 * (https://cloud.google.com/bigquery/docs/primary-foreign-keys).
 */
export interface TableConstraints {
  readonly primaryKey?: { readonly columns: readonly string[] };
  readonly foreignKeys?: readonly ForeignKey[];
}
