import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { REPOSITORY, type TestProject, useAnyEndpoint, useProjects } from "./harness.ts";

const endpoint = useAnyEndpoint();
const makeProject = useProjects(endpoint);

const sample = (name: string) => path.join(REPOSITORY, "samples", name);

let project: TestProject;
// The next one would find these tables, and say that they stay behind.
afterEach(() => project.client.dataset(project.dataset).delete({ force: true }));

/** A project as its user makes it: generated and with tables. */
async function ready(): Promise<TestProject> {
  project = await makeProject();
  expect(await project.npm("generate")).toMatchObject({ exitCode: 0 });
  expect(await project.npm("init")).toMatchObject({ exitCode: 0, stderr: "" });
  return project;
}

async function succeed(
  command: Promise<{ exitCode: number | null; stdout: string; stderr: string }>,
): Promise<string> {
  const { exitCode, stdout, stderr } = await command;
  expect(exitCode, stderr || stdout).toBe(0);
  return stdout;
}

const NO_SECOND_RUN = "this endpoint fails CREATE TABLE IF NOT EXISTS on a table that exists";

const FINAL = `SELECT userId, EXTRACT(SECOND FROM ingestTimestamp) AS t, attribute1, attribute2, attribute3
  FROM DATASET.user_info_final ORDER BY userId`;

const AFTER_FIRST = [
  { userId: "userA", t: 1, attribute1: "xyz", attribute2: "abc", attribute3: "qwerty" },
  { userId: "userB", t: 2, attribute1: "poc", attribute2: "mvp", attribute3: "ytrewq" },
  { userId: "userC", t: 3, attribute1: "zyx", attribute2: "pvm", attribute3: "qywter" },
];

const AFTER_SECOND = [
  { userId: "userA", t: 7, attribute1: "xyz", attribute2: "dat", attribute3: "lot" },
  { userId: "userB", t: 6, attribute1: "cor", attribute2: "mvp", attribute3: "ytrewq" },
  { userId: "userC", t: 3, attribute1: "zyx", attribute2: "pvm", attribute3: "qywter" },
];

describe("the worked example", () => {
  it("comes out as designed, batch by batch, through npm run update", async ({ skip }) => {
    skip(!endpoint.runsTwice, NO_SECOND_RUN);
    const project = await ready();
    expect(await succeed(project.npm("load", "user_info", sample("user_info_1.ndjson")))).toContain(
      "3 rows of 1 file",
    );
    await succeed(project.npm("update"));
    expect(await project.query(FINAL)).toEqual(AFTER_FIRST);
    await succeed(project.npm("load", "user_info", sample("user_info_2.ndjson")));
    await succeed(project.npm("update"));
    expect(await project.query(FINAL)).toEqual(AFTER_SECOND);

    // A run without news changes nothing, and the status says that all is merged.
    await succeed(project.npm("update"));
    expect(await project.query(FINAL)).toEqual(AFTER_SECOND);
    const status = JSON.parse(await succeed(project.npm("status", "--json"))) as Record<string, unknown>[];
    expect(status[0]).toMatchObject({ entity: "user_info", state: "up to date", waiting: 0, users: 3 });
    // The newest update is of years ago, and nothing waits: a quiet night is no lag.
    expect(status[0]).toMatchObject({ lagSeconds: 0 });
    expect(status[0]?.watermark).toMatch(/^2024-01-01 00:00:07/);
    expect(await succeed(project.npm("status"))).toMatch(
      /user_info +│ up to date +│ 2024-01-01 00:00:07\S* +│ 0 s/,
    );
  });

  it("comes out the same through plain dataform, and its own tests pass", async ({ skip }) => {
    skip(!endpoint.runsTwice, NO_SECOND_RUN);
    const project = await ready();
    await succeed(project.dataform("test"));
    for (const batch of ["user_info_1.ndjson", "user_info_2.ndjson"]) {
      await succeed(project.npm("load", "user_info", sample(batch)));
      expect(await succeed(project.dataform("run"))).toContain("user_info_final");
    }
    expect(await project.query(FINAL)).toEqual(AFTER_SECOND);
    const view = await project.query("SELECT * FROM DATASET.user_info ORDER BY userId");
    expect(Object.keys(view[0] as object)).toEqual([
      "userId",
      "ingestTimestamp",
      "attribute1",
      "attribute2",
      "attribute3",
    ]);
  });

  it("comes out the same when both batches come at once, in the wrong order", async () => {
    const project = await ready();
    await succeed(
      project.npm("load", "user_info", sample("user_info_2.ndjson"), sample("user_info_1.ndjson")),
    );
    await succeed(project.npm("update"));
    expect(await project.query(FINAL)).toEqual(AFTER_SECOND);
  });
});

describe("the nested sample", () => {
  it("merges every leaf on its own and keeps its type", async ({ skip }) => {
    skip(!endpoint.runsTwice, NO_SECOND_RUN);
    const project = await ready();
    for (const batch of ["user_profile_1.ndjson", "user_profile_2.ndjson"]) {
      await succeed(project.npm("load", "user_profile", sample(batch)));
      await succeed(project.npm("update", "--tags", "user_profile"));
    }
    const rows = await project.query(
      "SELECT TO_JSON_STRING(u) AS j FROM DATASET.user_profile AS u ORDER BY userId",
    );
    expect(rows.map((row) => JSON.parse((row as { j: string }).j) as unknown)).toEqual([
      {
        userId: "userA",
        ingestTimestamp: "2024-01-01T00:00:07Z",
        email: "ada@new.example.com",
        profile: {
          name: "Ada",
          birthday: "1990-12-10",
          visits: 2,
          subscribed: false,
          balance: "7.25", // TO_JSON_STRING writes a fraction as a text
          address: { street: "Harbour Road 9", city: "Oslo", zip: "0252" },
        },
      },
      {
        userId: "userB",
        ingestTimestamp: "2024-01-01T00:00:06Z",
        email: "bo@example.com",
        profile: {
          name: "Bo",
          birthday: "1985-02-03",
          visits: 4,
          subscribed: false,
          balance: null,
          address: { street: null, city: "Lima", zip: null },
        },
      },
      {
        userId: "userC",
        ingestTimestamp: "2024-01-01T00:00:03Z",
        email: null,
        profile: {
          name: null,
          birthday: null,
          visits: null,
          subscribed: null,
          balance: null,
          address: { street: null, city: "Paris", zip: null },
        },
      },
      { userId: "userD", ingestTimestamp: "2024-01-01T00:00:03Z", email: "dee@example.com", profile: null },
    ]);
  });
});
