import { setTimeout as sleep } from "node:timers/promises";
import type { DuckDBConnection } from "@duckdb/node-api";
import { BigQueryError } from "../errors.ts";
import type { TableRef } from "../types.ts";
import { quoteText } from "../values.ts";
import { CatalogChange, type CommittedCatalog } from "./catalog-change.ts";
import {
  compareText,
  datasetKey,
  type Entry,
  type EntryKey,
  listDatasets,
  listRoutines,
  listTables,
  routineKey,
  tableKey,
} from "./catalog-entries.ts";
import { type ContentsChanges, ContentsLedger } from "./contents-ledger.ts";
import type { Database } from "./database.ts";
import { type DatasetEntry, type RoutineEntry, type TableEntry, tableName } from "./entries.ts";
import type { TableContents } from "./table-contents.ts";

/**
 * Datasets, tables, views and routines. All entries are in memory; each change is also a row of `meta.log`, written by the same
 * DuckDB transaction that changes the data, so that they commit together. The log is append-only: two transactions that change
 * different objects never conflict inside DuckDB, and those that change the same object are told apart here, by key.
 */
export class Catalog implements CommittedCatalog {
  readonly database: Database;
  /** Where new datasets live unless their creator says otherwise. */
  readonly location: string;
  readonly #entries = new Map<EntryKey, Entry>();
  /** When the rows of a physical table last changed, in milliseconds; and when by the count of all such changes. */
  readonly #touched = new Map<string, { time: number; at: number }>();
  readonly #ledger: ContentsLedger;
  /** Physical tables of which rows change by the commit that is under way. */
  #committing: ReadonlySet<string> = new Set();
  #touches = 0;
  #sequence = 0n;
  #number = 0;
  #lastTime = 0;
  #commits: Promise<void> = Promise.resolve();

  private constructor(database: Database, location: string) {
    this.database = database;
    this.location = location;
    this.#ledger = new ContentsLedger(database.isDurable);
  }

  /** Reads the catalog of a database; an empty database has an empty one. */
  static async open(database: Database, location = "US"): Promise<Catalog> {
    const catalog = new Catalog(database, location);
    await database.transaction((connection) => catalog.#load(connection));
    return catalog;
  }

  async #load(connection: DuckDBConnection): Promise<void> {
    await connection.run("CREATE TABLE IF NOT EXISTS meta.log (seq BIGINT, key VARCHAR, value VARCHAR)");
    const reader = await connection.runAndReadAll(
      "SELECT key, arg_max(value, seq), arg_max(value IS NULL, seq), max(seq) FROM meta.log GROUP BY key",
    );
    const live: [string, string][] = [];
    for (const [key, value, removed, seq] of reader.getRows() as [string, string | null, boolean, bigint][]) {
      if (seq > this.#sequence) this.#sequence = seq;
      if (!removed && value !== null) live.push([key, value]);
    }
    const kept = new Set<EntryKey>();
    const orphans = new Set<string>();
    const tables = await connection.runAndReadAll(
      "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'bq' AND database_name = current_database()",
    );
    for (const [name] of tables.getRows() as [string][]) {
      this.#number = Math.max(this.#number, Number(name.slice(1)) || 0);
      orphans.add(`bq.${name}`);
    }
    for (const [key, value] of live) {
      if (key.startsWith("touched:")) {
        this.#touched.set(key.slice("touched:".length), { time: Number(value), at: 0 });
        continue;
      }
      const entry = JSON.parse(value) as Entry;
      if (isExpired(entry)) continue;
      this.#entries.set(key, entry);
      kept.add(key);
      if (entry.kind !== "table") continue;
      kept.add(`touched:${entry.value.physical}`);
      if (entry.value.physical !== undefined) orphans.delete(entry.value.physical);
      this.#number = Math.max(this.#number, Number(entry.value.version.split(".")[0]));
    }
    // The rows of tables that have expired.
    for (const physical of orphans) await connection.run(`DROP TABLE IF EXISTS ${physical}`);
    await this.#compact(
      connection,
      live.filter(([key]) => kept.has(key)),
    );
    const counted = [...this.#entries.values()].flatMap((entry) =>
      entry.kind === "table" ? [entry.value] : [],
    );
    await this.#ledger.load(connection, counted);
  }

