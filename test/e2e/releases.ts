import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { TableMetadata } from "@google-cloud/bigquery";
import { vi } from "vitest";
import { writeTemporaryProject } from "../../generator/src/dataform/project-copy.ts";
import { readProject } from "../../generator/src/project/dataform-json.ts";
import { loadFrom, openWarehouse, tableOf } from "../../generator/src/warehouse/client.ts";
import { REPOSITORY, TestProject } from "./harness.ts";

/** A project and its tables as a release left them; `DATASET` stands for the dataset in views. */
export interface RecordedRelease {
  readonly version: string;
  readonly files: Readonly<Record<string, string>>;
  readonly tables: Readonly<
    Record<string, { readonly view: string } | (TableMetadata & { readonly rows: readonly object[] })>
  >;
}

const FOLDER = fileURLToPath(new URL("data/releases", import.meta.url));

/** Every release that is kept. */
export const RELEASES: readonly RecordedRelease[] = readdirSync(FOLDER).map(
  (file) => JSON.parse(readFileSync(`${FOLDER}/${file}`, "utf8")) as RecordedRelease,
);

/** The project of a release in a temporary folder, its tables in a dataset of their own at the endpoint `url`; `entities` alone. */
export async function restore(
  { files, tables }: RecordedRelease,
  url: string,
  entities: readonly string[],
): Promise<TestProject> {
  const dataset = `d_${randomUUID().replaceAll("-", "")}`;
  const settings = JSON.parse(files["dataform.json"] ?? "") as object;
  const config = JSON.parse(files["entities.json"] ?? "") as { entities: { name: string }[] };
  const all = new Map(Object.entries(files));
  all.set(
    "dataform.json",
    JSON.stringify({
      ...settings,
      defaultDatabase: "test-project",
      defaultSchema: dataset,
      assertionSchema: dataset,
    }),
  );
  all.set(
    "entities.json",
    JSON.stringify({ ...config, entities: config.entities.filter(({ name }) => entities.includes(name)) }),
  );
  const root = await writeTemporaryProject(all, REPOSITORY);
  const settled = await readProject(root);
  // Other files run in this process, and would take the address for one that somebody gave them.
  vi.stubEnv("BIGQUERY_EMULATOR_HOST", url);
  const warehouse = openWarehouse(settled);
  vi.unstubAllEnvs();
  await warehouse.client.createDataset(dataset, { location: "US" });
  const isOf = (table: string) =>
    entities.some((entity) => new RegExp(`^(temp_)?${entity}(_|$)`).test(table));
  const mine = Object.entries(tables).filter(([name]) => isOf(name));
  for (const [name, table] of mine) {
    if ("view" in table) continue;
    const { rows, ...metadata } = table;
    await warehouse.client.dataset(dataset).createTable(name, metadata);
    if (rows.length === 0) continue;
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
    await loadFrom(Readable.from([text]), tableOf(warehouse, { dataset, table: name }), {
      sourceFormat: "NEWLINE_DELIMITED_JSON",
    });
  }
  const project = new TestProject(root, url, dataset);
  for (const [name, table] of mine)
    if ("view" in table) await project.query(`CREATE VIEW DATASET.${name} AS ${table.view}`);
  return project;
}
