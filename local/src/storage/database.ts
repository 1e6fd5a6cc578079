import { existsSync, realpathSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { Collector } from "./collector.ts";

/** Data files open in this process: DuckDB's own file lock only sees other processes. */
const openFiles = new Set<string>();

/** What one thread reads in a few hundredths of a second. */
const SMALL_BYTES = 8_000_000;

/** How long after it the other threads stay: to start and end them takes longer than a small statement. */
const REST_MS = 1_000;

/** How to open the database. */
export interface DatabaseOptions {
  /** The data file; in memory when absent. */
  readonly file?: string;
  /** Runs once, on the first connection: registers functions that all connections see. */
  readonly prepare?: (connection: DuckDBConnection) => void | Promise<void>;
}

/** The data file cannot be opened, for a reason its owner can act on. */
export class DataFileError extends Error {
  override readonly name = "DataFileError";
}

/** One DuckDB database and its connections. */
export class Database {
  readonly #idle: DuckDBConnection[] = [];
  readonly #collector = new Collector();
  readonly #instance: DuckDBInstance;
  readonly #file: string | undefined;
  #threads = 1;
  #threadsSet: Promise<unknown> = Promise.resolve();
  /** How much work is under way that is large. */
  #large = 0;
  #rest: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(instance: DuckDBInstance, file: string | undefined) {
    this.#instance = instance;
    this.#file = file;
  }

  /** Opens the file (made when missing) or a database in memory. A file has one owner at a time. */
  static async open(options: DatabaseOptions = {}): Promise<Database> {
    const file = options.file === undefined ? undefined : ownPath(options.file);
    if (file !== undefined && openFiles.has(file)) throw inUse(file, "this process");
    if (file !== undefined) openFiles.add(file);
    try {
      const instance = await openInstance(file);
      const database = new Database(instance, file);
      await database.#configure(options.prepare);
      return database;
    } catch (error) {
      if (file !== undefined) openFiles.delete(file);
      throw error;
    }
  }

  async #configure(prepare: DatabaseOptions["prepare"]): Promise<void> {
    const connection = await this.#instance.connect();
    await connection.run("SET GLOBAL TimeZone = 'UTC'");
    // A client's query results and other data that need not outlive the process.
    await connection.run("ATTACH ':memory:' AS scratch");
    await connection.run("CREATE SCHEMA IF NOT EXISTS bq");
    await connection.run("CREATE SCHEMA IF NOT EXISTS meta");
    await prepare?.(connection);
    this.#idle.push(connection);
  }

  /** Whether what is committed outlives the process. */
  get isDurable(): boolean {
    return this.#file !== undefined;
  }

  /**
   * Does work that reads so many bytes; with all cores where that is much. Else DuckDB has one thread: to wake the others for a small
   * statement costs a sixth of its time, and there they find nothing to share.
   */
  async working<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (bytes <= SMALL_BYTES) return await work();
    this.#large += 1;
    clearTimeout(this.#rest);
    try {
      await this.#setThreads();
      return await work();
    } finally {
      this.#large -= 1;
      clearTimeout(this.#rest);
      this.#rest = setTimeout(() => void this.#setThreads(), REST_MS).unref();
    }
  }

  /** In turn, so that what is set last is what holds. */
  async #setThreads(): Promise<void> {
    this.#threadsSet = this.#threadsSet.then(async () => {
      // DuckDB reads one file with several threads only where it has more threads than files, and a load reads two.
      const threads = this.#large === 0 ? 1 : Math.max(3, availableParallelism());
      if (threads === this.#threads || this.#closed) return;
      this.#threads = threads;
      await this.use((connection) => connection.run(`SET GLOBAL threads = ${threads}`));
    });
    await this.#threadsSet;
  }

  /** A new connection of its own; the caller closes it. */
  async connect(): Promise<DuckDBConnection> {
    if (this.#closed) throw new DataFileError("The database is closed");
    return this.#instance.connect();
  }

  /** Runs the work on a connection of the pool, outside any transaction. */
  async use<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const connection = this.#idle.pop() ?? (await this.connect());
    try {
      return await work(connection);
    } finally {
      this.#collector.count();
      if (this.#closed || this.#idle.length >= 16) connection.closeSync();
      else this.#idle.push(connection);
    }
  }

  /** Runs the work in one DuckDB transaction on a connection of the pool: all of it is kept, or nothing. */
  async transaction<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    return this.use(async (connection) => {
      await connection.run("BEGIN TRANSACTION");
      let result: T;
      try {
        result = await work(connection);
      } catch (error) {
        await rollback(connection);
        throw error;
      }
      await connection.run("COMMIT");
      return result;
    });
  }

  /** Writes the log into the data file and lets it go. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#rest);
    const last = this.#idle.pop() ?? (await this.#instance.connect());
    // What is committed is already safe in the write-ahead log: a checkpoint that cannot run loses nothing.
    if (this.#file !== undefined) await last.run("CHECKPOINT").catch(() => undefined);
    for (const connection of [last, ...this.#idle.splice(0)]) connection.closeSync();
    this.#instance.closeSync();
    if (this.#file !== undefined) openFiles.delete(this.#file);
  }
}

/** Ends a connection's transaction if there is one; DuckDB may have ended it itself after an error. */
export async function rollback(connection: DuckDBConnection): Promise<void> {
  await connection.run("ROLLBACK").catch(() => undefined);
}

async function openInstance(file: string | undefined): Promise<DuckDBInstance> {
  const config: Record<string, string> = {
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    // DuckDB's own default for a database in memory is a folder in the working directory.
    temp_directory: file === undefined ? join(tmpdir(), `bigquery-local-${process.pid}`) : `${file}.tmp`,
    threads: "1",
  };
  try {
    return await DuckDBInstance.create(file ?? ":memory:", config);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const holder = /Conflicting lock is held in .*?\(PID (\d+)\)/.exec(message)?.[1];
    if (file !== undefined && /set lock|Conflicting lock|being used by another process/.test(message)) {
      throw inUse(file, holder === undefined ? "another process" : `process ${holder}`);
    }
    throw new DataFileError(`Cannot open the data file ${file}: ${message.split("\n")[0]}`);
  }
}

function inUse(file: string, holder: string): DataFileError {
  return new DataFileError(
    `The data file ${file} is in use by ${holder}: stop that server or name another file`,
  );
}

/** The file's real path, so that two names of one file are seen as one. */
function ownPath(file: string): string {
  const path = resolve(file);
  if (existsSync(path)) return realpathSync(path);
  if (!existsSync(dirname(path))) {
    throw new DataFileError(`Cannot open the data file ${path}: its folder does not exist`);
  }
  return join(realpathSync(dirname(path)), basename(path));
}
