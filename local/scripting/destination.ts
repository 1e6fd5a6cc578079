import type { CompiledQuery } from "../compiler/compiled.ts";
import { BigQueryError } from "../errors.ts";
import type { QueryOutcome } from "../jobs/ports.ts";
import type { CatalogChange } from "../storage/catalog-change.ts";
import { type TableEntry, tableName } from "../storage/entries.ts";
import { fieldType, findField, schemaOfColumns } from "../storage/schema.ts";
import { createTable } from "../storage/tables.ts";
import type { FieldSchema, TableRef } from "../types.ts";
import { quoteName } from "../values.ts";
import { MemoryResult } from "./results.ts";
import type { Session } from "./session.ts";

/** Writes a query's rows to the job's destination table as its dispositions say; the result is the table. */
export async function writeDestination(
  session: Session,
  query: CompiledQuery,
  ref: TableRef,
): Promise<Partial<QueryOutcome>> {
  const { locks } = session.parts;
  const owner = {};
  let committed = false;
  const replaces = (session.request.writeDisposition ?? "WRITE_EMPTY") === "WRITE_TRUNCATE";
  try {
    if (replaces) await locks.lock(owner, tableName(ref), session.request.signal);
    const rows = await session.change(
      async (change) => {
        const entry = await write(session, change, query, ref);
        const names = entry.schema.map((field) => quoteName(field.name)).join(", ");
        const columns = entry.schema.map((field) => ({ name: field.name, type: fieldType(field) }));
        return await MemoryResult.read(change.connection, `SELECT ${names} FROM ${entry.physical}`, columns);
      },
      () => {
        committed = true;
      },
    );
    return { schema: rows.schema, rows };
  } finally {
    locks.release(owner, committed);
  }
}

async function write(
  session: Session,
  change: CatalogChange,
  query: CompiledQuery,
  ref: TableRef,
): Promise<TableEntry> {
  const { writeDisposition = "WRITE_EMPTY", createDisposition = "CREATE_IF_NEEDED" } = session.request;
  const schema = schemaOfColumns(query.columns);
  change.needDataset(ref.projectId, ref.datasetId);
  const entry = change.getTable(ref);
  if (entry === undefined) {
    if (createDisposition === "CREATE_NEVER") throw invalid("notFound", `Not found: Table ${tableName(ref)}`);
    return await createTable(change, { ref, schema, rows: query.sql });
  }
  if (entry.physical === undefined)
    throw invalid("invalid", `Cannot write to ${tableName(ref)}: it is a ${entry.kind}`);
  if (writeDisposition === "WRITE_TRUNCATE") {
    // The table keeps what describes it; its schema and rows become the query's, which may read the old ones.
    const created = await createTable(change, {
      ...entry,
      schema: keepDescriptions(schema, entry.schema),
      rows: query.sql,
    });
    const replaced = { ...created, creationTime: entry.creationTime };
    change.putTable(replaced);
    return replaced;
  }
  if (writeDisposition === "WRITE_EMPTY") {
    const reader = await change.connection.runAndReadAll(`SELECT 1 FROM ${entry.physical} LIMIT 1`);
    if (reader.currentRowCount > 0) throw invalid("duplicate", `Already Exists: Table ${tableName(ref)}`);
  }
  await append(change, entry, schema, query);
  return entry;
}

/** Appends by name; the query must give columns that the table has, of the same types. */
async function append(
  change: CatalogChange,
  entry: TableEntry,
  schema: readonly FieldSchema[],
  query: CompiledQuery,
): Promise<void> {
  const columns = schema.map((field) => {
    const own = findField(entry.schema, field.name);
    if (own === undefined) {
      throw mismatch(entry, `Cannot add fields (field: ${field.name})`);
    }
    if (JSON.stringify(fieldType(own)) !== JSON.stringify(fieldType(field))) {
      throw mismatch(entry, `Field ${own.name} has changed type from ${own.type} to ${field.type}`);
    }
    return quoteName(own.name);
  });
  await change.run(`INSERT INTO ${entry.physical} (${columns.join(", ")}) ${query.sql}`);
  change.touch(entry);
}

function keepDescriptions(schema: readonly FieldSchema[], old: readonly FieldSchema[]): FieldSchema[] {
  return schema.map((field) => {
    const description = findField(old, field.name)?.description;
    return description === undefined ? field : { ...field, description };
  });
}

function mismatch(entry: TableEntry, detail: string): BigQueryError {
  return invalid("invalidQuery", `Invalid schema update. ${detail} in table ${tableName(entry.ref)}`);
}

function invalid(reason: BigQueryError["reason"], message: string): BigQueryError {
  return new BigQueryError(reason, message, "query");
}
