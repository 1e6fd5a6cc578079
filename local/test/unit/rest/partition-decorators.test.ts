import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LiveEndpoint } from "./live-endpoint.ts";

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

// https://cloud.google.com/bigquery/docs/managing-partitioned-tables#copying_partitions
describe("a copy job", () => {
  const copy = (from: string | string[], into: string, options: object = {}) => ({
    copy: {
      ...(typeof from === "string" ? { sourceTable: to(from) } : { sourceTables: from.map(to) }),
      destinationTable: to(into),
      ...options,
    },
  });
  const rows = (table: string) =>
    endpoint.rows(`SELECT FORMAT_DATE('%F', d), x FROM d.${table} ORDER BY d, x`);
  const arrivals = (table: string) =>
    endpoint.rows(`SELECT FORMAT_DATE('%F', _PARTITIONDATE), x FROM d.${table} ORDER BY x`);

  beforeAll(async () => {
    await endpoint.rows(`
      CREATE TABLE d.from_days (d DATE, x INT64) PARTITION BY d;
      INSERT d.from_days VALUES ('2026-03-01', 1), ('2026-03-01', 2), ('2026-03-02', 3);
      CREATE TABLE d.to_days (d DATE, x INT64) PARTITION BY d;
      INSERT d.to_days VALUES ('2026-03-01', 10), ('2026-03-02', 20);
      CREATE TABLE d.from_arrivals (x INT64) PARTITION BY _PARTITIONDATE;
      INSERT d.from_arrivals (_PARTITIONTIME, x) VALUES (TIMESTAMP '2026-03-01', 1), (TIMESTAMP '2026-03-02', 2);
      CREATE TABLE d.by_month (d DATE, x INT64) PARTITION BY DATE_TRUNC(d, MONTH);
      CREATE TABLE d.unpartitioned (x INT64);
      INSERT d.unpartitioned VALUES (7);
      SELECT 1`);
  });

  it("replaces one partition by one, as dbt does", async () => {
    const job = await endpoint.job(copy("from_days$20260301", "to_days$20260301", truncate));
    expect(job.status).toEqual({ state: "DONE" });
    expect(job.statistics.copy).toEqual({ copiedRows: "2", copiedLogicalBytes: "32" });
    expect(await rows("to_days")).toEqual([
      ["2026-03-01", "1"],
      ["2026-03-01", "2"],
      ["2026-03-02", "20"],
    ]);
  });

  it("adds a partition's rows to a table", async () => {
    expect(await endpoint.failure(copy("from_days$20260302", "to_days", append))).toBeUndefined();
    expect(await rows("to_days")).toHaveLength(4);
  });

  it("writes an unpartitioned table into a partition, and moves one to another, by the time of ingestion", async () => {
    await endpoint.rows("CREATE TABLE d.to_arrivals (x INT64) PARTITION BY _PARTITIONDATE; SELECT 1");
    expect(await endpoint.failure(copy("unpartitioned", "to_arrivals$20260305"))).toBeUndefined();
    expect(await endpoint.failure(copy("from_arrivals$20260301", "to_arrivals$20260306"))).toBeUndefined();
    expect(await arrivals("to_arrivals")).toEqual([
      ["2026-03-06", "1"],
      ["2026-03-05", "7"],
    ]);
    expect(await endpoint.failure(copy("to_arrivals$20260305", "to_arrivals$20260307"))).toBeUndefined();
    expect(await arrivals("to_arrivals")).toHaveLength(3);
  });

  it("of whole tables leaves rows in their partitions", async () => {
    expect(await endpoint.failure(copy("from_arrivals", "all_arrivals"))).toBeUndefined();
    expect(await endpoint.failure(copy("from_arrivals", "all_arrivals", append))).toBeUndefined();
    expect(await arrivals("all_arrivals")).toEqual([
      ["2026-03-01", "1"],
      ["2026-03-01", "1"],
      ["2026-03-02", "2"],
      ["2026-03-02", "2"],
    ]);
  });

  it.each([
    [copy("from_days$20260301", "to_days$20260301"), "Already Exists: Table p:d.to_days$20260301"],
    [copy("from_days$20260301", "to_days$20260302", truncate), "Some rows belong to different partitions"],
    [copy("from_days$202603", "to_days$20260301"), 'Invalid partition ID "202603"'],
    [copy("unpartitioned$20260301", "to_arrivals$20260301"), "is not partitioned"],
    [copy("from_days$20260301", "none$20260301"), "Partitioning specification must be provided"],
    [copy("from_days$20260301", "none"), "a copy of one partition that makes or replaces a whole table"],
    [
      copy("from_days$20260301", "to_days", truncate),
      "a copy of one partition that makes or replaces a whole table",
    ],
    [copy("from_days", "by_month", append), "Incompatible table partitioning specification"],
    [copy("to_days$20260301", "to_days$20260301", truncate), "the same table"],
    [copy("from_days$20260301", "kept", { operationType: "SNAPSHOT" }), "one partition in a copy job"],
    [copy("from_days@1", "none"), "table decorators"],
  ])("refuses %j", async (configuration, message) => {
    const before = await rows("to_days");
    expect(await endpoint.failure(configuration)).toContain(message);
    expect(await rows("to_days")).toEqual(before);
  });
});

