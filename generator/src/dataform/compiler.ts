import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, realpath } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
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

/** What compiles: it stands beside this file in the sources and in the package. */
const COMPILE = fileURLToPath(new URL("compile-in-core.cjs", import.meta.url));

/**
 * The graph of the project in the folder `root`, the same as `dataform compile --json` prints, made by the @dataform/core that the
 * project has installed. Throws an InputError with what is wrong in the project, one line each.
 */
export async function compileProject(root: string, settings: CompileSettings = {}): Promise<CompiledGraph> {
  // Core compares the folder with where a project's files really are.
  const projectDir = await realpath(path.resolve(root));
  const core = path.join(projectDir, "node_modules/@dataform/core");
  if (!existsSync(core)) throw compilationProblem([{ message: MISSING_CORE }]);
  const messages = await messagesOf(core);
  const request = messages.lookupType("dataform.CoreExecutionRequest");
  const filePaths = await listFiles(projectDir);
  const compileConfig = { projectDir, filePaths, projectConfigOverride: settings };
  const encoded = request.encode(request.fromObject({ compile: { compileConfig } })).finish();
  const answer = await compileInCore(projectDir, Buffer.from(encoded).toString("base64"));
  // A text is the graph in base64; anything else what was thrown.
  if (typeof answer !== "string") throw compilationProblem([answer as { message?: string }]);
  const response = messages
    .lookupType("dataform.CoreExecutionResponse")
    .decode(Buffer.from(answer, "base64"));
  const graph = (response.toJSON() as { compile?: { compiledGraph?: CompiledGraph } }).compile?.compiledGraph;
  const errors = graph?.graphErrors?.compilationErrors ?? [];
  if (errors.length > 0) throw compilationProblem(errors);
  return graph ?? {};
}

const MISSING_CORE = "@dataform/core is not installed in the project; run `npm ci`";

/** The project's files as the CLI hands them to core: by their path, but for those of packages and hidden ones. */
async function listFiles(root: string): Promise<readonly string[]> {
  const folders = (await readdir(root, { withFileTypes: true })).filter(
    (entry) => entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith("."),
  );
  const listed = folders.map(async ({ name }) =>
    (await readdir(path.join(root, name), { recursive: true })).map((file) => path.join(name, file)),
  );
  return (await Promise.all(listed)).flat().sort();
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

/** The messages that a core understands. */
function messagesOf(core: string): Promise<protobuf.Root> {
  const { version } = createRequire(import.meta.url)(path.join(core, "package.json")) as { version: string };
  const messages = known.get(version) ?? protobuf.load(path.join(core, "core.proto"));
  known.set(version, messages);
  return messages;
}
