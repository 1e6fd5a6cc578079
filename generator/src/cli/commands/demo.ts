import { rm } from "node:fs/promises";
import path from "node:path";
import { BigQueryTimestamp } from "@google-cloud/bigquery";
import { runDataform } from "../../dataform/cli.ts";
import { withCredentials } from "../../dataform/credentials.ts";
import { readProjectFiles, writeTemporaryProject } from "../../dataform/project-copy.ts";
import type { EntityModel } from "../../generate/model.ts";
import type { TreeNode } from "../../generate/nodes.ts";
import { generateProject } from "../../generate/project.ts";
import { findEntity, readEntities } from "../../generate/read-entities.ts";
import { compareFiles, GENERATED_FOLDERS, isGenerated, writeFiles } from "../../generate/write.ts";
import { readProject } from "../../project/dataform-json.ts";
import { CommandError } from "../../project/errors.ts";
import { loadProject } from "../../project/load-project.ts";
import { WORKED_EXAMPLE } from "../../project/worked-example.ts";
import { openWarehouse, type Warehouse } from "../../warehouse/client.ts";
import { applyInit, planInit } from "../../warehouse/init/init.ts";
import { loadFiles } from "../../warehouse/load/load.ts";
import { readFailures } from "../../warehouse/update.ts";
import { defineCommand } from "../command.ts";
import { findEndpoint } from "../endpoint-package.ts";
import { EXIT } from "../exit-codes.ts";
import type { Output } from "../output.ts";
import { formatTable } from "../table.ts";

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

/** `npm run demo`: the whole job, with no account and nothing left behind. */
export const demo = defineCommand({
  name: "demo",
  summary: "the whole job with no account: a local endpoint, the samples, final printed",
  isForAnyVersion: true,
  options: {},
  examples: [
    { term: "npm run demo", meaning: "needs neither Google Cloud nor anything but what npm installed" },
  ],
  exitCodes: [EXIT.done, EXIT.failed],
  async run({ output }) {
    const started = Date.now();
    const startServer = await findEndpoint("the demo");
    const root = await copyProject();
    const server = await startServer({ port: 0, host: "127.0.0.1" });
    try {
      process.env.BIGQUERY_EMULATOR_HOST = server.url;
      output.line(`> a BigQuery endpoint runs at ${server.url}, in memory, for this demo only`);
      const shop = new Demo(openWarehouse(await readProject(root)), output);
      await shop.prepare();
      for (const { name } of ENTITIES) await shop.show(name);
      output.line(`\n${NEXT}\n(${((Date.now() - started) / 1000).toFixed(0)} s)`);
    } finally {
      await server.close();
      await rm(root, { recursive: true, force: true });
    }
    return EXIT.done;
  },
});

/** A project of its own in a temporary folder, so that the demo neither needs nor leaves anything in this one. */
async function copyProject(): Promise<string> {
  const parts = ["package.json", "dataform.json", "includes", "schemas"];
  const files = await readProjectFiles(WORKED_EXAMPLE, parts);
  files.set("entities.json", JSON.stringify({ entities: ENTITIES }));
  return writeTemporaryProject(files, import.meta.dirname);
}

/** The steps of the demo, each with what it shows. */
class Demo {
  readonly #warehouse: Warehouse;
  readonly #root: string;
  readonly #output: Output;

  constructor(warehouse: Warehouse, output: Output) {
    this.#warehouse = warehouse;
    this.#root = warehouse.project.root;
    this.#output = output;
  }

  /** `generate` and `init`. */
  async prepare(): Promise<void> {
    const { config, schemas, defaultDataset } = await loadProject(this.#root);
    const files = generateProject(config, schemas, { defaultDataset });
    await writeFiles(this.#root, await compareFiles(this.#root, GENERATED_FOLDERS, files, isGenerated));
    this.#say(
      `npm run generate: ${files.size} files from schemas/user_info.json and schemas/user_profile.json`,
    );
    const steps = await planInit(this.#warehouse, await readEntities({ root: this.#root }));
    await applyInit(steps);
    const tables = steps.filter((step) => step.kind === "table").map((step) => step.name);
    this.#say(`npm run init: ${tables.join(", ")}`);
  }

  /** Both batches of an entity, loaded and merged one after the other. */
  async show(name: string): Promise<void> {
    const entity = findEntity(await readEntities({ root: this.#root }), name);
    this.#output.line(`\n== ${TITLES[name]}`);
    for (const batch of [1, 2])
      await this.#showBatch(entity, path.join("samples", `${name}_${batch}.ndjson`));
  }

  async #showBatch(entity: EntityModel, file: string): Promise<void> {
    const target = { dataset: entity.dataset, table: entity.tables.updates };
    const { rows } = await loadFiles(this.#warehouse, target, [path.join(WORKED_EXAMPLE, file)]);
    this.#output.line("");
    this.#say(`npm run load -- ${entity.name} ${file}: ${rows} updates`);
    this.#output.line(await newestUpdates(this.#warehouse, entity, rows));
    const started = Date.now();
    const count = await dataformRun(this.#warehouse, entity);
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    this.#say(`npx dataform run: ${count} actions in ${seconds} s; ${entity.tables.final} is now`);
    this.#output.line(await finalRows(this.#warehouse, entity));
  }

  #say(text: string): void {
    this.#output.line(`> ${text}`);
  }
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
async function newestUpdates(warehouse: Warehouse, entity: EntityModel, count: number): Promise<string> {
  const order = `${entity.ingest.quoted} DESC, ${keysOf(entity)} DESC`;
  const query = `${select(warehouse, entity, "updates")} ORDER BY ${order} LIMIT ${count}`;
  const [rows] = await warehouse.client.query({ query });
  return openTable(entity, rows.reverse(), "updates");
}

async function finalRows(warehouse: Warehouse, entity: EntityModel): Promise<string> {
  const query = `${select(warehouse, entity, "final")} ORDER BY ${keysOf(entity)}`;
  const [rows] = await warehouse.client.query({ query });
  return openTable(entity, rows, "final");
}

/** A flat entity row by row; a nested one, which is wide, attribute by attribute. */
function openTable(
  entity: EntityModel,
  rows: readonly Record<string, unknown>[],
  table: "updates" | "final",
): string {
  const titles = shownColumns(entity, table).map(({ title }) => title);
  const cells = rows.map((row) => Object.values(row).map(formatTime));
  if (entity.tree.every((node) => node.kind === "leaf")) return formatTable(titles, cells);
  const [first = "", ...others] = titles;
  const turned = others.map((title, index) => [title, ...cells.map((row) => row[index + 1])]);
  return formatTable([first, ...cells.map((row) => String(row[0]))], turned);
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
