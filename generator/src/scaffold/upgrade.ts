import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { COMPILED_FOLDER, isCompiled, renderCompiled, SHOW_ALL } from "../dataform/actions.ts";
import { compileProject } from "../dataform/compiler.ts";
import { inTemporaryProject, readProjectFiles } from "../dataform/project-copy.ts";
import { generateProject } from "../generate/project.ts";
import { compareFiles, type Difference, GENERATED_FOLDERS, isGenerated } from "../generate/write.ts";
import { CommandError } from "../project/errors.ts";
import { parseJson } from "../project/json.ts";
import { readProjectInput } from "../project/load-project.ts";
import { isObject } from "../project/problems.ts";
import { readFolder } from "../project/read-file.ts";
import { isOlder, newerProject, readProjectVersion, TOOL } from "../project/tool-version.ts";
import { SCHEMA_OF_ENTITIES } from "./new-entity.ts";
import { SCAFFOLD_PACKAGE, scaffoldFiles } from "./new-project.ts";

/** What upgrading does to a project's files. */
export interface UpgradePlan {
  /** The version that wrote the project's files; undefined where nothing says one. */
  readonly from: string | undefined;
  readonly differences: readonly Difference[];
  /** What is left to the people who own the project. */
  readonly notes: readonly string[];
  /** True where package.json names a package of an earlier version that lies in the project. */
  readonly needsPackages: boolean;
}

/** What a release wrote beside the generated files: hashes of its files, and its package.json without what a project says itself. */
interface Release {
  readonly files: Readonly<Record<string, string>>;
  readonly packageJson: Json;
}

type Json = { readonly [name: string]: unknown };

const RELEASES = new URL("releases/", import.meta.url);

/**
 * Compares a project's files with what this version would write. A file that people changed is theirs: of the scaffold only what is as
 * a release wrote it becomes new, and package.json keeps what differs from its release's. Throws where the project is of a newer version.
 */
