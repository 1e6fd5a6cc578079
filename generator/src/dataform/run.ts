import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Project } from "../project/dataform-json.ts";
import { CommandError } from "../project/errors.ts";
import { hasFlag } from "./flags.ts";

/** How a run of the Dataform CLI ended. */
export interface DataformResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where the CLI's output goes while it comes. */
export interface OutputSink {
  stdout(text: string): void;
  stderr(text: string): void;
}

/** Runs the project's own Dataform CLI in the project's folder and waits for its end. */
export async function runDataform(
  project: Project,
  args: readonly string[],
  sink: OutputSink = { stdout: () => undefined, stderr: () => undefined },
): Promise<DataformResult> {
  const child = spawn(process.execPath, [findCli(), ...args], {
    cwd: project.root,
    env: { ...process.env, ...(process.stdout.isTTY ? {} : { NO_COLOR: "1" }) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stopForwarding = forwardSignals(child);
  try {
    return await collect(child, sink);
  } finally {
    stopForwarding();
  }
}

function findCli(): string {
  try {
    return createRequire(import.meta.url).resolve("@dataform/cli/bundle.js");
  } catch (error) {
    throw new CommandError("@dataform/cli is not installed; run `npm ci`", { cause: error });
  }
}

async function collect(child: ChildProcess, sink: OutputSink): Promise<DataformResult> {
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    sink.stdout(text);
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    sink.stderr(text);
  });
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
  return { exitCode, stdout: withoutColour(stdout), stderr: withoutColour(stderr) };
}

/** Lets an interrupt reach the CLI, which cancels its running jobs; two in a row end both at once. */
function forwardSignals(child: ChildProcess): () => void {
  const signals = ["SIGINT", "SIGTERM"] as const;
  const forward = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  for (const signal of signals) process.once(signal, forward);
  return () => {
    for (const signal of signals) process.off(signal, forward);
  };
}

function withoutColour(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what starts a colour
  return text.replace(/\x1b\[[0-9;]*m/g, "");
}

/** What the CLI reads to know project and location; no secret is in it, credentials come from the environment. */
export function credentialsText(project: Project): string {
  return `${JSON.stringify({ projectId: project.projectId, location: project.location })}\n`;
}

/** Calls `use` with the path of a credentials file that exists only meanwhile. */
export async function withCredentials<T>(project: Project, use: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), "dataform-"));
  try {
    const file = path.join(folder, "credentials.json");
    await writeFile(file, credentialsText(project), { mode: 0o600 });
    return await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The part of Dataform's compiled graph that this project reads. */
export interface CompiledGraph {
  readonly actions: readonly CompiledAction[];
}

/** One action of the compiled graph that a run can select. */
export interface CompiledAction {
  readonly name: string;
  readonly schema: string;
  readonly database: string;
  readonly tags: readonly string[];
}

interface GraphJson {
  readonly tables?: readonly ActionJson[];
  readonly operations?: readonly ActionJson[];
  readonly assertions?: readonly ActionJson[];
  readonly graphErrors?: { readonly compilationErrors?: readonly { fileName?: string; message?: string }[] };
}

interface ActionJson {
  readonly target: { readonly name: string; readonly schema: string; readonly database?: string };
  readonly tags?: readonly string[];
}

/** Dataform gives itself a minute, which a thousand leaves can take on a busy machine. */
const COMPILE_TIMEOUT = "--timeout=10m";

/** The flags, with as long to compile as `npm run compile` has, unless they say how long. */
export function withTimeout(flags: readonly string[]): readonly string[] {
  return hasFlag(flags, "timeout") ? flags : [...flags, COMPILE_TIMEOUT];
}

const TIMEOUT_NOTE = /^.*Note: --timeout only bounds project compilation\..*\n\n?/m;

/** A sink without the CLI's note on the timeout of `withTimeout`, where the user's flags have none. */
export function withoutTimeoutNote(flags: readonly string[], sink: OutputSink): OutputSink {
  if (hasFlag(flags, "timeout")) return sink;
  return { stdout: sink.stdout, stderr: (text) => sink.stderr(text.replace(TIMEOUT_NOTE, "")) };
}

/** Compiles the project with `flags` and returns its actions; a compilation error is one line with its file. */
export async function compileGraph(project: Project, flags: readonly string[]): Promise<CompiledGraph> {
  const result = await runDataform(project, ["compile", ".", "--json", ...withTimeout(flags)]);
  const graph = parseGraph(result);
  const actions = [...(graph.tables ?? []), ...(graph.operations ?? []), ...(graph.assertions ?? [])];
  return {
    actions: actions.map(({ target, tags }) => ({
      name: target.name,
      schema: target.schema,
      database: target.database ?? project.projectId,
      tags: tags ?? [],
    })),
  };
}

function parseGraph(result: DataformResult): GraphJson {
  const start = result.stdout.indexOf("{");
  let graph: GraphJson | undefined;
  try {
    graph = start === -1 ? undefined : (JSON.parse(result.stdout.slice(start)) as GraphJson);
  } catch {
    graph = undefined;
  }
  const error = graph?.graphErrors?.compilationErrors?.[0];
  if (error !== undefined)
    throw new CommandError(`${error.fileName ?? "definitions"}: ${oneLine(error.message)}`);
  if (graph === undefined || result.exitCode !== 0) {
    throw new CommandError(
      `dataform compile: ${firstLine(result.stderr) || firstLine(result.stdout) || "failed without a message"}`,
    );
  }
  return graph;
}

/** What the CLI says before the stack of its own code. */
function firstLine(text: string): string {
  return oneLine(text.split("\n").find((line) => line.trim() !== ""));
}

function oneLine(text: string | undefined): string {
  return (text ?? "").replace(/\s+/g, " ").trim();
}
