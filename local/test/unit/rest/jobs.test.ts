import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BigQueryError } from "../../../src/errors.ts";
import type { QueryRequest } from "../../../src/jobs/ports.ts";
import { FakeEngine, numbers, TestEndpoint } from "./test-endpoint.ts";

const P = "/bigquery/v2/projects/p";
let bq: TestEndpoint;
let engine: FakeEngine;

beforeAll(async () => {
  engine = new FakeEngine();
  bq = await TestEndpoint.start(engine);
  await bq.ask("POST", `${P}/datasets`, { datasetReference: { datasetId: "d" } });
  await bq.ask("POST", `${P}/datasets`, { datasetReference: { datasetId: "eu" }, location: "EU" });
});
afterAll(() => bq.close());
beforeEach(() => {
  engine.answers.set("SELECT 5", () => numbers(5));
  engine.answers.set("FAIL", () => {
    throw new BigQueryError("invalidQuery", "Syntax error: x at [1:1]", "query");
  });
  engine.answers.set("SLOW", async (request: QueryRequest) => {
    await sleep(5_000, undefined, { signal: request.signal });
    return numbers(1);
  });
});

async function insert(query: string, jobId?: string, more: object = {}) {
  return bq.ask("POST", `${P}/jobs`, {
    jobReference: { projectId: "p", jobId },
    configuration: { query: { query, useLegacySql: false, ...more } },
  });
}

/** The job's resource once it is done. */
async function finished(jobId: string) {
  for (let attempt = 0; attempt < 100; attempt++) {
    const { body } = await bq.ask("GET", `${P}/jobs/${jobId}`);
    if (body.status.state === "DONE") return body;
    await sleep(10);
  }
  throw new Error("the job does not end");
}

