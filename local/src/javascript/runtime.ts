import { fileURLToPath } from "node:url";
import {
  ANY,
  BIGINT,
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBScalarFunction,
  type DuckDBScalarFunctionInfo,
  type DuckDBType,
  type DuckDBValue,
  type DuckDBVector,
  VARCHAR,
} from "@duckdb/node-api";
import { markMessage } from "../raise.ts";
import { fromDuck, type SqlValue } from "../values.ts";
import { encodeRows } from "./arguments.ts";
import { Batches } from "./batches.ts";
import type { JavaScriptFunction } from "./definition.ts";
import type { NumberedFunction } from "./messages.ts";
import { WorkerPool } from "./pool.ts";
import type { Settled } from "./worker.ts";

/** BigQuery's own shortest limit: https://cloud.google.com/bigquery/docs/user-defined-functions#limitations */
const TIME_LIMIT_MS = 5 * 60_000;

/** As many queries may run endless functions before others wait for them. */
const MAX_WORKERS = 4;

interface Call {
  readonly definition: NumberedFunction;
  readonly run: JavaScriptRun;
}

/**
 * Functions in JavaScript for one database. The four DuckDB functions by which compiled statements call them are described at
 * `javaScriptCallSql`.
 */
export class JavaScriptRuntime {
  readonly #pool: WorkerPool;
  readonly #batches = new Batches();
  readonly #calls = new Map<number, Call>();
  #lastCall = 0;

