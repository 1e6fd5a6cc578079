/** R9 and R10 by Dataform alone, the first run of each kind by its CLI: clears, deletes, erasure by its tag, and what must stay right afterwards. */
import { beforeAll, describe, expect, test } from "vitest";
import { type TestProject, useEndpoint, useProjects } from "./harness.ts";
import { runHere } from "./in-process.ts";
import { PlannedRuns } from "./planned-runs.ts";

const createProject = useProjects(useEndpoint());

const SCHEMA = {
  fields: [
    { name: "userId", type: "STRING", mode: "REQUIRED" },
    { name: "seenAt", type: "TIMESTAMP" },
    { name: "email", type: "STRING" },
    {
      name: "profile",
      type: "RECORD",
      fields: [
        { name: "name", type: "STRING" },
        { name: "tags", type: "STRING", mode: "REPEATED" },
      ],
    },
  ],
};
const ENTITY = {
  name: "person",
  schema: "schemas/person.json",
  key: ["userId"],
  ingestTimestamp: "seenAt",
  clearedFields: "cleared",
  deleted: "gone",
};

/** One update: the second it came in, and what it says. */
interface Update {
  readonly user: string;
  readonly second: number;
  readonly email?: string;
  readonly name?: string;
  readonly cleared?: string;
  readonly isDelete?: boolean;
}

let project: TestProject;
beforeAll(async () => {
  project = await createProject({
    entities: [ENTITY],
    files: { "schemas/person.json": JSON.stringify(SCHEMA) },
  });
  await project.write(".df-credentials.json", JSON.stringify({ projectId: "test-project", location: "US" }));
  expect(await project.npm("generate")).toMatchObject({ exitCode: 0 });
});

const planned = new PlannedRuns(() => project);
const run = (vars: Readonly<Record<string, string>> = {}) => planned.run({ vars });
const audit = () => planned.run({ tag: "audit", vars: { audit: "true", auditShare: "1" } });

async function runCli(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await project.dataform("run", ...args);
  return exitCode === 0 ? "" : `${stdout}${stderr}`;
}

async function add(...updates: Update[]): Promise<void> {
  const rows = updates.map(({ user, second, email, name, cleared, isDelete }) => {
    const text = (value?: string) => (value === undefined ? "NULL" : `'${value}'`);
    const time = `TIMESTAMP '2024-01-01 00:00:${String(second).padStart(2, "0")}+00'`;
    const paths = cleared === undefined ? "[]" : `['${cleared}']`;
    const profile = name === undefined ? "NULL" : `STRUCT('${name}', ['x'])`;
    return `('${user}', ${time}, ${text(email)}, ${profile}, ${paths}, ${isDelete ?? false})`;
  });
  await project.query(
    `INSERT INTO DATASET.person_updates (userId, seenAt, email, profile, cleared, gone) VALUES ${rows.join(", ")}`,
  );
}

const people = () => project.query("SELECT userId, email, profile FROM DATASET.person ORDER BY userId");
const updates = () =>
  project.query("SELECT userId, COUNT(*) AS n FROM DATASET.person_updates GROUP BY userId ORDER BY userId");