describe("jobs", () => {
  it("runs a query and tells how it went", async () => {
    const made = await insert("SELECT 5", "first");
    expect(made.body).toMatchObject({
      kind: "bigquery#job",
      id: "p:US.first",
      jobReference: { projectId: "p", jobId: "first", location: "US" },
      configuration: { jobType: "QUERY", query: { query: "SELECT 5" } },
    });
    expect(["PENDING", "RUNNING", "DONE"]).toContain(made.body.status.state);
    const job = await finished("first");
    expect(job.status).toEqual({ state: "DONE" });
    expect(job.statistics).toMatchObject({
      totalBytesProcessed: "40",
      query: {
        statementType: "SELECT",
        totalBytesProcessed: "40",
        totalBytesBilled: "10485760",
        cacheHit: false,
        schema: { fields: [{ name: "n", type: "INTEGER", mode: "NULLABLE" }] },
      },
    });
    for (const time of ["creationTime", "startTime", "endTime"]) {
      expect(Number(job.statistics[time])).toBeGreaterThan(1.7e12);
    }
  });

  it("refuses a job id that is taken, so that a retried insert is harmless", async () => {
    await insert("SELECT 5", "same");
    const before = engine.requests.length;
    const again = await insert("SELECT 5", "same");
    expect(again.status).toBe(409);
    expect(again.body.error).toMatchObject({
      message: "Already Exists: Job p:US.same",
      errors: [{ reason: "duplicate" }],
      status: "ALREADY_EXISTS",
    });
    expect(engine.requests.length).toBe(before);
  });

  it("tells a failure in the job, and as an HTTP error to who asks for rows", async () => {
    await insert("FAIL", "failing");
    const job = await finished("failing");
    const error = { reason: "invalidQuery", location: "query", message: "Syntax error: x at [1:1]" };
    expect(job.status).toEqual({ state: "DONE", errorResult: error, errors: [error] });
    const rows = await bq.ask("GET", `${P}/queries/failing`);
    expect(rows.status).toBe(400);
    expect(rows.body.error.errors).toEqual([
      {
        reason: "invalidQuery",
        message: "Syntax error: x at [1:1]",
        domain: "global",
        location: "q",
        locationType: "parameter",
      },
    ]);
  });

  it("makes no 5xx of its own mistakes, and tells no paths", async () => {
    engine.answers.set("DEFECT", () => {
      throw new Error("IO Error: cannot open /home/someone/file.ts\n at x");
    });
    await insert("DEFECT", "defect");
    const job = await finished("defect");
    expect(job.status.errorResult.reason).toBe("invalidQuery");
    expect(job.status.errorResult.message).toMatch(/cannot open …$/);
    expect(bq.defects).toHaveLength(1);
  });

  it("cancels", async () => {
    await insert("SLOW", "slow");
    await sleep(20);
    const answer = await bq.ask("POST", `${P}/jobs/slow/cancel`);
    expect(answer.body.kind).toBe("bigquery#jobCancelResponse");
    const job = await finished("slow");
    expect(job.status.errorResult).toMatchObject({
      reason: "stopped",
      message: expect.stringContaining("cancelled"),
    });
    expect((await bq.ask("GET", `${P}/queries/slow`)).status).toBe(499);
  });

  it("stops a job at its timeout", async () => {
    await bq.ask("POST", `${P}/jobs`, {
      jobReference: { jobId: "late" },
      configuration: { query: { query: "SLOW" }, jobTimeoutMs: "20" },
    });
    expect((await finished("late")).status.errorResult.message).toContain("timed out");
  });

  it("lists newest first, by state and by parent", async () => {
    engine.answers.set("SCRIPT", () => ({
      ...numbers(2),
      statementType: "SCRIPT",
      children: [
        {
          sql: "INSERT x",
          stackFrames: [{ startLine: 1, startColumn: 1, text: "INSERT x" }],
          startTime: 1,
          endTime: 2,
          outcome: {
            statementType: "INSERT",
            bytesProcessed: 0,
            bytesBilled: 0,
            dml: { inserted: 3, updated: 0, deleted: 0 },
          },
        },
        { sql: "SELECT 5", stackFrames: [], startTime: 2, endTime: 3, outcome: numbers(2) },
      ],
    }));
    await insert("SCRIPT", "script");
    const parent = await finished("script");
    expect(parent.statistics).toMatchObject({ numChildJobs: "2", query: { statementType: "SCRIPT" } });
    const { body } = await bq.ask("GET", `${P}/jobs?parentJobId=script`);
    expect(body.jobs).toHaveLength(2);
    expect(body.jobs[1].statistics).toMatchObject({
      parentJobId: "script",
      scriptStatistics: { evaluationKind: "STATEMENT", stackFrames: [{ text: "INSERT x" }] },
      query: { statementType: "INSERT", numDmlAffectedRows: "3", dmlStats: { insertedRowCount: "3" } },
    });
    const child = await bq.ask("GET", `${P}/queries/${body.jobs[0].jobReference.jobId}`);
    expect(child.body.totalRows).toBe("2");
    // The Java client reads a child's rows from its table.
    const { query } = (await bq.ask("GET", `${P}/jobs/${body.jobs[0].jobReference.jobId}`)).body
      .configuration;
    const { datasetId, tableId } = query.destinationTable;
    const data = await bq.ask("GET", `${P}/datasets/${datasetId}/tables/${tableId}/data`);
    expect(data.body).toMatchObject({ totalRows: "2", rows: [{ f: [{ v: "0" }] }, { f: [{ v: "1" }] }] });

    const all = (await bq.ask("GET", `${P}/jobs?stateFilter=done&maxResults=1&projection=full`)).body;
    expect(all.jobs[0]).toMatchObject({
      state: "DONE",
      jobReference: { jobId: "script" },
      configuration: {},
    });
    expect(all.nextPageToken).toBeDefined();
    expect((await bq.ask("GET", `${P}/jobs?stateFilter=odd`)).status).toBe(400);
  });

  it("deletes a finished job with its children", async () => {
    await insert("SELECT 5", "short");
    await finished("short");
    expect((await bq.ask("DELETE", `${P}/jobs/short/delete`)).status).toBe(204);
    const gone = await bq.ask("GET", `${P}/jobs/short`);
    expect([gone.status, gone.body.error.message]).toEqual([404, "Not found: Job p:short"]);
  });

  it("gives a dry run's answer, and keeps no job of it", async () => {
    const { body } = await bq.ask("POST", `${P}/jobs`, {
      jobReference: { jobId: "dry" },
      configuration: { dryRun: true, query: { query: "SELECT 5" } },
    });
    expect(body).toMatchObject({
      status: { state: "DONE" },
      statistics: { totalBytesProcessed: "40", query: { totalBytesBilled: "0" } },
    });
    expect(body.jobReference.jobId).toBeUndefined();
    const rows = await bq.ask("GET", `${P}/queries/dry?location=US`);
    expect(rows.body.error.message).toBe("Not found: Job p:US.dry");
    const wrong = await bq.ask("POST", `${P}/jobs`, {
      configuration: { dryRun: true, query: { query: "FAIL" } },
    });
    expect([wrong.status, wrong.body.error.errors[0].reason]).toEqual([400, "invalidQuery"]);
  });

  it("refuses a query that would be billed more than allowed", async () => {
    await insert("SELECT 5", "dear", { maximumBytesBilled: "1000" });
    expect((await finished("dear")).status.errorResult).toMatchObject({
      reason: "bytesBilledLimitExceeded",
      message: "Query exceeded limit for bytes billed: 1000. 10485760 or higher required.",
    });
  });

  it("runs where its dataset is, and does not find it elsewhere", async () => {
    const destinationTable = { datasetId: "eu", tableId: "t" };
    const made = await insert("SELECT 5", "in_eu", { destinationTable });
    expect(made.body.jobReference.location).toBe("EU");
    expect((await bq.ask("GET", `${P}/jobs/in_eu?location=eu`)).status).toBe(200);
    expect((await bq.ask("GET", `${P}/jobs/in_eu?location=US`)).status).toBe(404);
    const elsewhere = await bq.ask("POST", `${P}/jobs`, {
      jobReference: { location: "US" },
      configuration: { query: { query: "SELECT 5", destinationTable } },
    });
    expect([elsewhere.status, elsewhere.body.error.message]).toEqual([
      404,
      "Not found: Dataset p:eu was not found in location US",
    ]);
  });

  it.each([
    [{}, "configuration"],
    [{ configuration: {} }, "one of query"],
    [{ configuration: { query: {} } }, "query"],
    [{ configuration: { query: { query: "x", useLegacySql: true } } }, "legacy SQL"],
    [{ configuration: { query: { query: "#legacySQL\nSELECT 1" } } }, "legacy SQL"],
    [{ configuration: { query: { query: "x", continuous: true } } }, "continuous"],
    [{ configuration: { query: { query: "x", writeDisposition: "WRITE_TWICE" } } }, "writeDisposition"],
    [{ configuration: { query: { query: "x".repeat(1024 * 1024 + 1) } } }, "too large"],
    [{ configuration: { extract: {} } }, "extract"],
    [{ configuration: { query: { query: "x" } }, jobReference: { jobId: "a b" } }, "Invalid job ID"],
    [{ configuration: { query: { query: "x" } }, jobReference: { projectId: "other" } }, "project"],
  ])("refuses %j", async (body, message) => {
    const answer = await bq.ask("POST", `${P}/jobs`, body);
    expect(answer.status).toBe(400);
    expect(answer.body.error.message).toContain(message);
  });
});

