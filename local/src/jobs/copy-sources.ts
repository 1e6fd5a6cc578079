import { BigQueryError } from "../errors.ts";
import type { CatalogChange } from "../storage/catalog-change.ts";
import { type TableEntry, tableName } from "../storage/entries.ts";
import { splitDecorator } from "../storage/names.ts";
import { isIngestionTimePartitioned, PARTITION_TIME } from "../storage/partition-keys.ts";
import { inPartition, rowsInPartition, unknownPartitioning } from "../storage/partitions.ts";
import { rowBytes } from "../storage/table-contents.ts";
import { checkSameLayout } from "../storage/table-layout.ts";
import type { FieldSchema, TableRef } from "../types.ts";
import { quoteName } from "../values.ts";
import { refused } from "./configuration.ts";

/** What a copy job reads: a table, or one partition of it. */
export interface CopySource {
  readonly entry: TableEntry;
  readonly physical: string;
  readonly partition: string | undefined;
}

/** Rows and logical bytes of a source. */
export interface SourceSize {
  readonly rows: number;
  readonly bytes: number;
}

/** The source that a reference names, or BigQuery's error that it cannot be copied. */
export function copySource(change: CatalogChange, ref: TableRef): CopySource {
  const { table, partition } = splitDecorator(ref);
  const entry = change.needTable(table);
  if (entry.physical === undefined) {
    const message = `${tableName(entry.ref)} is not allowed for this operation because it is a ${entry.kind}.`;
    throw new BigQueryError("invalid", message);
  }
  return { entry, physical: entry.physical, partition };
}

/** Counts what a source holds now. */
export async function measureSource(change: CatalogChange, source: CopySource): Promise<SourceSize> {
  const { entry } = source;
  const reader = await change.connection.runAndReadAll(
    `SELECT count(*), ${rowBytes(entry)} FROM ${fromSource(source)}`,
  );
  const [row] = reader.getRows();
  return { rows: Number(row?.[0] ?? 0), bytes: Number(row?.[1] ?? 0) };
}

/**
 * Refuses sources and a destination whose partitions do not go together
 * (https://cloud.google.com/bigquery/docs/managing-partitioned-tables#copying_a_partitioned_table), and what BigQuery does not tell:
 * how a table would be partitioned that is made of one partition.
 */
export function checkPartitions(
  sources: readonly CopySource[],
  there: TableEntry | undefined,
  partition: string | undefined,
  disposition: string,
): void {
  if (there === undefined && partition !== undefined) throw unknownPartitioning();
  const isNew = there === undefined || disposition === "WRITE_TRUNCATE";
  if (partition === undefined && isNew && sources.some((source) => source.partition !== undefined)) {
    throw refused("a copy of one partition that makes or replaces a whole table", "destinationTable");
  }
  if (there === undefined || partition !== undefined || disposition === "WRITE_TRUNCATE") return;
  const { timePartitioning, rangePartitioning } = there.partitioning;
  if (timePartitioning === undefined && rangePartitioning === undefined) return;
  for (const { entry } of sources) {
    checkSameLayout(there, { partitioning: entry.partitioning, clustering: [] });
  }
}

/** The fields that a source's rows give the destination, and the DuckDB query of the rows. */
export function copiedRows(
  source: CopySource,
  target: TableEntry,
  partition: string | undefined,
): { readonly fields: readonly FieldSchema[]; readonly query: string } {
  const names = target.schema.map((field) => quoteName(field.name));
  const rows = (columns: readonly string[]): string =>
    `SELECT ${columns.join(", ")} FROM ${fromSource(source)}`;
  if (partition !== undefined) return rowsInPartition(target, partition, target.schema, rows(names));
  // Rows stay in the partitions they are in.
  const keepsTime =
    isIngestionTimePartitioned(source.entry.partitioning) && isIngestionTimePartitioned(target.partitioning);
  if (!keepsTime) return { fields: target.schema, query: rows(names) };
  const time: FieldSchema = { name: PARTITION_TIME, type: "TIMESTAMP", mode: "NULLABLE" };
  return { fields: [...target.schema, time], query: rows([...names, quoteName(PARTITION_TIME)]) };
}

function fromSource({ entry, physical, partition }: CopySource): string {
  return partition === undefined ? physical : `${physical} WHERE ${inPartition(entry, partition)}`;
}