export async function planUpgrade(root: string): Promise<UpgradePlan> {
  const read = readFolder(root);
  const from = await readProjectVersion(read);
  if (from !== undefined && isOlder(TOOL.version, from)) throw newerProject(from);
  const release = await readRelease(from);
  const notes: string[] = [];
  const wanted = new Map<string, string>();
  for (const [file, text] of await scaffoldFiles()) {
    const actual = await read(file);
    const [before, now] = [release?.files[file], hashOf(text)];
    const isOurs = actual === undefined ? before === undefined : hashOf(actual) === before;
    if (isOurs || file === "tool.js") wanted.set(file, text);
    else if (actual !== undefined && hashOf(actual) !== now && before !== now)
      notes.push(`${file}: changed here, so it is left as it is; a new project's has changed too`);
  }
  const packageText = (await read("package.json")) ?? "{}";
  const mine = parseObject(packageText, "package.json");
  const merged = mergePackage(mine, release);
  wanted.set("package.json", `${JSON.stringify(merged.packageJson, null, 2)}\n`);
  const entities = await read("entities.json");
  if (entities !== undefined)
    wanted.set("entities.json", entities.replace(/("\$schema": )"[^"]*"/, `$1"${SCHEMA_OF_ENTITIES}"`));
  const generated = await generate(root, wanted);
  const differences = [
    ...(await compareFiles(root, [], wanted, () => false)),
    ...(await compareFiles(root, GENERATED_FOLDERS, generated.definitions, isGenerated)),
    ...(await compareFiles(root, [COMPILED_FOLDER], generated.compiled, isCompiled)),
  ];
  if (from === "0.1.0") notes.push(...(await leftOfTheFork(root)));
  return { from, differences, notes, needsPackages: merged.needsPackages };
}

/** Every release that a project may be of, the oldest first. */
export async function listReleases(): Promise<readonly string[]> {
  const names = await readdir(RELEASES);
  return names.map((name) => name.replace(/\.json$/, "")).sort((one, two) => (isOlder(one, two) ? -1 : 1));
}

/** The release that wrote a project; the newest before it where it was a version between two releases. */
async function readRelease(version: string | undefined): Promise<Release | undefined> {
  if (version === undefined) return undefined;
  const known = (await listReleases()).filter((one) => !isOlder(version, one)).at(-1);
  if (known === undefined) return undefined;
  return JSON.parse(await readFile(new URL(`${known}.json`, RELEASES), "utf8")) as Release;
}

/** The generated files as this version makes them, and what they compile to beside people's own. */
async function generate(
  root: string,
  wanted: ReadonlyMap<string, string>,
): Promise<{ definitions: ReadonlyMap<string, string>; compiled: ReadonlyMap<string, string> }> {
  const read = readFolder(root);
  const { config, schemas, defaultDataset } = await readProjectInput(
    async (file) => wanted.get(file) ?? (await read(file)),
  );
  const definitions = generateProject(config, schemas, { defaultDataset });
  const own = [...(await readProjectFiles(root, [...GENERATED_FOLDERS, "dataform.json"]))];
  const files = new Map([...own.filter(([file, text]) => !isGenerated(file, text)), ...definitions]);
  files.set("package.json", wanted.get("package.json") ?? "{}");
  const graph = await inTemporaryProject(files, import.meta.dirname, (copy) =>
    compileProject(copy, SHOW_ALL),
  );
  return { definitions, compiled: renderCompiled(graph) };
}

/** package.json with what this version changes; the tool and the endpoint of a project that has them packed become new by packing. */
function mergePackage(
  mine: Json,
  release: Release | undefined,
): { readonly packageJson: Json; readonly needsPackages: boolean } {
  const { name: _, devDependencies: packages, ...ours } = parseObject(SCAFFOLD_PACKAGE, "package.json");
  const theirs: Json = { ...ours, devDependencies: {} };
  const merged = merge(release?.packageJson ?? theirs, mine, theirs);
  const dependencies = isObject(merged.devDependencies) ? merged.devDependencies : {};
  const specs = Object.keys(isObject(packages) ? packages : {}).map((name) => [name, dependencies[name]]);
  const isStale = (spec: unknown): boolean => {
    const version = /^file:packages\/.*-(\d+\.\d+\.\d+)\.tgz$/.exec(String(spec))?.[1];
    return version !== undefined && version !== TOOL.version;
  };
  const renewed = specs.map(([name, spec]) => [name, /^[\^~]?\d/.test(String(spec)) ? TOOL.version : spec]);
  const devDependencies = { ...dependencies, ...Object.fromEntries(renewed.filter(([, spec]) => spec)) };
  return {
    packageJson: { ...merged, devDependencies },
    needsPackages: dependencies[TOOL.name] === undefined || specs.some(([, spec]) => isStale(spec)),
  };
}

/** Each member as it was changed: by this version where the project has it as its release wrote it, else as the project has it. */
function merge(base: Json, mine: Json, theirs: Json): Json {
  const names = [...new Set([...Object.keys(mine), ...Object.keys(theirs)])];
  return Object.fromEntries(
    names.flatMap((name) => {
      const [was, is, becomes] = [base[name], mine[name], theirs[name]];
      if (isObject(is) && isObject(becomes))
        return [[name, merge(isObject(was) ? was : {}, is, becomes)] as const];
      const value = JSON.stringify(is) === JSON.stringify(was) ? becomes : is;
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

/** What a fork of the repository has and no project of one's own needs. */
async function leftOfTheFork(root: string): Promise<readonly string[]> {
  const folders = ["bench", "generator", "local", "review", "test", "warehouse"];
  const files = ["biome.json", "tsconfig.json", "vitest.config.ts", "package-lock.json"];
  const present = new Set(await readdir(root));
  const left = [...folders, ...files].filter((name) => present.has(name));
  return left.length === 0
    ? []
    : [
        `${left.join(", ")}: the tool's own, which is a package now; remove them: git rm -r ${left.join(" ")}`,
      ];
}

function parseObject(text: string, file: string): Json {
  const json = parseJson(text, file);
  if (isObject(json)) return json;
  throw new CommandError(`${file}: not an object; write {}`);
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
