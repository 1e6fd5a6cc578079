import type { PhysicalTable } from "../compiler/context.ts";
import { BigQueryError } from "../errors.ts";
import type { Analyzer } from "../googlesql/analyzer.ts";
import { treeName } from "../googlesql/catalog.ts";
import type {
  AnalysisEnv,
  FoundRoutine,
  FoundTable,
  SourceColumn,
  TableSchemaSource,
} from "../googlesql/source.ts";
import type { CatalogView } from "../storage/catalog-view.ts";
import { type TableEntry, tableName } from "../storage/entries.ts";
import { isIngestionTimePartitioned, PARTITION_TIME } from "../storage/partition-keys.ts";
import { schemaColumns } from "../storage/schema.ts";
import type { TableRef } from "../types.ts";
import { withColumnDefaults } from "./column-defaults.ts";
import type { JobLister } from "./information-jobs.ts";
import { informationPath, informationTable, isOfDatasets } from "./information-schema.ts";
import type { JobLocation } from "./job-location.ts";
import type { LiveTable } from "./live-table.ts";
import { TABLES_META_TABLE, tablesMetaTable } from "./meta-tables.ts";
import { wildcardTable } from "./wildcard-tables.ts";

/** Where names without a project or dataset belong. */
export interface Defaults {
  readonly projectId: string;
  readonly dataset?: { readonly projectId: string; readonly datasetId: string };
  /** The hidden dataset of the script's temporary tables, once there is one. */
  readonly tempDataset?: string;
  /** The script's temporary functions, by name in lower case. */
  readonly temporaryRoutines: ReadonlyMap<string, FoundRoutine>;
  readonly jobs?: JobLister;
  /** Where the job runs: tables elsewhere are not found. */
  readonly location: JobLocation;
}

/** Tables of the live catalog, for one statement; it remembers what the statement found. */
export class LiveSource implements TableSchemaSource {
  readonly #catalog: CatalogView;
  readonly #defaults: Defaults;
  readonly #found = new Map<string, LiveTable>();

  constructor(catalog: CatalogView, defaults: Defaults) {
    this.#catalog = catalog;
    this.#defaults = defaults;
  }

  /** What the statement's tree calls by this name. */
  table(nameInTree: string): LiveTable | undefined {
    return this.#found.get(nameInTree);
  }

  /** Adds the analyzed DEFAULTs of columns to the tables that have some. */
  async addDefaults(analyzer: Analyzer, env: AnalysisEnv): Promise<void> {
    for (const [name, table] of this.#found) {
      if (!table.columns.some(({ hasDefault }) => hasDefault)) continue;
      this.#found.set(name, await withColumnDefaults(analyzer, env, table));
    }
  }

  async findTable(path: readonly string[]): Promise<FoundTable | undefined> {
    const table = await this.#find(path);
    if (table !== undefined) this.#found.set(treeName(table), table);
    return table;
  }

