import { BigQueryError } from "../errors.ts";
import type { FieldSchema, Partitioning, SqlType, TableRef } from "../types.ts";
import { duckType, quoteName, quoteText } from "../values.ts";
import type { CatalogChange } from "./catalog-change.ts";
import { type TableEntry, type TableKind, tableName } from "./entries.ts";
import { APPENDED, APPENDED_COLUMN, dropPhysical, keepRows, pastTable, REMOVED } from "./history.ts";
import { isIngestionTimePartitioned, PARTITION_TIME } from "./partition-keys.ts";
import { checkSchema, fieldType, findField } from "./schema.ts";
import { conversion } from "./struct-conversion.ts";
import { checkLayout } from "./table-layout.ts";

/** What a new table is made of. */
export interface NewTable {
  readonly ref: TableRef;
  readonly schema: readonly FieldSchema[];
  readonly partitioning?: Partitioning;
  readonly requirePartitionFilter?: boolean;
  readonly clustering?: readonly string[];
  readonly description?: string;
  readonly friendlyName?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly expirationTime?: number;
  readonly kept?: Readonly<Record<string, unknown>>;
  /** The DuckDB query that gives the first rows, one column for each of the schema's, in order. */
  readonly rows?: string;
}

/** A new view: `schema` is what its query gives. */
export interface NewView extends Omit<NewTable, "rows"> {
  readonly kind: Exclude<TableKind, "TABLE" | "SNAPSHOT">;
  readonly query: string;
}

/** Makes a table, or replaces what has its name (a replaced table's rows go). The dataset must exist. */
export async function createTable(change: CatalogChange, table: NewTable): Promise<TableEntry> {
  checkSchema(table.schema);
  checkLayout(table);
  const replaced = change.getTable(table.ref) ?? change.catalog.expiredTable(table.ref);
  const number = change.catalog.nextNumber();
  const physical = await createPhysical(change, number, table.schema, table.partitioning ?? {});
  if (table.rows !== undefined) await insertRows(change, physical, table.schema, table.rows);
  const entry: TableEntry = { ...describe(change, table), kind: "TABLE", version: `${number}.1`, physical };
  if (replaced?.physical !== undefined) await dropRows(change, replaced.physical);
  change.putTable(entry);
  return entry;
}

/** Makes a view, or replaces what has its name. The dataset must exist. */
export async function createView(change: CatalogChange, view: NewView): Promise<TableEntry> {
  const replaced = change.getTable(view.ref) ?? change.catalog.expiredTable(view.ref);
  if (replaced?.physical !== undefined) await dropRows(change, replaced.physical);
  const version = `${change.catalog.nextNumber()}.1`;
  const entry: TableEntry = { ...describe(change, view), kind: view.kind, version, viewQuery: view.query };
  change.putTable(entry);
  return entry;
}

/** Drops a table or view with its rows. */
export async function dropTable(change: CatalogChange, entry: TableEntry): Promise<void> {
  if (entry.physical !== undefined) await dropRows(change, entry.physical);
  change.removeTable(entry.ref);
}

/** Puts a changed entry with a new version and time; physical changes are the caller's. */
export function alterEntry(
  change: CatalogChange,
  entry: TableEntry,
  changes: Partial<TableEntry>,
): TableEntry {
  const [number, step] = entry.version.split(".");
  const next: TableEntry = {
    ...entry,
    ...changes,
    version: `${number}.${Number(step) + 1}`,
    lastModifiedTime: change.catalog.now(),
  };
  change.putTable(next);
  return next;
}

/** Gives the table a new name in the same dataset. */
export function renameTable(change: CatalogChange, entry: TableEntry, tableId: string): TableEntry {
  const ref = { ...entry.ref, tableId };
  if (change.getTable(ref) !== undefined) throw alreadyExists(ref);
  change.removeTable(entry.ref);
  return alterEntry(change, entry, { ref });
}

/**
 * Gives the table another schema and keeps its rows: columns are matched by name, new ones are NULL (or empty), nested fields too;
 * `renames` says which new column an old one's values go to, by top-level name. Types change only where the conversion is
 * lossless; who may ask for which change is decided by the callers.
 */
