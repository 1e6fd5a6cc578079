import { BigQueryError } from "../errors.ts";
import type { CatalogChange } from "../storage/catalog-change.ts";
import { type TableEntry, tableName } from "../storage/entries.ts";
import type { TableSizes } from "../storage/sizes.ts";
import type { Storage } from "../storage/storage.ts";
import { alreadyExists, copyTable, insertRows } from "../storage/tables.ts";
import type { TableRef } from "../types.ts";
import { quoteName } from "../values.ts";
import { type CopyConfiguration, fullRef, refused } from "./configuration.ts";
import type { JobOutcome } from "./job.ts";

/** What the one source of an operation must be; COPY takes any number of tables. */
const OPERATIONS: ReadonlyMap<string, TableEntry["kind"] | undefined> = new Map([
  ["COPY", undefined],
  ["CLONE", "TABLE"],
  ["SNAPSHOT", "TABLE"],
  ["RESTORE", "SNAPSHOT"],
]);

/** Runs a copy job: the destination gets all rows of all sources in one transaction. */
export async function runCopy(
  storage: Storage,
  sizes: TableSizes,
  projectId: string,
  copy: CopyConfiguration,
): Promise<JobOutcome> {
  const operation = copy.operationType ?? "COPY";
  if (!OPERATIONS.has(operation)) throw refused(`copy jobs with operationType ${operation}`, "operationType");
  const sources = (copy.sourceTables ?? (copy.sourceTable == null ? [] : [copy.sourceTable])).map((ref) =>
    fullRef(ref, projectId),
  );
  if (sources.length === 0) throw new BigQueryError("required", "Required parameter is missing: sourceTable");
  const destination = fullRef(copy.destinationTable, projectId);
  const rows = await storage.catalog.change((change) => copyAll(change, sources, destination, copy));
  const copied = await Promise.all(
    sources.map(async (ref) => {
      const entry = storage.catalog.getTable(ref);
      return entry === undefined ? 0 : (await sizes.size(entry)).bytes;
    }),
  );
  const bytes = copied.reduce((sum, size) => sum + size, 0);
  return { statistics: { copy: { copiedRows: String(rows), copiedLogicalBytes: String(bytes) } } };
}

async function copyAll(
  change: CatalogChange,
  sources: readonly TableRef[],
  destination: TableRef,
  copy: CopyConfiguration,
): Promise<number> {
  const entries = sources.map((ref) => change.needTable(ref));
  const [first] = entries;
  if (first === undefined) throw new BigQueryError("required", "Required parameter is missing: sourceTable");
  const operation = copy.operationType ?? "COPY";
  checkOperation(operation, entries, copy);
  const there = change.getTable(destination);
  if (there === undefined && copy.createDisposition === "CREATE_NEVER") {
    throw new BigQueryError("notFound", `Not found: Table ${tableName(destination)}`);
  }
  if (there !== undefined && there.kind !== "TABLE") {
    const message = `${tableName(destination)} is not allowed for this operation because it is a ${there.kind}.`;
    throw new BigQueryError("invalid", message);
  }
  const disposition = copy.writeDisposition ?? "WRITE_EMPTY";
  if (there !== undefined && disposition === "WRITE_EMPTY" && (await countRows(change, there)) > 0) {
    throw alreadyExists(destination);
  }
  let total = 0;
  let target = there;
  if (target === undefined || disposition !== "WRITE_APPEND") {
    if (
      target !== undefined &&
      disposition === "WRITE_TRUNCATE" &&
      sources.some((ref) => sameRef(ref, destination))
    ) {
      throw new BigQueryError("invalid", "Source and destination of the copy are the same table.");
    }
    target = await copyTable(change, first, destination, false);
  }
  for (const source of entries) {
    const { physical } = source;
    if (physical === undefined || target.physical === undefined) {
      throw new BigQueryError(
        "invalid",
        `${tableName(source.ref)} is not allowed for this operation because it is a ${source.kind}.`,
      );
    }
    checkSameSchema(source, target);
    const columns = target.schema.map((field) => quoteName(field.name)).join(", ");
    await insertRows(change, target.physical, target.schema, `SELECT ${columns} FROM ${physical}`);
    total += await countRows(change, source);
  }
  if (operation === "CLONE" || operation === "SNAPSHOT") {
    const base = { table: first.ref, time: change.catalog.now() };
    target = { ...target, base, kind: operation === "SNAPSHOT" ? "SNAPSHOT" : "TABLE" };
    change.putTable(target);
  }
  if (copy.destinationExpirationTime != null) {
    target = { ...target, expirationTime: Date.parse(copy.destinationExpirationTime) };
    change.putTable(target);
  }
  change.touch(target);
  return total;
}

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#operationtype */
function checkOperation(
  operation: string,
  [source, ...more]: readonly TableEntry[],
  copy: CopyConfiguration,
) {
  const kind = OPERATIONS.get(operation);
  if (kind === undefined) return;
  if (more.length > 0 || copy.writeDisposition === "WRITE_APPEND") {
    throw new BigQueryError(
      "invalid",
      `A copy job with operationType ${operation} makes one table of one table.`,
    );
  }
  if (source !== undefined && source.kind !== kind) {
    const message = `${tableName(source.ref)} is not allowed for operationType ${operation} because it is a ${source.kind}.`;
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

function sameRef(left: TableRef, right: TableRef): boolean {
  return tableName(left) === tableName(right);
}
