import type { Settled } from "./worker.ts";

/** Rows that one call of `bq_js_submit` was given, and their results once they are there. */
interface Batch {
  readonly since: number;
  /** Rows whose results nobody has taken yet. */
  left: number;
  settled: Settled | undefined;
}

/** Tickets of a batch differ in these low bits; DuckDB's vectors are far shorter. */
const ROW_BITS = 16n;
const ROW_MASK = (1n << ROW_BITS) - 1n;

/** Results on their way, by the tickets of their rows. */
export class Batches {
  readonly #batches = new Map<number, Batch>();
  #lastId = 0;

  /** Begins a batch; the ticket of its n-th row is the first one plus n. */
  begin(rows: number, work: Promise<Settled>): bigint {
    this.#lastId += 1;
    const batch: Batch = { since: performance.now(), left: rows, settled: undefined };
    this.#batches.set(this.#lastId, batch);
    void work.then((settled) => {
      batch.settled = settled;
    });
    return BigInt(this.#lastId) << ROW_BITS;
  }

  /** What batch a ticket is of. */
  batchOf(ticket: bigint): number {
    return Number(ticket >> ROW_BITS);
  }

  /** Whether the results of a batch are there. */
  isSettled(batch: number): boolean {
    return this.#need(batch).settled !== undefined;
  }

  /** Milliseconds to wait before a batch is asked for again: half as long as it has been waited for. */
  delayOf(batch: number): bigint {
    const { since, settled } = this.#need(batch);
    if (settled !== undefined) return 0n;
    return BigInt(Math.max(1, Math.round((performance.now() - since) / 2)));
  }

  /** The result of a ticket's row, once; an error where the batch has one. */
  take(ticket: bigint): { value: unknown } | { error: string } {
    const id = this.batchOf(ticket);
    const batch = this.#need(id);
    const { settled } = batch;
    if (settled === undefined || settled.isStopped) return { error: "The JavaScript function was stopped" };
    if (settled.error !== undefined) return { error: settled.error };
    batch.left -= 1;
    if (batch.left === 0) this.#batches.delete(id);
    return { value: settled.results?.[Number(ticket & ROW_MASK)] ?? null };
  }

  /** Forgets a batch whose results nobody will ask for. */
  forget(batch: number): void {
    this.#batches.delete(batch);
  }

  #need(id: number): Batch {
    const batch = this.#batches.get(id);
    if (batch === undefined) throw new Error(`no batch ${id} of rows for a function in JavaScript`);
    return batch;
  }
}