export async function changeSchema(
  change: CatalogChange,
  entry: TableEntry,
  schema: readonly FieldSchema[],
  renames: ReadonlyMap<string, string> = new Map(),
): Promise<TableEntry> {
  checkSchema(schema);
  if (entry.physical === undefined) throw notATable(entry);
  if (renames.size === 0 && samePhysical(entry.schema, schema)) return alterEntry(change, entry, { schema });
  const physical = await createPhysical(change, change.catalog.nextNumber(), schema, entry.partitioning);
  const sources = schema.map((field) => {
    const from = findField(entry.schema, renames.get(field.name) ?? field.name);
    return from === undefined || (renames.size > 0 && renamedAway(renames, from.name, field.name))
      ? missingValue(fieldType(field))
      : conversion(quoteName(from.name), fieldType(from), fieldType(field));
  });
  const hidden = isIngestionTimePartitioned(entry.partitioning) ? [quoteName(PARTITION_TIME)] : [];
  const columns = [...schema.map((field) => quoteName(field.name)), ...hidden];
  const copied = (to: string, from: string, more: readonly string[]): string =>
    `INSERT INTO ${to} (${[...columns, ...more].join(", ")}) SELECT ${[...sources, ...hidden, ...more].join(", ")} FROM ${from}`;
  const marks = [quoteName(APPENDED)];
  await change.run(copied(physical, entry.physical, marks));
  const { past } = change.history(entry);
  if (past !== undefined) {
    for (const sql of keepRows(physical, "false", "removed")) await change.run(sql);
    await change.run(copied(pastTable(physical), past, [...marks, quoteName(REMOVED)]));
  }
  await dropRows(change, entry.physical);
  change.retire(entry);
  change.move(entry.physical, physical);
  return alterEntry(change, entry, { schema, physical, columnsSince: change.catalog.now() });
}

/** Makes `target` a copy of the table: rows, schema, layout and descriptions. Replaces what has its name. */
export async function copyTable(
  change: CatalogChange,
  entry: TableEntry,
  target: TableRef,
  withRows: boolean,
): Promise<TableEntry> {
  if (entry.physical === undefined) throw notATable(entry);
  const copy = await createTable(change, {
    ref: target,
    schema: entry.schema,
    partitioning: entry.partitioning,
    requirePartitionFilter: entry.requirePartitionFilter,
    clustering: entry.clustering,
    description: entry.description,
    labels: entry.labels,
  });
  if (withRows)
    await change.run(
      `INSERT INTO ${copy.physical} BY NAME SELECT * EXCLUDE (${quoteName(APPENDED)}) FROM ${entry.physical}`,
    );
  return copy;
}

/** Inserts the rows of a DuckDB query that gives the schema's columns in order; says how many there were. */
export async function insertRows(
  change: CatalogChange,
  physical: string,
  schema: readonly FieldSchema[],
  query: string,
): Promise<number> {
  const columns = schema.map((field) => quoteName(field.name)).join(", ");
  const reader = await change.connection.runAndReadAll(`INSERT INTO ${physical} (${columns}) ${query}`);
  return Number(reader.getRows()[0]?.[0] ?? 0);
}

/**
 * Puts the rows of a DuckDB query (one column for each field of `given`, in order) in the place of all rows of the table, which gets
 * the schema `wanted`; says how many there were. Everything else about the table stays.
 */
export async function replaceRows(
  change: CatalogChange,
  entry: TableEntry,
  wanted: readonly FieldSchema[],
  given: readonly FieldSchema[],
  query: string,
): Promise<number> {
  checkSchema(wanted);
  if (entry.physical === undefined) throw notATable(entry);
  checkLayout({ ...entry, schema: wanted });
  const physical = await createPhysical(change, change.catalog.nextNumber(), wanted, entry.partitioning);
  const count = await insertRows(change, physical, given, query);
  await dropRows(change, entry.physical);
  alterEntry(change, entry, { schema: wanted, physical, rowsSince: change.catalog.now() });
  return count;
}

/** The columns of the physical table as DuckDB's CREATE TABLE takes them. */
function physicalColumns(schema: readonly FieldSchema[], partitioning: Partitioning): string[] {
  const columns = schema.map((field) => {
    const type = fieldType(field);
    // An ARRAY column never holds NULL (BigQuery stores the empty array), whoever writes and whatever they leave out.
    const array = type.kind === "ARRAY" ? " DEFAULT []" : "";
    return `${quoteName(field.name)} ${duckType(type)}${array}${checkOf(field)}`;
  });
  if (isIngestionTimePartitioned(partitioning)) {
    const unit = (partitioning.timePartitioning?.type ?? "DAY").toLowerCase();
    columns.push(`${quoteName(PARTITION_TIME)} TIMESTAMPTZ DEFAULT date_trunc('${unit}', now())`);
  }
  return columns;
}

