import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type TestProject, useEndpoint, useProjects } from "./harness.ts";

const makeProject = useProjects(useEndpoint());
const TABLES = readFileSync(
  fileURLToPath(new URL("data/before-encoded-versions.sql", import.meta.url)),
  "utf8",
);
const entity = {
  name: "user_info",
  schema: "schemas/user_info.json",
  key: ["userId"],
  ingestTimestamp: "ingestTimestamp",
};

async function succeed(project: TestProject, command: string, ...args: string[]): Promise<string> {
  const { exitCode, stderr, stdout } = await project.npm(command, ...args);
  expect(exitCode, stderr || stdout).toBe(0);
  return stdout;
}

describe("a dataset that an earlier version made", () => {
  it("runs on after generate and init, with its versions stored anew", async () => {
    const project = await makeProject({ entities: [entity] });
    await project.client.createDataset(project.dataset);
    await project.query(TABLES);
    await succeed(project, "generate");
    const early = await project.npm("update");
    expect(early).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("run `npm run init` first") });

    expect(await succeed(project, "init", "--plan")).toContain("stores of _versions only what differs");
    await succeed(project, "init");
    expect(await succeed(project, "init")).toContain("nothing to do");
    const [updates] = await project.client.dataset(project.dataset).table("user_info_updates").getMetadata();
    expect(updates.clustering).toEqual({ fields: ["userId"] });
    // One version of three is the base; where each is another one, the oldest is.
    expect(
      await project.query(
        "SELECT userId, CAST(_base_version AS STRING) AS base, _own_versions FROM DATASET.user_info_final ORDER BY userId",
      ),
    ).toMatchObject([
      { userId: "userA", base: "2024-01-01 00:00:01+00", _own_versions: { attribute1: null } },
      {
        userId: "userB",
        base: "2024-01-01 00:00:02+00",
        _own_versions: { attribute1: null, attribute2: null, attribute3: null },
      },
      { userId: "userC", base: "2024-01-01 00:00:03+00" },
    ]);

    await succeed(project, "update");
    await succeed(project, "update");
    const second = (column: string) => `EXTRACT(SECOND FROM ${column}) AS ${column.split(".").at(-1)}`;
    expect(
      await project.query(`SELECT userId, attribute1 AS a, attribute2 AS b, attribute3 AS c,
        STRUCT(${["attribute1", "attribute2", "attribute3"].map((name) => second(`_versions.${name}`)).join(", ")}) AS versions
        FROM DATASET.user_info_versions ORDER BY userId`),
    ).toEqual([
      {
        userId: "userA",
        a: "xyz",
        b: "dat",
        c: "lot",
        versions: { attribute1: 1, attribute2: 7, attribute3: 5 },
      },
      {
        userId: "userB",
        a: "cor",
        b: "mvp",
        c: "ytrewq",
        versions: { attribute1: 6, attribute2: 2, attribute3: 2 },
      },
      {
        userId: "userC",
        a: "zyx",
        b: "pvm",
        c: "qywter",
        versions: { attribute1: 3, attribute2: 3, attribute3: 3 },
      },
    ]);
    expect(await project.query("SELECT rows_changed FROM DATASET.user_info_runs ORDER BY merged_at")).toEqual(
      [{ rows_changed: 2 }, { rows_changed: 0 }],
    );
    // The log has gained what a run costs, which its job knows.
    const [runs] = await project.client
      .dataset(project.dataset)
      .table("user_info_runs")
      .query(
        "SELECT users, bytes_billed, duration_ms, job_id FROM DATASET.user_info_runs".replace(
          "DATASET",
          project.dataset,
        ),
      );
    for (const { users, bytes_billed, duration_ms, job_id } of runs) {
      expect(users).toBe(3);
      expect(duration_ms).toBeGreaterThan(0);
      const [job] = await project.client.job(job_id).getMetadata();
      expect(job.configuration.query.query).toContain("MERGE");
      expect(bytes_billed).toBeGreaterThan(0);
      expect(bytes_billed).toBeLessThanOrEqual(Number(job.statistics.query.totalBytesBilled));
    }
    await succeed(project, "update", "--tags", "audit", "--vars=auditShare=1");
  }, 120_000);
});
