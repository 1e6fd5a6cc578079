import type { JavaScriptFunction } from "./definition.ts";

/** Rows for a function to be called with. */
export interface Task {
  readonly kind: "task";
  readonly id: number;
  /** The call whose function this is. */
  readonly call: number;
  /** Left out where the worker has had it. */
  readonly definition?: NumberedFunction;
  /** Arguments as `encodeRows` writes them; of a function of the endpoint's own, what its thread makes of them. */
  readonly rows: unknown;
  readonly rowCount: number;
}

/** A function and its number among those of its query, which errors name it by. */
export interface NumberedFunction extends JavaScriptFunction {
  readonly number: number;
}

/** Functions that nobody will call again. */
interface Forget {
  readonly kind: "forget";
  readonly calls: readonly number[];
}

/** What a worker is sent. */
export type Order = Task | Forget;

/** What a worker is started with. */
export interface WorkerStart {
  /** One Int32: the id of the task that is to end early. */
  readonly stop: SharedArrayBuffer;
}

/** A worker has begun a task: a new one may have taken its time to start. */
export interface Started {
  readonly kind: "started";
  readonly id: number;
}

/** What a task came to: a value for each row (of a user's function its text), the error that BigQuery would give, or nothing because it was told to stop. */
export interface Answer {
  readonly kind: "answer";
  readonly id: number;
  readonly results?: readonly unknown[];
  readonly error?: string;
  readonly isStopped?: boolean;
  /** The worker is of no use any more. */
  readonly isLast?: boolean;
}
