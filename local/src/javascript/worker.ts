import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import type { Answer, Order, Started, Task, WorkerStart } from "./messages.ts";

/** How long a task that was told to stop may go on: the interpreter looks between its steps, but not within a built-in function. */
const GRACE_MS = 1_000;

/** What became of a task. */
export type Settled = Omit<Answer, "kind" | "id">;

/** A thread that runs functions in JavaScript, one task at a time. It does not keep the process alive. */
export class JavaScriptWorker {
  /** Calls whose functions the thread has. */
  readonly known = new Set<number>();
  readonly #worker: Worker;
  readonly #stop: Int32Array;
  #current:
    | { readonly task: Task; readonly begin: () => void; readonly settle: (settled: Settled) => void }
    | undefined;
  #killer: NodeJS.Timeout | undefined;
  #isGone = false;

  /** `thread`: see `startThread`. */
  constructor(thread: string) {
    const stop = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    this.#stop = new Int32Array(stop);
    this.#worker = startThread(thread, { stop });
    this.#worker.unref();
    this.#worker.on("message", (message: Answer | Started) => {
      if (message.kind === "answer") this.#settle(message.id, message);
      else if (this.#current?.task.id === message.id) this.#current.begin();
    });
    this.#worker.on("error", (error) => this.#lose(`The JavaScript worker failed: ${error.message}`));
    this.#worker.on("exit", () => this.#lose("The JavaScript worker ended"));
  }

  get isBusy(): boolean {
    return this.#current !== undefined;
  }

  /** Ended, or of no use any more. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Runs a task; the worker must not be busy. `begin` is called once the thread has turned to it. */
  run(task: Task, begin: () => void): Promise<Settled> {
    this.known.add(task.call);
    return new Promise((settle) => {
      this.#current = { task, begin, settle };
      this.#post(task);
    });
  }

  /** Ends the task early, if it is this one that runs. */
  stop(taskId: number): void {
    if (this.#current?.task.id !== taskId) return;
    Atomics.store(this.#stop, 0, taskId);
    this.#killer ??= setTimeout(() => {
      void this.close();
      this.#settle(taskId, { isStopped: true });
    }, GRACE_MS).unref();
  }

  /** Lets go of functions that nobody will call again. */
  forget(calls: readonly number[]): void {
    const known = calls.filter((call) => this.known.delete(call));
    if (known.length > 0) this.#post({ kind: "forget", calls: known });
  }

  /** Ends the thread, whatever it does. */
  async close(): Promise<void> {
    this.#isGone = true;
    await this.#worker.terminate();
  }

  #post(order: Order): void {
    this.#worker.postMessage(order);
  }

  #settle(id: number, settled: Settled): void {
    if (this.#current?.task.id !== id) return;
    if (settled.isLast) void this.close();
    clearTimeout(this.#killer);
    this.#killer = undefined;
    const { settle } = this.#current;
    this.#current = undefined;
    settle(settled);
  }

  #lose(error: string): void {
    this.#isGone = true;
    if (this.#current !== undefined) this.#settle(this.#current.task.id, { error });
  }
}

/**
 * Starts the thread of a module, named by its path without extension. A thread has TypeScript only where it asks for it. It requires all
 * that it needs, and imports nothing: imports are read by Node's thread pool, and that may be full of queries which wait for this thread.
 */
function startThread(thread: string, workerData: WorkerStart): Worker {
  // In a clone this file is TypeScript, and so is the thread's; the built package has that one as CommonJS.
  const isSource = import.meta.url.endsWith(".ts");
  const main = JSON.stringify(`${thread}.${isSource ? "ts" : "cjs"}`);
  const load = isSource
    ? `require(${JSON.stringify(createRequire(import.meta.url).resolve("tsx/cjs/api"))}).register();`
    : "";
  return new Worker(`${load} require(${main});`, {
    eval: true,
    execArgv: [],
    workerData,
  });
}
