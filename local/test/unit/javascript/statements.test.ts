import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { field, Harness } from "../scripting/harness.ts";

/** https://cloud.google.com/bigquery/docs/user-defined-functions#javascript-udfs */
let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
  await harness.run("CREATE FUNCTION d.twice(x FLOAT64) RETURNS FLOAT64 LANGUAGE js AS 'return x * 2'");
  await harness.run(
    "CREATE FUNCTION d.random() RETURNS FLOAT64 NOT DETERMINISTIC LANGUAGE js AS 'return Math.random()'",
  );
});
afterAll(() => harness.close());

describe("a function in JavaScript is called", () => {
  it.each([
    ["SELECT d.twice(d.twice(d.twice(1)))", [[8]]],
    ["SELECT x FROM UNNEST([1, 2, 3]) AS x WHERE d.twice(x) > 2 ORDER BY d.twice(-x)", [[3n], [2n]]],
    [
      "SELECT d.twice(MOD(x, 2)), SUM(d.twice(x)) FROM UNNEST([1, 2, 3]) AS x GROUP BY 1 HAVING SUM(d.twice(x)) > 4 ORDER BY 1",
      [[2, 8]],
    ],
    ["SELECT ARRAY_AGG(d.twice(x) ORDER BY d.twice(-x)) FROM UNNEST([1, 2, 3]) AS x", [[[6, 4, 2]]]],
    [
      "SELECT x, SUM(d.twice(x)) OVER (ORDER BY d.twice(x)) FROM UNNEST([1, 2, 3]) AS x ORDER BY x",
      [
        [1n, 2],
        [2n, 6],
        [3n, 12],
      ],
    ],
    [
      "SELECT x, (SELECT SUM(d.twice(y)) FROM UNNEST([1, 2, 3]) AS y WHERE d.twice(y) <= d.twice(x)) FROM UNNEST([1, 2]) AS x ORDER BY x",
      [
        [1n, 2],
        [2n, 6],
      ],
    ],
    [
      "SELECT ARRAY(SELECT d.twice(x + y) FROM UNNEST([1, 2]) AS y ORDER BY y) FROM UNNEST([1, 2]) AS x ORDER BY x",
      [[[4, 6]], [[6, 8]]],
    ],
    [
      "SELECT x, y FROM UNNEST([1, 2]) AS x LEFT JOIN UNNEST([2, 4, 5]) AS y ON d.twice(x) = y ORDER BY x",
      [
        [1n, 2n],
        [2n, 4n],
      ],
    ],
    ["SELECT d.twice(x) FROM (SELECT 1 AS x UNION ALL SELECT NULL) ORDER BY x", [[0], [2]]],
    ["SELECT x FROM UNNEST([1, 2, 3]) AS x QUALIFY ROW_NUMBER() OVER (ORDER BY d.twice(-x)) = 1", [[3n]]],
    ["WITH a AS (SELECT d.twice(2) AS v) SELECT a.v + b.v FROM a, a AS b", [[8]]],
  ] as [string, unknown][])("%s", async (sql, rows) => {
    expect(await harness.rows(sql)).toEqual(rows);
  });

  it("in functions in SQL, views and table functions", async () => {
    await harness.run("CREATE FUNCTION d.sum_of_twice(a FLOAT64, b FLOAT64) AS (d.twice(a) + d.twice(b))");
    await harness.run("CREATE VIEW d.doubled AS SELECT x, d.twice(x) AS y FROM UNNEST([1, 2]) AS x");
    await harness.run(
      "CREATE TABLE FUNCTION d.doubles(n FLOAT64) AS SELECT x, d.twice(x + n) AS y FROM UNNEST([1, 2]) AS x",
    );
    await harness.run("CREATE AGGREGATE FUNCTION d.total(x FLOAT64) AS (SUM(d.twice(x)) + d.twice(1))");
    expect(await harness.rows("SELECT d.sum_of_twice(x, y) FROM d.doubled ORDER BY x")).toEqual([[6], [12]]);
    expect(await harness.rows("SELECT y FROM d.doubles(d.twice(5)) ORDER BY y")).toEqual([[22], [24]]);
    expect(await harness.rows("SELECT d.total(x) FROM d.doubled")).toEqual([[8]]);
  });

  it("in DML", async () => {
    await harness.table("t", [field("id", "INTEGER"), field("v", "FLOAT")]);
    await harness.run("INSERT d.t (id, v) VALUES (1, d.twice(0.5)), (2, d.twice(1))");
    await harness.run(
      `MERGE d.t USING (SELECT 2 AS id UNION ALL SELECT 3) AS s ON d.twice(t.id) = d.twice(s.id)
       WHEN MATCHED AND d.twice(s.id) = 4 THEN UPDATE SET v = d.twice(t.v) WHEN NOT MATCHED THEN INSERT VALUES (id, d.twice(id))`,
    );
    await harness.run("UPDATE d.t SET v = d.twice(v) WHERE d.twice(id) > 4");
    await harness.run("DELETE d.t WHERE d.twice(id) = 2");
    expect(await harness.rows("SELECT * FROM d.t ORDER BY id")).toEqual([
      [2n, 4],
      [3n, 12],
    ]);
    await harness.run("CREATE OR REPLACE TABLE d.t AS SELECT x AS id, d.twice(x) AS v FROM UNNEST([7]) AS x");
    expect(await harness.rows("SELECT v FROM d.t")).toEqual([[14]]);
  });

  it("in scripts, with variables and parameters", async () => {
    const sql = `DECLARE total FLOAT64 DEFAULT d.twice(@start);
      CREATE TEMP FUNCTION add(a FLOAT64, b FLOAT64) RETURNS FLOAT64 LANGUAGE js AS "return a + b";
      FOR row IN (SELECT d.twice(x) AS y FROM UNNEST([1, 2]) AS x) DO SET total = add(total, row.y); END FOR;
      IF d.twice(total) > 20 THEN SELECT total; END IF;`;
    const parameters = new Map([["start", { type: { kind: "FLOAT64" } as const, value: 5 }]]);
    expect(await harness.rows(sql, { parameters })).toEqual([[16]]);
  });

  it("in a transaction that goes on after a failed statement", async () => {
    await harness.table("kept", [field("v", "FLOAT")]);
    await harness.run(
      `BEGIN TRANSACTION;
       INSERT d.kept VALUES (d.twice(1));
       BEGIN INSERT d.kept SELECT ERROR('no'); EXCEPTION WHEN ERROR THEN SELECT 1; END;
       INSERT d.kept VALUES (d.twice(2));
       COMMIT TRANSACTION;`,
    );
    expect(await harness.rows("SELECT v FROM d.kept ORDER BY v")).toEqual([[2], [4]]);
  });

  it("over rows that are too large to be handed over at once", async () => {
    const sql = `CREATE TEMP FUNCTION f(x STRING, y ARRAY<STRING>) RETURNS INT64 LANGUAGE js AS "return x.length + y[0].length";
      SELECT SUM(f(REPEAT('x', 200000), [REPEAT('y', i)])) FROM UNNEST(GENERATE_ARRAY(1, 300)) AS i`;
    expect(await harness.rows(sql)).toEqual([[60_045_150n]]);
  });

  it("over more rows than one batch has, on all threads", async () => {
    await harness.run(
      "CREATE TABLE d.many AS SELECT x, LPAD(CAST(x AS STRING), 40, '0') AS s FROM UNNEST(GENERATE_ARRAY(1, 250000)) AS x",
    );
    const sql = `CREATE TEMP FUNCTION f(x FLOAT64, s STRING) RETURNS STRUCT<n FLOAT64, s STRING> LANGUAGE js
      AS "return { n: x + s.length, s: s + '!' }";
      SELECT COUNT(*), COUNTIF(r.n != x + LENGTH(s) OR r.s != CONCAT(s, '!'))
      FROM (SELECT x, s, f(x, s) AS r FROM d.many)`;
    expect(await harness.rows(sql)).toEqual([[250_000n, 0n]]);
  });
});

