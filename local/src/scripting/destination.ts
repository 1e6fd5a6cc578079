import type { CompiledQuery } from "../compiler/compiled.ts";
import { BigQueryError } from "../errors.ts";
import type { QueryOutcome } from "../jobs/ports.ts";
import type { CatalogChange } from "../storage/catalog-change.ts";
import { omittedDefaults, withDefaults } from "../storage/column-defaults.ts";
import { type TableEntry, tableName } from "../storage/entries.ts";
import { limitedQuery } from "../storage/field-limits.ts";
import {
  checkSchemaUpdates,
  type DestinationOptions,
  parseDestinationOptions,
} from "../storage/load/destination-options.ts";
import { splitDecorator } from "../storage/names.ts";
import { clearPartition, inPartition, rowsInPartition, unknownPartitioning } from "../storage/partitions.ts";
import { fieldType, findField, schemaOfColumns } from "../storage/schema.ts";
import { evolveSchema } from "../storage/schema-evolution.ts";
import { conversion } from "../storage/struct-conversion.ts";
import { checkSameLayout } from "../storage/table-layout.ts";
import { changeSchema, createTable, insertRows } from "../storage/tables.ts";
import type { FieldSchema, TableRef } from "../types.ts";
import { quoteName } from "../values.ts";
import { compileDefaults } from "./default-values.ts";
import { MemoryResult } from "./results.ts";
import type { Session } from "./session.ts";

/** Writes a query's rows to the job's destination table as its dispositions say; the result is the table. */
export async function writeDestination(
  session: Session,
  query: CompiledQuery,
  destination: TableRef,
): Promise<Partial<QueryOutcome>> {
  const { table: ref, partition } = splitDecorator(destination);
  const { locks } = session.parts;
  const owner = {};
  let committed = false;
  const replaces = (session.request.writeDisposition ?? "WRITE_EMPTY") === "WRITE_TRUNCATE";
  try {
    if (replaces) await locks.lock(owner, tableName(ref), session.request.signal);
    const rows = await session.change(
      async (change) => {
        const entry = await write(session, change, query, ref, partition);
        const names = entry.schema.map((field) => quoteName(field.name)).join(", ");
        const columns = entry.schema.map((field) => ({ name: field.name, type: fieldType(field) }));
        const where = partition === undefined ? "" : ` WHERE ${inPartition(entry, partition)}`;
        const sql = `SELECT ${names} FROM ${entry.physical}${where}`;
        return await MemoryResult.read(change.connection, sql, columns);
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
  partition: string | undefined,
): Promise<TableEntry> {
  const { writeDisposition = "WRITE_EMPTY", createDisposition = "CREATE_IF_NEEDED" } = session.request;
  const options = session.request.destinationOptions ?? parseDestinationOptions({});
  checkSchemaUpdates(options, writeDisposition);
  const schema = schemaOfColumns(query.columns);
  session.location.need(ref.projectId, ref.datasetId, change.getDataset(ref.projectId, ref.datasetId));
  const entry = change.getTable(ref);
  if (entry === undefined) {
    if (createDisposition === "CREATE_NEVER") throw invalid("notFound", `Not found: Table ${tableName(ref)}`);
    const { partitioning, requirePartitionFilter, clustering } = options;
    const layout = { partitioning, requirePartitionFilter, clustering };
    if (partition === undefined)
      return await createTable(change, { ref, schema, ...layout, rows: query.sql });
    if (Object.keys(partitioning ?? {}).length === 0) throw unknownPartitioning();
    const created = await createTable(change, { ref, schema, ...layout });
    return await append(session, change, created, schema, query, options, partition);
  }
  if (entry.physical === undefined || entry.kind !== "TABLE")
    throw invalid("invalid", `Cannot write to ${tableName(ref)}: it is a ${entry.kind}`);
  checkSameLayout(entry, options);
  if (partition !== undefined) {
    // The query may read the partition that its rows replace.
    await change.run(`CREATE OR REPLACE TEMP TABLE bq_partition_rows AS ${query.sql}`);
    await clearPartition(change, entry, partition, writeDisposition);
    const rows = { ...query, sql: "SELECT * FROM temp.bq_partition_rows" };
    const target = await append(session, change, entry, schema, rows, options, partition);
    await change.run("DROP TABLE temp.bq_partition_rows");
    return target;
  }
  if (writeDisposition === "WRITE_TRUNCATE") {
    // The table keeps what describes it; its schema and rows become the query's, which may read the old ones.
    const created = await createTable(change, {
      ...entry,
      schema: keepDescriptions(schema, entry.schema),
      rows: query.sql,
    });
    const replaced = { ...created, creationTime: entry.creationTime, rowsSince: created.creationTime };
    change.putTable(replaced);
    return replaced;
  }
  if (writeDisposition === "WRITE_EMPTY") {
    const reader = await change.connection.runAndReadAll(`SELECT 1 FROM ${entry.physical} LIMIT 1`);
    if (reader.currentRowCount > 0) throw invalid("duplicate", `Already Exists: Table ${tableName(ref)}`);
  }
  return await append(session, change, entry, schema, query, options);
}

/** Appends by name; the table's schema changes only as far as the job allows. */
async function append(
  session: Session,
  change: CatalogChange,
  entry: TableEntry,
  schema: readonly FieldSchema[],
  query: CompiledQuery,
  { addFields, relaxFields }: DestinationOptions,
  partition?: string,
): Promise<TableEntry> {
  const rules = { addFields, relaxFields, keepMissing: true, refusal: "Invalid schema update." };
  const wanted = evolveSchema(entry.ref, entry.schema, schema, rules);
  const isChanged = JSON.stringify(wanted) !== JSON.stringify(entry.schema);
  const target = isChanged ? await changeSchema(change, entry, wanted) : entry;
  const fields = schema.map((field) => findField(target.schema, field.name) ?? field);
  const given = fields.map((_, index) => `c${index}`);
  const values = fields.map((field, index) =>
    conversion(`c${index}`, fieldType(schema[index] ?? field), fieldType(field)),
  );
  const omitted = omittedDefaults(target.schema, fields);
  const converted = `SELECT ${values.join(", ")} FROM (${query.sql}) AS given(${given.join(", ")})`;
  const rows = await withDefaults(
    (missing) => compileDefaults(session.parts.analyzer, missing),
    omitted,
    limitedQuery(fields, converted),
  );
  const all = [...fields, ...omitted];
  const written =
    partition === undefined ? { fields: all, query: rows } : rowsInPartition(target, partition, all, rows);
  await insertRows(change, target.physical ?? "", written.fields, written.query);
  change.touch(target);
  return target;
}

function keepDescriptions(schema: readonly FieldSchema[], old: readonly FieldSchema[]): FieldSchema[] {
  return schema.map((field) => {
    const description = findField(old, field.name)?.description;
    return description === undefined ? field : { ...field, description };
  });
}

function invalid(reason: BigQueryError["reason"], message: string): BigQueryError {
  return new BigQueryError(reason, message, "query");
}
