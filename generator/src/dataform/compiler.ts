import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import protobuf from "protobufjs";
import { type CompiledGraph, compilationProblem } from "./graph.ts";
import { killOnExit } from "./kill-on-exit.ts";

/** What one compilation has otherwise than `dataform.json` says, under Dataform's own names (message ProjectConfig). */
export interface CompileSettings {
  readonly vars?: Readonly<Record<string, string>>;
  readonly assertionSchema?: string;
  readonly defaultDatabase?: string;
  readonly databaseSuffix?: string;
  readonly schemaSuffix?: string;
  readonly tablePrefix?: string;
  readonly disableAssertions?: boolean;
  readonly defaultReservation?: string;
}

/**
 * The CLI's own compile worker, loaded rather than started: as the main script it would answer each request twice, which the CLI
 * never sees since it ends the worker after the first answer.
 */
const LOAD_WORKER = "require(process.argv[1])";

/**
 * Dataform's own compiler, in one process that stays warm from project to project: the CLI starts two processes for each, which takes
 * several times as long as to compile. Each project is compiled by the @dataform/core that it has installed.
 */
export class Compiler {
  #worker: ChildProcess | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * The graph of the project in the folder `root`, the same as `dataform compile --json` prints. Throws an InputError with what is
   * wrong in the project, one line each. Requests wait for one another.
   */
  compile(root: string, settings: CompileSettings = {}): Promise<CompiledGraph> {
    const answer = this.#last.then(() => this.#compile(root, settings));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  /** Ends the process; whoever compiles again starts another. */
  close(): void {
    this.#worker?.kill();
    this.#worker = undefined;
  }

  async #compile(root: string, settings: CompileSettings): Promise<CompiledGraph> {
    this.#worker ??= await startWorker();
    const worker = this.#worker;
    worker.ref();
    worker.channel?.ref();
    try {
      const answer = nextMessage(worker);
      worker.send({ projectDir: root, projectConfigOverride: settings });
      return await readAnswer(root, await answer);
    } finally {
      // Who forgets to close it is not kept from ending.
      worker.unref();
      worker.channel?.unref();
      if (worker.exitCode !== null || worker.signalCode !== null) this.#worker = undefined;
    }
  }
}

/** Compiles one project, as `Compiler` does. */
export async function compileProject(root: string, settings: CompileSettings = {}): Promise<CompiledGraph> {
  const compiler = new Compiler();
  try {
    return await compiler.compile(root, settings);
  } finally {
    compiler.close();
  }
}

async function startWorker(): Promise<ChildProcess> {
  const script = createRequire(import.meta.url).resolve("@dataform/cli/worker_bundle.js");
  // What a project's own JavaScript prints must not end up in what a command prints.
  const worker = spawn(process.execPath, ["-e", LOAD_WORKER, script], { stdio: ["ignore", 2, 2, "ipc"] });
  killOnExit(worker);
  await nextMessage(worker); // it says that it has started
  return worker;
}

/** The worker's next message; throws where it ends instead. */
function nextMessage(worker: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown): void => {
      worker.off("exit", onExit);
      resolve(message);
    };
    const onExit = (code: number | null, signal: string | null): void => {
      worker.off("message", onMessage);
      reject(new Error(`Dataform's compiler ended before it answered (${signal ?? code})`));
    };
    worker.once("message", onMessage).once("exit", onExit);
  });
}

/** A text is the graph in base64; anything else what was thrown, field by field. */
async function readAnswer(root: string, answer: unknown): Promise<CompiledGraph> {
  if (typeof answer !== "string") throw compilationProblem([answer as { message?: string }]);
  const response = (await responseType(root)).decode(Buffer.from(answer, "base64")).toJSON();
  const graph = (response as { compile?: { compiledGraph?: CompiledGraph } }).compile?.compiledGraph ?? {};
  const errors = graph.graphErrors?.compilationErrors ?? [];
  if (errors.length > 0) throw compilationProblem(errors);
  return graph;
}

const responseTypes = new Map<string, Promise<protobuf.Type>>();

/** How the core that compiled a project writes its graph. */
function responseType(root: string): Promise<protobuf.Type> {
  const core = path.join(root, "node_modules/@dataform/core");
  const { version } = createRequire(import.meta.url)(path.join(core, "package.json")) as { version: string };
  const known =
    responseTypes.get(version) ??
    protobuf
      .load(path.join(core, "core.proto"))
      .then((messages) => messages.lookupType("dataform.CoreExecutionResponse"));
  responseTypes.set(version, known);
  return known;
}
