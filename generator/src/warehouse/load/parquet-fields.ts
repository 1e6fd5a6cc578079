import type { SchemaTree } from "hyparquet";

/** A Parquet column as a field of a BigQuery schema. */
export interface ParquetField {
  readonly name: string;
  readonly type: string;
  readonly mode?: "REPEATED";
  readonly fields?: readonly ParquetField[];
}

/**
 * The columns of a Parquet file as BigQuery would make them.
 * https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-parquet#type_conversions
 */
export function parquetFields(columns: readonly SchemaTree[]): readonly ParquetField[] {
  return columns.map((column) => {
    const isRepeated = isList(column) || column.element.repetition_type === "REPEATED";
    const value = isList(column) ? elementOf(column) : column;
    const fields = value.children.length > 0 ? { fields: parquetFields(value.children) } : {};
    return {
      name: column.element.name,
      type: value.children.length > 0 ? "RECORD" : typeOf(value),
      ...(isRepeated ? { mode: "REPEATED" as const } : {}),
      ...fields,
    };
  });
}

/** The element of a list: below the repeated group that Parquet puts around it. */
export function elementOf(list: SchemaTree): SchemaTree {
  const repeated = list.children[0];
  return repeated?.children[0] ?? repeated ?? list;
}

/** Whether a column is a list, which is what REPEATED is. */
export function isList({ element }: SchemaTree): boolean {
  return element.converted_type === "LIST" || element.logical_type?.type === "LIST";
}

function typeOf({ element }: SchemaTree): string {
  const logical = element.logical_type;
  const converted = element.converted_type;
  if (logical?.type === "TIMESTAMP") return logical.isAdjustedToUTC ? "TIMESTAMP" : "DATETIME";
  if (converted === "TIMESTAMP_MILLIS" || converted === "TIMESTAMP_MICROS") return "TIMESTAMP";
  if (logical?.type === "DATE" || converted === "DATE") return "DATE";
  if (logical?.type === "TIME" || converted === "TIME_MILLIS" || converted === "TIME_MICROS") return "TIME";
  if (logical?.type === "DECIMAL" || converted === "DECIMAL")
    return decimalType(element.precision, element.scale);
  if (logical?.type === "JSON" || converted === "JSON") return "JSON";
  if (logical?.type === "STRING" || logical?.type === "ENUM" || converted === "UTF8" || converted === "ENUM")
    return "STRING";
  switch (element.type) {
    case "BOOLEAN":
      return "BOOLEAN";
    case "INT32":
    case "INT64":
      return "INTEGER";
    case "INT96":
      return "TIMESTAMP";
    case "FLOAT":
    case "DOUBLE":
      return "FLOAT";
    default:
      return "BYTES";
  }
}

/** NUMERIC has 9 digits behind the point and 29 before it; what has more is BIGNUMERIC. */
function decimalType(precision = 0, scale = 0): string {
  return scale <= 9 && precision - scale <= 29 ? "NUMERIC" : "BIGNUMERIC";
}
