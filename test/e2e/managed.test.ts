import { cp, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeGraph, encodeRequest } from "../../generator/src/dataform/compiler.ts";
import { type CompileCost, estimateCompileCost } from "../../generator/src/generate/compile-cost.ts";
import { buildModels, generateProject } from "../../generator/src/generate/project.ts";
import { loadProject } from "../../generator/src/project/load-project.ts";
import { REPOSITORY, runProgram } from "./harness.ts";

/**
 * What managed Dataform does with a project, as far as Google says: it installs package.json's packages and compiles with
 * @dataform/core. Its limits: 8 s of CPU, 200 MB of memory, under 200 MB of packages (docs/managed-dataform.md has the sources).
 */
const CPU_SECONDS = 8;
/** What an empty project takes in the CLI's sandbox on the machine that docs/managed-dataform.md measured: others are slower or faster than that. */
const EMPTY_CPU_SECONDS = 1.2;
const MEGABYTES = 200;
/**
 * Node lets its heap grow before it looks for what nobody needs. Held to this, the process takes what it must: 103 MB in the CLI's
 * sandbox for an empty project, which is the compiler itself.
 */
const HEAP = ["--max-old-space-size=160", "--max-semi-space-size=2"];
/** What the CLI's sandbox may take for an empty project, and for each leaf below; the first SQLX took 0.31 MB a leaf. */
const EMPTY_MEGABYTES = 103;
const MEGABYTES_PER_LEAF = 0.25;

let root = "";
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "managed-"));
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

/** Files that are committed and that Dataform or npm reads. */
const COMMITTED = [
  ".npmrc",
  "package.json",
  "package-lock.json",
  "dataform.json",
  "definitions",
  "includes",
  "generator/package.json",
  "local/package.json",
];

const WORKER = path.join(REPOSITORY, "node_modules/@dataform/cli/worker_bundle.js");
const CORE = path.join(REPOSITORY, "generator/src/dataform/compile-in-core.cjs");

interface Compilation {
  readonly answer: string;
  readonly cpuSeconds: number;
  readonly peakMegabytes: number;
}

async function compile(folder: string, how: "core" | "worker"): Promise<Compilation> {
  const args = how === "core" ? [CORE, folder, await encodeRequest(folder)] : [WORKER, folder];
  const measured = path.join(import.meta.dirname, "compile-measured.cjs");
  const { exitCode, stdout, stderr } = await runProgram(process.execPath, [...HEAP, measured, ...args], {
    cwd: folder,
    // What is measured is the sandbox's whole work, without what the tests keep of it (test/parsed-once.cjs).
    env: { NODE_OPTIONS: "" },
  });
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout) as Compilation;
}

const show = (what: string, { cpuSeconds, peakMegabytes }: Compilation): void =>
  console.log(`${what}: ${cpuSeconds.toFixed(2)} s of CPU, ${peakMegabytes.toFixed(0)} MB`);

