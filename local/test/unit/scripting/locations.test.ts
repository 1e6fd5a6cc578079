import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
  await harness.storage.catalog.change(async (change) => {
    const times = { creationTime: 1, lastModifiedTime: 1 };
    change.putDataset({ projectId: "p", datasetId: "eu", location: "EU", ...times, kept: {} });
  });
  await harness.run("CREATE TABLE d.t AS SELECT 1 AS x");
  await harness.run("CREATE TABLE eu.t AS SELECT 2 AS x");
});
afterAll(() => harness.close());

// https://cloud.google.com/bigquery/docs/locations#specify_locations
describe("a job whose request names no location", () => {
  it.each([
    ["SELECT x FROM eu.t", "EU"],
    ["SELECT x FROM d.t", "US"],
    ["SELECT 1", undefined],
    ["INSERT eu.t VALUES (3)", "EU"],
    ["CREATE OR REPLACE TABLE eu.u AS SELECT * FROM eu.t", "EU"],
    ["CREATE OR REPLACE VIEW eu.v AS SELECT * FROM eu.t", "EU"],
    ["ALTER TABLE eu.t SET OPTIONS (description = 'x')", "EU"],
    ["DECLARE n INT64 DEFAULT (SELECT MAX(x) FROM eu.t); SELECT n", "EU"],
    ["SELECT COUNT(*) FROM eu.INFORMATION_SCHEMA.TABLES", "EU"],
  ])("%s runs in %s", async (sql, location) => {
    expect((await harness.run(sql)).location).toBe(location);
  });

  it.each([
    ["SELECT * FROM d.t JOIN eu.t AS u USING (x)", "eu", "US"],
    ["SELECT * FROM eu.t JOIN d.t AS u USING (x)", "d", "EU"],
    ["SELECT * FROM eu.t UNION ALL SELECT * FROM `d.t*`", "d", "EU"],
    ["CREATE TABLE eu.copied AS SELECT * FROM d.t", "eu", "US"],
    ["CREATE VIEW eu.seen AS SELECT * FROM d.t", "eu", "US"],
    ["INSERT eu.t SELECT * FROM d.t", "(eu|d)", "(EU|US)"],
    ["SELECT x FROM d.t; SELECT x FROM eu.t", "eu", "US"],
  ])("%s does not find %s", async (sql, dataset, location) => {
    const error = await harness.failure(sql);
    expect(error.reason).toBe("notFound");
    const words = `Not found: Dataset p:${dataset} was not found in location ${location}`;
    expect(error.message).toMatch(new RegExp(words));
  });

  it("writes to no destination elsewhere", async () => {
    const destinationTable = { projectId: "p", datasetId: "eu", tableId: "result" };
    const error = await harness.failure("SELECT * FROM d.t", { destinationTable });
    expect(error.message).toBe("Not found: Dataset p:eu was not found in location US");
  });
});

describe("a job in a location", () => {
  it("finds nothing elsewhere, and makes datasets there", async () => {
    const there = { location: "EU" };
    const words = "Not found: Dataset p:d was not found in location EU";
    for (const sql of ["SELECT x FROM d.t", "DROP TABLE d.t", "CREATE TABLE d.u (x INT64)"])
      expect((await harness.failure(sql, there)).message).toBe(words);
    await harness.run("CREATE SCHEMA made", there);
    expect(harness.storage.catalog.getDataset("p", "made")?.location).toBe("EU");
  });
});

// The dataset is what is missing: https://cloud.google.com/bigquery/docs/error-messages
it.each([
  "DROP TABLE nowhere.t",
  "DROP VIEW nowhere.t",
  "ALTER TABLE nowhere.t SET OPTIONS (description = 'x')",
])("%s names the dataset that does not exist", async (sql) => {
  const words = "Not found: Dataset p:nowhere was not found in location US";
  expect(await harness.failure(sql)).toMatchObject({ reason: "notFound", message: words });
  await harness.run("DROP TABLE IF EXISTS nowhere.t");
});