describe("results", () => {
  it("pages through rows", async () => {
    engine.answers.set("SELECT 5000", () => numbers(5000));
    await insert("SELECT 5000", "paged");
    const first = (await bq.ask("GET", `${P}/queries/paged?maxResults=4000`)).body;
    expect(first).toMatchObject({
      kind: "bigquery#getQueryResultsResponse",
      jobComplete: true,
      totalRows: "5000",
      schema: { fields: [{ name: "n" }] },
      cacheHit: false,
    });
    expect(first.rows).toHaveLength(4000);
    const second = (await bq.ask("GET", `${P}/queries/paged?maxResults=4000&pageToken=${first.pageToken}`))
      .body;
    expect(second.rows).toHaveLength(1000);
    expect(second.rows[0].f[0].v).toBe("4000");
    expect(second.pageToken).toBeUndefined();
    const none = (await bq.ask("GET", `${P}/queries/paged?maxResults=0`)).body;
    expect(none.rows).toBeUndefined();
    expect(none.totalRows).toBe("5000");
    const from = (await bq.ask("GET", `${P}/queries/paged?startIndex=4998`)).body;
    expect(from.rows.map((row: { f: { v: string }[] }) => row.f[0]?.v)).toEqual(["4998", "4999"]);
  });

  it("ends a page where it grows too large", async () => {
    const schema = [{ name: "s", type: "STRING", mode: "NULLABLE" as const }];
    const text = "x".repeat(1024 * 1024);
    engine.answers.set("WIDE", () => ({
      statementType: "SELECT",
      bytesProcessed: 0,
      bytesBilled: 0,
      schema,
      rows: {
        schema,
        totalRows: 25,
        page: async (start, count) => Array.from({ length: Math.min(count, 25 - start) }, () => [text]),
      },
    }));
    await insert("WIDE", "wide");
    const { body } = await bq.ask("GET", `${P}/queries/wide`);
    expect(body.rows).toHaveLength(9);
    const next = await bq.ask("GET", `${P}/queries/wide?pageToken=${body.pageToken}`);
    expect(next.body.rows).toHaveLength(9);
  });

  it("says that a job still runs, after the time the client gave it", async () => {
    await insert("SLOW", "running");
    const start = Date.now();
    const { body } = await bq.ask("GET", `${P}/queries/running?timeoutMs=50`);
    expect(Date.now() - start).toBeLessThan(2_000);
    expect(body).toEqual({
      kind: "bigquery#getQueryResultsResponse",
      jobReference: { projectId: "p", jobId: "running", location: "US" },
      jobComplete: false,
    });
    await bq.ask("POST", `${P}/jobs/running/cancel`);
  });

  it("leaves a query's rows in a table without a name, too", async () => {
    await insert("SELECT 5", "anonymous");
    const { configuration } = await finished("anonymous");
    const { datasetId, tableId } = configuration.query.destinationTable;
    const base = `${P}/datasets/${datasetId}/tables/${tableId}`;
    expect((await bq.ask("GET", base)).body).toMatchObject({
      numRows: "5",
      schema: { fields: [{ name: "n" }] },
    });
    const { body } = await bq.ask("GET", `${base}/data?maxResults=2`);
    expect(body).toMatchObject({ totalRows: "5", rows: [{ f: [{ v: "0" }] }, { f: [{ v: "1" }] }] });
  });
});