/** A value for a column that a row says nothing of. */
export function missingValue(type: SqlType): string {
  return type.kind === "ARRAY" ? `[]::${duckType(type)}` : `NULL::${duckType(type)}`;
}

async function dropRows(change: CatalogChange, physical: string): Promise<void> {
  for (const sql of dropPhysical(physical)) await change.run(sql);
}

async function createPhysical(
  change: CatalogChange,
  number: number,
  schema: readonly FieldSchema[],
  partitioning: Partitioning,
): Promise<string> {
  const physical = `bq.t${number}`;
  const columns = physicalColumns(schema, partitioning);
  // BigQuery has tables without columns, which the first load gives its schema; DuckDB has none.
  if (columns.length === 0) columns.push(`${quoteName("_FILE_")} BOOLEAN`);
  columns.push(APPENDED_COLUMN);
  await change.run(`CREATE TABLE ${physical} (${columns.join(", ")})`);
  return physical;
}

/** REQUIRED at the top level and in RECORDs that are not repeated, with BigQuery's message. */
function checkOf(field: FieldSchema): string {
  const checks: string[] = [];
  const walk = (current: FieldSchema, sql: string, path: string, present: string): void => {
    if (current.mode === "REPEATED") return;
    if (current.mode === "REQUIRED") {
      const message = `Required field ${path} cannot be null`;
      checks.push(`WHEN ${present}${sql} IS NULL THEN error(${quoteText(message)})`);
    }
    for (const [index, child] of (current.fields ?? []).entries()) {
      walk(
        child,
        `struct_extract(${sql}, 'f${index}')`,
        `${path}.${child.name}`,
        `${present}${sql} IS NOT NULL AND `,
      );
    }
  };
  walk(field, quoteName(field.name), field.name, "");
  return checks.length === 0 ? "" : ` CHECK (CASE ${checks.join(" ")} ELSE true END)`;
}

function describe(change: CatalogChange, table: NewTable | NewView): Omit<TableEntry, "kind" | "version"> {
  const dataset = change.needDataset(table.ref.projectId, table.ref.datasetId);
  const now = change.catalog.now();
  const partitioning = withDefaultExpiration(table.partitioning ?? {}, dataset.defaultPartitionExpirationMs);
  // Only one of the defaults is used for a table that is partitioned by time.
  const lifetime =
    partitioning.timePartitioning !== undefined && dataset.defaultPartitionExpirationMs !== undefined
      ? undefined
      : dataset.defaultTableExpirationMs;
  return {
    ref: { projectId: table.ref.projectId, datasetId: table.ref.datasetId, tableId: table.ref.tableId },
    schema: table.schema,
    partitioning,
    requirePartitionFilter: table.requirePartitionFilter,
    clustering: table.clustering ?? [],
    description: table.description,
    friendlyName: table.friendlyName,
    labels: table.labels,
    location: dataset.location,
    creationTime: now,
    lastModifiedTime: now,
    expirationTime: table.expirationTime ?? (lifetime === undefined ? undefined : now + Number(lifetime)),
    kept: table.kept ?? {},
  };
}

/** How long partitions live where the table does not say it (https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets#Dataset). */
function withDefaultExpiration(partitioning: Partitioning, lifetime: string | undefined): Partitioning {
  const { timePartitioning } = partitioning;
  if (timePartitioning === undefined || lifetime === undefined) return partitioning;
  return {
    ...partitioning,
    timePartitioning: { ...timePartitioning, expirationMs: timePartitioning.expirationMs ?? lifetime },
  };
}

/** True where both schemas make the same DuckDB table: only descriptions and the like differ. */
function samePhysical(before: readonly FieldSchema[], after: readonly FieldSchema[]): boolean {
  return physicalColumns(before, {}).join() === physicalColumns(after, {}).join();
}

/** True where the column's values belong to another new name, so a new column of its old name starts empty. */
function renamedAway(renames: ReadonlyMap<string, string>, from: string, to: string): boolean {
  if (renames.get(to) !== undefined) return false;
  return [...renames.values()].some((name) => name.toLowerCase() === from.toLowerCase());
}

/** BigQuery's error for a name that is taken. */
export function alreadyExists(ref: TableRef): BigQueryError {
  return new BigQueryError("duplicate", `Already Exists: Table ${tableName(ref)}`);
}

function notATable(entry: TableEntry): BigQueryError {
  return invalid(`${tableName(entry.ref)} is a ${entry.kind}, which holds no rows of its own.`);
}

function invalid(message: string): BigQueryError {
  return new BigQueryError("invalid", message);
}
