import { expect } from "vitest";
import { registerFunctions } from "../../../src/compiler/functions/register.ts";
import { BigQueryError } from "../../../src/errors.ts";
import type { QueryOutcome, QueryRequest } from "../../../src/jobs/ports.ts";
import { Engine, type EngineOptions } from "../../../src/scripting/engine.ts";
import { openStorage, type Storage } from "../../../src/storage/storage.ts";
import { createTable } from "../../../src/storage/tables.ts";
import type { FieldSchema, TableRef } from "../../../src/types.ts";
import type { SqlValue } from "../../../src/values.ts";

/** A field of a table, NULLABLE. */
export function field(name: string, type: string, mode: FieldSchema["mode"] = "NULLABLE"): FieldSchema {
  return { name, type, mode };
}

/** A table of the project `p` and dataset `d`. */
export function ref(tableId: string): TableRef {
  return { projectId: "p", datasetId: "d", tableId };
}

/** An engine over a storage in memory, with the dataset `p.d`. */
export class Harness {
  readonly storage: Storage;
  readonly engine: Engine;
  #jobs = 0;

  private constructor(storage: Storage, options: EngineOptions) {
    this.storage = storage;
    this.engine = new Engine(storage, options);
  }

  /** `file`: where its data outlive it. */
  static async start(options: EngineOptions = {}, file?: string): Promise<Harness> {
    const harness = new Harness(await openStorage({ file, prepare: registerFunctions }), options);
    await harness.engine.start();
    await harness.storage.catalog.change(async (change) => {
      const times = { creationTime: 1, lastModifiedTime: 1 };
      change.putDataset({ projectId: "p", datasetId: "d", location: "US", ...times, kept: {} });
    });
    return harness;
  }

  async close(): Promise<void> {
    await this.engine.close();
    await this.storage.close();
  }

  /** Makes a table, or an empty one in its place. */
  async table(tableId: string, schema: readonly FieldSchema[]): Promise<void> {
    await this.storage.catalog.change((change) => createTable(change, { ref: ref(tableId), schema }));
  }

  async run(sql: string, request: Partial<QueryRequest> = {}): Promise<QueryOutcome> {
    this.#jobs += 1;
    return await this.engine.runQuery({
      sql,
      projectId: "p",
      parameters: new Map(),
      dryRun: false,
      jobId: `job_${this.#jobs}`,
      signal: new AbortController().signal,
      ...request,
    });
  }

  async rows(sql: string, request: Partial<QueryRequest> = {}): Promise<SqlValue[][]> {
    const outcome = await this.run(sql, request);
    return (await outcome.rows?.page(0, 1000)) ?? [];
  }

  async failure(sql: string, request: Partial<QueryRequest> = {}): Promise<BigQueryError> {
    const error: unknown = await this.run(sql, request).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error, sql).toBeInstanceOf(BigQueryError);
    return error as BigQueryError;
  }
}