describe("jobs.query", () => {
  it("answers with the rows", async () => {
    const { body } = await bq.ask("POST", `${P}/queries`, {
      query: "SELECT 5",
      maxResults: 2,
      useLegacySql: false,
    });
    expect(body).toMatchObject({
      kind: "bigquery#queryResponse",
      jobComplete: true,
      totalRows: "5",
      rows: [{ f: [{ v: "0" }] }, { f: [{ v: "1" }] }],
    });
    const next = await bq.ask("GET", `${P}/queries/${body.jobReference.jobId}?pageToken=${body.pageToken}`);
    expect(next.body.rows).toHaveLength(3);
  });

  it("answers with the error", async () => {
    const { status, body } = await bq.ask("POST", `${P}/queries`, { query: "FAIL" });
    expect([status, body.error.errors[0].reason]).toEqual([400, "invalidQuery"]);
  });

  it("answers DML with what it changed, and no rows", async () => {
    engine.answers.set("UPDATE", () => ({
      statementType: "UPDATE",
      bytesProcessed: 0,
      bytesBilled: 0,
      dml: { inserted: 0, updated: 7, deleted: 0 },
    }));
    const { body } = await bq.ask("POST", `${P}/queries`, { query: "UPDATE" });
    expect(body).toMatchObject({
      jobComplete: true,
      numDmlAffectedRows: "7",
      dmlStats: { updatedRowCount: "7" },
    });
    expect(body.schema).toBeUndefined();
    expect(body.totalRows).toBeUndefined();
  });

  it("runs a request once, however often its requestId comes", async () => {
    const before = engine.requests.length;
    const request = { query: "SELECT 5", requestId: "r-1" };
    const first = await bq.ask("POST", `${P}/queries`, request);
    const again = await bq.ask("POST", `${P}/queries`, request);
    expect(again.body.jobReference).toEqual(first.body.jobReference);
    expect(engine.requests.length).toBe(before + 1);
    const other = await bq.ask("POST", `${P}/queries`, { ...request, maxResults: 1 });
    expect(other.body.jobReference).not.toEqual(first.body.jobReference);
  });

  it("does not wait longer than asked", async () => {
    const { body } = await bq.ask("POST", `${P}/queries`, { query: "SLOW", timeoutMs: 30 });
    expect(body.jobComplete).toBe(false);
    await bq.ask("POST", `${P}/jobs/${body.jobReference.jobId}/cancel`);
  });

  it("gives a dry run's schema and bytes", async () => {
    const { body } = await bq.ask("POST", `${P}/queries`, { query: "SELECT 5", dryRun: true });
    expect(body).toMatchObject({
      jobComplete: true,
      totalBytesProcessed: "40",
      schema: { fields: [{ name: "n" }] },
      jobReference: { projectId: "p", location: "US" },
    });
    expect(body.rows).toBeUndefined();
  });

  it("refuses more work than it can queue, and does all the rest", async () => {
    const small = await TestEndpoint.start(engine, { queue: { running: 1, waiting: 3 } });
    engine.answers.set("WAIT", async () => {
      await sleep(20);
      return numbers(1);
    });
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => small.ask("POST", `${P}/queries`, { query: "WAIT" })),
    );
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(4);
    const refused = answers.filter((answer) => answer.status === 403);
    expect(refused).toHaveLength(6);
    expect(refused[0]?.body.error.errors[0].reason).toBe("rateLimitExceeded");
    await small.close();
  });
});
