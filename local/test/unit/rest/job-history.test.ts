import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Database } from "../../../src/storage/database.ts";
import { JobLog } from "../../../src/storage/job-log.ts";
import { LiveEndpoint } from "./live-endpoint.ts";

const folder = mkdtempSync(path.join(tmpdir(), "job-history-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("with a data file, jobs outlive the server", () => {
  it("with all they say of themselves, but without rows", async () => {
    const dataFile = path.join(folder, "jobs.duckdb");
    const first = await LiveEndpoint.start({ dataFile });
    const query = (sql: string) => ({ query: { query: sql, useLegacySql: false }, labels: { a: "b" } });
    const done = [
      await first.job(query("SELECT 1 AS n"), { jobId: "selects" }),
      await first.job(query("CREATE TABLE d.t AS SELECT 1 AS n"), { jobId: "makes" }),
      await first.job(query("SELECT nope"), { jobId: "fails" }),
      await first.job(query("DECLARE x INT64 DEFAULT 1; INSERT d.t VALUES (x); SELECT x"), {
        jobId: "scripts",
      }),
    ];
    await first.job(query("SELECT 2"), { jobId: "deleted" });
    expect((await first.ask("DELETE", "/jobs/deleted/delete")).status).toBe(204);
    const children = (await first.ask("GET", "/jobs?parentJobId=scripts")).body.jobs;
    expect(children).toHaveLength(2);
    await first.close();

    const second = await LiveEndpoint.start({ dataFile });
    const withoutHost = (job: object) => ({ ...job, selfLink: "" });
    for (const job of done) {
      const again = (await second.ask("GET", `/jobs/${job.jobReference.jobId}`)).body;
      expect(withoutHost(again)).toEqual(withoutHost(job));
    }
    expect((await second.ask("GET", "/jobs?parentJobId=scripts")).body.jobs).toEqual(children);
    expect((await second.ask("GET", "/jobs/deleted")).status).toBe(404);
    const list = (await second.ask("GET", "/jobs")).body.jobs;
    expect(list.map((job: { jobReference: { jobId: string } }) => job.jobReference.jobId)).toEqual([
      "scripts",
      "fails",
      "makes",
      "selects",
    ]);
    // https://cloud.google.com/bigquery/docs/information-schema-jobs
    expect(
      await second.rows(
        "SELECT job_id, statement_type, error_result.reason FROM `region-us`.INFORMATION_SCHEMA.JOBS WHERE job_id IN ('selects', 'fails') ORDER BY 1",
      ),
    ).toEqual([
      ["fails", null, "invalidQuery"],
      ["selects", "SELECT", null],
    ]);
    // No empty result stands for rows that are gone.
    for (const jobId of ["selects", "scripts"]) {
      const { status, body } = await second.ask("GET", `/queries/${jobId}`);
      expect([status, body.error?.message]).toEqual([404, expect.stringContaining("have expired")]);
    }
    expect((await second.ask("GET", "/queries/makes")).body.jobComplete).toBe(true);
    expect((await second.ask("GET", "/queries/fails")).body.error.message).toContain("nope");
    const twice = await second.job(query("INSERT d.t VALUES (5)"), { jobId: "makes" });
    expect(twice.error.errors[0].reason).toBe("duplicate");
    await second.close();
    expect([...first.defects, ...second.defects]).toEqual([]);
  });
});

describe("the log of jobs", () => {
  it("gives the newest text of each key, in the order of the keys' first ones, up to a limit", async () => {
    const file = path.join(folder, "log.duckdb");
    const opened = async (limit: number) => {
      const database = await Database.open({ file });
      return { database, ...(await JobLog.open(database, limit)) };
    };
    let { database, log, values } = await opened(10);
    expect(values).toEqual([]);
    await Promise.all(["a", "b", "c", "it's"].map((key) => log.write(key, `${key}1`)));
    await log.write("a", "a2");
    await Promise.all([log.write("b", undefined), log.write("it's", "it''s2")]);
    await database.close();
    for (const limit of [10, 2, 2]) {
      ({ database, log, values } = await opened(limit));
      expect(values).toEqual(["a2", "c1", "it''s2"].slice(-limit));
      await database.close();
    }
    ({ database, log, values } = await opened(10));
    await log.write("c", "c2");
    await database.close();
    ({ database, values } = await opened(10));
    expect(values).toEqual(["c2", "it''s2"]);
    await database.close();
  });

  it("says so when it cannot write, and goes on", async () => {
    const database = await Database.open({ file: path.join(folder, "broken.duckdb") });
    const { log } = await JobLog.open(database, 10);
    await database.use(async (connection) => {
      await connection.run("ALTER TABLE meta.jobs RENAME TO gone");
      await expect(log.write("a", "1")).rejects.toThrow();
      await connection.run("ALTER TABLE meta.gone RENAME TO jobs");
    });
    await log.write("b", "2");
    await database.close();
  });
});
