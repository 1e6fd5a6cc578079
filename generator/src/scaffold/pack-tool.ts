import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CommandError, messageOf } from "../project/errors.ts";
import type { ToolPackages } from "./new-project.ts";

/** The folder in a project for the packages that no registry has. */
const PACKAGES_FOLDER = "packages";

/** The tool's own package: in a clone its sources, which packing builds. */
const OWN_FOLDER = fileURLToPath(new URL("../..", import.meta.url));
const isClone = import.meta.url.endsWith(".ts");

/**
 * Packs the tool, and the endpoint where it is installed, into a project, so that it installs anywhere; returns how its package.json
 * names them.
 */
export async function packTool(project: string): Promise<ToolPackages> {
  const folder = path.join(project, PACKAGES_FOLDER);
  await mkdir(folder, { recursive: true });
  const endpoint = endpointFolder();
  return {
    tool: await pack(OWN_FOLDER, folder),
    endpoint: endpoint === undefined ? undefined : await pack(endpoint, folder),
  };
}

/** Packs both anew into a project that has them packed, names them in its package.json, and removes those of earlier versions. */
export async function renewPackages(project: string): Promise<void> {
  const { tool, endpoint } = await packTool(project);
  const file = path.join(project, "package.json");
  const json = JSON.parse(await readFile(file, "utf8")) as { devDependencies?: Record<string, string> };
  const named = endpoint === undefined ? {} : { "bigquery-local": endpoint };
  const devDependencies = { ...json.devDependencies, ...named, "user-info-updater": tool };
  await writeFile(file, `${JSON.stringify({ ...json, devDependencies }, null, 2)}\n`);
  const current = [tool, endpoint].map((spec) => path.basename(spec ?? ""));
  const folder = path.join(project, PACKAGES_FOLDER);
  for (const name of await readdir(folder))
    if (/^(user-info-updater|bigquery-local)-\d.*\.tgz$/.test(name) && !current.includes(name))
      await rm(path.join(folder, name));
}

async function pack(source: string, folder: string): Promise<string> {
  const scripts = isClone ? [] : ["--ignore-scripts"];
  try {
    const run = promisify(execFile);
    const args = ["pack", "--json", ...scripts, "--pack-destination", folder];
    const { stdout } = await run("npm", args, { cwd: source, shell: process.platform === "win32" });
    const [packed] = JSON.parse(stdout.slice(stdout.indexOf("["))) as { filename: string }[];
    return `file:${PACKAGES_FOLDER}/${packed?.filename}`;
  } catch (error) {
    throw new CommandError(`the tool cannot be packed: ${messageOf(error)}`, { cause: error });
  }
}

function endpointFolder(): string | undefined {
  try {
    return path.dirname(createRequire(import.meta.url).resolve("bigquery-local/package.json"));
  } catch {
    return undefined;
  }
}