// https://cloud.google.com/bigquery/docs/creating-partitioned-tables#getting_partition_metadata_using_meta-tables
it("the partitions of a table are listed in a table, for the clients' own methods", async () => {
  await endpoint.rows(`
    CREATE TABLE d.listed (d DATE, x INT64) PARTITION BY d;
    INSERT d.listed VALUES ('2026-03-02', 1), ('2026-03-01', 2), ('2026-03-01', 3), (NULL, 4);
    SELECT 1`);
  const path = "/datasets/d/tables/listed$__PARTITIONS_SUMMARY__";
  const table = (await endpoint.ask("GET", path)).body;
  expect(table.tableReference).toEqual(to("listed$__PARTITIONS_SUMMARY__"));
  expect(table.schema.fields[3]).toMatchObject({ name: "partition_id", type: "STRING" });
  const some = (await endpoint.ask("GET", `${path}/data?selectedFields=partition_id&maxResults=2`)).body;
  expect(some).toMatchObject({
    totalRows: "3",
    rows: [{ f: [{ v: "20260301" }] }, { f: [{ v: "20260302" }] }],
  });
  const rest = (
    await endpoint.ask("GET", `${path}/data?selectedFields=partition_id&pageToken=${some.pageToken}`)
  ).body;
  expect(rest.rows).toEqual([{ f: [{ v: "__NULL__" }] }]);
  const whole = (await endpoint.ask("GET", `${path}/data?formatOptions.useInt64Timestamp=true`)).body.rows[0]
    .f;
  const { lastModifiedTime } = (await endpoint.ask("GET", "/datasets/d/tables/listed")).body;
  expect(whole.map((cell: { v: unknown }) => cell.v)).toEqual([
    "p",
    "d",
    "listed",
    "20260301",
    null,
    null,
    lastModifiedTime,
    `${lastModifiedTime}000`,
  ]);
  for (const more of ["", "/data"]) {
    const { status, body } = await endpoint.ask(
      "GET",
      `/datasets/d/tables/plain$__PARTITIONS_SUMMARY__${more}`,
    );
    expect([status, body.error.message]).toEqual([
      400,
      "Cannot read partition information from a table that is not partitioned: p:d.plain",
    ]);
  }
});

// https://cloud.google.com/bigquery/docs/managing-partitioned-tables#delete_a_partition; bq head asks for the partition as a table.
it("one partition is shown as a table, and deleted", async () => {
  await endpoint.rows(`
    CREATE TABLE d.shown (d DATE, x INT64) PARTITION BY d;
    INSERT d.shown VALUES ('2026-03-02', 1), ('2026-03-01', 2), ('2026-03-01', 3);
    SELECT 1`);
  const path = "/datasets/d/tables/shown$20260301";
  const partition = (await endpoint.ask("GET", path)).body;
  expect(partition).toMatchObject({
    tableReference: to("shown$20260301"),
    numRows: "2",
    numBytes: "32",
    timePartitioning: { field: "d" },
  });
  expect((await endpoint.ask("GET", `${path}?view=BASIC`)).body).not.toHaveProperty("numRows");
  for (const [method, tableId, message] of [
    ["GET", "shown$2026", 'Invalid partition ID "2026"'],
    ["GET", "shown$2026?view=BASIC", 'Invalid partition ID "2026"'],
    ["DELETE", "shown$2026", 'Invalid partition ID "2026"'],
    ["DELETE", "plain$20260301", "is not partitioned"],
    ["PATCH", "shown$20260301", "partition decorators"],
  ] as const) {
    const body = method === "PATCH" ? { description: "x" } : undefined;
    const answer = await endpoint.ask(method, `/datasets/d/tables/${tableId}`, body);
    expect([answer.status, answer.body.error.message]).toEqual([400, expect.stringContaining(message)]);
  }
  const stale = await endpoint.ask("DELETE", path, undefined, { "if-match": "stale" });
  expect(stale.status).toBe(412);
  expect((await endpoint.ask("DELETE", path, undefined, { "if-match": partition.etag })).status).toBe(204);
  expect(await endpoint.rows("SELECT x FROM d.shown")).toEqual([["1"]]);
  expect((await endpoint.ask("GET", path)).body.numRows).toBe("0");
});
