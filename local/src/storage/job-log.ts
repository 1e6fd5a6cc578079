import { quoteText } from "../values.ts";
import type { Database } from "./database.ts";

interface Write {
  readonly key: string;
  /** Undefined removes the key. */
  readonly value: string | undefined;
  readonly written: () => void;
  readonly failed: (error: unknown) => void;
}

/** How many rows one statement inserts. */
const ROWS_PER_STATEMENT = 500;
/** How long writes that nobody waits for may gather. */
const GATHER_MS = 200;

/**
 * Texts by key that outlive the process, the newest of each key; made for the records of jobs. Writes that come while another
 * one is on its way to the disk go together in the next one.
 */
export class JobLog {
  readonly #database: Database;
  #pending: Write[] = [];
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sequence = 0n;

  private constructor(database: Database) {
    this.#database = database;
  }

  /** Opens the log, and gives what it holds, the oldest key first; of more than `limit` keys the oldest are dropped. */
  static async open(database: Database, limit: number): Promise<{ log: JobLog; values: string[] }> {
    const log = new JobLog(database);
    return { log, values: await log.#load(limit) };
  }

  /** Keeps a text, or removes it; done once a crash can no longer undo it. */
  write(key: string, value: string | undefined): Promise<void> {
    return new Promise((written, failed) => {
      this.#pending.push({ key, value, written, failed });
      this.#wake();
    });
  }

  /** Keeps a text soon, with others: a crash within the next moment loses it. */
  writeSoon(key: string, value: string): void {
    this.#pending.push({ key, value, written: () => undefined, failed: () => undefined });
    this.#timer ??= setTimeout(() => {
      this.#wake();
    }, GATHER_MS);
  }

  /** Writes what has gathered. */
  async close(): Promise<void> {
    this.#wake();
    await this.#writing;
  }

  #wake(): void {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
      if (this.#pending.length > 0) this.#wake();
    });
  }

  async #writeAll(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#pending.length > 0) {
      const writes = this.#pending.splice(0);
      try {
        await this.#flush(writes);
        for (const { written } of writes) written();
      } catch (error) {
        for (const { failed } of writes) failed(error);
      }
    }
  }

  async #flush(writes: readonly Write[]): Promise<void> {
    await this.#database.transaction(async (connection) => {
      for (let start = 0; start < writes.length; start += ROWS_PER_STATEMENT) {
        const rows = writes.slice(start, start + ROWS_PER_STATEMENT).map(({ key, value }) => {
          this.#sequence += 1n;
          return `(${this.#sequence}, ${quoteText(key)}, ${value === undefined ? "NULL" : quoteText(value)})`;
        });
        await connection.run(`INSERT INTO meta.jobs VALUES ${rows.join(", ")}`);
      }
    });
  }

  async #load(limit: number): Promise<string[]> {
    return this.#database.transaction(async (connection) => {
      await connection.run("CREATE TABLE IF NOT EXISTS meta.jobs (seq BIGINT, key VARCHAR, value VARCHAR)");
      // What has been replaced or removed is dropped for good.
      await connection.run(`CREATE TEMP TABLE live AS
        SELECT min(seq) AS seq, key, arg_max(value, seq) AS value FROM meta.jobs
        GROUP BY key HAVING NOT arg_max(value IS NULL, seq) ORDER BY 1 DESC LIMIT ${limit}`);
      await connection.run("CREATE OR REPLACE TABLE meta.jobs AS FROM live ORDER BY seq");
      const reader = await connection.runAndReadAll("SELECT value, seq FROM live ORDER BY seq");
      await connection.run("DROP TABLE live");
      return (reader.getRows() as [string, bigint][]).map(([value, seq]) => {
        this.#sequence = seq;
        return value;
      });
    });
  }
}
