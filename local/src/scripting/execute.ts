import type { Assert, CompiledDml, CompiledQuery, CompiledStatement } from "../compiler/compiled.ts";
import { toRuntimeError } from "../compiler/runtime-errors.ts";
import { BigQueryError } from "../errors.ts";
import { TOO_COMPLEX } from "../googlesql/client.ts";
import type { QueryOutcome } from "../jobs/ports.ts";
import type { CatalogChange } from "../storage/catalog-change.ts";
import { type TableEntry, tableName } from "../storage/entries.ts";
import type { Loss } from "../storage/history.ts";
import { isUnnamed } from "../storage/schema.ts";
import { setStreamed } from "../storage/streaming-buffer.ts";
import { type ContentsChange, readContents } from "../storage/table-contents.ts";
import { untilUndisturbed } from "./attempts.ts";
import { runDdl } from "./ddl.ts";
import { isDdl } from "./ddl-statements.ts";
import { writeDestination } from "./destination.ts";
import { cancelledError, isInterrupt } from "./duck-errors.ts";
import { referencedTables, statementType } from "./outcome.ts";
import { type PreparedStatement, prepareStatement, readsOf, type StatementFrame } from "./prepare.ts";
import { MemoryResult } from "./results.ts";
import type { Session } from "./session.ts";

/** Runs one statement: analyzes it, compiles it, and does it, all of it or nothing. */
export async function executeStatement(
  session: Session,
  sql: string,
  frame: StatementFrame,
): Promise<QueryOutcome> {
  try {
    return await untilUndisturbed(session, async (form) => {
      const prepared = await prepareStatement(session, sql, frame);
      return await attemptStatement(session, { ...prepared, compiled: form(prepared.compiled) });
    });
  } catch (error) {
    throw asBigQueryError(error);
  }
}

/** What a client may see of an error, whatever threw it. */
export function asBigQueryError(error: unknown): unknown {
  if (error instanceof BigQueryError) return error;
  if (error instanceof RangeError && /call stack/.test(error.message)) {
    return new BigQueryError("invalidQuery", TOO_COMPLEX, "query");
  }
  if (isInterrupt(error) || (error instanceof Error && error.name === "AbortError")) return cancelledError();
  return toRuntimeError(error);
}

async function attemptStatement(session: Session, prepared: PreparedStatement): Promise<QueryOutcome> {
  const { compiled } = prepared;
  if (readsOf(compiled).some(({ past }) => past)) await session.parts.storage.catalog.settle();
  // Counted before the statement changes what it reads.
  const bytes = await session.bytesOf(readsOf(compiled));
  const { database } = session.parts.storage;
  const details = await database.working(bytes.processed, () => runCompiled(session, prepared));
  const type = statementType(compiled);
  return {
    statementType: type,
    ...(type === "CREATE_TABLE_AS_SELECT" ? { writtenTable: details.ddlTarget } : {}),
    referencedTables: referencedTables(compiled),
    bytesProcessed: bytes.processed,
    bytesBilled: bytes.billed,
    location: session.location.settled,
    ...details,
  };
}

async function runCompiled(session: Session, prepared: PreparedStatement): Promise<Partial<QueryOutcome>> {
  const { compiled } = prepared;
  if (isDdl(compiled)) return await runDdl(session, prepared, compiled);
  switch (compiled.kind) {
    case "query":
      return await runQuery(session, compiled);
    case "dml":
      return await runDml(session, compiled, versionOf(prepared, compiled));
    case "assert":
      return await runAssert(session, compiled);
    default:
      throw new Error(`no executor for ${(compiled as CompiledStatement).kind}`);
  }
}

async function runQuery(session: Session, query: CompiledQuery): Promise<Partial<QueryOutcome>> {
  checkDuplicateNames(query);
  if (session.request.destinationTable !== undefined && !session.isScript) {
    return await writeDestination(session, query, session.request.destinationTable);
  }
  const rows = await session.reading((connection) => MemoryResult.read(connection, query.sql, query.columns));
  return { schema: rows.schema, rows };
}

async function runAssert(session: Session, { sql, message }: Assert): Promise<Partial<QueryOutcome>> {
  const reader = await session.reading((connection) => connection.runAndReadAll(sql));
  if (reader.getRows()[0]?.[0] === true) return {};
  throw new BigQueryError("invalidQuery", message, "query");
}

/** Throws BigQuery's error where two columns of a result have the same name, whatever its case. */
function checkDuplicateNames({ columns }: CompiledQuery): void {
  const seen = new Set<string>();
  const duplicates = new Set<string>();
  for (const { name } of columns) {
    const key = name.toLowerCase();
    if (seen.has(key) && !isUnnamed(name)) duplicates.add(name);
    seen.add(key);
  }
  if (duplicates.size === 0) return;
  const message = `Duplicate column names in the result are not supported. Found duplicate(s): ${[...duplicates].join(", ")}`;
  throw new BigQueryError("invalidQuery", message, "query");
}

