import type { Partitioning } from "../../types.ts";
import { type Body, choice, invalid, record, text, texts } from "./option-values.ts";

/**
 * What load jobs and query jobs alike say of the table they write to:
 * https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfigurationQuery
 */
export interface DestinationOptions {
  readonly addFields: boolean;
  readonly relaxFields: boolean;
  readonly partitioning: Partitioning;
  readonly requirePartitionFilter?: boolean;
  readonly clustering: readonly string[];
}

/** Reads and checks layout and schema updates. */
export function parseDestinationOptions(body: Body): DestinationOptions {
  const updates = texts(body.schemaUpdateOptions, "schemaUpdateOptions");
  for (const update of updates) {
    if (update !== "ALLOW_FIELD_ADDITION" && update !== "ALLOW_FIELD_RELAXATION") {
      throw invalid(`Invalid value for schemaUpdateOptions: ${update} is not a valid value`);
    }
  }
  return {
    addFields: updates.includes("ALLOW_FIELD_ADDITION"),
    relaxFields: updates.includes("ALLOW_FIELD_RELAXATION"),
    partitioning: parsePartitioning(body),
    requirePartitionFilter: record(body.timePartitioning)?.requirePartitionFilter === true ? true : undefined,
    clustering: texts(record(body.clustering)?.fields, "clustering.fields"),
  };
}

/** Schemas only grow where rows are added: a table that is written anew gets the new rows' schema anyway. */
export function checkSchemaUpdates(options: DestinationOptions, writeDisposition: string): void {
  if (!(options.addFields || options.relaxFields) || writeDisposition === "WRITE_APPEND") return;
  throw invalid(
    "Schema update options should only be specified with WRITE_APPEND disposition, or with WRITE_TRUNCATE disposition on a table partition.",
  );
}

function parsePartitioning(body: Body): Partitioning {
  const time = record(body.timePartitioning);
  const range = record(body.rangePartitioning);
  const bounds = record(range?.range) ?? {};
  return {
    ...(time === undefined
      ? {}
      : {
          timePartitioning: {
            type: choice(time, "type", ["DAY", "HOUR", "MONTH", "YEAR"], "DAY"),
            ...(text(time, "field") === undefined ? {} : { field: text(time, "field") }),
            ...(time.expirationMs === undefined || time.expirationMs === null
              ? {}
              : { expirationMs: String(time.expirationMs) }),
          },
        }),
    ...(range === undefined
      ? {}
      : {
          rangePartitioning: {
            field: text(range, "field") ?? "",
            range: {
              start: String(bounds.start ?? "0"),
              end: String(bounds.end ?? "0"),
              interval: String(bounds.interval ?? "1"),
            },
          },
        }),
  };
}
