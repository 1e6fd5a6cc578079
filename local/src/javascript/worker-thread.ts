import { createRequire } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import {
  newQuickJSWASMModuleFromVariant,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from "quickjs-emscripten-core";
import type { Answer, NumberedFunction, Order, Started, Task, WorkerStart } from "./messages.ts";
import { Sandbox, SandboxError, StoppedError } from "./sandbox.ts";

const port = parentPort;
if (port === null) throw new Error("worker-thread.ts is no program of its own");

// The interpreter asks this thread's Date how far the local time is from UTC, which is the local time of BigQuery's functions; a process
// has one time zone for all its threads.
Date.prototype.getTimezoneOffset = () => 0;
const stop = new Int32Array((workerData as WorkerStart).stop);
// The package itself would import the module, which takes Node's thread pool: see `startThread`.
const require = createRequire(import.meta.url);
const { default: variant } = require("@jitl/quickjs-wasmfile-release-sync") as {
  default: QuickJSSyncVariant;
};
const loadModule = require("@jitl/quickjs-wasmfile-release-sync/emscripten-module") as Awaited<
  ReturnType<QuickJSSyncVariant["importModuleLoader"]>
>;
const load = (): Promise<QuickJSWASMModule> =>
  newQuickJSWASMModuleFromVariant({ ...variant, importModuleLoader: async () => loadModule });
/** An interpreter larger than this is not left to the garbage collector: it goes with its thread, at once. */
const MAX_LEFT = 64 * 1024 * 1024;
let loading = load();
const definitions = new Map<number, NumberedFunction>();
const sandboxes = new Map<number, Sandbox>();
let current = 0;

function answer(quickjs: QuickJSWASMModule, task: Task): Answer {
  const { id, call, rows, rowCount } = task;
  current = id;
  try {
    if (task.definition !== undefined) definitions.set(call, task.definition);
    return { kind: "answer", id, results: sandboxOf(quickjs, call).run(rows as string, rowCount) };
  } catch (error) {
    if (!(error instanceof StoppedError || error instanceof SandboxError)) throw error;
    const isLast = replace(quickjs);
    return { kind: "answer", id, isLast, ...outcomeOf(error) };
  }
}

function outcomeOf(error: StoppedError | SandboxError): Pick<Answer, "error" | "isStopped"> {
  return error instanceof StoppedError ? { isStopped: true } : { error: error.message };
}

/**
 * Whatever was interrupted or has failed may have left its environment in any state, in which the interpreter would not free it: a new
 * one takes its place. Gives whether the old one is so large that the thread has to go with it.
 */
function replace(quickjs: QuickJSWASMModule): boolean {
  sandboxes.clear();
  loading = load();
  return quickjs.getWasmMemory().buffer.byteLength > MAX_LEFT;
}

function sandboxOf(quickjs: QuickJSWASMModule, call: number): Sandbox {
  const known = sandboxes.get(call);
  if (known !== undefined) return known;
  const definition = definitions.get(call);
  if (definition === undefined) throw new Error(`no function for the call ${call}`);
  const made = new Sandbox(quickjs, definition, () => Atomics.load(stop, 0) === current);
  sandboxes.set(call, made);
  return made;
}

function forget(call: number): void {
  const sandbox = sandboxes.get(call);
  sandboxes.delete(call);
  sandbox?.dispose();
}

async function follow(order: Order): Promise<void> {
  const quickjs = await loading;
  if (order.kind === "task") {
    const started: Started = { kind: "started", id: order.id };
    port?.postMessage(started);
    port?.postMessage(answer(quickjs, order));
    return;
  }
  for (const call of order.calls) {
    forget(call);
    definitions.delete(call);
  }
}

port.on("message", (order: Order) => void follow(order));
