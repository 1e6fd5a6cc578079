/**
 * Records what a release leaves in a project and in its tables, before the version goes up: `npx tsx test/e2e/record-release.ts <folder>`,
 * with a project that `new` wrote and runs have filled, its entities' tables at BIGQUERY_EMULATOR_HOST. CONTRIBUTING.md says when.
 */
import { createHash } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { readProjectFiles } from "../../generator/src/dataform/project-copy.ts";
import { readProject } from "../../generator/src/project/dataform-json.ts";
import { TOOL } from "../../generator/src/project/tool-version.ts";
import { scaffoldFiles } from "../../generator/src/scaffold/new-project.ts";
import { openWarehouse } from "../../generator/src/warehouse/client.ts";
import { REPOSITORY } from "./harness.ts";

const [root = "."] = process.argv.slice(2);
const NOT_KEPT = new Set([
  ".df-credentials.json",
  ".git",
  "README.md",
  "compiled",
  "node_modules",
  "package-lock.json",
  "packages",
  "samples",
]);
const parts = (await readdir(root)).filter((name) => !NOT_KEPT.has(name)).sort();
const files = Object.fromEntries(await readProjectFiles(root, parts));

const { client, project } = openWarehouse(await readProject(root));
const [list] = await client.dataset(project.dataset).getTables();
const tables: Record<string, object> = {};
for (const table of list) {
  const [{ type, view, description, schema, timePartitioning, clustering }] = await table.getMetadata();
  const query = `SELECT TO_JSON_STRING(t) AS json FROM ${project.dataset}.${table.id} AS t ORDER BY json`;
  const rows =
    type === "VIEW"
      ? []
      : (await client.query(query))[0].map(({ json }: { json: string }) => JSON.parse(json) as object);
  tables[String(table.id)] =
    type === "VIEW"
      ? { view: String(view.query).replaceAll(`${project.projectId}.${project.dataset}`, "DATASET") }
      : { description, schema, timePartitioning, clustering, rows };
}

/** What `upgrade` knows of the release: hashes of what it wrote beside the generated files, and its package.json. */
const hashes = [...(await scaffoldFiles())].map(([file, text]) => [
  file,
  createHash("sha256").update(text).digest("hex"),
]);
const {
  name: _,
  devDependencies: __,
  ...packageJson
} = JSON.parse(files["package.json"] ?? "{}") as Record<string, unknown>;
const known = { files: Object.fromEntries(hashes), packageJson: { ...packageJson, devDependencies: {} } };
const write = (file: string, value: object) =>
  writeFile(path.join(REPOSITORY, file), `${JSON.stringify(value, null, 2)}\n`);
await write(`generator/src/scaffold/releases/${TOOL.version}.json`, known);
await write(`test/e2e/data/releases/${TOOL.version}.json`, { version: TOOL.version, files, tables });