describe("a function that is not deterministic", () => {
  it("is called for each row", async () => {
    const sql = "SELECT COUNT(DISTINCT d.random()) FROM UNNEST(GENERATE_ARRAY(1, 50))";
    expect(await harness.rows(sql)).toEqual([[50n]]);
  });

  it("is one value where an argument names it twice", async () => {
    const sql = `CREATE TEMP FUNCTION same(x FLOAT64, y INT64) AS (x = x AND y = y);
      SELECT LOGICAL_AND(same(d.random(), x)),
        LOGICAL_AND((SELECT LOGICAL_AND(same(d.random(), y)) FROM UNNEST([1, 2]) AS y WHERE y <= x))
      FROM UNNEST([1, 2, 3]) AS x`;
    expect(await harness.rows(sql)).toEqual([[true, true]]);
  });

  it("decides about no partitions, and is not called by a dry run", async () => {
    await harness.run("CREATE TABLE d.parts (day DATE) PARTITION BY day");
    await harness.run("INSERT d.parts VALUES ('2026-01-01'), ('2026-01-02')");
    const sql = `CREATE TEMP FUNCTION f() RETURNS DATE LANGUAGE js AS "throw new Error('called')"; SELECT * FROM d.parts WHERE day = f()`;
    expect((await harness.run(sql, { dryRun: true })).bytesProcessed).toBe(16);
  });
});

it("SAFE. before one is refused", async () => {
  expect((await harness.failure("SELECT SAFE.d.twice(1)")).message).toContain(
    "SAFE. before a user's function",
  );
});

it("the code may have 32 KB", async () => {
  const sql = (length: number) =>
    `CREATE TEMP FUNCTION f() RETURNS INT64 LANGUAGE js AS '${"return 1;".padEnd(length)}'; SELECT f()`;
  expect(await harness.rows(sql(32 * 1024))).toEqual([[1n]]);
  expect((await harness.failure(sql(32 * 1024 + 1))).message).toContain("too large");
});