async function megabytesOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter(
    (entry) => entry.isFile() && !entry.parentPath.includes("node_modules/.cache"),
  );
  const sizes = await Promise.all(
    files.map(async (entry) => (await stat(path.join(entry.parentPath, entry.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0) / 1e6;
}

describe("this repository as managed Dataform takes it", () => {
  let folder = "";

  beforeAll(async () => {
    folder = path.join(root, "clone");
    for (const file of COMMITTED) {
      await cp(path.join(REPOSITORY, file), path.join(folder, file), { recursive: true });
    }
    const install = await runProgram("npm", ["ci", "--prefer-offline", "--no-audit", "--no-fund"], {
      cwd: folder,
    });
    expect(install.exitCode, install.stderr).toBe(0);
  });

  it("installs @dataform/core and nothing else, far below the limit", async () => {
    expect(
      (await readdir(path.join(folder, "node_modules"))).filter((name) => !name.startsWith(".")),
    ).toEqual(["@dataform"]);
    expect(await readdir(path.join(folder, "node_modules/@dataform"))).toEqual(["core"]);
    const megabytes = await megabytesOf(path.join(folder, "node_modules"));
    // The same lock file put the repository's own packages there, with --include=dev: what comes where nobody heeds .npmrc.
    const all = await megabytesOf(path.join(REPOSITORY, "node_modules"));
    console.log(`packages: ${megabytes.toFixed(1)} MB; without .npmrc ${all.toFixed(0)} MB`);
    expect(megabytes).toBeLessThan(MEGABYTES);
  });

  it("compiles with core alone, to the graph that the Dataform CLI makes", async () => {
    const core = await compile(folder, "core");
    const worker = await compile(folder, "worker");
    show("this repository, core alone", core);
    show("this repository, the CLI's worker", worker);
    const graph = await decodeGraph(folder, core.answer);
    expect(graph.graphErrors?.compilationErrors ?? []).toEqual([]);
    expect(graph.operations?.length).toBeGreaterThan(0);
    expect(graph).toEqual(await decodeGraph(folder, worker.answer));
    expect(core.cpuSeconds).toBeLessThan(CPU_SECONDS);
    expect(core.peakMegabytes).toBeLessThan(MEGABYTES);
    expect(worker.cpuSeconds).toBeLessThan(CPU_SECONDS);
  });
});

describe("the reach of managed Dataform", () => {
  let slowness = 1;
  beforeAll(async () => {
    const folder = path.join(root, "empty");
    await copyParts(folder, EMPTY_PROJECT);
    const empty = await compile(folder, "worker");
    show("an empty project, the CLI's worker", empty);
    slowness = empty.cpuSeconds / EMPTY_CPU_SECONDS;
  });

  it.each([
    { entities: 1, leaves: 200 },
    { entities: 10, leaves: 50 },
  ])("takes $entities entities of $leaves leaves", async ({ entities, leaves }) => {
    const folder = path.join(root, `${entities}x${leaves}`);
    const estimate = await writeProject(folder, entities, leaves);
    const core = await compile(folder, "core");
    const worker = await compile(folder, "worker");
    show(`${entities} x ${leaves} leaves, core alone`, core);
    show(`${entities} x ${leaves} leaves, the CLI's worker`, worker);
    expect((await decodeGraph(folder, core.answer)).tables?.length).toBeGreaterThanOrEqual(entities);
    expect(core.cpuSeconds / slowness).toBeLessThan(CPU_SECONDS);
    expect(core.peakMegabytes).toBeLessThan(MEGABYTES);
    expect(worker.cpuSeconds / slowness).toBeLessThan(CPU_SECONDS);
    expect(worker.peakMegabytes).toBeLessThan(EMPTY_MEGABYTES + MEGABYTES_PER_LEAF * entities * leaves);
    // What `generate` warns of is near what is measured; CPU time depends on what else the machine does.
    expect(estimate.megabytes / worker.peakMegabytes).toBeGreaterThan(0.75);
    expect(estimate.megabytes / worker.peakMegabytes).toBeLessThan(1.33);
    expect((estimate.cpuSeconds * slowness) / worker.cpuSeconds).toBeGreaterThan(0.4);
    expect((estimate.cpuSeconds * slowness) / worker.cpuSeconds).toBeLessThan(2.5);
  });
});

const TYPES = ["STRING", "INTEGER", "FLOAT", "BOOLEAN", "DATE", "TIMESTAMP"];

/** What Dataform compiles to nothing. */
const EMPTY_PROJECT = ["package.json", "dataform.json", "node_modules/@dataform/core"];

async function copyParts(folder: string, parts: readonly string[]): Promise<void> {
  for (const part of parts)
    await cp(path.join(REPOSITORY, part), path.join(folder, part), { recursive: true });
}

/** A generated project of so many entities, each with so many leaves of the common types; returns what the tool thinks it costs. */
async function writeProject(folder: string, entities: number, leaves: number): Promise<CompileCost> {
  const write = async (file: string, text: string): Promise<void> => {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
  };
  await copyParts(folder, [...EMPTY_PROJECT, "includes"]);
  const fields = [
    { name: "userId", type: "STRING", mode: "REQUIRED" },
    { name: "ingestTimestamp", type: "TIMESTAMP", mode: "REQUIRED" },
    ...Array.from({ length: leaves }, (_, index) => ({
      name: `attribute${index + 1}`,
      type: TYPES[index % TYPES.length],
    })),
  ];
  await write("schemas/entity.json", JSON.stringify(fields));
  const named = Array.from({ length: entities }, (_, index) => ({
    name: `entity${index + 1}`,
    schema: "schemas/entity.json",
    key: ["userId"],
    ingestTimestamp: "ingestTimestamp",
  }));
  await write("entities.json", JSON.stringify({ entities: named }));
  const { config, schemas, defaultDataset } = await loadProject(folder);
  for (const [file, text] of generateProject(config, schemas, { defaultDataset })) await write(file, text);
  return estimateCompileCost(buildModels(config, schemas, { defaultDataset }));
}
