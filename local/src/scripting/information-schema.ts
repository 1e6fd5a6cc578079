import type { PhysicalTable } from "../compiler/context.ts";
import { unsupported } from "../errors.ts";
import type { CatalogView } from "../storage/catalog-view.ts";
import type { DatasetEntry, RoutineEntry, TableEntry } from "../storage/entries.ts";
import type { SqlType } from "../types.ts";
import type { SqlValue } from "../values.ts";
import { columnFieldPathRows, columnRows, optionRows } from "./information-columns.ts";
import { constraintColumnRows, keyColumnRows, tableConstraintRows } from "./information-constraints.ts";
import { tableDdl } from "./information-ddl.ts";
import { ERROR_PROTO, type JobLister, jobColumns, jobRows } from "./information-jobs.ts";
import { partitionsByTable, type QueriesByTable, tableStorageRows } from "./information-partitions.ts";
import { routineColumns, routineRows } from "./information-routines.ts";
import { type Columns, INT64, micros, STRING, valuesSql } from "./information-values.ts";
import type { LiveTable } from "./live-table.ts";
import { parameterRows } from "./routine-definition.ts";

/** What an INFORMATION_SCHEMA view is asked about: one dataset, or all of a project. */
export interface InformationScope {
  readonly projectId: string;
  readonly datasetId?: string;
}

/** Rows of a view, or the DuckDB queries that give them, one for each table that it tells of. */
interface View {
  readonly columns: Columns;
  rows?(catalog: CatalogView, scope: InformationScope): SqlValue[][] | Promise<SqlValue[][]>;
  byTable?(catalog: CatalogView, scope: InformationScope): QueriesByTable;
}

const TIMESTAMP: SqlType = { kind: "TIMESTAMP" };
const BOOL: SqlType = { kind: "BOOL" };
const strings = (...names: string[]): Columns => names.map((name) => [name, STRING]);
const TABLE_NAME = strings("table_catalog", "table_schema", "table_name");
const CONSTRAINT_NAME = strings("constraint_catalog", "constraint_schema", "constraint_name");

