import { BigQueryError } from "../errors.ts";

/** How much work runs and waits at once. */
export interface QueueLimits {
  readonly running: number;
  readonly waiting: number;
}

/**
 * Runs work a few pieces at a time, first come first served. BigQuery queues as well (1,000 interactive queries a project:
 * https://cloud.google.com/bigquery/quotas#query_jobs); what is beyond the queue is refused, which clients take as a reason to wait.
 */
export class WorkQueue {
  readonly #limits: QueueLimits;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  /** Refuses when no place is left: to be asked before a job is registered. */
  checkRoom(): void {
    if (this.#waiting.length >= this.#limits.waiting) {
      throw new BigQueryError(
        "rateLimitExceeded",
        "Exceeded rate limits: too many jobs are queued on the local BigQuery endpoint.",
      );
    }
  }

  /** Runs `work` when its turn has come; never rejects, `work` tells its own failure. */
  async run(work: () => Promise<void>): Promise<void> {
    if (this.#running >= this.#limits.running) {
      // The one that ends hands its place over, so the count stays.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running += 1;
    }
    try {
      await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
