import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { TableField } from "@google-cloud/bigquery";
import { describe, expect, it } from "vitest";
import { gatherRows } from "../../../generator/src/warehouse/load/rows.ts";
import { runHere } from "../../e2e/in-process.ts";
import { useFolder } from "../warehouse/folder.ts";
import { PROJECT } from "./error-cases.ts";

const folder = useFolder();
const ROWS = `SELECT * FROM (VALUES
  ('s1', TIMESTAMPTZ '2026-01-01 00:00:01+00', 'Ada', 3, DATE '2000-02-03', '01234'),
  ('s2', TIMESTAMPTZ '2026-01-01 00:00:02+00', NULL, 4, NULL, '98765')
) AS rows (shopper_id, loaded_at, name, visits, born, zip)`;

/** The rows in a file of a format, beside a project. */
async function write(file: string): Promise<void> {
  await mkdir(folder.path("schemas"), { recursive: true });
  for (const [name, text] of Object.entries(PROJECT)) await folder.write(name, text);
  const database = await DuckDBInstance.create(":memory:");
  const connection = await database.connect();
  await connection.run("SET TimeZone = 'UTC'");
  await connection.run(`COPY (${ROWS}) TO '${folder.path(file)}'`);
  connection.closeSync();
  database.closeSync();
}

describe("new <entity> --from-file", () => {
  it.each(["rows.csv", "rows.parquet"])("takes the schema of %s, and says what it guessed", async (file) => {
    await write(file);
    const project = { root: folder.path("."), url: "http://127.0.0.1:9" };
    const made = await runHere(project, "new", "shopper", "--from-file", file);
    expect(made, made.stderr).toMatchObject({ exitCode: 0, stderr: "" });
    expect(made.stdout).toContain("key shopper_id: guessed by its name");
    expect(made.stdout).toContain("ingestTimestamp loaded_at: guessed by its name");
    const schema = JSON.parse(await readFile(path.join(project.root, "schemas/shopper.json"), "utf8")) as {
      name: string;
      type: string;
    }[];
    expect(Object.fromEntries(schema.map(({ name, type }) => [name, type]))).toEqual({
      shopper_id: "STRING",
      loaded_at: "TIMESTAMP",
      name: "STRING",
      visits: "INTEGER",
      born: "DATE",
      zip: "STRING",
    });
    const generated = await runHere(project, "generate");
    expect(generated, generated.stderr).toMatchObject({ exitCode: 0 });
  });

  it("takes a column that holds the whole numbers of NDJSON, so that a load takes the file", async () => {
    await write("rows.csv");
    const row = `{"userId":"u","at":"2026-01-01T00:00:00Z","big":123456789012345678901234567890}\n`;
    await folder.write("rows.ndjson", row);
    const project = { root: folder.path("."), url: "http://127.0.0.1:9" };
    const made = await runHere(project, "new", "payer", "--from-file", "rows.ndjson");
    expect(made, made.stderr).toMatchObject({ exitCode: 0, stderr: "" });
    expect(made.stdout).toContain("big: whole numbers beyond what INTEGER holds, so BIGNUMERIC");
    const fields = JSON.parse(
      await readFile(path.join(project.root, "schemas/payer.json"), "utf8"),
    ) as TableField[];
    const gathered = await gatherRows([folder.path("rows.ndjson")], fields, folder.path("gathered.ndjson"));
    expect(await readFile(gathered.file, "utf8")).toBe(row);
  });
});
