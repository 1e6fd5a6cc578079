import type { Partitioning } from "../compiler/compiled.ts";
import { BigQueryError } from "../errors.ts";
import type { FieldSchema } from "../types.ts";
import { findField } from "./schema.ts";

/** How a table's rows are laid out. */
export interface TableLayout {
  readonly schema: readonly FieldSchema[];
  readonly partitioning?: Partitioning;
  readonly clustering?: readonly string[];
}

const PARTITION_TYPES = ["DATE", "TIMESTAMP", "DATETIME"];
const UNCLUSTERABLE = ["RECORD", "JSON", "FLOAT", "BYTES", "TIME", "INTERVAL"];

/** Checks partitioning and clustering: https://cloud.google.com/bigquery/docs/partitioned-tables and …/clustered-tables */
export function checkLayout(table: TableLayout): void {
  const { timePartitioning: time, rangePartitioning: range } = table.partitioning ?? {};
  if (time !== undefined && range !== undefined) {
    throw invalid("Only one of timePartitioning and rangePartitioning can be specified.");
  }
  if (time?.field !== undefined) {
    const field = findField(table.schema, time.field);
    if (field === undefined) {
      throw invalid(
        `The field specified for partitioning cannot be found in the schema. Field: ${time.field}.`,
      );
    }
    if (!PARTITION_TYPES.includes(field.type) || field.mode === "REPEATED") {
      throw invalid(
        `The field specified for time partitioning can only be of type TIMESTAMP, DATE or DATETIME. The type found is: ${field.type}.`,
      );
    }
    if (field.type === "DATE" && time.type === "HOUR") {
      throw invalid("Hourly partitioning is not supported on a DATE field.");
    }
  }
  if (range !== undefined) {
    const field = findField(table.schema, range.field);
    if (field === undefined) {
      throw invalid(
        `The field specified for partitioning cannot be found in the schema. Field: ${range.field}.`,
      );
    }
    if (field.type !== "INTEGER" || field.mode === "REPEATED") {
      throw invalid(
        `The field specified for range partitioning can only be of type INTEGER. The type found is: ${field.type}.`,
      );
    }
  }
  const clustering = table.clustering ?? [];
  if (clustering.length > 4) throw invalid("Too many clustering fields: at most 4 are allowed.");
  for (const name of clustering) {
    const field = findField(table.schema, name);
    if (field === undefined) {
      throw invalid(
        `The field specified for clustering cannot be found in the schema. Invalid field: ${name}.`,
      );
    }
    if (UNCLUSTERABLE.includes(field.type) || field.mode === "REPEATED") {
      throw invalid(`Field ${name} of type ${field.type} cannot be used for clustering.`);
    }
  }
}

function invalid(message: string): BigQueryError {
  return new BigQueryError("invalid", message);
}
