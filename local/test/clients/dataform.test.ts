import { spawn } from "node:child_process";
import { cpSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { useTarget } from "./target.ts";

const require = createRequire(import.meta.url);
const DATAFORM = require.resolve("@dataform/cli/bundle.js");
const CORE = path.dirname(require.resolve("@dataform/core/package.json"));
const PROJECT = fileURLToPath(new URL("dataform-project", import.meta.url));

const target = useTarget();

beforeAll(() => {
  cpSync(PROJECT, target.folder, { recursive: true });
  cpSync(CORE, path.join(target.folder, "node_modules", "@dataform", "core"), { recursive: true });
  writeFileSync(path.join(target.folder, "package.json"), "{}");
  const settings = {
    warehouse: "bigquery",
    defaultDatabase: target.projectId,
    defaultSchema: target.dataset,
    assertionSchema: `${target.dataset}_checks`,
    defaultLocation: "US",
    vars: { extended: "" },
  };
  writeFileSync(path.join(target.folder, "dataform.json"), JSON.stringify(settings));
  const credentials = { projectId: target.projectId, location: "US" };
  writeFileSync(path.join(target.folder, ".df-credentials.json"), JSON.stringify(credentials));
});

interface Ended {
  readonly exitCode: number | null;
  readonly output: string;
}

/** Runs the Dataform CLI in the project. */
function dataform(...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [DATAFORM, ...args], {
    cwd: target.folder,
    env: {
      ...process.env,
      BIGQUERY_EMULATOR_HOST: target.url,
      METADATA_SERVER_DETECTION: "none",
      NO_COLOR: "1",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ exitCode, output }));
  });
}

/** Runs the CLI and expects that all went well. */
async function succeed(...args: string[]): Promise<string> {
  const { exitCode, output } = await dataform(...args);
  expect(output).not.toMatch(/failed|error/i);
  expect(exitCode, output).toBe(0);
  return output;
}

