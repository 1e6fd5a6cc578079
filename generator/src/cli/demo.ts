import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { BigQueryTimestamp } from "@google-cloud/bigquery";
import { runDataform, withCredentials } from "../dataform/run.ts";
import type { EntityModel, TreeNode } from "../generate/model.ts";
import { generateProject } from "../generate/project.ts";
import { readProject } from "../project/dataform-json.ts";
import { findEntity, readEntities } from "../project/entities.ts";
import { CommandError, messageOf } from "../project/errors.ts";
import { loadProject } from "../project/load-project.ts";
import { WORKED_EXAMPLE } from "../project/worked-example.ts";
import { openWarehouse, type Warehouse } from "../warehouse/client.ts";
import { applyInit, planInit } from "../warehouse/init.ts";
import { loadFiles } from "../warehouse/load/load.ts";
import { readFailures } from "../warehouse/update.ts";
import { formatTable } from "./print.ts";

/** The demo's entities: the samples, whatever `entities.json` has become since. */
const ENTITIES = [
  { name: "user_info", schema: "schemas/user_info.json" },
  { name: "user_profile", schema: "schemas/user_profile.json" },
  { name: "member", schema: "schemas/user_info.json", clearedFields: "clearedFields", deleted: "deleted" },
].map((entity) => ({ ...entity, key: ["userId"], ingestTimestamp: "ingestTimestamp" }));

/** What each entity is there to show. */
const TITLES: Readonly<Record<string, string>> = {
  user_info: "The worked example: sparse updates become one row per user",
  user_profile: "Nested: each leaf of a RECORD stands for itself",
  member: "Clears and deletes: userA unsets an attribute, userB goes, userC goes and comes back",
};

const NEXT = `That was the whole job. Next, with a schema of your own:
  1. put it in schemas/, name it in entities.json, set project and dataset in dataform.json
  2. npm run generate                      writes definitions/: read it, commit it
  3. npm run local                         prints an address; set BIGQUERY_EMULATOR_HOST to it,
                                           or sign in to Google Cloud to use BigQuery itself
  4. npm run init                          makes the tables
  5. npm run load -- <entity> <file…>      appends updates: NDJSON, CSV or Parquet
  6. npm run update                        merges them; npm run status says how it stands
README.md says the rest.`;

async function main(): Promise<void> {
  const started = Date.now();
  const startServer = await findEndpoint();
  const root = await makeProject();
  const server = await startServer({ port: 0, host: "127.0.0.1" });
  try {
    process.env.BIGQUERY_EMULATOR_HOST = server.url;
    say(`a BigQuery endpoint runs at ${server.url}, in memory, for this demo only`);
    const warehouse = openWarehouse(await readProject(root));
    say(
      `npm run generate: ${await generate(root)} files from schemas/user_info.json and schemas/user_profile.json`,
    );
    const entities = await readEntities(root);
    const steps = await planInit(warehouse, entities);
    await applyInit(steps);
    say(
      `npm run init: ${steps
        .filter((step) => step.kind === "table")
        .map((step) => step.name)
        .join(", ")}`,
    );
    for (const { name } of ENTITIES) {
      const entity = findEntity(entities, name);
      console.log(`\n== ${TITLES[name]}`);
      for (const batch of [1, 2])
        await showBatch(warehouse, entity, path.join("samples", `${name}_${batch}.ndjson`));
    }
    console.log(`\n${NEXT}\n(${((Date.now() - started) / 1000).toFixed(0)} s)`);
  } finally {
    await server.close();
    await rm(root, { recursive: true, force: true });
  }
}

/** The local endpoint's way in; it is a package of its own, which a project may do without. */
async function findEndpoint(): Promise<typeof import("bigquery-local").startServer> {
  try {
    return (await import("bigquery-local")).startServer;
  } catch (error) {
    throw new CommandError(
      "the demo needs the package bigquery-local: npm install --save-dev bigquery-local",
      {
        cause: error,
      },
    );
  }
}

/** A project of its own in a temporary folder, so that the demo neither needs nor leaves anything in this one. */
async function makeProject(): Promise<string> {
  const root = await mkdtemp(path.join(tmpdir(), "demo-"));
  for (const part of ["package.json", "dataform.json", "includes", "schemas"]) {
    await cp(path.join(WORKED_EXAMPLE, part), path.join(root, part), { recursive: true });
  }
  // Dataform's sandbox follows no link out of the project.
  const core = path.dirname(createRequire(import.meta.url).resolve("@dataform/core/package.json"));
  await cp(core, path.join(root, "node_modules/@dataform/core"), { recursive: true, dereference: true });
  await mkdir(path.join(root, "definitions"));
  await writeFile(path.join(root, "entities.json"), JSON.stringify({ entities: ENTITIES }));
  return root;
}

