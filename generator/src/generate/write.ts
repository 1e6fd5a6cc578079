import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createTwoFilesPatch } from "diff";
import { unusableFile } from "../project/problems.ts";

/** How the files on disk differ from the files that should be there. */
export interface Difference {
  readonly path: string;
  readonly kind: "missing" | "changed" | "orphaned";
  /** What is on disk; undefined for a missing file. */
  readonly actual?: string;
  /** What should be; undefined for an orphan. */
  readonly expected?: string;
}

/** The folders that `generate` writes to; people's own files stand there too. */
export const GENERATED_FOLDERS = ["definitions", "includes"];

/**
 * Compares folders with the files that should be in them. A file that should not be there counts as orphaned only where
 * `isGenerated` says that we once made it: the rest is people's own.
 */
export async function compareFiles(
  root: string,
  folders: readonly string[],
  expected: ReadonlyMap<string, string>,
  isGenerated: (path: string, text: string) => boolean,
): Promise<readonly Difference[]> {
  const differences: Difference[] = [];
  for (const [path, text] of expected) {
    const actual = await readIfPresent(root, path);
    if (actual === undefined) differences.push({ path, kind: "missing", expected: text });
    else if (actual !== text) differences.push({ path, kind: "changed", actual, expected: text });
  }
  const present = (await Promise.all(folders.map((folder) => listFiles(root, folder)))).flat();
  for (const path of present) {
    if (expected.has(path)) continue;
    const actual = (await readIfPresent(root, path)) ?? "";
    if (isGenerated(path, actual)) differences.push({ path, kind: "orphaned", actual });
  }
  return differences.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** True for a SQLX or JavaScript file that `npm run generate` made, by its first line. */
export function isGenerated(path: string, text: string): boolean {
  return /\.(sqlx|js)$/.test(path) && /^.*(Generated|A copy) by `npm run generate` from .*\n/.test(text);
}

/** Makes the disk as it should be: each file appears whole, under its name, or not at all. */
export async function writeFiles(root: string, differences: readonly Difference[]): Promise<void> {
  for (const { path, expected } of differences) {
    if (expected === undefined) continue;
    const target = join(root, path);
    const draft = `${target}.${process.pid}.tmp`;
    try {
      await mkdir(dirname(target), { recursive: true });
      await writeFile(draft, expected);
      await rename(draft, target);
    } catch (error) {
      await rm(draft, { force: true }).catch(() => undefined);
      throw unusableFile(path, "written", error);
    }
  }
  for (const { path, kind } of differences) {
    if (kind !== "orphaned") continue;
    try {
      await rm(join(root, path));
      await removeIfEmpty(dirname(join(root, path)));
    } catch (error) {
      throw unusableFile(path, "removed", error);
    }
  }
}

/** Prints differences as unified diffs, from what is on disk to what should be. */
export function formatDifferences(differences: readonly Difference[]): string {
  return differences
    .map(({ path, kind, actual, expected }) => {
      const from = actual === undefined ? "/dev/null" : `a/${path}`;
      const to = expected === undefined ? "/dev/null" : `b/${path}`;
      const patch = createTwoFilesPatch(from, to, actual ?? "", expected ?? "");
      return `${kind}: ${path}\n${patch.replace(/^=+\n/, "")}`;
    })
    .join("\n");
}

async function readIfPresent(root: string, path: string): Promise<string | undefined> {
  try {
    return await readFile(join(root, path), "utf8");
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw unusableFile(path, "read", error);
  }
}

async function listFiles(root: string, folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(join(root, folder), { withFileTypes: true, recursive: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(join(root, "/").length).replaceAll("\\", "/"))
      .sort();
  } catch (error) {
    if (isNotFound(error)) return [];
    throw unusableFile(folder, "read", error);
  }
}

async function removeIfEmpty(folder: string): Promise<void> {
  const left = await readdir(folder);
  if (left.length === 0) await rmdir(folder);
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
