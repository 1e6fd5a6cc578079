import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { REPOSITORY, runProgram } from "./harness.ts";

/** The two packages, by folder. */
type PackageFolder = "generator" | "local";

/** What is kept from one run of the tests to the next, under a hash of what made it. */
const KEPT = path.join(REPOSITORY, "node_modules/.cache/packages");

/** What the packages are built from. */
const SOURCES = ["generator", "local", "package.json", "tsconfig.json", "dataform.json", "entities.json"];
const EXAMPLE = ["includes", "schemas", "samples"];

/** Packs a package as `npm pack` does in its folder, in a copy of the repository; returns the tarball's path. */
export async function pack(folder: PackageFolder): Promise<string> {
  const files = await listFiles(path.join(REPOSITORY, folder), (name) => !/^(test|bench|dist)$/.test(name));
  const shared = await Promise.all(
    [...SOURCES.slice(2), ...EXAMPLE].map((part) => listFiles(path.join(REPOSITORY, part))),
  );
  const kept = await keep("packed", await hashOf([...files, ...shared.flat()]), async (target) => {
    const copy = await mkdtemp(path.join(tmpdir(), "pack-"));
    for (const part of [...SOURCES, ...EXAMPLE]) {
      await cp(path.join(REPOSITORY, part), path.join(copy, part), {
        recursive: true,
        filter: (source) => !/\/(dist|node_modules)$/.test(source),
      });
    }
    await symlink(path.join(REPOSITORY, "node_modules"), path.join(copy, "node_modules"));
    await succeed("npm", ["pack", "--pack-destination", target], path.join(copy, folder));
    await rm(copy, { recursive: true });
  });
  const [tarball = ""] = await readdir(kept);
  return path.join(kept, tarball);
}

/** A folder in which npm has installed these tarballs and nothing else; tests share it, so they must not change what is installed. */
export async function installAlone(...tarballs: readonly string[]): Promise<string> {
  return keep("installed", await hashOf(tarballs), async (target) => {
    await writeFile(path.join(target, "package.json"), '{ "private": true }\n');
    await succeed("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs], target);
  });
}

/** What `make` writes into a folder, made once for a hash, whoever asks and however many at once. */
async function keep(kind: string, hash: string, make: (target: string) => Promise<void>): Promise<string> {
  const kept = path.join(KEPT, `${kind}-${hash}`);
  const isThere = (): Promise<boolean> =>
    readdir(kept).then(
      () => true,
      () => false,
    );
  if (await isThere()) return kept;
  await mkdir(KEPT, { recursive: true });
  const target = await mkdtemp(path.join(KEPT, "making-"));
  await make(target);
  await rename(target, kept).catch(async (error: unknown) => {
    await rm(target, { recursive: true });
    if (!(await isThere())) throw error;
  });
  return kept;
}

async function hashOf(files: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const file of [...files].sort()) hash.update(path.basename(file)).update(await readFile(file));
  return hash.digest("hex").slice(0, 16);
}

async function listFiles(place: string, filter: (name: string) => boolean = () => true): Promise<string[]> {
  const entries = await readdir(place, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOTDIR") return undefined;
    throw error;
  });
  if (entries === undefined) return [place];
  const lists = entries
    .filter(({ name }) => filter(name))
    .map((entry) => {
      const file = path.join(place, entry.name);
      return entry.isDirectory() ? listFiles(file) : [file];
    });
  return (await Promise.all(lists)).flat();
}

async function succeed(program: string, args: readonly string[], cwd: string): Promise<void> {
  const { exitCode, stdout, stderr } = await runProgram(program, args, { cwd });
  if (exitCode !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}${stdout}`);
}
