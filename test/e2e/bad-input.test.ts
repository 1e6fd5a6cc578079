import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { writeParquet } from "../write-parquet.ts";
import { type TestProject, useEndpoint, useProjects } from "./harness.ts";
import type { CommandResult } from "./in-process.ts";

const endpoint = useEndpoint();
const makeProject = useProjects(endpoint);

/** What every refusal has in common: not 0, one line for its reader, no stack trace. */
function expectRefusal(result: CommandResult, exitCode: 1 | 2, message: RegExp): void {
  expect(result.stderr.trim()).toMatch(message);
  expect(result.stderr.trim().split("\n")).toHaveLength(1);
  expect(result.stderr).not.toMatch(/\n +at /);
  expect(result.exitCode).toBe(exitCode);
}

describe("data files", () => {
  let project: TestProject;
  const good = '{"userId":"good","ingestTimestamp":"2026-01-01T00:00:00Z","attribute1":"x"}\n';

  beforeAll(async () => {
    project = await makeProject();
    expect((await project.npm("generate")).exitCode).toBe(0);
    expect((await project.npm("init")).exitCode).toBe(0);
    await project.write("good.ndjson", good);
  });

  const countRows = async () =>
    (await project.query("SELECT COUNT(*) AS n FROM DATASET.user_info_updates"))[0];

  const cases: [string, Record<string, string>, RegExp][] = [
    ["a line that is not JSON", { "bad.ndjson": `${good}{"userId":\n` }, /^bad\.ndjson:2:11: not JSON/],
    [
      "an unknown column",
      { "bad.ndjson": `${good}{"userId":"a","atribute1":"x"}\n` },
      /^bad\.ndjson:2:\d+: atribute1: no such column in the table; did you mean attribute1\?$/,
    ],
    [
      "a value of another type",
      { "bad.ndjson": `${good}{"userId":"a","ingestTimestamp":"soon"}\n` },
      /^bad\.ndjson:2:\d+: ingestTimestamp: TIMESTAMP: expected "2026-01-31T23:59:59Z", got "soon"$/,
    ],
    [
      "a REQUIRED column left out",
      { "bad.ndjson": `${good}{"ingestTimestamp":"2026-01-01T00:00:00Z"}\n` },
      /^bad\.ndjson:2:1: userId: REQUIRED/,
    ],
    [
      "a bad line in CSV",
      { "bad.csv": "userId,ingestTimestamp\na,2026-01-01T00:00:00Z\nb,never\n" },
      /^bad\.csv:3: ingestTimestamp: TIMESTAMP/,
    ],
    [
      "a header that names no column",
      { "bad.csv": "userId,when\na,2026-01-01T00:00:00Z\n" },
      /^bad\.csv:1: when: no such column/,
    ],
    [
      "a timestamp that only BigQuery can tell to be wrong",
      {
        "bad.ndjson": `${good}\n${good}{"userId":"a","ingestTimestamp":"2026-02-28 00:00:00 Mars/Olympus"}\n`,
      },
      /^bad\.ndjson:4: .*2026-02-28 00:00:00 Mars\/Olympus/,
    ],
    ["a file that is not Parquet", { "bad.parquet": "PAR?" }, /^bad\.parquet: not Parquet/],
    ["a format that is none", { "bad.txt": "x" }, /^bad\.txt: unknown format; expected \.ndjson/],
  ];
  for (const [name, files, message] of cases) {
    it(`refuses ${name}, and keeps no row of any file of the load`, async () => {
      for (const [file, text] of Object.entries(files)) await project.write(file, text);
      const result = await project.npm("load", "user_info", "good.ndjson", ...Object.keys(files));
      expectRefusal(result, name === "a format that is none" ? 2 : 1, message);
      expect(await countRows()).toEqual({ n: 0 });
    });
  }

  it("refuses a file that is not there", async () => {
    expectRefusal(
      await project.npm("load", "user_info", "none.ndjson"),
      1,
      /^none\.ndjson: no such file; a path is relative to the folder/,
    );
  });

  it("refuses an entity that is not there", async () => {
    expectRefusal(
      await project.npm("load", "user_inf", "good.ndjson"),
      2,
      /^user_inf: no such entity; did you mean user_info\?$/,
    );
  });

  it("refuses a load without files", async () => {
    expectRefusal(
      await project.npm("load", "user_info"),
      2,
      /^load: <file> is missing; write npm run load -- <entity> <file\.\.\.>/,
    );
  });
});

