import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LiveEndpoint } from "./live-endpoint.ts";

// https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfigurationQuery
let endpoint: LiveEndpoint;
beforeAll(async () => {
  endpoint = await LiveEndpoint.start();
});
afterAll(async () => {
  await endpoint.close();
  expect(endpoint.defects).toEqual([]);
});

const to = (tableId: string) => ({ projectId: "p", datasetId: "d", tableId });
const write = (tableId: string, query: string, more: object = {}) => ({
  query: { query, useLegacySql: false, destinationTable: to(tableId), ...more },
});
const append = (tableId: string, query: string, ...schemaUpdateOptions: string[]) =>
  write(tableId, query, { writeDisposition: "WRITE_APPEND", schemaUpdateOptions });

describe("a query's destination table", () => {
  // dbt counts the rows of a table it made in the table that the job names.
  it.each([
    ["CREATE TABLE d.made AS SELECT 1 AS n", "made"],
    ["CREATE OR REPLACE TABLE d.made AS SELECT 2 AS n", "made"],
    ["INSERT d.made VALUES (3)", "made"],
    ["MERGE d.made t USING (SELECT 3 AS n) s ON t.n = s.n WHEN MATCHED THEN DELETE", "made"],
    ["TRUNCATE TABLE d.made", "made"],
    ["CREATE TABLE d.empty (n INT64)", undefined],
    ["CREATE VIEW d.shown AS SELECT 1 AS n", undefined],
    ["BEGIN INSERT d.made VALUES (3); END", undefined],
  ])("is told of %s", async (query, tableId) => {
    const job = await endpoint.job({ query: { query, useLegacySql: false } });
    expect(job.status).toEqual({ state: "DONE" });
    expect(job.configuration.query.destinationTable).toEqual(tableId === undefined ? undefined : to(tableId));
    const { body } = await endpoint.ask("GET", `/jobs?parentJobId=${job.jobReference.jobId}&projection=full`);
    for (const child of body.jobs ?? [])
      expect(child.configuration.query.destinationTable).toEqual(to("made"));
  });

  it("is laid out as the job says", async () => {
    const timePartitioning = {
      type: "DAY",
      field: "day",
      expirationMs: "99999999999",
      requirePartitionFilter: true,
    };
    await endpoint.job(
      write("laid", "SELECT 1 AS n, DATE '2026-01-01' AS day", {
        timePartitioning,
        clustering: { fields: ["n"] },
      }),
    );
    expect((await endpoint.ask("GET", "/datasets/d/tables/laid")).body).toMatchObject({
      timePartitioning: { type: "DAY", field: "day", expirationMs: "99999999999" },
      requirePartitionFilter: true,
      clustering: { fields: ["n"] },
      numRows: "1",
    });
    const rangePartitioning = { field: "n", range: { start: "0", end: "100", interval: "10" } };
    await endpoint.job(write("ranged", "SELECT 1 AS n", { rangePartitioning }));
    expect((await endpoint.ask("GET", "/datasets/d/tables/ranged")).body).toMatchObject({
      rangePartitioning,
    });
    expect(await endpoint.failure(write("bad", "SELECT 1 AS n", { clustering: { fields: ["nope"] } }))).toBe(
      "The field specified for clustering cannot be found in the schema. Invalid field: nope.",
    );
  });

  it("keeps the layout that it has", async () => {
    await endpoint.job(write("plain", "SELECT 1 AS n, DATE '2026-01-01' AS day"));
    for (const writeDisposition of ["WRITE_TRUNCATE", "WRITE_APPEND"]) {
      const other = { writeDisposition, timePartitioning: { type: "DAY", field: "day" } };
      expect(await endpoint.failure(write("plain", "SELECT 2 AS n, DATE '2026-01-01' AS day", other))).toBe(
        "Incompatible table partitioning specification. Expects partitioning specification none, but input partitioning specification is interval(type:day,field:day)",
      );
    }
    const clustered = { writeDisposition: "WRITE_TRUNCATE", clustering: { fields: ["n"] } };
    await endpoint.job(write("clustered", "SELECT 1 AS n", clustered));
    expect(await endpoint.failure(write("clustered", "SELECT 2 AS n", clustered))).toBeUndefined();
    expect(await endpoint.rows("SELECT n FROM d.clustered")).toEqual([["2"]]);
  });

  it("gets new fields and loses REQUIRED only where the job allows it", async () => {
    await endpoint.rows("CREATE TABLE d.grown (k STRING NOT NULL, r STRUCT<a INT64, b STRING>); SELECT 1");
    const row = "SELECT 'x' AS k, STRUCT('s' AS b, 1 AS a, 2.5 AS c) AS r, 3 AS extra";
    expect(await endpoint.failure(append("grown", row))).toBe(
      "Invalid schema update. Field k has changed mode from REQUIRED to NULLABLE",
    );
    expect(await endpoint.failure(append("grown", row, "ALLOW_FIELD_RELAXATION"))).toBe(
      "Invalid schema update. Cannot add fields (field: r.c)",
    );
    expect(
      await endpoint.failure(append("grown", row, "ALLOW_FIELD_RELAXATION", "ALLOW_FIELD_ADDITION")),
    ).toBeUndefined();
    expect(await endpoint.rows("SELECT k, r.a, r.b, r.c, extra FROM d.grown")).toEqual([
      ["x", "1", "s", "2.5", "3"],
    ]);
    expect(await endpoint.failure(append("grown", "SELECT 5 AS k"))).toBe(
      "Invalid schema update. Field k has changed type from STRING to INTEGER",
    );
    expect(await endpoint.failure(append("grown", "SELECT STRUCT(7 AS a) AS r"))).toBeUndefined();
    expect(await endpoint.rows("SELECT k, r.a, r.b FROM d.grown WHERE r.a = 7")).toEqual([[null, "7", null]]);
  });

  it("is not extended where it is written anew", async () => {
    const options = { writeDisposition: "WRITE_TRUNCATE", schemaUpdateOptions: ["ALLOW_FIELD_ADDITION"] };
    expect(await endpoint.failure(write("plain", "SELECT 1 AS n", options))).toMatch(
      /^Schema update options should only be specified with WRITE_APPEND/,
    );
    expect(await endpoint.failure(append("plain", "SELECT 1 AS n", "ALLOW_ALL"))).toContain("ALLOW_ALL");
  });

  // https://cloud.google.com/bigquery/docs/default-values
  it("gets the default values of columns that the query leaves out", async () => {
    await endpoint.rows(
      "CREATE TABLE d.defaults (a INT64, b STRING DEFAULT GENERATE_UUID(), c STRUCT<x INT64, y ARRAY<DATE>> DEFAULT (1, [DATE '2020-01-01'])); SELECT 1",
    );
    await endpoint.job(append("defaults", "SELECT a FROM UNNEST([1, 2]) AS a"));
    const counts = "SELECT COUNT(*), COUNT(DISTINCT b), MAX(c.x), MAX(c.y[OFFSET(0)]) FROM d.defaults";
    expect(await endpoint.rows(counts)).toEqual([["2", "2", "1", "2020-01-01"]]);
  });
});

