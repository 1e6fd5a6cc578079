import { vi } from "vitest";
import { type Output, processOutput } from "../../generator/src/cli/output.ts";
import { runCommandLine } from "../../generator/src/cli/run.ts";

/** How a command ended. */
export interface CommandResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in this process, in the project's folder, without the second that a process of its own takes to start. */
export async function runHere(
  { root, url }: { readonly root: string; readonly url: string },
  ...argv: readonly string[]
): Promise<CommandResult> {
  const before = process.cwd();
  const written = { stdout: "", stderr: "" };
  vi.stubEnv("BIGQUERY_EMULATOR_HOST", url);
  for (const name of Object.keys(process.env)) if (/^npm_|^INIT_CWD$/.test(name)) vi.stubEnv(name, undefined);
  for (const stream of ["stdout", "stderr"] as const)
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      written[stream] += String(text);
      return true;
    });
  process.chdir(root);
  try {
    const output: Output = processOutput();
    return { exitCode: await runCommandLine(argv, output), ...written };
  } finally {
    process.chdir(before);
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  }
}
