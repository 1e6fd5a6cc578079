import { BigQueryError } from "../errors.ts";
import type { CatalogChange } from "../storage/catalog-change.ts";
import { type TableEntry, tableName } from "../storage/entries.ts";
import { splitDecorator } from "../storage/names.ts";
import { clearPartition } from "../storage/partitions.ts";
import type { Storage } from "../storage/storage.ts";
import { alreadyExists, copyTable, insertRows } from "../storage/tables.ts";
import type { TableRef } from "../types.ts";
import { type CopyConfiguration, destinationRef, refused } from "./configuration.ts";
import {
  type CopySource,
  checkPartitions,
  copiedRows,
  copySource,
  measureSource,
  type SourceSize,
} from "./copy-sources.ts";
import type { JobOutcome } from "./job.ts";

/** What the one source of an operation must be; COPY takes any number of tables. */
const OPERATIONS: ReadonlyMap<string, TableEntry["kind"] | undefined> = new Map([
  ["COPY", undefined],
  ["CLONE", "TABLE"],
  ["SNAPSHOT", "TABLE"],
  ["RESTORE", "SNAPSHOT"],
]);

/** Runs a copy job: the destination, a table or one partition of it, gets all rows of all sources in one transaction. */
export async function runCopy(
  storage: Storage,
  projectId: string,
  copy: CopyConfiguration,
): Promise<JobOutcome> {
  const operation = copy.operationType ?? "COPY";
  if (!OPERATIONS.has(operation)) throw refused(`copy jobs with operationType ${operation}`, "operationType");
  const sources = (copy.sourceTables ?? (copy.sourceTable == null ? [] : [copy.sourceTable])).map((ref) =>
    destinationRef(ref, projectId),
  );
  if (sources.length === 0) throw new BigQueryError("required", "Required parameter is missing: sourceTable");
  const destination = destinationRef(copy.destinationTable, projectId);
  const { rows, bytes } = await storage.catalog.change((change) =>
    copyAll(change, sources, destination, copy),
  );
  return { statistics: { copy: { copiedRows: String(rows), copiedLogicalBytes: String(bytes) } } };
}

async function copyAll(
  change: CatalogChange,
  refs: readonly TableRef[],
  destination: TableRef,
  copy: CopyConfiguration,
): Promise<SourceSize> {
  const sources = refs.map((ref) => copySource(change, ref));
  const [first] = sources;
  if (first === undefined) throw new BigQueryError("required", "Required parameter is missing: sourceTable");
  const { table, partition } = splitDecorator(destination);
  const operation = copy.operationType ?? "COPY";
  checkOperation(operation, sources, partition, copy);
  const there = change.getTable(table);
  if (there === undefined && copy.createDisposition === "CREATE_NEVER") {
    throw new BigQueryError("notFound", `Not found: Table ${tableName(table)}`);
  }
  if (there !== undefined && there.kind !== "TABLE") {
    const message = `${tableName(table)} is not allowed for this operation because it is a ${there.kind}.`;
    throw new BigQueryError("invalid", message);
  }
  const disposition = copy.writeDisposition ?? "WRITE_EMPTY";
  checkPartitions(sources, there, partition, disposition);
  const sizes = await Promise.all(sources.map((source) => measureSource(change, source)));
  let target = await destinationTable(change, first, destination, there, disposition, refs);
  for (const source of target.schema.length === 0 ? [] : sources) {
    checkSameSchema(source.entry, target);
    const { fields, query } = copiedRows(source, target, partition);
    await insertRows(change, target.physical ?? "", fields, query);
  }
  if (operation === "CLONE" || operation === "SNAPSHOT") {
    const base = { table: first.entry.ref, time: change.catalog.now() };
    target = { ...target, base, kind: operation === "SNAPSHOT" ? "SNAPSHOT" : "TABLE" };
    change.putTable(target);
  }
  if (copy.destinationExpirationTime != null) {
    target = { ...target, expirationTime: Date.parse(copy.destinationExpirationTime) };
    change.putTable(target);
  }
  change.touch(target);
  return sizes.reduce((sum, { rows, bytes }) => ({ rows: sum.rows + rows, bytes: sum.bytes + bytes }));
}

/** The table that gets the rows, with room for them: new, emptied, or as it is. */
async function destinationTable(
  change: CatalogChange,
  first: CopySource,
  destination: TableRef,
  there: TableEntry | undefined,
  disposition: string,
  sources: readonly TableRef[],
): Promise<TableEntry> {
  const { table, partition } = splitDecorator(destination);
  if (disposition === "WRITE_TRUNCATE" && sources.some((ref) => tableName(ref) === tableName(destination))) {
    throw new BigQueryError("invalid", "Source and destination of the copy are the same table.");
  }
  if (there !== undefined && partition !== undefined) {
    await clearPartition(change, there, partition, disposition);
    return there;
  }
  if (there !== undefined && disposition === "WRITE_EMPTY" && (await countRows(change, there)) > 0) {
    throw alreadyExists(table);
  }
  if (there !== undefined && disposition === "WRITE_APPEND") return there;
  return copyTable(change, first.entry, table, false);
}

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#operationtype */
function checkOperation(
  operation: string,
  [source, ...more]: readonly CopySource[],
  partition: string | undefined,
  copy: CopyConfiguration,
) {
  const kind = OPERATIONS.get(operation);
  if (kind === undefined) return;
  if (partition !== undefined || source?.partition !== undefined) {
    throw refused(`one partition in a copy job with operationType ${operation}`, "operationType");
  }
  if (more.length > 0 || copy.writeDisposition === "WRITE_APPEND") {
    throw new BigQueryError(
      "invalid",
      `A copy job with operationType ${operation} makes one table of one table.`,
    );
  }
  if (source !== undefined && source.entry.kind !== kind) {
    const message = `${tableName(source.entry.ref)} is not allowed for operationType ${operation} because it is a ${source.entry.kind}.`;
    throw new BigQueryError("invalid", message);
  }
}

async function countRows(change: CatalogChange, entry: TableEntry): Promise<number> {
  if (entry.physical === undefined) return 0;
  const reader = await change.connection.runAndReadAll(`SELECT count(*) FROM ${entry.physical}`);
  return Number(reader.getRows()[0]?.[0] ?? 0);
}

function checkSameSchema(source: TableEntry, target: TableEntry): void {
  const shape = (fields: TableEntry["schema"]): unknown =>
    fields.map((field) => [
      field.name.toLowerCase(),
      field.type,
      field.mode === "REPEATED",
      shape(field.fields ?? []),
    ]);
  if (JSON.stringify(shape(source.schema)) !== JSON.stringify(shape(target.schema))) {
    throw new BigQueryError(
      "invalid",
      `Provided Schema does not match Table ${tableName(target.ref)}: that of ${tableName(source.ref)} differs.`,
    );
  }
}