describe("a column with a default value", () => {
  const columns = (mode: string) => [
    { name: "client_id", type: "INTEGER" },
    { name: "ingested_at", type: "TIMESTAMP", mode, defaultValueExpression: "CURRENT_TIMESTAMP()" },
    { name: "number", type: "INTEGER" },
  ];
  const entity = (name: string) => ({
    name,
    schema: `schemas/${name}.json`,
    key: ["client_id"],
    ingestTimestamp: "ingested_at",
  });
  let project: TestProject;

  beforeAll(async () => {
    project = await makeProject({
      entities: [entity("opt"), entity("req")],
      files: {
        "schemas/opt.json": JSON.stringify(columns("NULLABLE")),
        "schemas/req.json": JSON.stringify(columns("REQUIRED")),
      },
    });
    for (const command of ["generate", "init"]) expect((await project.npm(command)).exitCode).toBe(0);
    await project.write("without.ndjson", '{"client_id":1,"number":7}\n{"client_id":2,"ingested_at":null}\n');
    await project.write("without.csv", "client_id,number\n3,7\n");
    await project.write("empty-cells.csv", "client_id,ingested_at\n4,\n");
    await writeParquet(path.join(project.root, "without.parquet"), "SELECT 5 AS client_id, 7 AS number");
    await project.write("with.ndjson", '{"client_id":6,"ingested_at":"2026-01-01T00:00:00Z"}\n');
    await project.write(
      "mixed.ndjson",
      '{"client_id":7,"ingested_at":"2026-01-01T00:00:00Z"}\n{"client_id":8}\n',
    );
  });

  // https://github.com/googleapis/python-bigquery/issues/1495
  for (const name of ["opt", "req"]) {
    it(`is filled in where no row has a value, in every format (${name})`, async () => {
      const files = ["without.ndjson", "without.csv", "empty-cells.csv", "without.parquet"];
      for (const load of [["without.ndjson"], ["without.csv"], ["without.parquet"], files]) {
        const { exitCode, stderr } = await project.npm("load", name, ...load);
        expect(`${exitCode} ${stderr}`).toBe("0 ");
      }
      expect(
        await project.query(
          `SELECT COUNT(*) AS all_rows, COUNTIF(ABS(TIMESTAMP_DIFF(ingested_at, CURRENT_TIMESTAMP(), HOUR)) < 1) AS now FROM DATASET.${name}_updates`,
        ),
      ).toEqual([{ all_rows: 9, now: 9 }]);
      expectRefusal(
        await project.npm("load", name, "mixed.ndjson"),
        1,
        /^mixed\.ndjson:2: ingested_at: no value here, but one in mixed\.ndjson:1; all rows of a load have one, or none has and all get the column's default, CURRENT_TIMESTAMP\(\)$/,
      );
      expectRefusal(
        await project.npm("load", name, "without.parquet", "with.ndjson"),
        1,
        /^with\.ndjson:1: ingested_at: a value here, but none in without\.parquet; /,
      );
      await project.npm("load", name, "with.ndjson");
      expect(
        await project.query(
          `SELECT CAST(MIN(ingested_at) AS STRING) AS first, COUNT(*) AS n FROM DATASET.${name}_updates`,
        ),
      ).toEqual([{ first: "2026-01-01 00:00:00+00", n: 10 }]);
    });
  }
});

describe("schemas and entities", () => {
  const field = (name: string, type = "STRING", more = {}) => ({ name, type, ...more });
  const base = [field("userId"), field("ingestTimestamp", "TIMESTAMP"), field("a")];
  const nested = (depth: number): object =>
    depth === 0 ? field("x") : field("r", "RECORD", { fields: [nested(depth - 1)] });
  const entity = { name: "e", schema: "schemas/e.json", key: ["userId"], ingestTimestamp: "ingestTimestamp" };

  const cases: [string, unknown, Record<string, unknown>, RegExp][] = [
    ["not JSON", '{"fields": [', entity, /schemas\/e\.json.*not valid JSON/],
    [
      "no key column",
      base.slice(1),
      entity,
      /entities\.json:\d+:\d+: e: entities\[0\]\.key\[0\].*schemas\/e\.json has no field "userId"/,
    ],
    ["no timestamp column", [base[0], base[2]], entity, /entities\[0\]\.ingestTimestamp.*has no field/],
    [
      "a timestamp of another type",
      [base[0], field("ingestTimestamp", "STRING"), base[2]],
      entity,
      /entities\[0\]\.ingestTimestamp.*TIMESTAMP/,
    ],
    [
      "a type that is none",
      [...base, field("b", "TEXT")],
      entity,
      /schemas\/e\.json:\d+:\d+: .*\[3\]\.type: "TEXT" is not a BigQuery type/,
    ],
    [
      "a mode that is none",
      [...base, field("b", "STRING", { mode: "OPTIONAL" })],
      entity,
      /schemas\/e\.json:\d+:\d+: .*\[3\]\.mode/,
    ],
    [
      "a name twice",
      [...base, field("A")],
      entity,
      /schemas\/e\.json:\d+:\d+: .*\[3\]\.name: "A" equals "a" but for case/,
    ],
    ["an illegal name", [...base, field("a;b")], entity, /schemas\/e\.json:\d+:\d+: .*\[3\]\.name/],
    ["a schema nested too deep", [...base, nested(20)], entity, /schemas\/e\.json.*15/],
    [
      "a schema file that is not there",
      base,
      { ...entity, schema: "schemas/none.json" },
      /entities\.json:\d+:\d+: e: entities\[0\]\.schema.*none\.json/,
    ],
    [
      "an unknown option",
      base,
      { ...entity, lookBack: "1 hour" },
      /entities\.json:\d+:\d+: e: entities\[0\].*lookBack/,
    ],
  ];
  for (const [name, schema, config, message] of cases) {
    it(`refuses ${name}, and writes nothing`, async () => {
      const text = typeof schema === "string" ? schema : JSON.stringify(schema);
      const project = await makeProject({ entities: [config], files: { "schemas/e.json": text } });
      const before = await snapshot(project.root);
      for (const command of ["generate", "init"]) expectRefusal(await project.npm(command), 1, message);
      expect(await snapshot(project.root)).toEqual(before);
      expect(await datasets(project)).not.toContain(project.dataset);
    });
  }
});

