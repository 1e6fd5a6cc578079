import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Compiler } from "../../generator/src/dataform/compiler.ts";
import type { CompiledGraph } from "../../generator/src/dataform/graph.ts";
import { loadProject } from "../../generator/src/project/load-project.ts";
import { generateProject } from "../../generator/src/generate/project.ts";

/** The folder of the golden cases: one folder per case, `entities.json` and `schemas/` in it, and `expected/`. */
export const GOLDEN = fileURLToPath(new URL(".", import.meta.url));
const ROOT = join(GOLDEN, "..", "..");

/** The cases' names. */
export async function listCases(): Promise<readonly string[]> {
  const entries = await readdir(GOLDEN, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** A copy of a case's input as a whole project, in a folder of its own. */
export async function createProject(name: string): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "golden-"));
  await cp(join(GOLDEN, name, "entities.json"), join(root, "entities.json"));
  await cp(join(GOLDEN, name, "schemas"), join(root, "schemas"), { recursive: true });
  for (const path of ["dataform.json", "includes"]) await cp(join(ROOT, path), join(root, path), { recursive: true });
  await writeFile(join(root, "package.json"), JSON.stringify({ dependencies: { "@dataform/core": "*" } }));
  const core = join("node_modules", "@dataform", "core");
  await cp(join(ROOT, core), join(root, core), { recursive: true });
  return root;
}

/** Removes what createProject made. */
export async function removeProject(root: string): Promise<void> {
  await rm(root, { recursive: true, force: true });
}

/** The files a case makes now: the SQLX, and the graph that Dataform itself compiles from it. */
export async function produce(name: string, compiler: Compiler): Promise<ReadonlyMap<string, string>> {
  const root = await createProject(name);
  try {
    const { config, schemas, defaultDataset } = await loadProject(root);
    const files = generateProject(config, schemas, { defaultDataset });
    for (const [path, text] of files) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
    const graph = describeGraph(await compiler.compile(root));
    return new Map([...files, ["graph.json", `${JSON.stringify(graph, null, 2)}\n`]]);
  } finally {
    await removeProject(root);
  }
}

/** The files a case should make. */
export async function readExpected(name: string): Promise<ReadonlyMap<string, string>> {
  const folder = join(GOLDEN, name, "expected");
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = new Map<string, string>();
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(folder.length + 1), await readFile(path, "utf8"));
  }
  return files;
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
