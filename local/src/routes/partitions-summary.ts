import { BigQueryError } from "../errors.ts";
import type { JobRows } from "../jobs/job.ts";
import { type TableEntry, tableName } from "../storage/entries.ts";
import { splitDecorator } from "../storage/names.ts";
import { partitionId } from "../storage/partitions.ts";
import type { FieldSchema, TableRef } from "../types.ts";
import type { SqlValue } from "../values.ts";
import { needTable } from "./need-table.ts";
import type { Services } from "./services.ts";

const SUMMARY = "__PARTITIONS_SUMMARY__";

const FIELDS: readonly (readonly [name: string, type: string])[] = [
  ["project_id", "STRING"],
  ["dataset_id", "STRING"],
  ["table_id", "STRING"],
  ["partition_id", "STRING"],
  ["creation_time", "INTEGER"],
  ["creation_timestamp", "TIMESTAMP"],
  ["last_modified_time", "INTEGER"],
  ["last_modified_timestamp", "TIMESTAMP"],
];

/** A table's list of its partitions, as a table. */
export interface PartitionsSummary {
  readonly entry: TableEntry;
  rows(): Promise<JobRows>;
}

/**
 * `table$__PARTITIONS_SUMMARY__`, by which the clients' own methods list the partitions of a table
 * (https://cloud.google.com/bigquery/docs/creating-partitioned-tables#getting_partition_metadata_using_meta-tables); undefined for any
 * other name. When a partition was made is not known here; it was last modified when its table was.
 */
export function partitionsSummary(services: Services, ref: TableRef): PartitionsSummary | undefined {
  const { table, partition } = splitDecorator(ref);
  if (partition !== SUMMARY) return undefined;
  const entry = needTable(services, table);
  const id = partitionId(entry.partitioning);
  const { timePartitioning, rangePartitioning } = entry.partitioning;
  if (timePartitioning === undefined && rangePartitioning === undefined) {
    const message = `Cannot read partition information from a table that is not partitioned: ${tableName(entry.ref)}`;
    throw new BigQueryError("invalid", message);
  }
  const schema = FIELDS.map(([name, type]): FieldSchema => ({ name, type, mode: "NULLABLE" }));
  const modified = BigInt(services.storage.catalog.lastModified(entry));
  const { projectId, datasetId, tableId } = entry.ref;
  return {
    entry: {
      ref: { projectId, datasetId, tableId: `${tableId}$${SUMMARY}` },
      kind: "TABLE",
      version: entry.version,
      schema,
      partitioning: {},
      clustering: [],
      location: entry.location,
      creationTime: entry.creationTime,
      lastModifiedTime: Number(modified),
      kept: {},
    },
    rows: async () => {
      const ids = await services.storage.database.use(async (connection) => {
        const sql = `SELECT DISTINCT ${id} AS id FROM ${entry.physical} ORDER BY id`;
        return (await connection.runAndReadAll(sql)).getRows() as [string][];
      });
      const rows = ids.map(([partition]): SqlValue[] => {
        const names = [projectId, datasetId, tableId, partition];
        return [...names, null, null, modified, modified * 1000n];
      });
      return {
        schema,
        totalRows: rows.length,
        page: async (start, count) => rows.slice(start, start + count),
      };
    },
  };
}