describe("stale and orphaned SQLX", () => {
  it("is not run: the error names the file and what to do", async () => {
    const project = await makeProject();
    await project.npm("generate");
    const file = "definitions/user_info/user_info_final.sqlx";
    const text = await readFile(path.join(project.root, file), "utf8");

    await project.write(file, `${text}\n-- by hand\n`);
    const changed = await project.npm("generate", "--check");
    expect(changed.exitCode).toBe(1);
    expect(changed.stdout).toMatch(/^changed: definitions\/user_info\/user_info_final\.sqlx$/m);
    expect(changed.stdout).toMatch(/^---? by hand$/m);
    expectRefusal(
      await project.npm("update"),
      1,
      /^definitions\/user_info\/user_info_final\.sqlx: changed; run `npm run generate`/,
    );

    await project.write(file, text);
    await project.write("definitions/gone/gone_final.sqlx", text);
    expectRefusal(await project.npm("update"), 1, /^definitions\/gone\/gone_final\.sqlx: orphaned/);
    expect((await project.npm("generate")).exitCode).toBe(0);
    expect(await readdir(path.join(project.root, "definitions"))).not.toContain("gone");
  });
});

describe("update", () => {
  it("refuses a selection of nothing", async () => {
    const project = await makeProject();
    await project.npm("generate");
    expectRefusal(
      await project.npm("update", "--actions", "user_info_finale"),
      2,
      /no such action; did you mean user_info_final\?$/,
    );
    expectRefusal(
      await project.npm("update", "--tags", "user_inf"),
      2,
      /no action has this tag; did you mean user_info\?$/,
    );
    expectRefusal(await project.npm("update", "user_info"), 2, /did you mean --actions user_info\?$/);
  });

  it("refuses a replayFrom that is no time, before anything runs", async () => {
    const project = await makeProject();
    await project.npm("generate");
    expectRefusal(await project.npm("update", "--vars=replayFrom=yesterday"), 2, /replayFrom/);
    expect(await datasets(project)).not.toContain(project.dataset);
  });
});

describe("the command line", () => {
  it("knows its commands and flags", async () => {
    const project = await makeProject();
    expectRefusal(await project.npm("innit"), 2, /^innit: no such command; did you mean init\?$/);
    expectRefusal(
      await project.npm("init", "--plann"),
      2,
      /^init: --plann: no such option; did you mean --plan\?$/,
    );
    expect((await project.npm("init", "--help")).stdout).toMatch(/^Usage: npm run init/);
  });

  it("says what to do where no endpoint answers", async () => {
    const project = await makeProject();
    const cli = [path.join(import.meta.dirname, "../../generator/bin/user-info-updater.js")];
    const result = await project.node([...cli, "status"], { BIGQUERY_EMULATOR_HOST: "http://127.0.0.1:9" });
    expectRefusal(result, 1, /^nothing answers at http:\/\/127\.0\.0\.1:9: start `npm run local`/);
  });
});

async function snapshot(root: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const folder of ["definitions", "schemas"]) {
    const entries = await readdir(path.join(root, folder), { recursive: true, withFileTypes: true });
    for (const entry of entries.filter((one) => one.isFile())) {
      const file = path.join(entry.parentPath, entry.name);
      files.set(path.relative(root, file), await readFile(file, "utf8"));
    }
  }
  return files;
}

async function datasets(project: TestProject): Promise<(string | undefined)[]> {
  const [found] = await project.client.getDatasets();
  return found.map((dataset) => dataset.id);
}
