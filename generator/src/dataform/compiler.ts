import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";
import { CommandError } from "../project/errors.ts";
import { installCall } from "../project/install.ts";
import { type CompiledGraph, compilationProblem } from "./graph.ts";
import { killOnExit } from "./kill-on-exit.ts";
import { listFiles } from "./project-copy.ts";

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

/** What compiles: it stands beside this file in the sources and in the package. */
const COMPILE = fileURLToPath(new URL("compile-in-core.cjs", import.meta.url));

/**
 * The graph of the project in the folder `root`, the same as `dataform compile --json` prints, made by the @dataform/core that the
 * project has installed. Throws an InputError with what is wrong in the project, one line each.
 */
export async function compileProject(root: string, settings: CompileSettings = {}): Promise<CompiledGraph> {
  // Core compares the folder with where a project's files really are.
  const projectDir = await realpath(path.resolve(root));
  if (!existsSync(coreOf(projectDir)))
    throw new CommandError(
      `dataform compile: @dataform/core is not installed in the project; run \`${installCall(projectDir)}\``,
    );
  const answer = await compileInCore(projectDir, await encodeRequest(projectDir, settings));
  // A text is the graph; anything else what was thrown.
  if (typeof answer !== "string") throw compilationProblem([answer as { message?: string }]);
  const graph = await decodeGraph(projectDir, answer);
  const errors = graph.graphErrors?.compilationErrors ?? [];
  if (errors.length > 0) throw compilationProblem(errors);
  return graph;
}

function coreOf(root: string): string {
  return path.join(root, "node_modules/@dataform/core");
}

/** The folders that core reads. */
const FOLDERS = ["definitions", "includes"];

/** What core is asked to compile a project, by its real path: its CoreExecutionRequest in base64. */
export async function encodeRequest(projectDir: string, settings: CompileSettings = {}): Promise<string> {
  const request = (await messagesOf(projectDir)).lookupType("dataform.CoreExecutionRequest");
  const files = (await Promise.all(FOLDERS.map((folder) => listFiles(projectDir, folder)))).flat();
  const filePaths = files.map(path.normalize).sort();
  const compileConfig = { projectDir, filePaths, projectConfigOverride: settings };
  const message = request.fromObject({ compile: { compileConfig } });
  return Buffer.from(request.encode(message).finish()).toString("base64");
}

/** The graph in core's answer, which is its CoreExecutionResponse in base64; what is wrong in the project is in it. */
export async function decodeGraph(root: string, answer: string): Promise<CompiledGraph> {
  const response = (await messagesOf(root)).lookupType("dataform.CoreExecutionResponse");
  const { compile } = response.decode(Buffer.from(answer, "base64")).toJSON() as {
    compile?: { compiledGraph?: CompiledGraph };
  };
  return compile?.compiledGraph ?? {};
}

/** Core's answer to a request: a text, or an object where core threw something. */
async function compileInCore(root: string, request: string): Promise<unknown> {
  // What a project's own JavaScript prints must not end up in what a command prints.
  const child = spawn(process.execPath, [COMPILE], { stdio: ["ignore", 2, 2, "ipc"] });
  killOnExit(child);
  child.send({ root, request });
  return nextMessage(child);
}

/** The child's next message; throws where it ends instead. */
function nextMessage(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once("message", resolve).once("error", reject);
    child.once("exit", (code, signal) =>
      reject(new Error(`Dataform's compiler ended before it answered (${signal ?? code})`)),
    );
  });
}

const known = new Map<string, Promise<protobuf.Root>>();

/** The messages that a project's core understands. */
function messagesOf(root: string): Promise<protobuf.Root> {
  const core = coreOf(root);
  const { version } = createRequire(import.meta.url)(path.join(core, "package.json")) as { version: string };
  const messages = known.get(version) ?? protobuf.load(path.join(core, "core.proto"));
  known.set(version, messages);
  return messages;
}