describe("a view made over REST", () => {
  it("has no query parameters", async () => {
    const view = { tableReference: to("asking"), view: { query: "SELECT @x + 1 AS y", useLegacySql: false } };
    const { status, body } = await endpoint.ask("POST", "/datasets/d/tables", view);
    expect([status, body.error.message]).toEqual([400, "Query parameters cannot be used in a view."]);
  });
});

describe("the name of a job's table", () => {
  // https://cloud.google.com/bigquery/docs/tables#table_naming
  it.each([["a/b"], [""], ["x.y"], ["a*"], ["`"], ["x".repeat(1025)]])("%j is refused", async (tableId) => {
    const wrong = /^Invalid table ID/;
    expect(await endpoint.failure(write(tableId, "SELECT 1 AS n"))).toMatch(wrong);
    expect(await endpoint.failure({ load: { destinationTable: to(tableId) } })).toMatch(wrong);
    const copy = { sourceTable: to("plain"), destinationTable: to(tableId) };
    expect(await endpoint.failure({ copy })).toMatch(wrong);
  });

  it("that names a part of a table is refused by name", async () => {
    const refused = /^Not supported by the local BigQuery endpoint: table decorators/;
    const tableId = "plain@-3600000";
    expect(await endpoint.failure(write(tableId, "SELECT 1 AS n"))).toMatch(refused);
    const copy = { sourceTable: to(tableId), destinationTable: to("x") };
    expect(await endpoint.failure({ copy })).toMatch(refused);
    const { status, body: answer } = await endpoint.ask("GET", `/datasets/d/tables/${tableId}`);
    expect([status, answer.error.message]).toEqual([400, expect.stringMatching(refused)]);
    const { body } = await endpoint.ask("GET", "/datasets/d/tables");
    expect(body.tables.filter((table: { id: string }) => /[$@]/.test(table.id))).toEqual([]);
  });
});
