import { BigQueryError } from "../errors.ts";
import type { FieldSchema, Partitioning } from "../types.ts";
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

/** What a job says of its destination's layout; what is absent or empty it says nothing of. */
export type GivenLayout = Required<Omit<TableLayout, "schema">>;

/** Refuses a job that writes into a table and gives it another layout than it has: partitioning and clustering stay as they were made. */
export function checkSameLayout(table: TableLayout, given: GivenLayout): void {
  const { timePartitioning: time, rangePartitioning: range } = given.partitioning;
  const own = layoutText(table.partitioning ?? {}, table.clustering ?? []);
  const partitioning = time === undefined && range === undefined ? table.partitioning : given.partitioning;
  const clustering = given.clustering.length === 0 ? table.clustering : given.clustering;
  const other = layoutText(partitioning ?? {}, clustering ?? []);
  if (own.toLowerCase() === other.toLowerCase()) return;
  throw invalid(
    `Incompatible table partitioning specification. Expects partitioning specification ${own}, but input partitioning specification is ${other}`,
  );
}

function layoutText(partitioning: Partitioning, clustering: readonly string[]): string {
  const { timePartitioning: time, rangePartitioning: range } = partitioning;
  const parts: string[] = [];
  if (time !== undefined) {
    const field = time.field === undefined ? "" : `,field:${time.field}`;
    parts.push(`interval(type:${time.type.toLowerCase()}${field})`);
  }
  if (range !== undefined) {
    const { start, end, interval } = range.range;
    parts.push(`range(field:${range.field},start:${start},end:${end},interval:${interval})`);
  }
  if (clustering.length > 0) parts.push(`clustering(${clustering.join(",")})`);
  return parts.length === 0 ? "none" : parts.join(" ");
}

function invalid(message: string): BigQueryError {
  return new BigQueryError("invalid", message);
}
