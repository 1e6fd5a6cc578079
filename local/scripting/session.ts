import type { DuckDBConnection } from "@duckdb/node-api";
import type { Analyzer } from "../googlesql/analyzer.ts";
import type { FoundRoutine } from "../googlesql/source.ts";
import type { ChildJob, ParameterValue, QueryRequest } from "../jobs/ports.ts";
import type { CatalogView } from "../storage/catalog.ts";
import type { CatalogChange } from "../storage/catalog-change.ts";
import type { Storage } from "../storage/storage.ts";
import { dropTable } from "../storage/tables.ts";
import type { TableRef } from "../types.ts";
import type { SqlValue } from "../values.ts";
import type { JobLister } from "./information-jobs.ts";
import type { TableLocks } from "./locks.ts";
import type { ReadBytes } from "./read-bytes.ts";
import type { Transaction } from "./transaction.ts";

/** What the endpoint's queries share. */
export interface EngineParts {
  readonly storage: Storage;
  readonly analyzer: Analyzer;
  readonly locks: TableLocks;
  readonly readBytes: ReadBytes;
  /** For INFORMATION_SCHEMA.JOBS. */
  readonly jobs?: JobLister;
}

/** Hidden datasets that hold a script's temporary tables. */
export const TEMP_DATASET_PREFIX = "_script";

/** One query job while it runs: its connection, transaction, temporary objects and system variables. */
export class Session {
  readonly parts: EngineParts;
  readonly request: QueryRequest;
  readonly connection: DuckDBConnection;
  /** Values of system variables, by their path in lower case; absent ones are NULL. */
  readonly system = new Map<string, SqlValue>();
  readonly children: ChildJob[] = [];
  readonly temporaryRoutines = new Map<string, FoundRoutine>();
  transaction: Transaction | undefined;
  /** More than one statement, or one that only scripts have. */
  isScript = false;
  defaultDataset: { projectId: string; datasetId: string } | undefined;
  defaultProject: string;
  #tempDataset: string | undefined;

  constructor(parts: EngineParts, request: QueryRequest, connection: DuckDBConnection) {
    this.parts = parts;
    this.request = request;
    this.connection = connection;
    this.defaultDataset = request.defaultDataset;
    this.defaultProject = request.projectId;
    const now = BigInt(Date.now()) * 1000n;
    for (const [name, value] of [
      ["project_id", request.projectId],
      ["dataset_project_id", request.defaultDataset?.projectId ?? request.projectId],
      ["dataset_id", request.defaultDataset?.datasetId ?? null],
      ["current_job_id", request.jobId],
      ["location", request.location ?? parts.storage.catalog.location],
      ["script.job_id", request.jobId],
      ["script.creation_time", now],
      ["script.bytes_billed", 0n],
      ["script.bytes_processed", 0n],
      ["script.num_child_jobs", 0n],
      ["script.slot_ms", 0n],
      ["time_zone", "UTC"],
    ] satisfies [string, SqlValue][]) {
      this.system.set(name, value);
    }
  }

  /** Where the job runs. */
  get location(): { name: string; isGiven: boolean } {
    const given = this.request.location;
    return { name: given ?? this.parts.storage.catalog.location, isGiven: given !== undefined };
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
    await this.connection.run("BEGIN TRANSACTION");
    const change = this.parts.storage.catalog.begin(this.connection);
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

  /** Fails if the job has been cancelled. */
  checkCancelled(): void {
    this.request.signal.throwIfAborted();
  }

  /** Ends what the script left open. */
  async close(): Promise<void> {
    await this.transaction?.rollback();
    this.transaction = undefined;
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
