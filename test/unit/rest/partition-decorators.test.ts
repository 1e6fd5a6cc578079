import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LiveEndpoint } from "./live.ts";

let endpoint: LiveEndpoint;
beforeAll(async () => {
  endpoint = await LiveEndpoint.start();
  await endpoint.rows(`
    CREATE TABLE d.days (d DATE, x INT64) PARTITION BY d;
    CREATE TABLE d.months (t TIMESTAMP, x INT64) PARTITION BY TIMESTAMP_TRUNC(t, MONTH);
    CREATE TABLE d.arrivals (x INT64) PARTITION BY _PARTITIONDATE;
    CREATE TABLE d.ranges (n INT64, x INT64) PARTITION BY RANGE_BUCKET(n, GENERATE_ARRAY(0, 100, 10));
    CREATE TABLE d.plain (x INT64);
    SELECT 1`);
});
afterAll(() => endpoint.server.close());

const to = (tableId: string) => ({ projectId: "p", datasetId: "d", tableId });

/** The message that a load of NDJSON fails with; undefined where it does not. */
async function load(
  tableId: string,
  rows: readonly object[],
  options: object = {},
): Promise<string | undefined> {
  const load = { destinationTable: to(tableId), sourceFormat: "NEWLINE_DELIMITED_JSON", ...options };
  const parts = [
    JSON.stringify({ configuration: { load } }),
    rows.map((row) => JSON.stringify(row)).join("\n"),
  ];
  const types = ["application/json", "application/octet-stream"];
  const body = parts.map((part, index) => `--b\r\nContent-Type: ${types[index]}\r\n\r\n${part}\r\n`).join("");
  const url = `${endpoint.server.url}/upload/bigquery/v2/projects/p/jobs?uploadType=multipart`;
  const headers = { "content-type": "multipart/related; boundary=b" };
  const job = (await (await fetch(url, { method: "POST", headers, body: `${body}--b--\r\n` })).json()) as {
    error?: { message: string };
    jobReference: { jobId: string };
  };
  if (job.error !== undefined) return job.error.message;
  for (;;) {
    const { body: now } = await endpoint.ask("GET", `/jobs/${job.jobReference.jobId}`);
    if (now.status.state === "DONE") return now.status.errorResult?.message;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const write = (tableId: string, query: string, options: object = {}) => ({
  query: { query, useLegacySql: false, destinationTable: to(tableId), ...options },
});
const truncate = { writeDisposition: "WRITE_TRUNCATE" };
const append = { writeDisposition: "WRITE_APPEND" };

// https://cloud.google.com/bigquery/docs/managing-partitioned-table-data, https://cloud.google.com/bigquery/docs/load-data-partitioned-tables
describe("one partition of a table, named with a decorator", () => {
  it("is replaced by a load, and the others stay", async () => {
    await endpoint.rows("INSERT d.days VALUES ('2026-01-01', 1), ('2026-01-02', 2), (NULL, 3)");
    expect(
      await load(
        "days$20260101",
        [
          { d: "2026-01-01", x: 10 },
          { d: "2026-01-01", x: 11 },
        ],
        truncate,
      ),
    ).toBe(undefined);
    expect(await load("days$20260101", [{ d: "2026-01-01", x: 12 }], append)).toBe(undefined);
    expect(await endpoint.rows("SELECT x FROM d.days ORDER BY x")).toEqual([
      ["2"],
      ["3"],
      ["10"],
      ["11"],
      ["12"],
    ]);
    expect(
      await load("days$20260101", [{ d: "2026-01-01", x: 1 }], { writeDisposition: "WRITE_EMPTY" }),
    ).toBe("Already Exists: Table p:d.days$20260101");
    expect(
      await load("days$20260105", [{ d: "2026-01-05", x: 1 }], { writeDisposition: "WRITE_EMPTY" }),
    ).toBe(undefined);
  });

  it("takes no rows of other partitions, and then stays as it is", async () => {
    const before = await endpoint.rows("SELECT d, x FROM d.days ORDER BY x");
    const message =
      "Some rows belong to different partitions rather than destination partition p:d.days$20260102";
    for (const d of ["2026-01-01", null])
      expect(
        await load(
          "days$20260102",
          [
            { d: "2026-01-02", x: 1 },
            { d, x: 2 },
          ],
          truncate,
        ),
      ).toBe(message);
    expect(
      await endpoint.failure(write("days$20260102", "SELECT DATE '2026-01-01' AS d, 1 AS x", truncate)),
    ).toBe(message);
    expect(await endpoint.rows("SELECT d, x FROM d.days ORDER BY x")).toEqual(before);
  });

  it("is replaced by a query's rows, which are its result", async () => {
    const query = "SELECT DATE '2026-01-02' AS d, x * 100 AS x FROM d.days WHERE d = '2026-01-02'";
    const job = await endpoint.job(write("days$20260102", query, truncate));
    expect(job.status.errorResult).toBe(undefined);
    const { body } = await endpoint.ask("GET", `/queries/${job.jobReference.jobId}`);
    expect(body.rows).toEqual([{ f: [{ v: "2026-01-02" }, { v: "200" }] }]);
    expect(await endpoint.rows("SELECT x FROM d.days WHERE d = '2026-01-02'")).toEqual([["200"]]);
  });

  it("is listed alone", async () => {
    const { body } = await endpoint.ask("GET", "/datasets/d/tables/days$20260102/data");
    expect([body.totalRows, body.rows]).toEqual(["1", [{ f: [{ v: "2026-01-02" }, { v: "200" }] }]]);
    const nulls = await endpoint.ask("GET", "/datasets/d/tables/days$__NULL__/data");
    expect(nulls.body.rows).toEqual([{ f: [{ v: null }, { v: "3" }] }]);
    expect((await endpoint.ask("GET", "/datasets/d/tables/days$20300101/data")).body.totalRows).toBe("0");
  });

  it("is a month, a range of integers, or a day of arrival", async () => {
    expect(await load("months$202601", [{ t: "2026-01-31T23:59:59Z", x: 1 }], truncate)).toBe(undefined);
    expect(await load("ranges$10", [{ n: 19, x: 1 }], truncate)).toBe(undefined);
    expect(await load("ranges$10", [{ n: 20, x: 1 }], append)).toMatch(
      /^Some rows belong to different partitions/,
    );
    for (const x of [1, 2]) expect(await load("arrivals$20250101", [{ x }], truncate)).toBe(undefined);
    expect(await endpoint.failure(write("arrivals$20250102", "SELECT 5 AS x", append))).toBe(undefined);
    expect(await endpoint.rows("SELECT _PARTITIONDATE AS d, x FROM d.arrivals ORDER BY x")).toEqual([
      ["2025-01-01", "2"],
      ["2025-01-02", "5"],
    ]);
  });

  it("comes with a new table where the job says how that is partitioned", async () => {
    const row = { d: "2026-03-01", x: 1 };
    const schema = {
      fields: [
        { name: "d", type: "DATE" },
        { name: "x", type: "INTEGER" },
      ],
    };
    const timePartitioning = { type: "DAY", field: "d" };
    expect(await load("made$20260301", [row], { schema })).toBe(
      "Partitioning specification must be provided in order to create partitioned table",
    );
    expect(await load("made$20260301", [row], { schema, timePartitioning })).toBe(undefined);
    const query = "SELECT DATE '2026-03-01' AS d";
    expect(await endpoint.failure(write("made2$20260301", query, { timePartitioning }))).toBe(undefined);
    const { body } = await endpoint.ask("GET", "/datasets/d/tables/made2");
    expect([body.numRows, body.timePartitioning]).toEqual(["1", timePartitioning]);
  });

  it.each([
    ["days$202601", /^Invalid partition ID "202601" for the DAY partitions of p:d.days/],
    ["days$20260230", /^Invalid partition ID/],
    ["ranges$x", /^Invalid partition ID/],
    ["plain$20260101", /is not partitioned/],
    ["days$2026'", /^Invalid table ID/],
  ])("%s is none", async (tableId, message) => {
    expect(await load(tableId, [], append)).toMatch(message);
    expect(await endpoint.failure(write(tableId, "SELECT 1 AS x", append))).toMatch(message);
  });
});
