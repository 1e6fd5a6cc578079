import { setTimeout as sleep } from "node:timers/promises";
import type { DuckDBConnection } from "@duckdb/node-api";
import { BigQueryError } from "../errors.ts";
import type { TableRef } from "../types.ts";
import { quoteName, quoteText } from "../values.ts";
import { CatalogChange, type ChangedRows, type CommittedCatalog } from "./catalog-change.ts";
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
import { ContentsLedger } from "./contents-ledger.ts";
import type { Database } from "./database.ts";
import { type DatasetEntry, type RoutineEntry, type TableEntry, tableName } from "./entries.ts";
import {
  APPENDED,
  APPENDED_DEFAULT,
  beginChange,
  CREATE_COMMITS,
  pastTable,
  REMOVED,
  type TableHistory,
} from "./history.ts";
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
  #changes = 0n;
  /** DuckDB tables that have past rows. */
  readonly #past = new Set<string>();
  /** When rows of a physical table were last updated, in milliseconds. */
  readonly #updated = new Map<string, number>();
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
      this.#number = Math.max(this.#number, Number.parseInt(name.slice(1), 10) || 0);
      orphans.add(`bq.${name}`);
    }
    const unmarked = await this.#markRows(connection);
    for (const [index, [key, value]] of live.entries()) {
      if (key.startsWith("touched:")) {
        this.#touched.set(key.slice("touched:".length), { time: Number(value), at: 0 });
        continue;
      }
      if (key.startsWith("updated:")) {
        this.#updated.set(key.slice("updated:".length), Number(value));
        continue;
      }
      const stored = JSON.parse(value) as Entry;
      const isUnmarked = stored.kind === "table" && unmarked.has(stored.value.physical ?? "");
      const entry: Entry = isUnmarked
        ? { ...stored, value: { ...stored.value, rowsSince: this.now() } }
        : stored;
      if (isExpired(entry)) continue;
      if (isUnmarked) live[index] = [key, JSON.stringify(entry)];
      this.#entries.set(key, entry);
      kept.add(key);
      if (entry.kind !== "table") continue;
      kept.add(`touched:${entry.value.physical}`);
      kept.add(`updated:${entry.value.physical}`);
      if (entry.value.physical !== undefined) {
        orphans.delete(entry.value.physical);
        if (orphans.delete(pastTable(entry.value.physical))) this.#past.add(entry.value.physical);
      }
      this.#number = Math.max(this.#number, Number(entry.value.version.split(".")[0]));
    }
    // The rows of tables that have expired.
    for (const physical of orphans) await connection.run(`DROP TABLE IF EXISTS ${physical}`);
    await this.#loadHistory(connection);
    await this.#compact(
      connection,
      live.filter(([key]) => kept.has(key)),
    );
    const counted = [...this.#entries.values()].flatMap((entry) =>
      entry.kind === "table" ? [entry.value] : [],
    );
    await this.#ledger.load(connection, counted);
  }

  /** Gives the tables of a data file from before there was a history its column; says which they were. */
  async #markRows(connection: DuckDBConnection): Promise<ReadonlySet<string>> {
    const reader = await connection.runAndReadAll(
      `SELECT table_name FROM duckdb_columns() WHERE schema_name = 'bq' GROUP BY ALL HAVING NOT bool_or(column_name = ${quoteText(APPENDED)})`,
    );
    const tables = (reader.getRows() as [string][]).map(([name]) => `bq.${name}`);
    for (const physical of tables) {
      await connection.run(`ALTER TABLE ${physical} ADD COLUMN ${quoteName(APPENDED)} BIGINT`);
      await connection.run(`ALTER TABLE ${physical} ALTER COLUMN ${APPENDED_DEFAULT}`);
    }
    return new Set(tables);
  }

  /** Forgets rows that were removed before BigQuery's longest time travel. */
  async #loadHistory(connection: DuckDBConnection): Promise<void> {
    await connection.run(CREATE_COMMITS);
    const known = await connection.runAndReadAll("SELECT max(change) FROM meta.commits");
    this.#changes = BigInt((known.getRows()[0]?.[0] as bigint | null) ?? 0n);
    await connection.run("DELETE FROM meta.commits WHERE change > 0 AND time < now() - INTERVAL 8 DAY");
    for (const physical of this.#past) {
      await connection.run(
        `DELETE FROM ${pastTable(physical)} WHERE ${quoteName(REMOVED)} NOT IN (SELECT change FROM meta.commits)`,
      );
    }
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

  /** What is known of the table's past. */
  history(entry: TableEntry): TableHistory {
    const physical = entry.physical ?? "";
    return {
      ...(this.#past.has(physical) ? { past: pastTable(physical) } : {}),
      created: entry.creationTime,
      overwritten: entry.rowsSince ?? 0,
      reshaped: entry.columnsSince ?? 0,
      updated: this.#updated.get(physical) ?? 0,
    };
  }

  /** Waits for the changes whose time of commit is known already, so that what is read next has all of them. */
  async settle(): Promise<void> {
    await this.#commits;
  }

  /** A time for what begins now, in milliseconds: after all that was committed before. */
  present(): number {
    return Math.max(this.#lastTime + 1, Date.now());
  }

  /** A point in time: rows of a table that change later may be missing from what a transaction that begins here reads. */
  get touches(): number {
    return this.#touches;
  }

  /** A change, and on its connection a DuckDB transaction; the change ends it, by `commit` or `rollback`. */
  async begin(connection: DuckDBConnection): Promise<CatalogChange> {
    this.#changes += 1n;
    const change = new CatalogChange(this, connection, this.#changes);
    await connection.run(beginChange(change.number));
    return change;
  }

  /**
   * The same, seeing the catalog as it is now whatever others commit: a transaction reads one consistent snapshot of all tables
   * (https://cloud.google.com/bigquery/docs/transactions).
   */
  beginSnapshot(connection: DuckDBConnection): Promise<CatalogChange> {
    return this.#betweenCommits(async () => {
      this.#changes += 1n;
      const seen = new Map([...this.#entries].filter(([, { kind }]) => kind !== "dataset"));
      const change = new CatalogChange(this, connection, this.#changes, seen);
      await connection.run(beginChange(change.number));
      // DuckDB takes its snapshot at the first read.
      await connection.run("SELECT max(seq) FROM meta.log");
      return change;
    });
  }

  /** Runs work while nothing is committed. */
  async #betweenCommits<T>(work: () => Promise<T>): Promise<T> {
    const previous = this.#commits;
    let release: () => void = () => undefined;
    this.#commits = new Promise((resolve) => {
      release = resolve;
    });
    await previous;
    try {
      return await work();
    } finally {
      release();
    }
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
      const change = await this.begin(connection);
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
    { connection, number }: CatalogChange,
    writes: ReadonlyMap<EntryKey, { readonly base: Entry | undefined; readonly next: Entry | undefined }>,
    { touched, lost, moved, retired, contents }: ChangedRows,
  ): Promise<void> {
    await this.#betweenCommits(async () => {
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
        const updates = updateTimes(lost, moved, this.#updated, time);
        for (const [physical, at] of updates) rows.push(`${quoteText(`updated:${physical}`)}, '${at}'`);
        if (rows.length > 0) {
          const values = rows.map((row, index) => `(${this.#sequence + BigInt(index + 1)}, ${row})`);
          this.#sequence += BigInt(rows.length);
          await connection.run(
            `INSERT INTO meta.log VALUES ${values.join(", ")}; INSERT INTO meta.commits VALUES (${number}, to_timestamp(${time} / 1000))`,
          );
        }
        await this.#ledger.save(connection, contents);
        this.#committing = touched;
        await connection.run("COMMIT");
        for (const physical of lost.keys()) this.#past.add(physical);
        for (const [from, to] of moved) if (this.#past.has(from)) this.#past.add(to);
        for (const [physical, at] of updates) this.#updated.set(physical, at);
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
      }
    });
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

/** When rows of DuckDB tables were last updated, for those of which that changes. */
function updateTimes(
  lost: ChangedRows["lost"],
  moved: ChangedRows["moved"],
  before: ReadonlyMap<string, number>,
  now: number,
): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const [from, to] of moved) {
    const time = lost.get(from) === "updated" ? now : before.get(from);
    if (time !== undefined) times.set(to, time);
  }
  for (const [physical, loss] of lost) if (loss === "updated") times.set(physical, now);
  return times;
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