/** Sends a request to the endpoint itself. */
async function ask(
  method: string,
  url: string,
  body?: object,
  // biome-ignore lint/suspicious/noExplicitAny: answers are checked member by member
): Promise<{ status: number; body: any }> {
  const response = await fetch(`${target.url}/bigquery/v2/projects/${target.projectId}${url}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

/** The rows of a query, as lists of texts; `DATASET` stands for the project's. */
async function rows(sql: string): Promise<unknown[][]> {
  const query = sql.replaceAll("DATASET", target.dataset);
  const { body } = await ask("POST", "/queries", { query, useLegacySql: false });
  if (body.error !== undefined) throw new Error(body.error.message);
  return (body.rows ?? []).map((row: { f: { v: unknown }[] }) => row.f.map((cell) => cell.v));
}

const table = (name: string) => ask("GET", `/datasets/${target.dataset}/tables/${name}`);

// The steps build on each other, as runs of a project do.
describe("the Dataform CLI", () => {
  it("makes nothing in a dry run (--dry-run)", async () => {
    // Each statement is validated on its own: the second one of an operation cannot find what the first has not made.
    const { output } = await dataform("run", ".", "--dry-run", "--tags", "setup");
    expect(output).toContain("Not found: Table");
    expect((await table("events")).status).toBe(404);
  });

  it("runs the actions of one tag", async () => {
    await succeed("run", ".", "--tags", "setup");
    expect(await rows("SELECT id, kind, detail.score FROM DATASET.events")).toEqual([["1", "open", "1.5"]]);
    expect((await table("by_kind")).status).toBe(404);
  });

  it("runs all of it: tables, views, incremental tables, operations, assertions", async () => {
    await succeed("run", ".");
    expect(await rows("SELECT * FROM DATASET.by_kind")).toEqual([["open", "1", "2026-01-01"]]);
    expect(await rows("SELECT id, note FROM DATASET.recent")).toEqual([["1", "first"]]);
    expect(await rows("SELECT * FROM DATASET.appended")).toEqual([["1", "open"]]);
    expect(await rows("SELECT * FROM DATASET.merged")).toEqual([["1", "open"]]);
    expect(await rows("SELECT * FROM DATASET_checks.no_odd_kinds")).toEqual([]);
  });

  it("validates what is there (--dry-run), and changes nothing", async () => {
    const before = (await table("by_kind")).body;
    const output = await succeed("run", ".", "--dry-run", "--tags", "daily");
    expect(output).toMatch(/dry run success/i);
    expect((await table("by_kind")).body).toEqual(before);
  });

  it("describes tables and views, with partitions, clusters and labels", async () => {
    const { body } = await table("by_kind");
    expect(body).toMatchObject({
      type: "TABLE",
      description: "Events counted by kind.",
      labels: { team: "tests" },
      timePartitioning: { type: "DAY", field: "last_day" },
      clustering: { fields: ["kind"] },
    });
    expect(body.schema.fields[0]).toMatchObject({ name: "kind", description: "What kind of event." });
    const view = (await table("recent")).body;
    expect(view).toMatchObject({ type: "VIEW", description: "Events with their note." });
    expect(view.schema.fields[2]).toMatchObject({ name: "note", description: "What was noted." });
  });

  it("reads on from where incremental tables are, with and without uniqueKey", async () => {
    await rows(`INSERT INTO DATASET.events (id, happened, kind) VALUES
      (2, TIMESTAMP '2026-01-02 00:00:00+00', 'open'), (1, TIMESTAMP '2026-01-03 00:00:00+00', 'close')`);
    await succeed("run", ".", "--tags", "incremental");
    expect(await rows("SELECT * FROM DATASET.appended ORDER BY id, kind")).toEqual([
      ["1", "open"],
      ["2", "open"],
    ]);
    expect(await rows("SELECT * FROM DATASET.merged ORDER BY id")).toEqual([
      ["1", "close"],
      ["2", "open"],
    ]);
  });

  it("makes incremental tables anew (--full-refresh)", async () => {
    await succeed("run", ".", "--tags", "incremental", "--full-refresh");
    expect(await rows("SELECT * FROM DATASET.appended ORDER BY id, kind")).toEqual([
      ["1", "close"],
      ["1", "open"],
      ["2", "open"],
    ]);
  });

  it("extends an incremental table (onSchemaChange)", async () => {
    await rows("DELETE FROM DATASET.events WHERE id = 1 AND kind = 'close'");
    await succeed("run", ".", "--tags", "evolving", "--vars=extended=yes");
    // The run that adds the column merges the columns it had found; the next one fills the new one.
    expect(await rows("SELECT DISTINCT loud FROM DATASET.evolving")).toEqual([[null]]);
    await succeed("run", ".", "--tags", "evolving", "--vars=extended=yes");
    expect(await rows("SELECT id, loud FROM DATASET.evolving ORDER BY id")).toEqual([
      ["1", "OPEN"],
      ["2", "OPEN"],
    ]);
  });

  it("fails on an assertion that does not hold, and says which", async () => {
    await rows(
      "INSERT INTO DATASET.events (id, happened, kind) VALUES (3, TIMESTAMP '2026-01-04 00:00:00+00', 'odd')",
    );
    const { exitCode, output } = await dataform("run", ".", "--actions", "no_odd_kinds");
    expect(exitCode).toBe(1);
    expect(output).toContain("no_odd_kinds");
    expect(output).toMatch(/assertion failed/i);
  });

  it("tells BigQuery's error for wrong SQL", async () => {
    writeFileSync(
      path.join(target.folder, "definitions", "wrong.sqlx"),
      'config { type: "table" }\nSELECT nope',
    );
    const { exitCode, output } = await dataform("run", ".", "--actions", "wrong");
    expect(exitCode).toBe(1);
    expect(output).toContain("Unrecognized name: nope");
  });

  it("runs the project's tests", async () => {
    writeFileSync(
      path.join(target.folder, "definitions", "wrong.sqlx"),
      'config { type: "table" }\nSELECT 1 AS one',
    );
    const output = await succeed("test", ".");
    expect(output).toMatch(/by_kind_test/);
  });
});