/** The version of the target that a DML statement was compiled for. */
function versionOf(prepared: PreparedStatement, { target }: CompiledDml): string {
  return (
    prepared.source.table(`${target.projectId}.${target.datasetId}.${target.tableId}`)?.entry?.version ?? ""
  );
}

async function runDml(session: Session, dml: CompiledDml, version: string): Promise<Partial<QueryOutcome>> {
  const counts =
    session.transaction === undefined
      ? await dmlAlone(session, dml, version)
      : await dmlInTransaction(session, session.transaction, dml);
  const affected = counts.inserted + counts.updated + counts.deleted;
  session.system.set("row_count", BigInt(affected));
  return { dml: counts, numDmlAffectedRows: affected, writtenTable: dml.target };
}

interface Counts {
  inserted: number;
  updated: number;
  deleted: number;
}

async function dmlInTransaction(
  session: Session,
  transaction: NonNullable<Session["transaction"]>,
  dml: CompiledDml,
): Promise<Counts> {
  const entry = needTarget(session, dml);
  const steps = [...dml.steps.map(({ sql }) => sql), ...dml.cleanup];
  return await transaction.write(entry, lossOf(dml), steps, (change) =>
    runSteps(change, entry, dml, streamedInto(session, dml)),
  );
}

async function dmlAlone(session: Session, dml: CompiledDml, version: string): Promise<Counts> {
  const { locks } = session.parts;
  const owner = {};
  let committed = false;
  try {
    if (lossOf(dml) !== undefined) await locks.lock(owner, tableName(dml.target), session.request.signal);
    return await session.change(
      async (change) => {
        const entry = change.needTable(dml.target);
        // Another statement may have altered the table while this one waited.
        if (entry.version !== version) throw new StaleStatement();
        const counts = await runSteps(change, entry, dml, streamedInto(session, dml));
        change.touch(entry, lossOf(dml));
        return counts;
      },
      () => {
        committed = true;
      },
    );
  } finally {
    locks.release(owner, committed);
  }
}

/** A statement was compiled for a table that has since changed; its conflict is solved by compiling it again. */
class StaleStatement extends Error {
  override readonly message = "Transaction conflict: the table was altered";
}

function needTarget(session: Session, dml: CompiledDml): TableEntry {
  const entry = session.catalog.getTable(dml.target);
  if (entry === undefined)
    throw new BigQueryError("notFound", `Not found: Table ${tableName(dml.target)}`, "query");
  return entry;
}

/** What becomes of rows that were there: INSERT, and a MERGE that can only insert, leaves them as they are and conflicts with nothing. */
function lossOf({ steps }: CompiledDml): Loss | undefined {
  if (steps.some(({ gives }) => gives === "updated")) return "updated";
  return steps.some(({ gives }) => gives === "deleted") ? "removed" : undefined;
}

/** The changes that streamed rows into the target lately, which it may not touch. */
function streamedInto(session: Session, { target }: CompiledDml): readonly bigint[] {
  return session.parts.storage.streaming.changes(target);
}

async function runSteps(
  change: CatalogChange,
  entry: TableEntry,
  dml: CompiledDml,
  streamed: readonly bigint[],
): Promise<Counts> {
  const { connection } = change;
  const counts: Counts = { inserted: 0, updated: 0, deleted: 0 };
  const changes: ContentsChange[] = [];
  try {
    if (streamed.length > 0) await connection.run(setStreamed(streamed));
    for (const { sql, gives, contents, ofStreamed = false } of dml.steps) {
      if (ofStreamed && streamed.length === 0) continue;
      if (contents?.removesAll) changes.push(...(await change.committedContents(entry)));
      if (contents?.before !== undefined) changes.push(...(await readContents(connection, contents.before)));
      const reader = await connection.runAndReadAll(sql);
      if (contents?.after !== undefined) changes.push(...(await readContents(connection, contents.after)));
      if (gives === undefined) continue;
      const first = reader.getRows()[0]?.[0];
      if (gives === "fail") {
        if (first !== undefined) throw new BigQueryError("invalidQuery", String(first), "query");
      } else counts[gives] += Number(first ?? 0);
    }
  } finally {
    // In a transaction that DuckDB has given up they are gone already.
    for (const sql of dml.cleanup) await connection.run(sql).catch(() => undefined);
  }
  change.record(entry, changes);
  return counts;
}
