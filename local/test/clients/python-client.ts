import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { cachedFolder, runTool } from "./cases.ts";

const REQUIREMENTS = path.join(import.meta.dirname, "requirements.txt");

/** Why the Python client cannot be tried here; undefined where it can. */
export function whyNoPython(): string | undefined {
  const version = spawnSync("python3", ["-c", "import sys; print(sys.version_info >= (3, 10))"], {
    encoding: "utf8",
  });
  if (version.error !== undefined || version.status !== 0) return "python3 is not installed";
  if (version.stdout.trim() !== "True") return "python3 is older than 3.10";
  const pip = spawnSync("python3", ["-m", "pip", "--version"]);
  return pip.status === 0 ? undefined : "python3 has no pip";
}

/** Installs the client beside others of its requirements and version of Python; once, and kept. Gives its folder. */
export async function installPython(): Promise<string> {
  const version = await runTool("python3", ["-c", "import sys; print(sys.version, sys.platform)"]);
  // One script imports a small part of it: to compile all of it takes longer than the rest of the installation.
  const args = ["-m", "pip", "install", "--quiet", "--no-compile", "-r", REQUIREMENTS];
  return cachedFolder("python", [version, args.join(" "), readFileSync(REQUIREMENTS)], async (folder) => {
    await runTool("python3", [...args, "--target", folder]);
  });
}
