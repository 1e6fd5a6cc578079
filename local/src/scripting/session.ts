import type { DuckDBConnection } from "@duckdb/node-api";
import type { TableRead } from "../compiler/compiled.ts";
import type { LateFunctions } from "../compiler/late/functions.ts";
import type { Analyzer } from "../googlesql/analyzer.ts";
import type { FoundRoutine } from "../googlesql/source.ts";
import type { JavaScriptRun, JavaScriptRuntime } from "../javascript/runtime.ts";
import type { ChildJob, ParameterValue, QueryRequest } from "../jobs/ports.ts";
import type { CatalogChange } from "../storage/catalog-change.ts";
import type { CatalogView } from "../storage/catalog-view.ts";
import type { Storage } from "../storage/storage.ts";
import { dropTable } from "../storage/tables.ts";
import type { TableRef } from "../types.ts";
import type { SqlValue } from "../values.ts";
import type { CompiledQueries } from "./compiled-queries.ts";
import type { JobLister } from "./information-jobs.ts";
import { JobLocation } from "./job-location.ts";
import type { TableLocks } from "./locks.ts";
import { type BytesRead, countBytes } from "./read-bytes.ts";
import { Scope } from "./scope.ts";
import type { Transaction } from "./transaction.ts";

/** The sessions that are open, as a query may reach them. */
export interface OpenSessions {
  /** Ends a session: at once, or when the query that runs in it has ended. */
  abort(id: string, projectId: string): Promise<void>;
}

/** What the endpoint's queries share. */
export interface EngineParts {
  readonly storage: Storage;
  readonly analyzer: Analyzer;
  readonly compiled: CompiledQueries;
  readonly locks: TableLocks;
  /** For INFORMATION_SCHEMA.JOBS. */
  readonly jobs?: JobLister;
  readonly sessions: OpenSessions;
  readonly javaScript: JavaScriptRuntime;
  readonly late: LateFunctions;
}

/** Hidden datasets that hold a script's temporary tables. */
export const TEMP_DATASET_PREFIX = "_script";

/** One query job while it runs, or the jobs of a session: connection, transaction, temporary objects, variables. */
export class Session {
  readonly parts: EngineParts;
  readonly connection: DuckDBConnection;
  /** Undefined where the job has it for itself. */
  readonly id: string | undefined;
  /** Variables declared outside of blocks. */
  readonly variables = new Scope();
  /** Values of system variables, by their path in lower case; absent ones are NULL. */
  readonly system = new Map<string, SqlValue>();
  readonly temporaryRoutines = new Map<string, FoundRoutine>();
  transaction: Transaction | undefined;
  request: QueryRequest;
  /** The statements that the present job has run. */
  children: ChildJob[] = [];
  /** The present job has more than one statement, or one that only scripts have. */
  isScript = false;
  /** Where the job runs. */
  location!: JobLocation;
  defaultDataset: { projectId: string; datasetId: string } | undefined;
  defaultProject: string;
  #tempDataset: string | undefined;
  /** The latest statement's, and those of statements that an open transaction may have to do again. */
  #javaScript: JavaScriptRun[] = [];

  constructor(parts: EngineParts, request: QueryRequest, connection: DuckDBConnection, id?: string) {
    this.parts = parts;
    this.connection = connection;
    this.id = id;
    this.request = request;
    this.defaultProject = request.projectId;
    this.system.set("session_id", id ?? null);
    this.system.set("time_zone", "UTC");
    this.system.set("dataset_project_id", request.projectId);
    this.begin(request);
  }

  /** Turns to the next job; what the ones before have left stays. */
  begin(request: QueryRequest): void {
    this.request = request;
    this.children = [];
    this.isScript = false;
    // The jobs of a session run where its first one does.
    if (this.location === undefined || request.location !== undefined)
      this.location = new JobLocation(request.location, this.parts.storage.catalog.location);
    if (request.defaultDataset !== undefined) {
      this.defaultDataset = request.defaultDataset;
      this.system.set("dataset_project_id", request.defaultDataset.projectId);
      this.system.set("dataset_id", request.defaultDataset.datasetId);
    }
    const now = BigInt(Date.now()) * 1000n;
    for (const [name, value] of [
      ["project_id", request.projectId],
      ["current_job_id", request.jobId],
      ["location", request.location ?? this.parts.storage.catalog.location],
      ["script.job_id", request.jobId],
      ["script.creation_time", now],
      ["script.bytes_billed", 0n],
      ["script.bytes_processed", 0n],
      ["script.num_child_jobs", 0n],
      ["script.slot_ms", 0n],
    ] satisfies [string, SqlValue][]) {
      this.system.set(name, value);
    }
  }

