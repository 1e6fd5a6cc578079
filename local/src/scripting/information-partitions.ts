import type { TableEntry } from "../storage/entries.ts";
import { partitionId } from "../storage/partitions.ts";
import { rowBytes } from "../storage/table-contents.ts";
import { quoteText } from "../values.ts";

/** The DuckDB query for INFORMATION_SCHEMA.PARTITIONS: one row per partition that holds rows. */
export function partitionsSql(entries: readonly TableEntry[]): string {
  const parts = entries.flatMap((entry) => {
    if (entry.physical === undefined) return [];
    const time = `make_timestamptz(${BigInt(entry.lastModifiedTime) * 1000n}::BIGINT)`;
    const id = partitionId(entry.partitioning);
    const from = `(SELECT ${id} AS "partition id", * FROM ${entry.physical})`;
    const where = id === "NULL::VARCHAR" ? " HAVING count(*) >= 0" : "";
    const group = id === "NULL::VARCHAR" ? "" : ' GROUP BY "partition id"';
    const sum = rowBytes(entry);
    return [
      `SELECT ${names(entry)}, ${group === "" ? "NULL::VARCHAR" : '"partition id"'} AS partition_id, count(*) AS total_rows, ${sum} AS total_logical_bytes, ${sum} AS total_billable_bytes, ${time} AS last_modified_time, 'ACTIVE' AS storage_tier FROM ${from}${group}${where}`,
    ];
  });
  const empty =
    "SELECT ''::VARCHAR AS table_catalog, '' AS table_schema, '' AS table_name, ''::VARCHAR AS partition_id, 0::BIGINT AS total_rows, 0::BIGINT AS total_logical_bytes, 0::BIGINT AS total_billable_bytes, now() AS last_modified_time, '' AS storage_tier WHERE false";
  return [empty, ...parts].join(" UNION ALL ");
}

/** The DuckDB query for INFORMATION_SCHEMA.TABLE_STORAGE. */
export function tableSizesSql(entries: readonly TableEntry[]): string {
  const parts = entries.flatMap((entry) => {
    if (entry.physical === undefined) return [];
    const created = `make_timestamptz(${BigInt(entry.creationTime) * 1000n}::BIGINT)`;
    const bytes = rowBytes(entry);
    const partitions = `count(DISTINCT ${partitionId(entry.partitioning)})`;
    return [
      `SELECT ${quoteText(entry.ref.projectId)} AS project_id, ${names(entry)}, ${created} AS creation_time, count(*) AS total_rows, ${partitions} AS total_partitions, ${bytes} AS total_logical_bytes, false AS deleted, 'BASE TABLE' AS table_type FROM ${entry.physical}`,
    ];
  });
  const empty =
    "SELECT ''::VARCHAR AS project_id, '' AS table_catalog, '' AS table_schema, '' AS table_name, now() AS creation_time, 0::BIGINT AS total_rows, 0::BIGINT AS total_partitions, 0::BIGINT AS total_logical_bytes, false AS deleted, '' AS table_type WHERE false";
  return [empty, ...parts].join(" UNION ALL ");
}

function names({ ref }: TableEntry): string {
  const { projectId, datasetId, tableId } = ref;
  return `${quoteText(projectId)} AS table_catalog, ${quoteText(datasetId)} AS table_schema, ${quoteText(tableId)} AS table_name`;
}