  async findRoutine(path: readonly string[]): Promise<FoundRoutine | undefined> {
    const temporary =
      path.length === 1 ? this.#defaults.temporaryRoutines.get((path[0] ?? "").toLowerCase()) : undefined;
    const ref = qualify(path, this.#defaults);
    if (temporary !== undefined || ref === undefined) return temporary;
    const entry = this.#catalog.getRoutine(ref.projectId, ref.datasetId, ref.tableId);
    if (entry?.text === undefined) return undefined;
    return { routine: ROUTINES[entry.routineType], text: entry.text, version: entry.version };
  }

  async missingTable(path: readonly string[]): Promise<Error> {
    const ref = qualify(path, this.#defaults);
    if (ref === undefined) return unqualified(path);
    const { location } = this.#defaults;
    const dataset = this.#catalog.getDataset(ref.projectId, ref.datasetId);
    if (dataset === undefined || !location.admits(dataset))
      return location.datasetNotFound(ref.projectId, ref.datasetId);
    return notFound(`Not found: Table ${tableName(ref)} was not found in location ${dataset.location}`);
  }

  async #find(path: readonly string[]): Promise<LiveTable | undefined> {
    const temporary = this.#temporary(path);
    if (temporary !== undefined) return temporary;
    const information = informationPath(path);
    if (information !== undefined) return await this.#information(information.prefix, information.view);
    const ref = qualify(path, this.#defaults);
    if (ref === undefined || !this.#isHere(ref)) return undefined;
    if (ref.tableId === TABLES_META_TABLE)
      return tablesMetaTable(this.#catalog, ref.projectId, ref.datasetId);
    if (ref.tableId.endsWith("*")) return wildcardTable(this.#catalog, ref);
    const entry = this.#catalog.getTable(ref);
    return entry === undefined ? undefined : liveTable(entry, this.#catalog);
  }

  #isHere({ projectId, datasetId }: TableRef): boolean {
    const dataset = this.#catalog.getDataset(projectId, datasetId);
    return dataset !== undefined && this.#defaults.location.admits(dataset);
  }

  #information(prefix: readonly string[], view: string): Promise<LiveTable> {
    const [place, project] = [...prefix].reverse();
    const projectId = project ?? this.#defaults.projectId;
    if (place === undefined && isOfDatasets(view)) throw unqualified(["INFORMATION_SCHEMA", view]);
    const isRegion = place === undefined || /^region-/i.test(place);
    if (!isRegion) this.#defaults.location.need(projectId, place, this.#catalog.getDataset(projectId, place));
    const scope = isRegion ? { projectId } : { projectId, datasetId: place };
    return informationTable(this.#catalog, scope, view, this.#defaults.jobs);
  }

  #temporary(path: readonly string[]): LiveTable | undefined {
    const { projectId, tempDataset } = this.#defaults;
    const tableId = path.length === 2 && path[0]?.toUpperCase() === "_SESSION" ? path[1] : path[0];
    if (tempDataset === undefined || tableId === undefined) return undefined;
    if (path.length > 1 && tableId === path[0]) return undefined;
    const entry = this.#catalog.getTable({ projectId, datasetId: tempDataset, tableId });
    return entry === undefined ? undefined : liveTable(entry, this.#catalog);
  }
}

const ROUTINES = {
  SCALAR_FUNCTION: "FUNCTION",
  AGGREGATE_FUNCTION: "AGGREGATE FUNCTION",
  TABLE_VALUED_FUNCTION: "TABLE FUNCTION",
  PROCEDURE: "PROCEDURE",
} as const;

/** The full name for a path as written; undefined where it lacks a dataset and there is no default one. */
export function qualify(
  path: readonly string[],
  { projectId, dataset }: Pick<Defaults, "projectId" | "dataset">,
): TableRef | undefined {
  const [first = "", second = "", third = ""] = path;
  if (path.length === 3) return { projectId: first, datasetId: second, tableId: third };
  if (path.length === 2) return { projectId, datasetId: first, tableId: second };
  return path.length === 1 && dataset !== undefined ? { ...dataset, tableId: first } : undefined;
}

function liveTable(entry: TableEntry, catalog: CatalogView): LiveTable {
  const columns: SourceColumn[] = schemaColumns(entry.schema).map((column, index) => ({
    ...column,
    hasDefault: entry.schema[index]?.defaultValueExpression !== undefined,
  }));
  if (isIngestionTimePartitioned(entry.partitioning)) {
    columns.push({ name: PARTITION_TIME, type: { kind: "TIMESTAMP" }, pseudo: true, writable: true });
    if (["DAY", undefined].includes(entry.partitioning.timePartitioning?.type)) {
      columns.push({ name: "_PARTITIONDATE", type: { kind: "DATE" }, pseudo: true });
    }
  }
  // A table that is made anew with the same columns, as at every run of a project, leaves what was analyzed as it is.
  const version = JSON.stringify(columns);
  if (entry.physical === undefined) {
    return { ref: entry.ref, columns, version, viewQuery: entry.viewQuery ?? "", entry };
  }
  const physical: PhysicalTable = {
    sql: entry.physical,
    ref: entry.ref,
    columns: columns.map(({ name, type }) => ({
      name,
      type,
      ...(name === "_PARTITIONDATE" ? { sql: `CAST("${PARTITION_TIME}" AS DATE)` } : {}),
    })),
    schema: entry.schema,
    partitioning: entry.partitioning,
    isReadOnly: entry.kind === "SNAPSHOT",
    requirePartitionFilter: entry.requirePartitionFilter,
    ...(entry.kind === "TABLE" && entry.base === undefined ? { past: pastOf(entry, catalog) } : {}),
  };
  return { ref: entry.ref, columns, version, entry, physical };
}

/** https://cloud.google.com/bigquery/docs/time-travel#configure_the_time_travel_window */
const LONGEST_TIME_TRAVEL_HOURS = 168;

function pastOf(entry: TableEntry, catalog: CatalogView): PhysicalTable["past"] {
  const { projectId, datasetId } = entry.ref;
  const hours = Number(catalog.getDataset(projectId, datasetId)?.kept.maxTimeTravelHours);
  return { ...catalog.history(entry), windowMs: (hours || LONGEST_TIME_TRAVEL_HOURS) * 3_600_000 };
}

/** BigQuery's error for a table's name without a dataset. */
export function unqualified(path: readonly string[]): BigQueryError {
  const name = path.join(".");
  return new BigQueryError(
    "invalid",
    `Table "${name}" must be qualified with a dataset (e.g. dataset.table).`,
    name,
  );
}

function notFound(message: string): BigQueryError {
  return new BigQueryError("notFound", message, "query");
}