  /** Replaces the log by its outcome. */
  async #compact(connection: DuckDBConnection, live: readonly [string, string][]): Promise<void> {
    await connection.run("CREATE OR REPLACE TABLE meta.log (seq BIGINT, key VARCHAR, value VARCHAR)");
    for (let start = 0; start < live.length; start += 500) {
      const rows = live.slice(start, start + 500);
      await connection.run(
        `INSERT INTO meta.log VALUES ${rows.map(([key, value]) => `(${this.#sequence}, ${quoteText(key)}, ${quoteText(value)})`).join(", ")}`,
      );
    }
  }

  /** A number no other table, view or routine of this database has had. */
  nextNumber(): number {
    this.#number += 1;
    return this.#number;
  }

  /** Milliseconds since the epoch, never twice the same, so that a later change has a later time. */
  now(): number {
    this.#lastTime = Math.max(this.#lastTime + 1, Date.now());
    return this.#lastTime;
  }

  getDataset(projectId: string, datasetId: string): DatasetEntry | undefined {
    const entry = this.peek(datasetKey(projectId, datasetId));
    return entry?.kind === "dataset" ? entry.value : undefined;
  }

  getTable(ref: TableRef): TableEntry | undefined {
    const entry = this.peek(tableKey(ref));
    return entry?.kind === "table" ? entry.value : undefined;
  }

  getRoutine(projectId: string, datasetId: string, routineId: string): RoutineEntry | undefined {
    const entry = this.peek(routineKey(projectId, datasetId, routineId));
    return entry?.kind === "routine" ? entry.value : undefined;
  }

  listDatasets(projectId: string): DatasetEntry[] {
    return listDatasets(this.entries(), projectId);
  }

  listTables(projectId: string, datasetId: string): TableEntry[] {
    return listTables(this.entries(), projectId, datasetId);
  }

  listRoutines(projectId: string, datasetId: string): RoutineEntry[] {
    return listRoutines(this.entries(), projectId, datasetId);
  }

  /** The projects that have datasets, by name. */
  listProjects(): string[] {
    const projects = new Set<string>();
    for (const [, entry] of this.entries()) if (entry.kind === "dataset") projects.add(entry.value.projectId);
    return [...projects].sort(compareText);
  }

  contents(entry: TableEntry): Promise<TableContents> {
    return Promise.resolve(this.#ledger.contents(entry));
  }

  /** Whether the table, by its name in DuckDB, is committed. */
  isKnown(physical: string): boolean {
    return this.#ledger.has(physical);
  }

  /** Whether the table was there, with these very rows, when all changes up to the point in time `since` were made. */
  isUnchanged(physical: string, since: number): boolean {
    const changedAt = this.#touched.get(physical)?.at ?? 0;
    return this.#ledger.has(physical) && changedAt <= since && !this.#committing.has(physical);
  }

  lastModified(entry: TableEntry): number {
    return Math.max(entry.lastModifiedTime, this.#touched.get(entry.physical ?? "")?.time ?? 0);
  }

  /** A point in time: rows of a table that change later may be missing from what a transaction that begins here reads. */
  get touches(): number {
    return this.#touches;
  }

  /** A change on a connection that has begun a DuckDB transaction; the change ends it, by `commit` or `rollback`. */
  begin(connection: DuckDBConnection): CatalogChange {
    return new CatalogChange(this, connection);
  }

  /**
   * Runs the work as one transaction over catalog and data, on a connection of the pool; again where another transaction got in its
   * way, so the work must do nothing that is not part of the change.
   */
  async change<T>(work: (change: CatalogChange) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#changeOnce(work);
      } catch (error) {
        if (attempt === MAX_ATTEMPTS || !isConflict(error)) throw error;
        // Longer and longer, and never in step with the others, so that a long change finds a gap between short ones.
        await sleep(Math.random() * 2 ** Math.min(attempt, 8));
      }
    }
  }

  #changeOnce<T>(work: (change: CatalogChange) => Promise<T>): Promise<T> {
    return this.database.use(async (connection) => {
      await connection.run("BEGIN TRANSACTION");
      const change = this.begin(connection);
      try {
        const result = await work(change);
        await change.commit();
        return result;
      } catch (error) {
        await change.rollback();
        throw error;
      }
    });
  }

  /** All live entries; for this folder only. */
  *entries(): Generator<[EntryKey, Entry]> {
    for (const [key, entry] of this.#entries) {
      if (!isExpired(entry)) yield [key, entry];
    }
  }

