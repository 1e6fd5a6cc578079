import type { NumberedFunction, Task } from "./messages.ts";
import { JavaScriptWorker, type Settled } from "./worker.ts";

/** A function to call, with rows. */
export interface Job {
  readonly call: number;
  /** Absent where the thread has the function. */
  readonly definition?: NumberedFunction;
  readonly rows: unknown;
  readonly rowCount: number;
}

interface Queued {
  readonly id: number;
  readonly job: Job;
  readonly settle: (settled: Settled) => void;
  worker?: JavaScriptWorker;
  isTimedOut: boolean;
}

/** Workers that run functions in JavaScript; they are started when there is something for them to do. */
export class WorkerPool {
  readonly #timeLimitMs: number | undefined;
  readonly #thread: string;
  readonly #maxWorkers: number;
  #workers: readonly JavaScriptWorker[] = [];
  readonly #tasks = new Set<Queued>();
  #lastId = 0;

  /**
   * `thread`: the module that its threads run, of which there are `maxWorkers` at most; see `startThread`. A task may take any time where
   * there is no limit.
   */
  constructor(thread: string, maxWorkers: number, timeLimitMs?: number) {
    this.#thread = thread;
    this.#maxWorkers = maxWorkers;
    this.#timeLimitMs = timeLimitMs;
  }

  /** Runs a function on rows, when its turn has come. */
  run(job: Job): Promise<Settled> {
    this.#lastId += 1;
    return new Promise((settle) => {
      this.#tasks.add({ id: this.#lastId, job, settle, isTimedOut: false });
      this.#startNext();
    });
  }

  /** Stops what runs or waits of these calls, and forgets their functions. */
  end(calls: ReadonlySet<number>): void {
    for (const task of this.#tasks) {
      if (!calls.has(task.job.call)) continue;
      if (task.worker === undefined) this.#finish(task, { isStopped: true });
      else task.worker.stop(task.id);
    }
    for (const worker of this.#workers) worker.forget([...calls]);
  }

  /** Ends all workers. */
  async close(): Promise<void> {
    const workers = this.#workers;
    this.#workers = [];
    await Promise.all(workers.map((worker) => worker.close()));
  }

  #startNext(): void {
    for (const task of this.#tasks) {
      if (task.worker !== undefined) continue;
      const worker = this.#workerFor(task.job.call);
      if (worker === undefined) return;
      void this.#start(task, worker);
    }
  }

  /** An idle worker that has the function warm, else any, else a new one while there may be more. */
  #workerFor(call: number): JavaScriptWorker | undefined {
    const idle = this.#workers.filter((worker) => !worker.isBusy && !worker.isGone);
    const found = idle.find((worker) => worker.known.has(call)) ?? idle[0];
    if (found !== undefined || this.#workers.length >= this.#maxWorkers) return found;
    const made = new JavaScriptWorker(this.#thread);
    this.#workers = [...this.#workers, made];
    return made;
  }

  async #start(task: Queued, worker: JavaScriptWorker): Promise<void> {
    task.worker = worker;
    const { call, definition, rows, rowCount } = task.job;
    const order: Task = { kind: "task", id: task.id, call, rows, rowCount };
    let timer: NodeJS.Timeout | undefined;
    const begin = (): void => {
      if (this.#timeLimitMs === undefined) return;
      timer = setTimeout(() => {
        task.isTimedOut = true;
        worker.stop(task.id);
      }, this.#timeLimitMs).unref();
    };
    const settled = await worker.run(
      worker.known.has(call) || definition === undefined ? order : { ...order, definition },
      begin,
    );
    clearTimeout(timer);
    if (worker.isGone) this.#workers = this.#workers.filter((other) => other !== worker);
    this.#finish(task, task.isTimedOut && settled.isStopped ? { error: this.#timedOut() } : settled);
  }

  #finish(task: Queued, settled: Settled): void {
    this.#tasks.delete(task);
    task.settle(settled);
    this.#startNext();
  }

  #timedOut(): string {
    const seconds = (this.#timeLimitMs ?? 0) / 1000;
    return `Resources exceeded during query execution: the JavaScript function did not end within ${seconds} seconds.`;
  }
}
