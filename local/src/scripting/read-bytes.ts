import type { DuckDBConnection } from "@duckdb/node-api";
import type { TableRead } from "../compiler/compiled.ts";
import type { CatalogView } from "../storage/catalog-view.ts";
import type { TableEntry } from "../storage/entries.ts";
import { findField } from "../storage/schema.ts";
import { rowBytes } from "../storage/table-contents.ts";
import { wildcardEntries } from "./wildcard-tables.ts";

/** What BigQuery would bill for the tables that a statement reads. */
export interface BytesRead {
  /** The logical bytes of the columns that are read, in the partitions that are. */
  readonly processed: number;
  /** The same in whole megabytes, with the least that each table costs. */
  readonly billed: number;
}

const MEGABYTE = 1024 * 1024;

/**
 * Adds up what a statement reads, each column of a table once: of a statement that changes rows that is all columns of its target. By the
 * letter of BigQuery's page, `q + t`, those that the statement also looks at might count again
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/dml-syntax#on-demand_query_size_calculation).
 * Clustering may save more, by a rule that is not published: nothing is taken off for it.
 */
export async function countBytes(
  connection: DuckDBConnection,
  view: CatalogView,
  reads: readonly TableRead[],
): Promise<BytesRead> {
  const bytes: number[] = [];
  for (const { table, columns, partitionFilter, past } of reads) {
    const found = table.tableId.endsWith("*") ? wildcardEntries(view, table) : [view.getTable(table)];
    for (const entry of found) {
      if (entry?.physical === undefined) continue;
      if (columns.length === 0) bytes.push(0);
      else if (past && partitionFilter !== undefined)
        bytes.push(await bytesOfRows(connection, entry, columns, partitionFilter));
      else {
        const contents = await view.contents(entry);
        const keys =
          partitionFilter === undefined ? undefined : await contents.where(connection, partitionFilter);
        bytes.push(contents.bytes(columns, keys));
      }
    }
  }
  const processed = bytes.reduce((sum, each) => sum + each, 0);
  return { processed, billed: processed === 0 ? 0 : billedBytes(bytes) };
}

/**
 * Of APPENDS only the rows that were written in its range count, whatever partitions they are in
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/time-series-functions#appends).
 */
async function bytesOfRows(
  connection: DuckDBConnection,
  { schema, physical }: TableEntry,
  columns: readonly string[],
  condition: string,
): Promise<number> {
  const fields = columns.map((name) => findField(schema, name)).filter((field) => field !== undefined);
  const sql = `SELECT ${rowBytes({ schema: fields })} FROM ${physical} AS t WHERE ${condition}`;
  return Number((await connection.runAndReadAll(sql)).getRows()[0]?.[0] ?? 0);
}

/**
 * At least 10 MB for each table that a query refers to, rounded up to the megabyte; nothing for a query that processes no bytes
 * (https://cloud.google.com/bigquery/pricing#on_demand_pricing).
 */
function billedBytes(bytes: readonly number[]): number {
  const sum = bytes.reduce((total, each) => total + Math.max(each, 10 * MEGABYTE), 0);
  return Math.ceil(sum / MEGABYTE) * MEGABYTE;
}
