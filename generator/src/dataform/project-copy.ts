import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";

/** A project's files: text by path in the project, with `/` between folders. */
export type ProjectFiles = ReadonlyMap<string, string>;

/** Reads files of the project in `root`, and all files of folders; `parts` that are not there are left out. */
export async function readProjectFiles(root: string, parts: readonly string[]): Promise<Map<string, string>> {
  const files = (await Promise.all(parts.map((part) => listFiles(root, part)))).flat();
  const texts = files.map(async (file) => [file, await readFile(path.join(root, file), "utf8")] as const);
  return new Map(await Promise.all(texts));
}

/** The files of a folder of the project in `root`, or the one file, by their path in the project; none where it is not there. */
export async function listFiles(root: string, part: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(path.join(root, part), { withFileTypes: true, recursive: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).replaceAll("\\", "/"));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTDIR") return [part];
    if (code === "ENOENT") return [];
    throw error;
  }
}

/**
 * Writes a project into a temporary folder, where Dataform can compile and run it, and gives the folder; whoever asked removes it.
 * The copy compiles with the @dataform/core that `from`, a folder below which it is installed, uses.
 */
export async function writeTemporaryProject(files: ProjectFiles, from: string): Promise<string> {
  const root = await mkdtemp(path.join(tmpdir(), "user-info-project-"));
  for (const [file, text] of files) {
    const target = path.join(root, file);
    // A schema outside the project's folder is no part of what Dataform compiles.
    if (path.relative(root, target).startsWith("..")) continue;
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, text);
  }
  await copyCore(from, root);
  return root;
}

/** Calls `use` with a temporary project that exists only meanwhile. */
export async function inTemporaryProject<T>(
  files: ProjectFiles,
  from: string,
  use: (root: string) => Promise<T>,
): Promise<T> {
  const root = await writeTemporaryProject(files, from);
  try {
    return await use(root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** Dataform's sandbox follows no link out of the project, so its core must really be there; it takes nothing else from there. */
async function copyCore(from: string, root: string): Promise<void> {
  const core = path.dirname(
    createRequire(path.join(from, "package.json")).resolve("@dataform/core/package.json"),
  );
  await cp(core, path.join(root, "node_modules/@dataform/core"), { recursive: true, dereference: true });
}
