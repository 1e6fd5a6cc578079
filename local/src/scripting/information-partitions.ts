import type { CatalogView } from "../storage/catalog-view.ts";
import type { TableEntry } from "../storage/entries.ts";
import { APPENDED } from "../storage/history.ts";
import { partitionId } from "../storage/partitions.ts";
import { rowBytes } from "../storage/table-contents.ts";
import { quoteName, quoteText, type SqlValue } from "../values.ts";
import { micros } from "./information-values.ts";

/** DuckDB queries with the names of the tables that they tell of. */
export type QueriesByTable = readonly (readonly [tableName: string, sql: string])[];

/**
 * The DuckDB queries for INFORMATION_SCHEMA.PARTITIONS, by table name: one row per partition that holds rows. A partition was last modified
 * when its newest row was appended; where an UPDATE has changed a row, when its table was. That rows were deleted is not known here.
 */
export function partitionsByTable(catalog: CatalogView, entries: readonly TableEntry[]): QueriesByTable {
  return entries.flatMap((entry) => {
    if (entry.physical === undefined) return [];
    const appended = `"rows".${quoteName(APPENDED)}`;
    const [ofTable, created] = [catalog.lastModified(entry), entry.creationTime].map(
      (time) => `make_timestamptz(${BigInt(time) * 1000n}::BIGINT)`,
    );
    const time = `CASE WHEN bool_or(${appended} IS NULL) THEN ${ofTable} ELSE coalesce(max("commit time"), ${created}) END`;
    const id = partitionId(entry.partitioning);
    const from = `(SELECT ${id} AS "partition id", * FROM ${entry.physical}) AS "rows" LEFT JOIN (SELECT change AS "commit number", time AS "commit time" FROM meta.commits) ON "commit number" = ${appended}`;
    const where = id === "NULL::VARCHAR" ? " HAVING count(*) >= 0" : "";
    const group = id === "NULL::VARCHAR" ? "" : ' GROUP BY "partition id"';
    const sql = `SELECT ${names(entry)}, ${group === "" ? "NULL::VARCHAR" : '"partition id"'} AS partition_id, count(*) AS total_rows, ${rowBytes(entry)} AS total_logical_bytes, total_logical_bytes AS total_billable_bytes, ${time} AS last_modified_time, 'ACTIVE' AS storage_tier FROM ${from}${group}${where}`;
    return [[entry.ref.tableId, sql]];
  });
}

/** The rows of INFORMATION_SCHEMA.TABLE_STORAGE, as what is kept of the tables' contents tells them. */
export async function tableStorageRows(
  catalog: CatalogView,
  entries: readonly TableEntry[],
): Promise<SqlValue[][]> {
  const rows: SqlValue[][] = [];
  for (const entry of entries) {
    if (entry.physical === undefined) continue;
    const { projectId, datasetId, tableId } = entry.ref;
    const { timePartitioning, rangePartitioning } = entry.partitioning;
    const isPartitioned = timePartitioning !== undefined || rangePartitioning !== undefined;
    const contents = await catalog.contents(entry);
    rows.push([
      projectId,
      projectId,
      datasetId,
      tableId,
      micros(entry.creationTime),
      BigInt(contents.rows()),
      isPartitioned ? BigInt(contents.keys.length) : 0n,
      BigInt(Math.round(contents.bytes())),
      false,
      "BASE TABLE",
    ]);
  }
  return rows;
}

function names({ ref }: TableEntry): string {
  const { projectId, datasetId, tableId } = ref;
  return `${quoteText(projectId)} AS table_catalog, ${quoteText(datasetId)} AS table_schema, ${quoteText(tableId)} AS table_name`;
}
