import type { DuckDBConnection } from "@duckdb/node-api";
import { BigQueryError } from "../errors.ts";
import type { TableRef } from "../types.ts";
import {
  datasetKey,
  type Entry,
  type EntryKey,
  listDatasets,
  listRoutines,
  listTables,
  routineKey,
  tableKey,
} from "./catalog-entries.ts";
import type { CatalogView } from "./catalog-view.ts";
import type { ContentsChanges } from "./contents-ledger.ts";
import { rollback } from "./database.ts";
import { type DatasetEntry, type RoutineEntry, type TableEntry, tableName } from "./entries.ts";
import { keepRows, type Loss, type TableHistory } from "./history.ts";
import {
  type ContentsChange,
  contentsSql,
  FIRST_OWN_ROW,
  readContents,
  type TableContents,
} from "./table-contents.ts";

/** What a change is a change of, and who writes it down. */
export interface CommittedCatalog extends CatalogView {
  /** Where new datasets live unless their creator says otherwise. */
  readonly location: string;
  /** A point in time: rows of a table that change later may be missing from what a transaction that begins here reads. */
  readonly touches: number;
  /** Milliseconds since the epoch, never twice the same. */
  now(): number;
  /** A number no other table, view or routine of this database has had. */
  nextNumber(): number;
  /** All live entries. */
  entries(): Iterable<[EntryKey, Entry]>;
  /** The entry under a key unless it has expired. */
  peek(key: EntryKey): Entry | undefined;
  /** The table of this name whose time is over: nobody sees it, but its rows are still there. */
  expiredTable(ref: TableRef): TableEntry | undefined;
  /** Whether the table, by its name in DuckDB, is committed. */
  isKnown(physical: string): boolean;
  /** Whether the table was there, with these very rows, when all changes up to the point in time `since` were made. */
  isUnchanged(physical: string, since: number): boolean;
  /** Writes a change and commits its transaction, one change at a time; called by `CatalogChange.commit` alone. */
  commitChange(
    change: CatalogChange,
    writes: ReadonlyMap<EntryKey, { readonly base: Entry | undefined; readonly next: Entry | undefined }>,
    rows: ChangedRows,
  ): Promise<void>;
}

/** What a change has done to the rows of tables, which are named as DuckDB's are. */
export interface ChangedRows {
  readonly touched: ReadonlySet<string>;
  /** Tables of which past rows are kept. */
  readonly lost: ReadonlyMap<string, Loss>;
  /** Tables whose rows, past ones too, are in another one from now on, by the one that they were in. */
  readonly moved: ReadonlyMap<string, string>;
  readonly retired: ReadonlyMap<TableEntry, number>;
  readonly contents: ContentsChanges;
}

/**
 * A transaction over catalog and data. It sees its own changes; others see them once `commit` has returned. `connection` carries the
 * DuckDB transaction: whatever is run on it belongs to the change.
 */
export class CatalogChange implements CatalogView {
  readonly connection: DuckDBConnection;
  readonly catalog: CommittedCatalog;
  readonly #writes = new Map<EntryKey, { base: Entry | undefined; next: Entry | undefined }>();
  readonly #touched = new Map<string, TableEntry>();
  /** What was done to rows that others committed, by physical table. */
  readonly #contents = new Map<string, ContentsChange[]>();
  /** What tables hold now; forgotten when they change. */
  readonly #held = new Map<string, TableContents>();
  readonly #lost = new Map<string, Loss>();
  readonly #moved = new Map<string, string>();
  readonly #retired = new Map<TableEntry, number>();
  readonly #since: number;
  #ended = false;

  constructor(
    catalog: CommittedCatalog,
    connection: DuckDBConnection,
    /** By which its rows know it. */
    readonly number: bigint,
    /** All but datasets as it sees them; as they are at each look where there is none. */
    readonly snapshot?: ReadonlyMap<EntryKey, Entry>,
  ) {
    this.catalog = catalog;
    this.connection = connection;
    this.#since = catalog.touches;
  }

  getDataset(projectId: string, datasetId: string): DatasetEntry | undefined {
    const entry = this.#get(datasetKey(projectId, datasetId));
    return entry?.kind === "dataset" ? entry.value : undefined;
  }

  getTable(ref: TableRef): TableEntry | undefined {
    const entry = this.#get(tableKey(ref));
    return entry?.kind === "table" ? entry.value : undefined;
  }

  getRoutine(projectId: string, datasetId: string, routineId: string): RoutineEntry | undefined {
    const entry = this.#get(routineKey(projectId, datasetId, routineId));
    return entry?.kind === "routine" ? entry.value : undefined;
  }

