import type { DuckDBConnection } from "@duckdb/node-api";
import { BigQueryError } from "../errors.ts";
import type { Catalog } from "../storage/catalog.ts";
import type { CatalogChange } from "../storage/catalog-change.ts";
import type { CatalogView } from "../storage/catalog-view.ts";
import { type TableEntry, tableName } from "../storage/entries.ts";
import type { Loss } from "../storage/history.ts";
import type { TableRef } from "../types.ts";
import { isConflict } from "./duck-errors.ts";
import { concurrentUpdate, type TableLocks } from "./locks.ts";

/** What all transactions of the endpoint share. */
export interface TransactionContext {
  readonly catalog: Catalog;
  readonly locks: TableLocks;
}

/** A multi-statement transaction: one DuckDB transaction on the script's connection. */
export class Transaction {
  readonly #context: TransactionContext;
  readonly #connection: DuckDBConnection;
  readonly #change: CatalogChange;
  readonly #since: number;
  /** The log's end when the transaction began: nobody has committed since if it is still there. */
  readonly #began: bigint;
  /** The changes so far, to be made again where DuckDB gave up the transaction for a failed statement. */
  readonly #steps: string[] = [];
  readonly #written = new Map<string, TableRef>();
  #broken = false;
  /** Why it can only be rolled back: it lost against another one. */
  #aborted: unknown;
  #repeatable = true;

  private constructor(context: TransactionContext, change: CatalogChange, since: number, began: bigint) {
    this.#context = context;
    this.#connection = change.connection;
    this.#change = change;
    this.#since = since;
    this.#began = began;
  }

  /** Begins a transaction; it sees the tables as they are now. */
  static async begin(context: TransactionContext, connection: DuckDBConnection): Promise<Transaction> {
    const since = context.locks.now;
    const change = await context.catalog.beginSnapshot(connection);
    return new Transaction(context, change, since, await logEnd(connection));
  }

  /** The catalog with the transaction's own changes. */
  get catalog(): CatalogView {
    return this.#change;
  }

  /** Runs work that reads inside the transaction. */
  async read<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    await this.#mend();
    try {
      return await work(this.#connection);
    } catch (error) {
      this.#broken = true;
      throw this.#conflictOf(error);
    }
  }

  /** Runs DuckDB statements that write rows of a table; `loss` says what becomes of rows that were there, if not all stay. */
  async write<T>(
    entry: TableEntry,
    loss: Loss | undefined,
    steps: readonly string[],
    work: (change: CatalogChange) => Promise<T>,
  ): Promise<T> {
    const name = tableName(entry.ref);
    if (loss !== undefined) this.#lock(name);
    this.#written.set(name, entry.ref);
    const result = await this.read(() => work(this.#change));
    this.#steps.push(...steps);
    this.#change.touch(entry, loss);
    return result;
  }

  /** Runs work on the transaction's own temporary objects. */
  async define<T>(work: (change: CatalogChange) => Promise<T>): Promise<T> {
    const result = await this.read(() => work(this.#change));
    this.#repeatable = false;
    return result;
  }

  /** Makes the changes visible to all, or fails and leaves nothing of them. */
  async commit(): Promise<void> {
    try {
      await this.#mend();
      await this.#change.commit();
      this.#context.locks.release(this, true);
    } catch (error) {
      await this.rollback();
      throw this.#conflictOf(error);
    }
  }

  /** Forgets the changes. */
  async rollback(): Promise<void> {
    await this.#change.rollback();
    this.#context.locks.release(this, false);
  }

  /**
   * DuckDB gives up a transaction when a statement in it fails; BigQuery does not, an exception handler may go on and commit.
   * The changes are made again, which is the same as if they had stayed as long as nobody else has committed.
   */
  async #mend(): Promise<void> {
    if (this.#aborted !== undefined) throw this.#aborted;
    if (!this.#broken) return;
    await this.#connection.run("ROLLBACK").catch(() => undefined);
    await this.#connection.run("BEGIN TRANSACTION");
    const moved = (await logEnd(this.#connection)) !== this.#began;
    if (!this.#repeatable || moved) {
      throw new BigQueryError(
        "invalidQuery",
        "Transaction is aborted: a statement in it failed, and the local BigQuery endpoint cannot go on with it",
        "query",
      );
    }
    for (const step of this.#steps) await this.#connection.run(step);
    this.#broken = false;
  }

  #lock(table: string): void {
    if (this.#aborted !== undefined) throw this.#aborted;
    try {
      this.#context.locks.lockInTransaction(this, table, this.#since);
    } catch (error) {
      this.#aborted = error;
      throw error;
    }
  }

  #conflictOf(error: unknown): unknown {
    if (!isConflict(error)) return error;
    const [name = "of the transaction"] = this.#written.keys();
    this.#aborted = concurrentUpdate(name);
    return this.#aborted;
  }
}

async function logEnd(connection: DuckDBConnection): Promise<bigint> {
  const reader = await connection.runAndReadAll("SELECT coalesce(max(seq), 0) FROM meta.log");
  return BigInt(reader.getRows()[0]?.[0] as bigint);
}