/** https://cloud.google.com/bigquery/docs/information-schema-intro */
const VIEWS: Readonly<Record<string, View>> = {
  SCHEMATA: {
    columns: [
      ...strings("catalog_name", "schema_name", "schema_owner"),
      ["creation_time", TIMESTAMP],
      ["last_modified_time", TIMESTAMP],
      ...strings("location", "ddl", "default_collation_name"),
    ],
    rows: (catalog, scope) =>
      datasets(catalog, { projectId: scope.projectId }).map((entry) => [
        entry.projectId,
        entry.datasetId,
        null,
        micros(entry.creationTime),
        micros(entry.lastModifiedTime),
        entry.location,
        `CREATE SCHEMA \`${entry.projectId}.${entry.datasetId}\`\nOPTIONS(\n  location="${entry.location.toLowerCase()}"\n);`,
        null,
      ]),
  },
  SCHEMATA_OPTIONS: {
    columns: strings("catalog_name", "schema_name", "option_name", "option_type", "option_value"),
    rows: (catalog, { projectId }) =>
      datasets(catalog, { projectId }).flatMap((entry) =>
        optionRows(entry).map((option) => [entry.projectId, entry.datasetId, ...option]),
      ),
  },
  TABLES: {
    columns: [
      ...TABLE_NAME,
      ...strings(
        "table_type",
        "is_insertable_into",
        "is_typed",
        "is_fine_grained_mutations_enabled",
        "is_change_history_enabled",
      ),
      ["creation_time", TIMESTAMP],
      ...strings("base_table_catalog", "base_table_schema", "base_table_name"),
      ["snapshot_time_ms", TIMESTAMP],
      ...strings("ddl", "default_collation_name"),
    ],
    rows: (catalog, scope) =>
      tables(catalog, scope).map((entry) => [
        ...nameOf(entry),
        tableType(entry),
        entry.kind === "TABLE" ? "YES" : "NO",
        "NO",
        "NO",
        "NO",
        micros(entry.creationTime),
        ...(entry.base === undefined ? [null, null, null] : nameOf({ ref: entry.base.table })),
        entry.base === undefined || entry.kind !== "SNAPSHOT" ? null : micros(entry.base.time),
        tableDdl(entry),
        null,
      ]),
  },
  // https://cloud.google.com/bigquery/docs/information-schema-materialized-views; a view is read afresh each time, and never refreshed.
  MATERIALIZED_VIEWS: {
    columns: [
      ...TABLE_NAME,
      ["last_refresh_time", TIMESTAMP],
      ["refresh_watermark", TIMESTAMP],
      ["last_refresh_status", ERROR_PROTO],
    ],
    rows: (catalog, scope) =>
      tables(catalog, scope)
        .filter(({ kind }) => kind === "MATERIALIZED_VIEW")
        .map((entry) => [...nameOf(entry), null, null, null]),
  },
  // https://cloud.google.com/bigquery/docs/information-schema-snapshots
  TABLE_SNAPSHOTS: {
    columns: [
      ...TABLE_NAME,
      ...strings("base_table_catalog", "base_table_schema", "base_table_name"),
      ["snapshot_time", TIMESTAMP],
    ],
    rows: (catalog, scope) =>
      tables(catalog, scope).flatMap(({ ref, kind, base }) =>
        kind === "SNAPSHOT" && base !== undefined
          ? [[...nameOf({ ref }), ...nameOf({ ref: base.table }), micros(base.time)]]
          : [],
      ),
  },
  TABLE_OPTIONS: {
    columns: [...TABLE_NAME, ...strings("option_name", "option_type", "option_value")],
    rows: (catalog, scope) =>
      tables(catalog, scope).flatMap((entry) =>
        optionRows(entry).map((option) => [...nameOf(entry), ...option]),
      ),
  },
  COLUMNS: {
    columns: [
      ...TABLE_NAME,
      ["column_name", STRING],
      ["ordinal_position", INT64],
      ...strings(
        "is_nullable",
        "data_type",
        "is_generated",
        "generation_expression",
        "is_stored",
        "is_hidden",
      ),
      ...strings("is_updatable", "is_system_defined", "is_partitioning_column"),
      ["clustering_ordinal_position", INT64],
      ...strings("collation_name", "column_default", "rounding_mode"),
    ],
    rows: (catalog, scope) =>
      tables(catalog, scope).flatMap((entry) =>
        columnRows(entry).map((column) => [...nameOf(entry), ...column]),
      ),
  },
  COLUMN_FIELD_PATHS: {
    columns: [
      ...TABLE_NAME,
      ...strings("column_name", "field_path", "data_type", "description", "collation_name", "rounding_mode"),
    ],
    rows: (catalog, scope) =>
      tables(catalog, scope).flatMap((entry) =>
        columnFieldPathRows(entry).map((column) => [...nameOf(entry), ...column]),
      ),
  },
  TABLE_CONSTRAINTS: {
    columns: [
      ...CONSTRAINT_NAME,
      ...TABLE_NAME,
      ...strings("constraint_type", "is_deferrable", "initially_deferred", "enforced"),
    ],
    rows: (catalog, scope) => tables(catalog, scope).flatMap(tableConstraintRows),
  },
  KEY_COLUMN_USAGE: {
    columns: [
      ...CONSTRAINT_NAME,
      ...TABLE_NAME,
      ["column_name", STRING],
      ["ordinal_position", INT64],
      ["position_in_unique_constraint", INT64],
    ],
    rows: (catalog, scope) => tables(catalog, scope).flatMap((entry) => keyColumnRows(catalog, entry)),
  },
  CONSTRAINT_COLUMN_USAGE: {
    columns: [...TABLE_NAME, ["column_name", STRING], ...CONSTRAINT_NAME],
    rows: (catalog, scope) => tables(catalog, scope).flatMap(constraintColumnRows),
  },
  VIEWS: {
    columns: [...TABLE_NAME, ...strings("view_definition", "check_option", "use_standard_sql")],
    rows: (catalog, scope) =>
      tables(catalog, scope)
        .filter(({ kind }) => kind === "VIEW")
        .map((entry) => [...nameOf(entry), entry.viewQuery ?? "", null, "YES"]),
  },
  ROUTINES: {
    columns: routineColumns,
    rows: (catalog, scope) => routineRows(routines(catalog, scope)),
  },
  PARAMETERS: {
    columns: strings(
      "specific_catalog",
      "specific_schema",
      "specific_name",
      "ordinal_position",
      "parameter_mode",
      "is_result",
      "parameter_name",
      "data_type",
      "parameter_default",
      "is_aggregate",
    ),
    rows: (catalog, scope) =>
      routines(catalog, scope).flatMap((entry) =>
        parameterRows(entry).map((row) => [entry.projectId, entry.datasetId, entry.routineId, ...row]),
      ),
  },
  PARTITIONS: {
    columns: [
      ...TABLE_NAME,
      ["partition_id", STRING],
      ["total_rows", INT64],
      ["total_logical_bytes", INT64],
      ["total_billable_bytes", INT64],
      ["last_modified_time", TIMESTAMP],
      ["storage_tier", STRING],
    ],
    byTable: (catalog, scope) => partitionsByTable(catalog, tables(catalog, scope)),
  },
  TABLE_STORAGE: {
    columns: [
      ...strings("project_id", "table_catalog", "table_schema", "table_name"),
      ["creation_time", TIMESTAMP],
      ["total_rows", INT64],
      ["total_partitions", INT64],
      ["total_logical_bytes", INT64],
      ["deleted", BOOL],
      ["table_type", STRING],
    ],
    rows: (catalog, scope) => tableStorageRows(catalog, tables(catalog, scope)),
  },
};

