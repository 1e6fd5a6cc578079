import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Harness } from "./harness.ts";

const MB = 1024 * 1024;

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.close());

/** `t` has three rows of 8 + 8 + 8 bytes in as many days; `s` has one row of 8 + 8; `wide` has 1.5 MB in each of 8 rows. */
async function makeTables(): Promise<void> {
  await harness.run(`
    CREATE OR REPLACE TABLE d.t (k INT64, v INT64, day DATE) PARTITION BY day;
    INSERT d.t VALUES (1, 10, DATE '2026-01-01'), (2, 20, DATE '2026-01-02'), (3, 30, DATE '2026-01-03');
    CREATE OR REPLACE TABLE d.s (k INT64, v INT64);
    INSERT d.s VALUES (1, 11);
    CREATE OR REPLACE TABLE d.wide AS SELECT REPEAT('x', 1572862) AS text FROM UNNEST(GENERATE_ARRAY(1, 8));
  `);
}

// https://cloud.google.com/bigquery/docs/reference/standard-sql/dml-syntax#on-demand_query_size_calculation
describe("bytes processed", () => {
  beforeAll(makeTables);

  it.each([
    ["a query reads the columns that it names", "SELECT v FROM d.t", 24],
    ["a query reads the partitions that its filter leaves", "SELECT v FROM d.t WHERE day > '2026-01-01'", 32],
    ["COUNT(*) reads no column", "SELECT COUNT(*) FROM d.t", 0],
    ["EXISTS reads no column", "SELECT EXISTS (SELECT 1 FROM d.t)", 0],
    [
      "EXISTS with a condition reads the condition's columns",
      "SELECT EXISTS (SELECT 1 FROM d.t WHERE v > 10)",
      24,
    ],
    ["INSERT reads what its query reads", "INSERT d.s SELECT k, v FROM d.t LIMIT 0", 48],
    ["UPDATE reads all columns of the target", "UPDATE d.s SET v = 1 WHERE FALSE AND k = 1", 16],
    [
      "UPDATE reads the partitions that its filter leaves",
      "UPDATE d.t SET v = v WHERE day = '2026-01-01' AND k = 9",
      24,
    ],
    ["DELETE reads all columns of the target", "DELETE d.s WHERE k = 77", 16],
    [
      "MERGE that only inserts reads the columns that it names",
      "MERGE d.t USING d.s ON t.k = s.k WHEN NOT MATCHED THEN INSERT (k) VALUES (s.v)",
      24 + 16,
    ],
    [
      "MERGE that updates reads all columns of the target, once",
      "MERGE d.t USING d.s ON t.k = s.k WHEN MATCHED AND s.v > 100 THEN UPDATE SET v = s.v",
      72 + 16,
    ],
    [
      "MERGE over a query that joins the target reads the target once",
      "MERGE d.t USING (SELECT s.k, s.v FROM d.s LEFT JOIN d.t AS old ON old.k = s.k WHERE old.v > 100) AS s ON t.k = s.k WHEN MATCHED THEN UPDATE SET v = s.v",
      72 + 16,
    ],
    ["DDL reads nothing", "CREATE OR REPLACE TABLE d.other (x INT64)", 0],
    [
      "CREATE TABLE AS SELECT reads what its query reads",
      "CREATE OR REPLACE TABLE d.other AS SELECT k FROM d.t",
      24,
    ],
  ])("%s", async (_, sql, bytes) => {
    const dry = await harness.run(sql, { dryRun: true });
    expect([dry.bytesProcessed, (await harness.run(sql)).bytesProcessed]).toEqual([bytes, bytes]);
  });

  it("TRUNCATE TABLE reads nothing, and DELETE of all rows what DELETE reads", async () => {
    await harness.run("CREATE OR REPLACE TABLE d.gone AS SELECT 1 AS x");
    expect((await harness.run("DELETE d.gone WHERE x = 2")).bytesProcessed).toBe(8);
    expect((await harness.run("TRUNCATE TABLE d.gone")).bytesProcessed).toBe(0);
  });

  it("a transaction sees the bytes of its own changes, others do not", async () => {
    const outcome = await harness.run(`
      BEGIN TRANSACTION;
      INSERT d.s VALUES (5, 5);
      SELECT k FROM d.s;
      UPDATE d.s SET v = NULL WHERE TRUE;
      SELECT v FROM d.s;
      ROLLBACK TRANSACTION;
      SELECT k, v FROM d.s`);
    const bytes = outcome.children?.map((child) => child.outcome?.bytesProcessed);
    expect(bytes).toEqual([0, 0, 16, 32, 0, 0, 16]);
  });
});

describe("a script", () => {
  beforeAll(makeTables);

  it("is billed for the statements that run, not for those of a block that does not", async () => {
    const script = (condition: string) => `
      IF ${condition} THEN
        MERGE d.t USING d.s ON t.k = s.k WHEN MATCHED THEN UPDATE SET v = t.v;
      END IF;`;
    expect((await harness.run(script("FALSE"))).bytesProcessed).toBe(0);
    expect((await harness.run(script("TRUE"))).bytesProcessed).toBe(72 + 8);
  });

  it("is billed for conditions and variables that read tables, each a job of its own", async () => {
    const outcome = await harness.run(`
      DECLARE newest INT64 DEFAULT (SELECT MAX(v) FROM d.s);
      SET newest = (SELECT MAX(k) FROM d.t WHERE day = '2026-01-01');
      IF EXISTS (SELECT 1 FROM d.t WHERE v > 1000) THEN SELECT 1; END IF;
      EXECUTE IMMEDIATE "SELECT MAX(v) FROM d.t" INTO newest;
      SELECT 2`);
    const read = outcome.children?.map(({ isExpression = false, outcome }) => [
      isExpression,
      outcome?.bytesProcessed,
    ]);
    expect(read).toEqual([
      [true, 8],
      [true, 16],
      [true, 24],
      [false, 24],
      [false, 0],
    ]);
    expect(outcome.bytesProcessed).toBe(72);
  });
});

// https://cloud.google.com/bigquery/pricing#on_demand_pricing
describe("bytes billed", () => {
  beforeAll(makeTables);

  it.each([
    ["at least 10 MB for a table", "SELECT v FROM d.t", 10],
    ["at least 10 MB for each table", "SELECT t.v FROM d.t JOIN d.s ON t.k = s.k", 20],
    ["whole megabytes of a larger table", "SELECT text FROM d.wide", 12],
    ["a large table and the least for a small one", "SELECT COUNT(text) FROM d.wide, d.s WHERE s.k = 1", 22],
    ["nothing where nothing is processed", "SELECT COUNT(*) FROM d.t", 0],
    ["each statement of a script for itself", "SELECT v FROM d.t; SELECT k FROM d.t", 20],
  ])("are %s", async (_, sql, megabytes) => {
    expect((await harness.run(sql)).bytesBilled).toBe(megabytes * MB);
  });
});