describe("clears and deletes", () => {
  test("a field and a RECORD are cleared, at any depth and whatever the case", async () => {
    expect(await runCli()).toBe("");
    await add(
      { user: "ann", second: 1, email: "ann@x", name: "Ann" },
      { user: "bob", second: 1, email: "bob@x", name: "Bob" },
    );
    expect(await run()).toBe("");
    await add(
      { user: "ann", second: 2, cleared: "Profile.Name" },
      { user: "bob", second: 2, email: "new@x", cleared: "profile" },
    );
    expect(await run()).toBe("");
    expect(await people()).toEqual([
      { userId: "ann", email: "ann@x", profile: { name: null, tags: ["x"] } },
      { userId: "bob", email: "new@x", profile: null },
    ]);
  });

  test("a delete takes the user away, what is older stays away, what is newer starts anew", async () => {
    await add({ user: "ann", second: 10, isDelete: true }, { user: "bob", second: 10, isDelete: true });
    expect(await run()).toBe("");
    expect(await people()).toEqual([]);
    await add({ user: "ann", second: 9, email: "late@x" }, { user: "bob", second: 11, name: "Robert" });
    expect(await run()).toBe("");
    expect(await people()).toEqual([
      { userId: "bob", email: null, profile: { name: "Robert", tags: ["x"] } },
    ]);
    expect(await runCli("--vars=rebuild=true")).toBe("");
    expect(await people()).toEqual([
      { userId: "bob", email: null, profile: { name: "Robert", tags: ["x"] } },
    ]);
  });

  test("tombstones hold a hash and times, nothing of the user", async () => {
    expect(await project.query("SELECT * FROM DATASET.person_tombstones ORDER BY ingest_timestamp")).toEqual([
      {
        key_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
        version: "2024-01-01T00:00:10.000Z",
        ingest_timestamp: "2024-01-01T00:00:10.000Z",
      },
      {
        key_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
        version: "2024-01-01T00:00:10.000Z",
        ingest_timestamp: "2024-01-01T00:00:11.000Z",
      },
    ]);
  });

  test("a run of everything erases nothing; the tag does, says how much, and does it once", async () => {
    expect(await updates()).toEqual([
      { userId: "ann", n: 4 },
      { userId: "bob", n: 4 },
    ]);
    expect(await runCli("--tags", "erase")).toBe("");
    expect(await updates()).toEqual([{ userId: "bob", n: 1 }]);
    expect(await planned.run({ tag: "erase" })).toBe("");
    const log =
      "SELECT run.rows_read, run.users_read FROM DATASET.person_watermark AS p, UNNEST(p.recent_runs) AS run WHERE run.kind = 'erase'";
    expect(await project.query(log)).toEqual([
      { rows_read: 0, users_read: 0 },
      { rows_read: 7, users_read: 2 },
    ]);
    const temp = "SELECT COUNT(*) AS n FROM DATASET.temp_person_updates WHERE userId = 'ann'";
    expect(await project.query(temp)).toEqual([{ n: 0 }]);
  });

  test("final, rebuild and audit stay right, and a replayed old update brings nobody back", async () => {
    expect(await runCli("--tags", "audit", "--vars=audit=true,auditShare=1")).toBe("");
    await add({ user: "ann", second: 3, email: "replayed@x" });
    const kinds: Record<string, string>[] = [{}, { replayFrom: "2024-01-01" }, { rebuild: "true" }];
    for (const vars of kinds) {
      expect(await run(vars)).toBe("");
      expect(await people()).toEqual([
        { userId: "bob", email: null, profile: { name: "Robert", tags: ["x"] } },
      ]);
    }
    expect(await audit()).toBe("");
  });

  test("the audit names the user and the leaf that differ", async () => {
    await project.query("UPDATE DATASET.person_final SET email = 'wrong@x' WHERE userId = 'bob'");
    expect(await runCli("--tags", "audit", "--vars=audit=true,auditShare=1")).toContain("Assertion failed");
    expect(await project.query("SELECT * FROM DATASET.person_audit")).toEqual([
      { userId: "bob", _leaves: ["email"] },
    ]);
    // No update says that value, so a rebuild does not drop it in silence.
    expect(await run({ rebuild: "true" })).toContain("person_final has values of email that no update says");
    expect(await run({ rebuild: "true", force: "true" })).toBe("");
    expect(await audit()).toBe("");
  });

  test("an unknown path keeps the whole row out, is counted, and is listed by the assertion", async () => {
    await add({ user: "bob", second: 20, email: "no@x", cleared: "profile.nope" });
    expect(await runCli()).toContain("Assertion failed");
    expect(await people()).toEqual([
      { userId: "bob", email: null, profile: { name: "Robert", tags: ["x"] } },
    ]);
    const listed = `SELECT reason, JSON_VALUE(details, '$.userId') AS userId, JSON_VALUE(details, '$.cleared[0]') AS cleared
      FROM DATASET.person_bad_rows`;
    expect(await project.query(listed)).toEqual([
      { reason: "clears a field that the schema does not have", userId: "bob", cleared: "profile.nope" },
    ]);
    const bad =
      "SELECT run.bad_rows FROM DATASET.person_watermark AS p, UNNEST(p.recent_runs) AS run WITH OFFSET AS age WHERE age = 0";
    expect(await project.query(bad)).toEqual([{ bad_rows: 1 }]);
  });

  test("a bad row is red once, and gone once its row is removed", async () => {
    expect(await run()).toBe("");
    const [listed] = await badRows();
    expect(listed).toMatchObject({ rows: 1, left: 1, isBad: true });
    await settle();
    expect(await badRows()).toMatchObject([{ left: 0 }]);
    expect(await run()).toBe("");
    expect(await badRows()).toEqual([]);
  });

  test("what an absurd ingest stamp pins, a value and a delete, is taken back by removing the row and a rebuild", async () => {
    await project.query(`INSERT INTO DATASET.person_updates (userId, seenAt, email, gone) VALUES
      ('bob', TIMESTAMP '9999-01-01 00:00:00+00', 'pinned@x', FALSE),
      ('cid', TIMESTAMP '9999-01-01 00:00:00+00', NULL, TRUE)`);
    await add({ user: "bob", second: 30, email: "right@x" }, { user: "cid", second: 30, email: "alive@x" });
    expect(await run()).toContain("Assertion failed");
    expect(await run(), "red once").toBe("");
    expect(await people()).toMatchObject([{ userId: "bob", email: "pinned@x" }]);
    await settle();
    expect(await run({ rebuild: "true" })).toBe("");
    expect(await people()).toMatchObject([
      { userId: "bob", email: "right@x" },
      { userId: "cid", email: "alive@x" },
    ]);
    expect(await badRows()).toEqual([]);
  });

  test("a value and a clear of one field in one row: the clear counts, and it is reported once", async () => {
    await add(
      { user: "eve", second: 40, email: "eve@x", cleared: "profile" },
      { user: "fay", second: 40, email: "fay@x", name: "Fay", cleared: "Profile" },
      { user: "gus", second: 40, email: "gus@x", name: "Gus", cleared: "profile.name" },
    );
    expect(await run()).toContain("Assertion failed");
    expect(await run(), "red once").toBe("");
    expect((await people()).slice(2)).toEqual([
      { userId: "eve", email: "eve@x", profile: null },
      { userId: "fay", email: "fay@x", profile: null },
      { userId: "gus", email: "gus@x", profile: { name: null, tags: ["x"] } },
    ]);
    const reason = "a value and a clear of one field: the clear counts";
    expect(await badRows()).toMatchObject([
      { reason, details: expect.stringContaining('"fay"'), isBad: false },
      { reason, details: expect.stringContaining('"gus"'), isBad: false },
    ]);
  });

  interface Listed {
    readonly removal: readonly string[];
  }

  async function badRows(): Promise<Listed[]> {
    const { exitCode, stdout } = await project.npm("bad-rows", "person", "--json");
    expect(exitCode).toBe(0);
    return JSON.parse(stdout) as Listed[];
  }

  /** Runs the statements that the list names. */
  async function settle(): Promise<void> {
    for (const { removal } of await badRows())
      for (const statement of removal) await project.query(statement);
  }
});