  /** Objects as the next statement sees them. */
  get catalog(): CatalogView {
    return this.transaction?.catalog ?? this.parts.storage.catalog;
  }

  /** The hidden dataset of temporary tables, if the script has made any. */
  get tempDataset(): string | undefined {
    return this.#tempDataset;
  }

  /** The full name of a temporary table; its dataset is made when the first one is. */
  async temporaryTable(tableId: string): Promise<TableRef> {
    const projectId = this.request.projectId;
    if (this.#tempDataset === undefined) {
      const { catalog } = this.parts.storage;
      const datasetId = `${TEMP_DATASET_PREFIX}${catalog.nextNumber()}_${catalog.now()}`;
      const now = catalog.now();
      await catalog.change(async (change) => {
        const { location } = catalog;
        change.putDataset({
          projectId,
          datasetId,
          location,
          creationTime: now,
          lastModifiedTime: now,
          kept: {},
        });
      });
      this.#tempDataset = datasetId;
    }
    return { projectId, datasetId: this.#tempDataset, tableId };
  }

  /** The functions in JavaScript that the next statement will call, each with an environment of its own. */
  nextJavaScript(): JavaScriptRun {
    this.endJavaScript();
    const run = this.parts.javaScript.begin();
    this.#javaScript.push(run);
    return run;
  }

  /** Stops the functions in JavaScript that still run. */
  endJavaScript(): void {
    for (const run of this.#javaScript) run.stop();
    if (this.transaction !== undefined) return;
    for (const run of this.#javaScript.splice(0)) run.end();
  }

  /** The parameters of the job. */
  get parameters(): ReadonlyMap<string, ParameterValue> | readonly ParameterValue[] {
    return this.request.parameters;
  }

  /** Runs work that only reads, in the script's transaction if there is one. */
  async reading<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    return this.transaction === undefined ? await work(this.connection) : await this.transaction.read(work);
  }

  /** Runs work as one transaction of its own; `committed` is called once its changes are there for others to see. */
  async change<T>(work: (change: CatalogChange) => Promise<T>, committed: () => void): Promise<T> {
    const change = await this.parts.storage.catalog.begin(this.connection);
    try {
      const result = await work(change);
      await change.commit();
      committed();
      return result;
    } catch (error) {
      await change.rollback();
      throw error;
    }
  }

  /** What reading these tables costs, as they are now. */
  bytesOf(reads: readonly TableRead[]): Promise<BytesRead> {
    return this.reading((connection) => countBytes(connection, this.catalog, reads));
  }

  /** Adds a job of the script, and what it cost. */
  addChild(child: ChildJob): void {
    this.children.push(child);
    const add = (name: string, more = 0): void => {
      this.system.set(name, (this.system.get(name) as bigint) + BigInt(Math.round(more)));
    };
    add("script.num_child_jobs", 1);
    add("script.bytes_processed", child.outcome?.bytesProcessed);
    add("script.bytes_billed", child.outcome?.bytesBilled);
  }

  /** Fails if the job has been cancelled. */
  checkCancelled(): void {
    this.request.signal.throwIfAborted();
  }

  /** Ends what the script left open. */
  async close(): Promise<void> {
    await this.transaction?.rollback();
    this.transaction = undefined;
    this.endJavaScript();
    const datasetId = this.#tempDataset;
    if (datasetId === undefined) return;
    await dropTemporaries(this.parts.storage, this.request.projectId, datasetId);
  }
}

/** Drops a hidden dataset with its tables. */
export async function dropTemporaries(storage: Storage, projectId: string, datasetId: string): Promise<void> {
  await storage.catalog.change(async (change) => {
    for (const entry of change.listTables(projectId, datasetId)) await dropTable(change, entry);
    change.removeDataset(projectId, datasetId);
  });
}
