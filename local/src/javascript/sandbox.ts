import { readFileSync } from "node:fs";
import type {
  QuickJSContext,
  QuickJSHandle,
  QuickJSRuntime,
  QuickJSWASMModule,
} from "quickjs-emscripten-core";
import type { NumberedFunction } from "./messages.ts";
import { CoercionError, resultText } from "./results.ts";
import { CODE_NAME, calleeName, codeHead, type Thrown, thrownMessage } from "./thrown.ts";

/** What one function may keep in memory. */
const MEMORY_LIMIT = 256 * 1024 * 1024;
/** How deep calls may go, in bytes of the interpreter's stack. */
const STACK_LIMIT = 512 * 1024;
const PRELUDE = readFileSync(new URL("./prelude.js", import.meta.url), "utf8");

/** An error of the user's code, or of what it gave; the message is the user's. */
export class SandboxError extends Error {
  override readonly name = "SandboxError";
}

/** The task was told to stop. */
export class StoppedError extends Error {
  override readonly name = "StoppedError";
}

/** What the prelude hands back of a batch of rows. */
interface Finished {
  readonly failure?: Thrown;
  readonly waiting?: number;
  readonly results?: readonly unknown[];
}

/**
 * One function in an interpreter of its own (QuickJS in WebAssembly): it sees the language and nothing of Node, the files or the network,
 * and its global state lasts as long as the statement.
 */
export class Sandbox {
  readonly #definition: NumberedFunction;
  readonly #isStopped: () => boolean;
  readonly #runtime: QuickJSRuntime;
  readonly #context: QuickJSContext;
  readonly #start: QuickJSHandle;
  readonly #finish: QuickJSHandle;
  /** What is to be freed, in order. */
  readonly #owned: { dispose(): void }[] = [];

  /** A code that does not compile is a SandboxError. */
  constructor(quickjs: QuickJSWASMModule, definition: NumberedFunction, isStopped: () => boolean) {
    this.#definition = definition;
    this.#isStopped = isStopped;
    this.#runtime = this.#own(quickjs.newRuntime());
    try {
      this.#runtime.setMemoryLimit(MEMORY_LIMIT);
      this.#runtime.setMaxStackSize(STACK_LIMIT);
      this.#runtime.setInterruptHandler(isStopped);
      this.#context = this.#own(this.#runtime.newContext());
      const prelude = this.#own(this.#evaluate(PRELUDE, "prelude"));
      const body = this.#own(this.#compile());
      const types = [definition.argumentTypes, definition.returnType].map((type) =>
        this.#own(this.#context.newString(JSON.stringify(type))),
      );
      const functions = this.#own(this.#call(prelude, body, ...types));
      this.#start = this.#own(this.#context.getProp(functions, "start"));
      this.#finish = this.#own(this.#context.getProp(functions, "finish"));
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Calls the function for each row; gives DuckDB's text of each result. The first failing row fails all. */
  run(rows: string, rowCount: number): (string | null)[] {
    const text = this.#context.newString(rows);
    try {
      this.#call(this.#start, text).dispose();
      this.#settle();
      const { failure, waiting, results } = JSON.parse(this.#textOf(this.#call(this.#finish))) as Finished;
      if (failure !== undefined) throw this.#failure(failure);
      if (waiting !== 0)
        throw new SandboxError("The Promise that the JavaScript function returned is never settled");
      if (results?.length !== rowCount)
        throw new SandboxError("The JavaScript function has broken its environment");
      return results.map((result) => resultText(this.#definition.returnType, result));
    } catch (error) {
      // An interrupted Promise may look like one that nobody settles.
      if (this.#isStopped()) throw new StoppedError();
      throw error instanceof CoercionError ? new SandboxError(error.message) : error;
    } finally {
      text.dispose();
    }
  }

  /** Frees the interpreter. */
  dispose(): void {
    for (const part of this.#owned.splice(0)) part.dispose();
  }

  #own<T extends { dispose(): void }>(part: T): T {
    this.#owned.unshift(part);
    return part;
  }

  /** The function itself; what closes its braces early would be another one than it was declared to be. */
  #compile(): QuickJSHandle {
    const { argumentNames, code } = this.#definition;
    const text = `${codeHead(argumentNames)}${code}\n}`;
    const body = this.#evaluate(`(${text})`, CODE_NAME);
    if (this.#context.getString(body) === text) return body;
    body.dispose();
    throw new SandboxError(`SyntaxError: Unexpected token '}' at ${calleeName(this.#definition)}`);
  }

  /** Runs what Promises wait for. */
  #settle(): void {
    while (this.#runtime.hasPendingJob()) {
      const done = this.#runtime.executePendingJobs();
      if (done.error !== undefined) throw this.#thrown(done.error);
    }
  }

  #evaluate(code: string, name: string): QuickJSHandle {
    const result = this.#context.evalCode(code, name);
    if (result.error !== undefined) throw this.#thrown(result.error);
    return result.value;
  }

  #call(callee: QuickJSHandle, ...args: QuickJSHandle[]): QuickJSHandle {
    const result = this.#context.callFunction(callee, this.#context.undefined, ...args);
    if (result.error !== undefined) throw this.#thrown(result.error);
    return result.value;
  }

  #textOf(handle: QuickJSHandle): string {
    const text = this.#context.getString(handle);
    handle.dispose();
    return text;
  }

  /** What the prelude could not catch: an interruption, no memory left, code that does not compile. */
  #thrown(handle: QuickJSHandle): Error {
    const thrown: unknown = this.#context.dump(handle);
    handle.dispose();
    const { name, message, stack } = (thrown ?? {}) as { name?: unknown; message?: unknown; stack?: unknown };
    return this.#failure({ message: `${String(name)}: ${String(message)}`, stack: String(stack) });
  }

  #failure(thrown: Thrown): Error {
    if (/^InternalError: interrupted/.test(thrown.message)) return new StoppedError();
    if (/^InternalError: out of memory/.test(thrown.message)) {
      return new SandboxError("Resources exceeded during query execution: UDF out of memory.");
    }
    return new SandboxError(thrownMessage(thrown, this.#definition));
  }
}
