import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CompileSettings, compileProject } from "../../generator/src/dataform/compiler.ts";
import type { CompiledGraph } from "../../generator/src/dataform/graph.ts";
import { inTemporaryProject, type ProjectFiles, readProjectFiles } from "../../generator/src/dataform/project-copy.ts";
import { includedFiles } from "../../generator/src/generate/merge-sql.ts";
import { generateProject } from "../../generator/src/generate/project.ts";
import { readProjectInput } from "../../generator/src/project/load-project.ts";

/** The folder of the golden cases: one folder per case, `entities.json` and `schemas/` in it, and `expected/`. */
export const GOLDEN = fileURLToPath(new URL(".", import.meta.url));
/** The repository, whose settings, includes and packages the cases share. */
export const ROOT = join(GOLDEN, "..", "..");

/** The cases' names; a folder without entities.json is another test's. */
export async function listCases(): Promise<readonly string[]> {
  const entries = await readdir(GOLDEN, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return folders.filter((name) => existsSync(join(GOLDEN, name, "entities.json")));
}

/** A case's input, with what every project has. */
async function inputOf(name: string): Promise<Map<string, string>> {
  return new Map([
    ...(await readProjectFiles(ROOT, ["dataform.json"])),
    ...(await readProjectFiles(join(GOLDEN, name), ["entities.json", "schemas"])),
    ["package.json", JSON.stringify({ dependencies: { "@dataform/core": "*" } })],
  ]);
}

/** What the generator makes of a project's files. */
async function definitionsOf(files: ProjectFiles): Promise<ProjectFiles> {
  const { config, schemas, defaultDataset } = await readProjectInput(async (file) => files.get(file));
  return generateProject(config, schemas, { defaultDataset });
}

/** A case as a whole project, its definitions made anew: what Dataform compiles. `more` is added to its input. */
export async function projectOf(name: string, more: ProjectFiles = new Map()): Promise<Map<string, string>> {
  const input = new Map([...(await inputOf(name)), ...more]);
  return new Map([...input, ...(await definitionsOf(input))]);
}

/** The files a case makes now: the SQLX, and the graph that Dataform itself compiles from it. */
export async function produce(name: string): Promise<ProjectFiles> {
  const input = await inputOf(name);
  const files = await definitionsOf(input);
  const graph = await compileCase(name);
  // The rest every project has the same copy of.
  const own = [...files].filter(([path]) => !includedFiles().has(path));
  return new Map([...own, ["graph.json", `${JSON.stringify(describeGraph(graph), null, 2)}\n`]]);
}

/** The graph that Dataform compiles from a case. */
export async function compileCase(
  name: string,
  settings: CompileSettings = {},
): Promise<CompiledGraph> {
  return inTemporaryProject(await projectOf(name), ROOT, (root) => compileProject(root, settings));
}

/** The files a case should make. */
export async function readExpected(name: string): Promise<ProjectFiles> {
  return readProjectFiles(join(GOLDEN, name, "expected"), ["."]);
}

/** Each action with the actions it waits for, all sorted. */
function describeGraph(graph: CompiledGraph): Record<string, unknown> {
  const { tables = [], operations = [], assertions = [], declarations = [] } = graph;
  const lists = { tables, operations, assertions, declarations };
  const edges = Object.entries(lists).flatMap(([kind, actions]) =>
    actions.map((action) => {
      const { target, dependencyTargets = [] } = action as {
        target: { schema: string; name: string };
        dependencyTargets?: readonly { schema: string; name: string }[];
      };
      const needs = dependencyTargets.map(({ schema, name }) => `${schema}.${name}`).sort();
      return [`${target.schema}.${target.name}`, { kind: kind.slice(0, -1), needs }] as const;
    }),
  );
  const tests = (graph.tests ?? []).map(({ target }) => [`${target.schema}.${target.name}`, { kind: "test" }] as const);
  return Object.fromEntries([...edges, ...tests].sort(([a], [b]) => (a < b ? -1 : 1)));
}
