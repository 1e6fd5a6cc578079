import path from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, it } from "vitest";
import { type TestProject, useEndpoint, useProjects } from "./harness.ts";

const range = (name: string, type: string, mode = "NULLABLE") => {
  return { name, type: "RANGE", mode, rangeElementType: { type } };
};
const SCHEMA = [
  { ...range("term", "DATE"), mode: "REQUIRED" },
  { name: "received", type: "TIMESTAMP", mode: "REQUIRED" },
  range("valid", "DATE"),
  { ...range("widest", "DATETIME"), merge: "max" },
  range("closed", "DATE", "REPEATED"),
  {
    name: "site",
    type: "RECORD",
    fields: [range("open", "TIMESTAMP"), range("lease", "DATE"), { name: "name", type: "STRING" }],
  },
  {
    name: "stays",
    type: "RECORD",
    mode: "REPEATED",
    fields: [range("nights", "DATE"), range("hours", "TIMESTAMP"), { name: "room", type: "STRING" }],
  },
];

/** Everything that a user with RANGEs in a schema runs, from files that hold them as text and as their two bounds. */
describe("a schema with RANGEs", () => {
  const newProject = useProjects(useEndpoint());

  const succeed = async (project: TestProject, command: string, ...args: string[]): Promise<string> => {
    const { exitCode, stderr, stdout } = await project.npm(command, ...args);
    expect(exitCode, `${command}: ${stderr || stdout}`).toBe(0);
    return stdout;
  };
  const start = async (
    settings: Record<string, string> = {},
    schema: readonly object[] = SCHEMA,
  ): Promise<TestProject> => {
    const entity = {
      name: "stay",
      schema: "schemas/stay.json",
      key: ["term"],
      ingestTimestamp: "received",
      ...settings,
    };
    const project = await newProject({
      entities: [entity],
      files: { "schemas/stay.json": JSON.stringify(schema) },
    });
    await succeed(project, "generate");
    await succeed(project, "init");
    return project;
  };

  it("loads them from NDJSON, CSV and Parquet, and shows the latest of each", async () => {
    const project = await start();
    const term = { start: "2026-01-01", end: null };
    const rows = [
      {
        term,
        received: "2026-03-01T10:00:00Z",
        valid: { start: "2026-01-01", end: null },
        widest: { start: "2026-01-01T08:00:00", end: "2026-01-02T08:00:00.5" },
        closed: [{ start: "2026-02-01", end: "2026-02-02" }, {}],
        site: { open: { start: "2026-01-01T08:00:00Z" }, lease: { end: "2027-01-01" }, name: "one" },
        stays: [{ nights: { start: "2026-01-01", end: "2026-01-03" }, room: "1" }, { room: "2" }],
      },
      { term: { start: "2025-01-01", end: "2026-01-01" }, received: "2026-03-01T10:00:00Z" },
    ];
    await project.write("one.ndjson", rows.map((row) => JSON.stringify(row)).join("\n"));
    await project.write(
      "two.csv",
      'term,received,valid,widest\n"[2026-01-01, UNBOUNDED)",2026-03-01 11:00:00,"[2026-01-02, 2026-06-01)","[2026-01-01 07:00:00, UNBOUNDED)"\n',
    );
    await writeParquet(path.join(project.root, "three.parquet"));
    expect(await succeed(project, "load", "stay", "one.ndjson", "two.csv")).toContain("3 rows of 2 files");
    await succeed(project, "update");
    const read = () => project.query("SELECT * EXCEPT (received) FROM DATASET.stay ORDER BY term");
    const before = {
      term: "[2025-01-01, 2026-01-01)",
      valid: null,
      widest: null,
      closed: [],
      site: null,
      stays: [],
    };
    const first = {
      term: "[2026-01-01, UNBOUNDED)",
      valid: "[2026-01-02, 2026-06-01)",
      widest: "[2026-01-01T08:00:00, 2026-01-02T08:00:00.500000)",
      closed: ["[2026-02-01, 2026-02-02)", "[UNBOUNDED, UNBOUNDED)"],
      site: { open: "[2026-01-01T08:00:00.000Z, UNBOUNDED)", lease: "[UNBOUNDED, 2027-01-01)", name: "one" },
      stays: [
        { nights: "[2026-01-01, 2026-01-03)", hours: null, room: "1" },
        { nights: null, hours: null, room: "2" },
      ],
    };
    expect(await read()).toEqual([before, first]);

    expect(await succeed(project, "load", "stay", "three.parquet")).toContain("1 row of 1 file");
    await succeed(project, "update");
    expect(await read()).toEqual([
      before,
      {
        ...first,
        closed: ["[2026-05-01, UNBOUNDED)"],
        site: { ...first.site, lease: "[2026-01-01, 2028-01-01)" },
        stays: [{ nights: "[2026-04-01, 2026-04-02)", hours: null, room: "3" }],
      },
    ]);
    await succeed(project, "update", "--tags", "audit");
    await succeed(project, "init");
  });

  it("says where a file has none", async () => {
    const project = await start();
    await project.write("bad.csv", 'term,received\n"[2026-01-02, 2026-01-01)",2026-03-01 11:00:00\n');
    const { exitCode, stderr } = await project.npm("load", "stay", "bad.csv");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("bad.csv:2: term: RANGE: the start must be before the end");
  });

  it("clears one, and deletes and erases the user whose key is one", async () => {
    const columns = { clearedFields: "clearedFields", deleted: "deleted" };
    const project = await start(columns, SCHEMA.slice(0, 3));
    await project.write(
      "rows.csv",
      [
        "term,received,valid",
        '"[2026-01-01, UNBOUNDED)",2026-03-01 11:00:00,"[2026-01-01, 2026-02-01)"',
        '"[2026-01-01, 2026-02-01)",2026-03-01 11:00:00,"[2026-01-01, 2026-02-01)"',
      ].join("\n"),
    );
    const ends = [
      {
        term: { start: "2026-01-01", end: "2026-02-01" },
        received: "2026-03-01T12:00:00Z",
        clearedFields: ["valid"],
      },
      { term: { start: "2026-01-01" }, received: "2026-03-01T12:00:00Z", deleted: true },
    ];
    await project.write("ends.ndjson", ends.map((row) => JSON.stringify(row)).join("\n"));
    await succeed(project, "load", "stay", "rows.csv", "ends.ndjson");
    await succeed(project, "update");
    expect(await project.query("SELECT term, valid FROM DATASET.stay")).toEqual([
      { term: "[2026-01-01, 2026-02-01)", valid: null },
    ]);
    await succeed(project, "update", "--tags", "erase");
    const report = await succeed(project, "erasure", "stay", "[2026-01-01, UNBOUNDED)");
    expect(report).toMatch(/deleted up to 2026-03-01 12:00:00.*; nothing of this user is left/);
    expect(await succeed(project, "erasure", "stay", "[2026-01-01, 2026-02-01)")).toContain(
      "no delete of this user is known; rows are left",
    );
  });
});

async function writeParquet(file: string): Promise<void> {
  const database = await DuckDBInstance.create(":memory:");
  const connection = await database.connect();
  await connection.run(`COPY (
    SELECT {"start": DATE '2026-01-01', "end": NULL::DATE} AS term, TIMESTAMPTZ '2026-03-01 12:00:00+00' AS received,
      [{"start": DATE '2026-05-01', "end": NULL::DATE}] AS closed,
      {lease: {"start": DATE '2026-01-01', "end": DATE '2028-01-01'}} AS site,
      [{nights: {"start": DATE '2026-04-01', "end": DATE '2026-04-02'}, room: '3'}] AS stays
  ) TO '${file}' (FORMAT parquet)`);
  connection.closeSync();
  database.closeSync();
}
