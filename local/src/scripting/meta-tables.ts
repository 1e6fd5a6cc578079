import type { CatalogView } from "../storage/catalog-view.ts";
import type { TableEntry } from "../storage/entries.ts";
import type { SqlValue } from "../values.ts";
import { type Columns, INT64, STRING, valuesSql } from "./information-values.ts";
import type { LiveTable } from "./live-table.ts";

const COLUMNS: Columns = [
  ["project_id", STRING],
  ["dataset_id", STRING],
  ["table_id", STRING],
  ["creation_time", INT64],
  ["last_modified_time", INT64],
  ["row_count", INT64],
  ["size_bytes", INT64],
  ["type", INT64],
];

/** The numbers that BigQuery tells of (https://cloud.google.com/bigquery/docs/reference/legacy-sql); NULL stands for the others. */
const TYPES: Readonly<Record<TableEntry["kind"], bigint | null>> = {
  TABLE: 1n,
  VIEW: 2n,
  MATERIALIZED_VIEW: null,
  SNAPSHOT: null,
};

/** The name of the table in each dataset that lists its tables, from before INFORMATION_SCHEMA; dbt's catalog still reads it. */
export const TABLES_META_TABLE = "__TABLES__";

/** `dataset.__TABLES__`. */
export async function tablesMetaTable(
  catalog: CatalogView,
  projectId: string,
  datasetId: string,
): Promise<LiveTable> {
  const rows: SqlValue[][] = [];
  for (const entry of catalog.listTables(projectId, datasetId)) {
    const names = [projectId, datasetId, entry.ref.tableId];
    const times = [entry.creationTime, catalog.lastModified(entry)].map(BigInt);
    const contents = await catalog.contents(entry);
    rows.push([
      ...names,
      ...times,
      BigInt(contents.rows()),
      BigInt(Math.round(contents.bytes())),
      TYPES[entry.kind],
    ]);
  }
  const columns = COLUMNS.map(([name, type]) => ({ name, type }));
  const ref = { projectId, datasetId, tableId: TABLES_META_TABLE };
  const sql = `(${valuesSql(COLUMNS, rows)})`;
  return {
    ref,
    columns,
    version: "meta-table",
    physical: { sql, ref, columns, schema: [], partitioning: {} },
  };
}
