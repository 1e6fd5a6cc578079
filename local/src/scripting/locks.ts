import { BigQueryError } from "../errors.ts";

interface Holder {
  readonly owner: object;
  readonly released: Promise<void>;
  readonly release: () => void;
}

/**
 * Who may change or delete rows of which table: one at a time. In a transaction a conflict aborts the transaction; a statement
 * outside of one waits its turn. Rows that are only inserted need no lock.
 * (https://cloud.google.com/bigquery/docs/transactions#transaction_concurrency)
 */
export class TableLocks {
  readonly #holders = new Map<string, Holder>();
  /** When a table's rows were last changed, counted in `#sequence`. */
  readonly #changed = new Map<string, number>();
  #sequence = 0;

  /** A point in time: what changes later conflicts with a transaction that began here. */
  get now(): number {
    return this.#sequence;
  }

  /** Takes the table's lock for a statement outside of transactions, waiting for its turn. */
  async lock(owner: object, table: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const holder = this.#holders.get(table);
      if (holder === undefined || holder.owner === owner) break;
      await untilAborted(holder.released, signal);
    }
    this.#hold(owner, table);
  }

  /** Takes the table's lock for a transaction that began at `since`, or fails as BigQuery does. */
  lockInTransaction(owner: object, table: string, since: number): void {
    const holder = this.#holders.get(table);
    const busy = holder !== undefined && holder.owner !== owner;
    if (busy || (this.#changed.get(table) ?? 0) > since) throw concurrentUpdate(table);
    this.#hold(owner, table);
  }

  /** Lets go of all that the owner holds; `committed` says that its changes are there for others to see. */
  release(owner: object, committed: boolean): void {
    for (const [table, holder] of this.#holders) {
      if (holder.owner !== owner) continue;
      if (committed) this.#changed.set(table, ++this.#sequence);
      this.#holders.delete(table);
      holder.release();
    }
  }

  #hold(owner: object, table: string): void {
    if (this.#holders.has(table)) return;
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#holders.set(table, { owner, released, release });
  }
}

/** The error of a transaction that lost against another one, or against a statement. */
export function concurrentUpdate(table: string): BigQueryError {
  const message = `Transaction is aborted due to concurrent update against table ${table}.`;
  return new BigQueryError("invalidQuery", message, "query");
}

async function untilAborted(event: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    await Promise.race([event, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
