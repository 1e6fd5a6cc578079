import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { stripVTControlCharacters } from "node:util";
import { CommandError } from "../project/errors.ts";
import { installCall } from "../project/install.ts";
import { killOnExit } from "./kill-on-exit.ts";

/** How a run of the Dataform CLI ended; what it printed is without colour. */
export interface DataformResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where the CLI's output goes while it comes, as it comes. */
export interface OutputSink {
  stdout(text: string): void;
  stderr(text: string): void;
}

/** What one start of the CLI has otherwise than this process. */
export interface StartOptions {
  readonly sink?: OutputSink;
  readonly env?: Readonly<NodeJS.ProcessEnv>;
}

/** A run of the Dataform CLI that is under way. */
export interface DataformRun {
  readonly child: ChildProcess;
  /** How it ended: exit code 1 too where a signal ended it. */
  readonly ended: Promise<DataformResult>;
}

/** Starts the Dataform CLI that this package brings, in the project's folder, with nothing on its standard input. */
export function startDataform(
  root: string,
  args: readonly string[],
  { sink, env = {} }: StartOptions = {},
): DataformRun {
  const child = spawn(process.execPath, [findCli(root), ...args], {
    cwd: root,
    env: { ...process.env, ...(process.stdout.isTTY ? {} : { NO_COLOR: "1" }), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  killOnExit(child);
  return { child, ended: collect(child, sink) };
}

/** Runs the Dataform CLI to its end; signals that this process gets meanwhile reach it. */
export async function runDataform(
  { root }: { readonly root: string },
  args: readonly string[],
  sink?: OutputSink,
): Promise<DataformResult> {
  const { child, ended } = startDataform(root, args, { sink });
  const stopForwarding = forwardSignals(child);
  try {
    return await ended;
  } finally {
    stopForwarding();
  }
}

function findCli(root: string): string {
  try {
    return createRequire(import.meta.url).resolve("@dataform/cli/bundle.js");
  } catch (error) {
    throw new CommandError(`@dataform/cli is not installed; run \`${installCall(root)}\``, { cause: error });
  }
}

async function collect(child: ChildProcess, sink: OutputSink | undefined): Promise<DataformResult> {
  const printed = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]?.setEncoding("utf8").on("data", (text: string) => {
      printed[stream] += text;
      sink?.[stream](text);
    });
  }
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
  return {
    exitCode,
    stdout: stripVTControlCharacters(printed.stdout),
    stderr: stripVTControlCharacters(printed.stderr),
  };
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