async function generate(root: string): Promise<number> {
  const { config, schemas, defaultDataset } = await loadProject(root);
  const files = generateProject(config, schemas, { defaultDataset });
  for (const [file, text] of files) {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), text);
  }
  return files.size;
}

async function showBatch(warehouse: Warehouse, entity: EntityModel, file: string): Promise<void> {
  const target = { dataset: entity.dataset, table: entity.tables.updates };
  const { rows } = await loadFiles(warehouse, target, [path.join(WORKED_EXAMPLE, file)]);
  console.log("");
  say(`npm run load -- ${entity.name} ${file}: ${rows} updates`);
  await printUpdates(warehouse, entity, rows);
  const started = Date.now();
  const count = await dataformRun(warehouse, entity);
  say(
    `npx dataform run: ${count} actions in ${((Date.now() - started) / 1000).toFixed(1)} s; ${entity.tables.final} is now`,
  );
  await printFinal(warehouse, entity);
}

async function dataformRun(warehouse: Warehouse, entity: EntityModel): Promise<number> {
  const result = await withCredentials(warehouse.project, (credentials) =>
    runDataform(warehouse.project, ["run", ".", "--tags", entity.name, `--credentials=${credentials}`]),
  );
  if (result.exitCode !== 0) {
    const failure = readFailures(result)[0];
    throw new CommandError(
      `dataform run: ${failure === undefined ? result.stderr : `${failure.action}: ${failure.message}`}`,
    );
  }
  return result.stdout
    .split("\n")
    .filter((line) => /^(Table created|Assertion passed|Operation completed)/.test(line)).length;
}

/** The updates just loaded: the newest rows of the table, as many as the file had. */
async function printUpdates(warehouse: Warehouse, entity: EntityModel, count: number): Promise<void> {
  const order = `${entity.ingest.quoted} DESC, ${keysOf(entity)} DESC`;
  const query = `${select(warehouse, entity, "updates")} ORDER BY ${order} LIMIT ${count}`;
  const [rows] = await warehouse.client.query({ query });
  printTable(entity, rows.reverse(), "updates");
}

async function printFinal(warehouse: Warehouse, entity: EntityModel): Promise<void> {
  const query = `${select(warehouse, entity, "final")} ORDER BY ${keysOf(entity)}`;
  const [rows] = await warehouse.client.query({ query });
  printTable(entity, rows, "final");
}

/** A flat entity row by row; a nested one, which is wide, attribute by attribute. */
function printTable(
  entity: EntityModel,
  rows: readonly Record<string, unknown>[],
  table: "updates" | "final",
): void {
  const titles = shownColumns(entity, table).map(({ title }) => title);
  const cells = rows.map((row) => Object.values(row).map(formatTime));
  if (entity.tree.every((node) => node.kind === "leaf")) {
    console.log(formatTable(titles, cells));
    return;
  }
  const [first = "", ...others] = titles;
  const turned = others.map((title, index) => [title, ...cells.map((row) => row[index + 1])]);
  console.log(formatTable([first, ...cells.map((row) => String(row[0]))], turned));
}

function formatTime(value: unknown): unknown {
  return value instanceof BigQueryTimestamp ? value.value.replace("T", " ").replace(/(\.0+)?Z$/, "") : value;
}

function select(warehouse: Warehouse, entity: EntityModel, table: "updates" | "final"): string {
  const columns = shownColumns(entity, table).map(({ sql }, index) => `${sql} AS c${index}`);
  return `SELECT ${columns.join(", ")} FROM \`${warehouse.project.projectId}.${entity.dataset}.${entity.tables[table]}\``;
}

function keysOf(entity: EntityModel): string {
  return entity.keys.map((key) => key.quoted).join(", ");
}

/**
 * The entity's columns with every RECORD opened, since a terminal has no nested cells; only the updates have those that
 * clear and delete.
 */
function shownColumns(
  entity: EntityModel,
  table: "updates" | "final",
): readonly { title: string; sql: string }[] {
  const open = (node: TreeNode, parents: readonly string[]): { title: string; sql: string }[] => {
    const steps = [...parents, node.quoted];
    if (node.kind === "record") return node.children.flatMap((child) => open(child, steps));
    return [{ title: node.dotted, sql: steps.join(".") }];
  };
  const columns = table === "final" ? entity.columns : [...entity.columns, ...entity.instructions];
  return columns.flatMap((column) => {
    if (column.kind === "leaf" || column.kind === "record") return open(column, []);
    return [{ title: column.name, sql: column.quoted }];
  });
}

function say(text: string): void {
  console.log(`> ${text}`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof CommandError ? error.message : `demo: ${messageOf(error)}`);
  if (process.argv.includes("--verbose")) console.error(error);
  process.exitCode = 1;
}
