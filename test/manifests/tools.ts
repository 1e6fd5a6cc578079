import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The repository under test. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const run = promisify(execFile);

/** How a tool ended. */
export interface Ended {
  readonly exitCode: number;
  /** What it printed, stdout and stderr. */
  readonly output: string;
}

/** Runs a program to its end. */
export async function runTool(program: string, args: readonly string[], cwd = ROOT): Promise<Ended> {
  try {
    const { stdout, stderr } = await run(program, [...args], { cwd });
    return { exitCode: 0, output: `${stdout}${stderr}` };
  } catch (error) {
    const { code, stdout = "", stderr = "" } = error as { code?: number; stdout?: string; stderr?: string };
    return { exitCode: typeof code === "number" ? code : 1, output: `${stdout}${stderr}` };
  }
}

/**
 * The folder of the tools that test/manifests/requirements.txt names, installed once for each state of that file; undefined
 * where Python or its packages are not to be had, and the tests that need them are skipped by name.
 */
export const TOOLS = await installTools();

/** Why tests of manifests are skipped, for their names. */
export const NEEDS = TOOLS === undefined ? " (skipped: no Python packages on this machine)" : "";

async function installTools(): Promise<string | undefined> {
  const requirements = path.join(ROOT, "test/manifests/requirements.txt");
  const version = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);
  const folder = path.join(ROOT, ".cache", `manifest-tools-${version}`);
  const bin = path.join(folder, "bin");
  if (existsSync(path.join(bin, "hadolint"))) return bin;
  try {
    await run("python3", ["-m", "venv", folder]);
    const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements];
    await run(path.join(bin, "python"), install, { timeout: 300_000 });
    return bin;
  } catch {
    rmSync(folder, { recursive: true, force: true });
    return undefined;
  }
}