  constructor(timeLimitMs = TIME_LIMIT_MS) {
    this.#pool = new WorkerPool(
      fileURLToPath(new URL("./worker-thread", import.meta.url)),
      MAX_WORKERS,
      timeLimitMs,
    );
  }

  /** Gives a DuckDB database the functions; once, through any connection. */
  register(connection: DuckDBConnection): void {
    const functions = [
      volatileFunction("bq_js_submit", BIGINT, (input, output) => this.#submit(input, output), ANY),
      ...waitingFunctions("js", this.#batches),
      volatileFunction("bq_js_result", VARCHAR, (input, output) => this.#result(input, output)),
    ];
    for (const made of functions) connection.registerScalarFunction(made);
  }

  /** Begins what calls functions: one statement. */
  begin(): JavaScriptRun {
    const run = new JavaScriptRun(
      (definition) => {
        this.#lastCall += 1;
        this.#calls.set(this.#lastCall, { definition, run });
        return this.#lastCall;
      },
      {
        stop: (calls, batches) => {
          for (const batch of batches) this.#batches.forget(batch);
          this.#pool.end(calls);
        },
        forget: (calls) => {
          for (const call of calls) this.#calls.delete(call);
        },
      },
    );
    return run;
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    await this.#pool.close();
  }

  #submit(input: DuckDBDataChunk, output: DuckDBVector): void {
    const rows = input.rowCount;
    const id = Number(input.getColumnVector(0).getItem(0));
    const call = this.#calls.get(id);
    if (call === undefined) throw new Error(`no call ${id} of a function in JavaScript`);
    const { definition, run } = call;
    const columns = definition.argumentTypes.map((type, index): SqlValue[] => {
      const vector = input.getColumnVector(index + 1);
      return Array.from({ length: rows }, (_, row) => fromDuck(type, vector.getItem(row)));
    });
    const tasks = encodeRows(definition.argumentTypes, columns, rows).map(({ text, count }) =>
      this.#pool.run({ call: id, definition, rows: text, rowCount: count }),
    );
    const work = Promise.all(tasks).then(joined);
    const first = this.#batches.begin(rows, work);
    run.batches.add(this.#batches.batchOf(first));
    for (let row = 0; row < rows; row++) output.setItem(row, first + BigInt(row));
  }

  #result(input: DuckDBDataChunk, output: DuckDBVector): void {
    forTickets(input, (ticket, row) => {
      const taken = this.#batches.take(ticket);
      if ("error" in taken) throw new CallError(taken.error);
      output.setItem(row, taken.value as string | null);
    });
  }
}

/** What a run asks of its runtime. */
interface RunEnd {
  stop(calls: ReadonlySet<number>, batches: ReadonlySet<number>): void;
  forget(calls: ReadonlySet<number>): void;
}

/** The calls of one statement. */
export class JavaScriptRun {
  /** Batches of rows that the statement has handed over. */
  readonly batches = new Set<number>();
  readonly #calls = new Map<string, number>();
  readonly #register: (definition: NumberedFunction) => number;
  readonly #end: RunEnd;

  constructor(register: (definition: NumberedFunction) => number, end: RunEnd) {
    this.#register = register;
    this.#end = end;
  }

  /** The number by which DuckDB SQL calls a function until the run ends. A function has one number wherever the statement calls it. */
  call(definition: JavaScriptFunction): number {
    const key = JSON.stringify([
      definition.argumentNames,
      definition.argumentTypes,
      definition.returnType,
      definition.code,
    ]);
    const known = this.#calls.get(key);
    if (known !== undefined) return known;
    const call = this.#register({ ...definition, number: this.#calls.size + 1 });
    this.#calls.set(key, call);
    return call;
  }

  /** Stops what still runs; the functions can be called again. */
  stop(): void {
    if (this.#calls.size > 0) this.#end.stop(new Set(this.#calls.values()), this.batches);
    this.batches.clear();
  }

  /** Stops what still runs, and lets go of the functions. */
  end(): void {
    this.stop();
    this.#end.forget(new Set(this.#calls.values()));
    this.#calls.clear();
  }
}

/** What the parts of a batch came to, together. */
export function joined(parts: readonly Settled[]): Settled {
  const failed = parts.find(({ results }) => results === undefined);
  return failed ?? { results: parts.flatMap(({ results = [] }) => results) };
}

/** An error of the user's function. */
class CallError extends Error {}

/** What DuckDB's threads wait for results with: `bq_<kind>_delay` and `bq_<kind>_poll`. */
export function waitingFunctions(kind: string, batches: Batches): readonly DuckDBScalarFunction[] {
  return [
    // One row of each batch waits for it.
    volatileFunction(`bq_${kind}_delay`, BIGINT, (input, output) => {
      const seen = new Set<number>();
      forTickets(input, (ticket, row) => {
        const batch = batches.batchOf(ticket);
        output.setItem(row, seen.has(batch) ? 0n : batches.delayOf(batch));
        seen.add(batch);
      });
    }),
    volatileFunction(`bq_${kind}_poll`, BIGINT, (input, output) => {
      forTickets(input, (ticket, row) => {
        output.setItem(row, batches.isSettled(batches.batchOf(ticket)) ? ticket : null);
      });
    }),
  ];
}

/** A function of DuckDB whose first argument is a number or a ticket. */
export function volatileFunction(
  name: string,
  returnType: DuckDBType,
  evaluate: (input: DuckDBDataChunk, output: DuckDBVector) => void,
  varArgsType?: DuckDBType,
): DuckDBScalarFunction {
  return DuckDBScalarFunction.create({
    name,
    parameterTypes: [BIGINT],
    returnType,
    specialHandling: true,
    volatile: true,
    mainFunction: (info: DuckDBScalarFunctionInfo, input, output) => {
      try {
        evaluate(input, output);
        output.flush();
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        info.setError(error instanceof CallError ? markMessage(message) : message);
      }
    },
    ...(varArgsType === undefined ? {} : { varArgsType }),
  });
}

/** Visits the tickets of a call. */
export function forTickets(input: DuckDBDataChunk, visit: (ticket: bigint, row: number) => void): void {
  const tickets = input.getColumnVector(0);
  for (let row = 0; row < input.rowCount; row++) visit(tickets.getItem(row) as bigint & DuckDBValue, row);
}