test("a delete and a clear that count from their ingest timestamp are settled, tombstones and all", async () => {
  const fields = [
    { name: "id", type: "STRING" },
    { name: "came", type: "TIMESTAMP" },
    { name: "happened", type: "TIMESTAMP" },
    { name: "top", type: "INT64", merge: "max" },
  ];
  const times = { ingestTimestamp: "came", eventTimestamp: "happened" };
  const visit = {
    name: "visit",
    schema: "visit.json",
    key: ["id"],
    clearedFields: "cleared",
    deleted: "gone",
  };
  const own = await createProject({
    entities: [{ ...visit, ...times }],
    files: { "visit.json": JSON.stringify(fields) },
  });
  for (const command of ["generate", "init"]) expect((await runHere(own, command)).exitCode).toBe(0);
  const [ahead, past] = ["TIMESTAMP '9999-01-01 00:00:00+00'", "TIMESTAMP '2024-01-01 00:00:00+00'"];
  const day = "TIMESTAMP '2024-02-01 00:00:00+00'";
  await own.query(`INSERT INTO DATASET.visit_updates (id, came, happened, top, cleared, gone) VALUES
    ('a', ${past}, ${past}, 1, [], FALSE), ('a', ${day}, ${ahead}, NULL, [], TRUE),
    ('b', ${past}, ${past}, 2, [], FALSE), ('b', ${day}, ${day}, 9, ['top'], FALSE)`);
  await runHere(own, "update");
  expect(await own.query("SELECT id, top FROM DATASET.visit")).toEqual([{ id: "b", top: null }]);
  const listed = JSON.parse((await runHere(own, "bad-rows", "visit", "--json")).stdout) as {
    removal: readonly string[];
  }[];
  expect(listed).toHaveLength(2);
  for (const statement of listed.flatMap(({ removal }) => removal)) await own.query(statement);
  const rebuild = await runHere(own, "update", "--vars=rebuild=true,force=true");
  expect(rebuild.exitCode, rebuild.stderr).toBe(0);
  expect(await own.query("SELECT id, top FROM DATASET.visit ORDER BY id")).toEqual([
    { id: "a", top: 1 },
    { id: "b", top: 2 },
  ]);
});
