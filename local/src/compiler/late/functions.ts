import { fileURLToPath } from "node:url";
import {
  ANY,
  BIGINT,
  type DuckDBConnection,
  type DuckDBDataChunk,
  type DuckDBValue,
  type DuckDBVector,
} from "@duckdb/node-api";
import { weightOf } from "../../hold-up.ts";
import { Batches } from "../../javascript/batches.ts";
import { WorkerPool } from "../../javascript/pool.ts";
import { forTickets, joined, volatileFunction, waitingFunctions } from "../../javascript/runtime.ts";
import { UDF_FORMS } from "../functions/register.ts";
import { type Codec, canBeLate, readValue, type UdfForm } from "../functions/udf/define.ts";
import type { LateRows } from "./rows.ts";

/** About how many characters one task has: as many as keep several threads busy. */
const TASK_WEIGHT = 1_000_000;

/** Each has all functions in its memory; one query alone keeps several busy. */
const MAX_THREADS = 2;
/** How long they are kept for the next query that needs them. */
const IDLE_MS = 10_000;

/** The types that functions of ours give, each with a DuckDB function that gives such results of late calls. */
const RESULTS: ReadonlyMap<string, Codec<unknown>> = new Map(
  [...UDF_FORMS.values()].filter(canBeLate).map(({ result }) => [result.type.toString(), result]),
);

/** The DuckDB function that gives the results of a function's late calls. */
export function resultFunction({ result }: UdfForm): string {
  return `bq_late_result_${[...RESULTS.keys()].indexOf(result.type.toString())}`;
}

/** Functions of ours that are called in threads of their own, for one database. See `lateSql`. */
export class LateFunctions {
  readonly #pool = new WorkerPool(fileURLToPath(new URL("./thread", import.meta.url)), MAX_THREADS);
  readonly #batches = new Batches();
  /** What each run has handed over. */
  readonly #runs = new Map<number, number[]>();
  #lastRun = 0;
  #idle: NodeJS.Timeout | undefined;

  /** Gives a DuckDB database what late calls are written with; once, through any connection. */
  register(connection: DuckDBConnection): void {
    const functions = [
      volatileFunction("bq_late_submit", BIGINT, (input, output) => this.#submit(input, output), ANY),
      ...waitingFunctions("late", this.#batches),
      ...[...RESULTS.values()].map((codec, index) =>
        volatileFunction(`bq_late_result_${index}`, codec.type, (input, output) =>
          this.#result(codec, input, output),
        ),
      ),
    ];
    for (const made of functions) connection.registerScalarFunction(made);
  }

  /** Does work that makes late calls by the number it is given; what it leaves behind is stopped. */
  async run<T>(work: (run: number) => Promise<T>): Promise<T> {
    clearTimeout(this.#idle);
    this.#lastRun += 1;
    const run = this.#lastRun;
    const batches: number[] = [];
    this.#runs.set(run, batches);
    try {
      return await work(run);
    } finally {
      this.#runs.delete(run);
      this.#pool.end(new Set([run]));
      for (const batch of batches) this.#batches.forget(batch);
      if (this.#runs.size === 0) this.#idle = setTimeout(() => void this.#pool.close(), IDLE_MS).unref();
    }
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    await this.#pool.close();
  }

  #submit(input: DuckDBDataChunk, output: DuckDBVector): void {
    const run = Number(input.getColumnVector(0).getItem(0));
    const name = String(input.getColumnVector(1).getItem(0));
    const form = UDF_FORMS.get(name);
    if (form === undefined) throw new Error(`no function ${name}`);
    const vectors = form.parameters.map((_, index) => input.getColumnVector(index + 2));
    const tasks: ReturnType<WorkerPool["run"]>[] = [];
    let values: unknown[][] = [];
    let weight = 0;
    for (let row = 0; row < input.rowCount; row++) {
      const args = vectors.map((vector, index) => readValue(form.parameters[index], vector.getItem(row)));
      values.push(args);
      weight += weightOf(args);
      if (weight < TASK_WEIGHT && row + 1 < input.rowCount) continue;
      const rows: LateRows = { name, values };
      tasks.push(this.#pool.run({ call: run, rows, rowCount: values.length }));
      values = [];
      weight = 0;
    }
    const first = this.#batches.begin(input.rowCount, Promise.all(tasks).then(joined));
    this.#runs.get(run)?.push(this.#batches.batchOf(first));
    for (let row = 0; row < input.rowCount; row++) output.setItem(row, first + BigInt(row));
  }

  #result(codec: Codec<unknown>, input: DuckDBDataChunk, output: DuckDBVector): void {
    forTickets(input, (ticket, row) => {
      const taken = this.#batches.take(ticket);
      if ("error" in taken) throw new Error(taken.error);
      output.setItem(row, taken.value === null ? null : (codec.write(taken.value) as DuckDBValue));
    });
  }
}
