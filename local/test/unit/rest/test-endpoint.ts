import type { QueryEngine, QueryOutcome, QueryRequest } from "../../../src/jobs/ports.ts";
import { JobRegistry } from "../../../src/jobs/registry.ts";
import type { JobRunner } from "../../../src/jobs/runner.ts";
import { createEndpoint, type Endpoint, type EndpointParts } from "../../../src/routes/endpoint.ts";
import type { ColumnDefaults } from "../../../src/storage/column-defaults.ts";
import { TableLoader } from "../../../src/storage/load/loader.ts";
import { openStorage, type Storage } from "../../../src/storage/storage.ts";

/** An answer as tests look at it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  // Answers are checked member by member; their types are the REST reference's.
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
  readonly body: any;
}

/** Default values that are written alike in GoogleSQL and DuckDB. */
const literalDefaults: ColumnDefaults = async (fields) =>
  new Map(fields.map((field) => [field.name.toLowerCase(), field.defaultValueExpression ?? "NULL"]));

/** An endpoint over storage in memory, asked without a socket. */
export class TestEndpoint {
  readonly storage: Storage;
  readonly endpoint: Endpoint;
  readonly defects: unknown[];
  readonly runner: JobRunner;

  private constructor(storage: Storage, endpoint: Endpoint, defects: unknown[]) {
    this.storage = storage;
    this.endpoint = endpoint;
    this.defects = defects;
    this.runner = endpoint.services.runner;
  }

  /** Starts one whose queries are answered by `engine`. */
  static async start(engine: QueryEngine, parts: Partial<EndpointParts> = {}): Promise<TestEndpoint> {
    const storage = await openStorage();
    const defects: unknown[] = [];
    const endpoint = await createEndpoint({
      storage,
      jobs: new JobRegistry(),
      engine,
      loader: new TableLoader(storage.catalog, literalDefaults),
      columnDefaults: literalDefaults,
      guard: { exposed: false, allowedHosts: [] },
      onDefect: (error) => defects.push(error),
      queue: { running: 4, waiting: 100 },
      maxUploadBytes: 1024 * 1024,
      ...parts,
    });
    return new TestEndpoint(storage, endpoint, defects);
  }

  /** Sends a request; an object is sent as JSON. */
  async ask(
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    url: string,
    payload?: object | string | Buffer,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await this.endpoint.app.inject({
      method,
      url,
      headers: { host: "localhost:9050", ...headers },
      ...(payload === undefined ? {} : { payload }),
    });
    const text = response.body;
    return {
      status: response.statusCode,
      headers: response.headers,
      body: text.startsWith("{") ? JSON.parse(text) : text,
    };
  }

  async close(): Promise<void> {
    await this.endpoint.close();
    await this.storage.close();
  }
}

/** An engine that answers by the statement's text, and remembers what it was asked. */
export class FakeEngine implements QueryEngine {
  readonly requests: QueryRequest[] = [];
  readonly answers = new Map<string, (request: QueryRequest) => Promise<QueryOutcome> | QueryOutcome>();

  async runQuery(request: QueryRequest): Promise<QueryOutcome> {
    this.requests.push(request);
    request.onStatement?.("before", { text: request.sql, type: "SELECT" });
    const answer = this.answers.get(request.sql);
    if (answer === undefined) throw new Error(`no answer planned for ${request.sql}`);
    const outcome = await answer(request);
    request.onStatement?.("after", { text: request.sql, type: "SELECT" });
    return outcome;
  }
}

/** A SELECT's outcome: one INT64 column `n` with the numbers from 0 on. */
export function numbers(count: number): QueryOutcome {
  const schema = [{ name: "n", type: "INTEGER", mode: "NULLABLE" as const }];
  return {
    statementType: "SELECT",
    schema,
    bytesProcessed: count * 8,
    bytesBilled: 10 * 1024 * 1024,
    rows: {
      schema,
      totalRows: count,
      page: async (start, size) =>
        Array.from({ length: Math.max(0, Math.min(size, count - start)) }, (_, index) => [
          BigInt(start + index),
        ]),
    },
  };
}