  /** The entry under a key unless it has expired; for this folder only. */
  peek(key: EntryKey): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined || isExpired(entry) ? undefined : entry;
  }

  /** Tables past their expiration time, whose rows can go. */
  expiredTables(): TableEntry[] {
    const expired: TableEntry[] = [];
    for (const entry of this.#entries.values()) {
      if (isExpired(entry) && entry.kind === "table") expired.push(entry.value);
    }
    return expired;
  }

  /** The table of this name whose time is over: nobody sees it, but its rows are still there. */
  expiredTable(ref: TableRef): TableEntry | undefined {
    const entry = this.#entries.get(tableKey(ref));
    return entry?.kind === "table" && isExpired(entry) ? entry.value : undefined;
  }

  /** Writes a change and commits its transaction, one change at a time; called by `CatalogChange.commit` alone. */
  async commitChange(
    connection: DuckDBConnection,
    writes: ReadonlyMap<EntryKey, { readonly base: Entry | undefined; readonly next: Entry | undefined }>,
    touched: ReadonlySet<string>,
    retired: ReadonlyMap<TableEntry, number>,
    contents: ContentsChanges,
  ): Promise<void> {
    const previous = this.#commits;
    let release: () => void = () => undefined;
    this.#commits = new Promise((resolve) => {
      release = resolve;
    });
    await previous;
    try {
      for (const [key, { base }] of writes) {
        if (this.peek(key) !== base) throw changedMeanwhile(base ?? this.peek(key));
      }
      for (const [value, since] of retired) {
        const last = this.#touched.get(value.physical ?? "")?.at ?? 0;
        if (last > since) throw changedMeanwhile({ kind: "table", value });
      }
      const time = this.now();
      const rows: string[] = [];
      for (const [key, { next }] of writes) {
        rows.push(`${quoteText(key)}, ${next === undefined ? "NULL" : quoteText(JSON.stringify(next))}`);
      }
      for (const physical of touched) rows.push(`${quoteText(`touched:${physical}`)}, '${time}'`);
      if (rows.length > 0) {
        const values = rows.map((row, index) => `(${this.#sequence + BigInt(index + 1)}, ${row})`);
        this.#sequence += BigInt(rows.length);
        await connection.run(`INSERT INTO meta.log VALUES ${values.join(", ")}`);
      }
      await this.#ledger.save(connection, contents);
      this.#committing = touched;
      await connection.run("COMMIT");
      for (const [key, { next }] of writes) {
        if (next === undefined) this.#entries.delete(key);
        else this.#entries.set(key, next);
      }
      this.#ledger.apply(contents, writtenTables(writes), droppedTables(writes));
      for (const physical of touched) {
        this.#touches += 1;
        this.#touched.set(physical, { time, at: this.#touches });
      }
    } finally {
      this.#committing = new Set();
      release();
    }
  }
}

type Writes = ReadonlyMap<EntryKey, { readonly base: Entry | undefined; readonly next: Entry | undefined }>;

function writtenTables(writes: Writes): ReadonlyMap<string, TableEntry> {
  return new Map([...writes.values()].flatMap(({ next }) => physicalTable(next)));
}

function droppedTables(writes: Writes): string[] {
  const kept = writtenTables(writes);
  const before = [...writes.values()].flatMap(({ base }) => physicalTable(base));
  return before.flatMap(([physical]) => (kept.has(physical) ? [] : [physical]));
}

function physicalTable(entry: Entry | undefined): [string, TableEntry][] {
  if (entry?.kind !== "table" || entry.value.physical === undefined) return [];
  return [[entry.value.physical, entry.value]];
}

function isExpired(entry: Entry): boolean {
  return (
    entry.kind === "table" &&
    entry.value.expirationTime !== undefined &&
    entry.value.expirationTime <= Date.now()
  );
}

function changedMeanwhile(entry: Entry | undefined): BigQueryError {
  const what =
    entry?.kind === "table"
      ? `table ${tableName(entry.value.ref)}`
      : entry?.kind === "dataset"
        ? `dataset ${entry.value.projectId}:${entry.value.datasetId}`
        : "routine";
  return new ConcurrentUpdateError(what);
}

/** How often a change is tried before its conflict is reported. */
const MAX_ATTEMPTS = 15;

/** Another transaction has changed the same object since this one began. */
class ConcurrentUpdateError extends BigQueryError {
  constructor(what: string) {
    super("invalidQuery", `Transaction is aborted due to concurrent update against ${what}.`, "query");
  }
}

/** True for an error that a transaction may escape by being run again. */
function isConflict(error: unknown): boolean {
  if (error instanceof ConcurrentUpdateError) return true;
  // A table that another transaction has replaced is gone under its old name.
  const words =
    /Conflict on |[Tt]ransaction conflict|write-write conflict|Table with name t\d+ does not exist/;
  return error instanceof Error && !(error instanceof BigQueryError) && words.test(error.message);
}