/** What is told of a region where none is named. */
const OF_PROJECTS = /^(?:SCHEMATA|JOBS|TABLE_STORAGE)/;

/**
 * Whether a view "needs to be qualified with a dataset or region".
 * https://cloud.google.com/bigquery/docs/information-schema-intro#syntax
 */
export function isOfDatasets(view: string): boolean {
  return view in VIEWS && !OF_PROJECTS.test(view);
}

/** Splits a path at INFORMATION_SCHEMA; undefined where it has none. */
export function informationPath(
  path: readonly string[],
): { prefix: readonly string[]; view: string } | undefined {
  const index = path.findIndex((segment) => segment.toUpperCase() === "INFORMATION_SCHEMA");
  if (index < 0 || index + 2 !== path.length) return undefined;
  return { prefix: path.slice(0, index), view: (path.at(-1) ?? "").toUpperCase() };
}

/** An INFORMATION_SCHEMA view as a table that is read like any other. */
export async function informationTable(
  catalog: CatalogView,
  scope: InformationScope,
  view: string,
  jobs: JobLister | undefined,
): Promise<LiveTable> {
  const isJobs = /^JOBS(_BY_(PROJECT|USER|ORGANIZATION|FOLDER))?$/.test(view);
  const found: View | undefined = isJobs
    ? { columns: jobColumns, rows: () => jobRows(jobs?.(scope.projectId) ?? []) }
    : VIEWS[view];
  if (found === undefined) throw unsupported(`INFORMATION_SCHEMA.${view}`);
  const columns = found.columns.map(([name, type]) => ({ name, type }));
  const ref = {
    projectId: scope.projectId,
    datasetId: scope.datasetId ?? "region-us",
    tableId: `INFORMATION_SCHEMA.${view}`,
  };
  const values = valuesSql(found.columns, (await found.rows?.(catalog, scope)) ?? []);
  const queries = found.byTable?.(catalog, scope) ?? [];
  const of = (name: string) => queries.filter(([tableName]) => tableName === name);
  const union = (parts: QueriesByTable) =>
    `(${[values, ...parts.map(([, sql]) => sql)].join(" UNION ALL ")})`;
  const physical: PhysicalTable = {
    sql: union(queries),
    ...(found.byTable === undefined ? {} : { sqlOfTable: (name) => union(of(name)) }),
    ref,
    columns,
    schema: [],
    partitioning: {},
  };
  return { ref, columns, version: "information-schema", physical };
}

function datasets(catalog: CatalogView, { projectId, datasetId }: InformationScope): DatasetEntry[] {
  const visible = catalog.listDatasets(projectId).filter((entry) => !entry.datasetId.startsWith("_"));
  return datasetId === undefined ? visible : visible.filter((entry) => entry.datasetId === datasetId);
}

function tables(catalog: CatalogView, scope: InformationScope): TableEntry[] {
  return datasets(catalog, scope).flatMap(({ projectId, datasetId }) =>
    catalog.listTables(projectId, datasetId),
  );
}

function routines(catalog: CatalogView, scope: InformationScope): RoutineEntry[] {
  return datasets(catalog, scope).flatMap(({ projectId, datasetId }) =>
    catalog.listRoutines(projectId, datasetId),
  );
}

/** https://cloud.google.com/bigquery/docs/information-schema-tables#schema */
function tableType({ kind, base }: TableEntry): string {
  if (kind !== "TABLE") return kind.replace("_", " ");
  return base === undefined ? "BASE TABLE" : "CLONE";
}

function nameOf({ ref }: Pick<TableEntry, "ref">): [string, string, string] {
  return [ref.projectId, ref.datasetId, ref.tableId];
}