  listDatasets(projectId: string): DatasetEntry[] {
    return listDatasets(this.#entries(), projectId);
  }

  listTables(projectId: string, datasetId: string): TableEntry[] {
    return listTables(this.#entries(), projectId, datasetId);
  }

  listRoutines(projectId: string, datasetId: string): RoutineEntry[] {
    return listRoutines(this.#entries(), projectId, datasetId);
  }

  /** Rows that the change itself has touched count once it is committed. */
  lastModified(entry: TableEntry): number {
    return this.catalog.lastModified(entry);
  }

  history(entry: TableEntry): TableHistory {
    return this.catalog.history(entry);
  }

  /** The dataset, or BigQuery's error that there is none. */
  needDataset(projectId: string, datasetId: string): DatasetEntry {
    const entry = this.getDataset(projectId, datasetId);
    if (entry === undefined) throw datasetNotFound(projectId, datasetId);
    return entry;
  }

  /** The table, or BigQuery's error that there is none. */
  needTable(ref: TableRef): TableEntry {
    const entry = this.getTable(ref);
    if (entry === undefined) throw tableNotFound(ref);
    return entry;
  }

  /** Adds or replaces a dataset. */
  putDataset(value: DatasetEntry): void {
    this.#write(datasetKey(value.projectId, value.datasetId), { kind: "dataset", value });
  }

  /** Removes a dataset's entry; what is in it is the caller's to remove. */
  removeDataset(projectId: string, datasetId: string): void {
    this.#write(datasetKey(projectId, datasetId), undefined);
  }

  /** Adds or replaces a table's entry; the caller has seen to its rows on `connection`. */
  putTable(value: TableEntry): void {
    this.#write(tableKey(value.ref), { kind: "table", value });
  }

  /** Removes a table's entry. */
  removeTable(ref: TableRef): void {
    this.#write(tableKey(ref), undefined);
  }

  /** Adds or replaces a routine. */
  putRoutine(value: RoutineEntry): void {
    this.#write(routineKey(value.projectId, value.datasetId, value.routineId), { kind: "routine", value });
  }

  /** Removes a routine. */
  removeRoutine(projectId: string, datasetId: string, routineId: string): void {
    this.#write(routineKey(projectId, datasetId, routineId), undefined);
  }

  /** Says that rows of the table changed, and whether some of them were removed or updated, of which copies are kept. */
  touch(entry: TableEntry, loss?: Loss): void {
    if (entry.physical === undefined) return;
    this.#touched.set(entry.physical, entry);
    this.#held.delete(entry.physical);
    if (loss !== undefined && this.#lost.get(entry.physical) !== "updated")
      this.#lost.set(entry.physical, loss);
  }

  /** Says that a DuckDB table has the rows of another one, and its past. */
  move(from: string, to: string): void {
    this.#moved.set(from, to);
  }

  /**
   * Says what the change did to rows of a table that were there before it. Rows that the change inserts are counted when it is
   * committed, and those that it inserts and changes again too.
   */
  record({ physical = "" }: TableEntry, changes: readonly ContentsChange[]): void {
    this.#contents.set(physical, [...(this.#contents.get(physical) ?? []), ...changes]);
    this.#held.delete(physical);
  }

  /** What a table holds, with what the change has done to it so far. */
  async contents(entry: TableEntry): Promise<TableContents> {
    const { physical } = entry;
    const committed = await this.catalog.contents(entry);
    if (physical === undefined || !this.#isChanged(physical)) return committed;
    const known = this.#held.get(physical);
    if (known !== undefined) return known;
    const isReplaced =
      !this.catalog.isKnown(physical) && this.#committed(tableKey(entry.ref))?.value === entry;
    const changes = isReplaced
      ? await readContents(this.connection, contentsSql(entry, physical))
      : await this.#changes(entry, physical);
    const held = committed.with(changes);
    this.#held.set(physical, held);
    return held;
  }

  /** What is lost where all rows that others committed go. */
  async committedContents(entry: TableEntry): Promise<ContentsChange[]> {
    const physical = entry.physical ?? "";
    if (this.catalog.isUnchanged(physical, this.#since)) {
      const committed = await this.catalog.contents(entry);
      return committed.with(this.#contents.get(physical) ?? []).changes(-1);
    }
    const committed = `${physical} WHERE rowid < ${FIRST_OWN_ROW}`;
    return readContents(this.connection, contentsSql(entry, committed, "-"));
  }

  /** Deletes the rows of a table for which a DuckDB condition holds. */
  async deleteRows(entry: TableEntry, condition: string): Promise<void> {
    const { physical = "" } = entry;
    const lost = `${physical} WHERE rowid < ${FIRST_OWN_ROW} AND (${condition})`;
    const changes = await readContents(this.connection, contentsSql(entry, lost, "-"));
    for (const sql of keepRows(physical, condition, "removed")) await this.run(sql);
    await this.run(`DELETE FROM ${physical} WHERE ${condition}`);
    this.record(entry, changes);
    this.touch(entry, "removed");
  }

  #isChanged(physical: string): boolean {
    return this.#touched.has(physical) || this.#contents.has(physical) || !this.catalog.isKnown(physical);
  }

  async #changes(entry: TableEntry, physical: string): Promise<ContentsChange[]> {
    const recorded = this.#contents.get(physical) ?? [];
    const own = `${physical} WHERE rowid >= ${FIRST_OWN_ROW}`;
    // To ask costs nothing; to plan the sums of 10,000 columns takes a second, and what only changes rows adds none.
    const some = await this.connection.runAndReadAll(`SELECT 1 FROM ${own} LIMIT 1`);
    if (some.currentRowCount === 0) return recorded;
    return [...recorded, ...(await readContents(this.connection, contentsSql(entry, own)))];
  }

  /** What the change does to each table's contents, new tables included. */
  async #allChanges(): Promise<Map<string, ContentsChange[]>> {
    const written = [...this.#writes.values()].flatMap(({ next }) =>
      next?.kind === "table" ? [next.value] : [],
    );
    const changes = new Map<string, ContentsChange[]>();
    for (const entry of [...this.#touched.values(), ...written]) {
      const { physical } = entry;
      // Rows may have moved to another table since.
      const isThere = physical !== undefined && this.getTable(entry.ref)?.physical === physical;
      if (isThere && this.#isChanged(physical) && !changes.has(physical))
        changes.set(physical, await this.#changes(entry, physical));
    }
    return changes;
  }

  /** Says that the table's rows were copied to where they are kept from now on: the change fails if there are new ones by then. */
  retire(entry: TableEntry): void {
    this.#retired.set(entry, this.#since);
  }

  /** Runs DuckDB SQL as part of the change. */
  async run(sql: string): Promise<void> {
    await this.connection.run(sql);
  }

  /** Commits data and catalog together. */
  async commit(): Promise<void> {
    if (this.#ended) throw new Error("the change has ended");
    try {
      const rows = {
        touched: new Set(this.#touched.keys()),
        lost: this.#lost,
        moved: this.#moved,
        retired: this.#retired,
        contents: await this.#allChanges(),
      };
      await this.catalog.commitChange(this, this.#writes, rows);
      this.#ended = true;
    } catch (error) {
      await this.rollback();
      throw error;
    }
  }

  /** Forgets the change. Does nothing once it has ended. */
  async rollback(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await rollback(this.connection);
  }

  #get(key: EntryKey): Entry | undefined {
    const write = this.#writes.get(key);
    return write === undefined ? this.#committed(key) : write.next;
  }

  #committed(key: EntryKey): Entry | undefined {
    const now = this.catalog.peek(key);
    return this.snapshot === undefined || now?.kind === "dataset" ? now : this.snapshot.get(key);
  }

  #write(key: EntryKey, next: Entry | undefined): void {
    const write = this.#writes.get(key);
    if (write === undefined) this.#writes.set(key, { base: this.#committed(key), next });
    else write.next = next;
  }

  *#entries(): Generator<[EntryKey, Entry]> {
    for (const [key, entry] of this.catalog.entries()) {
      const isSeen = this.snapshot === undefined || entry.kind === "dataset";
      if (isSeen && !this.#writes.has(key)) yield [key, entry];
    }
    for (const [key, entry] of this.snapshot ?? []) if (!this.#writes.has(key)) yield [key, entry];
    for (const [key, { next }] of this.#writes) {
      if (next !== undefined) yield [key, next];
    }
  }
}

/** BigQuery's error for a dataset that is not there. */
export function datasetNotFound(projectId: string, datasetId: string): BigQueryError {
  return new BigQueryError("notFound", `Not found: Dataset ${projectId}:${datasetId}`);
}

/** BigQuery's error for a table that is not there. */
export function tableNotFound(ref: TableRef): BigQueryError {
  return new BigQueryError("notFound", `Not found: Table ${tableName(ref)}`);
}
