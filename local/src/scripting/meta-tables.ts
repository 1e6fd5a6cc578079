import type { CatalogView } from "../storage/catalog-view.ts";
import type { TableEntry } from "../storage/entries.ts";
import { rowBytes } from "../storage/table-contents.ts";
import type { SqlType } from "../types.ts";
import { quoteName, quoteText } from "../values.ts";
import type { LiveTable } from "./live-table.ts";

const STRING: SqlType = { kind: "STRING" };
const INT64: SqlType = { kind: "INT64" };
const COLUMNS: readonly (readonly [name: string, type: SqlType])[] = [
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
const TYPES: Readonly<Record<TableEntry["kind"], string>> = {
  TABLE: "1",
  VIEW: "2",
  MATERIALIZED_VIEW: "NULL",
  SNAPSHOT: "NULL",
};

/** The name of the table in each dataset that lists its tables, from before INFORMATION_SCHEMA; dbt's catalog still reads it. */
export const TABLES_META_TABLE = "__TABLES__";

/** `dataset.__TABLES__`. */
export function tablesMetaTable(catalog: CatalogView, projectId: string, datasetId: string): LiveTable {
  const rows = catalog.listTables(projectId, datasetId).map((entry) => {
    const { tableId } = entry.ref;
    const texts = [projectId, datasetId, tableId].map(quoteText);
    const times = [entry.creationTime, catalog.lastModified(entry)];
    const sizes = entry.physical === undefined ? ["0", "0"] : ["count(*)", rowBytes(entry)];
    const from = entry.physical === undefined ? "" : ` FROM ${entry.physical}`;
    return `SELECT ${[...texts, ...times, ...sizes, TYPES[entry.kind]].join(", ")}${from}`;
  });
  const none = "SELECT '', '', '', 0::BIGINT, 0::BIGINT, 0::BIGINT, 0::BIGINT, 0::BIGINT WHERE false";
  const names = COLUMNS.map(([name]) => quoteName(name)).join(", ");
  const sql = `(SELECT * FROM (${[none, ...rows].join(" UNION ALL ")}) AS rows(${names}))`;
  const columns = COLUMNS.map(([name, type]) => ({ name, type }));
  const ref = { projectId, datasetId, tableId: TABLES_META_TABLE };
  return {
    ref,
    columns,
    version: "meta-table",
    physical: { sql, ref, columns, schema: [], partitioning: {} },
  };
}
