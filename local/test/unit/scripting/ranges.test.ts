import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_FORMAT, valueEncoder } from "../../../src/storage/rest-values.ts";
import type { SqlType } from "../../../src/types.ts";
import { Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
  await harness.run(`
    CREATE TABLE d.staff (emp_id INT64, dept_id INT64, duration RANGE<DATE>);
    INSERT d.staff (emp_id, dept_id, duration)
    VALUES (10, 1000, RANGE<DATE> '[2010-01-10, 2010-03-10)'),
           (10, 2000, RANGE<DATE> '[2010-03-10, 2010-07-15)'),
           (10, 2000, RANGE<DATE> '[2010-06-15, 2010-08-18)'),
           (20, 2000, RANGE<DATE> '[2010-03-10, 2010-07-20)'),
           (20, 1000, RANGE<DATE> '[2020-05-10, 2020-09-20)');
    CREATE TABLE d.odd (k FLOAT64, r RANGE<DATE>, session_range INT64);
    CREATE TABLE d.gaps (n INT64, r RANGE<TIMESTAMP>);
    INSERT d.gaps VALUES (1, RANGE<TIMESTAMP> '[2020-01-01, 2020-01-02)'), (2, NULL)`);
});
afterAll(() => harness.close());

const DATES: SqlType = { kind: "RANGE", element: { kind: "DATE" } };

/** Rows in which ranges of dates are written as texts. */
async function rows(sql: string): Promise<unknown[][]> {
  const encode = valueEncoder(DATES, DEFAULT_FORMAT);
  const found = await harness.rows(sql);
  return found.map((row) => row.map((cell) => (Array.isArray(cell) ? JSON.parse(encode(cell)) : cell)));
}

describe("columns of type RANGE", () => {
  test("are named with their element in INFORMATION_SCHEMA, and in the statement that makes the table", async () => {
    await harness.run(
      "CREATE TABLE d.kinds (a RANGE<DATE> NOT NULL, b ARRAY<RANGE<DATETIME>>, c STRUCT<x RANGE<TIMESTAMP>>) CLUSTER BY a",
    );
    const types =
      "SELECT column_name, data_type, is_nullable FROM d.INFORMATION_SCHEMA.COLUMNS WHERE table_name = 'kinds' ORDER BY ordinal_position";
    expect(await harness.rows(types)).toEqual([
      ["a", "RANGE<DATE>", "NO"],
      ["b", "ARRAY<RANGE<DATETIME>>", "YES"],
      ["c", "STRUCT<x RANGE<TIMESTAMP>>", "YES"],
    ]);
    const [[ddl]] = (await harness.rows(
      "SELECT ddl FROM d.INFORMATION_SCHEMA.TABLES WHERE table_name = 'kinds'",
    )) as [[string]];
    await harness.run(`DROP TABLE d.kinds; ${ddl}`);
    expect(await harness.rows(types)).toHaveLength(3);
    expect((await harness.failure("INSERT d.kinds (b) VALUES ([])")).message).toContain(
      "Required field a cannot be null",
    );
  });

  test("are made, added, filled by default, changed by DML and read back", async () => {
    await harness.run(`
      CREATE TABLE d.life AS SELECT 1 AS id, RANGE(DATE '2020-01-01', NULL) AS r;
      ALTER TABLE d.life ADD COLUMN s STRUCT<r RANGE<DATE>, n INT64>;
      ALTER TABLE d.life ALTER COLUMN r SET DEFAULT RANGE<DATE> '[2000-01-01, 2001-01-01)';
      INSERT d.life (id) VALUES (2);
      UPDATE d.life SET s = STRUCT(NULL AS r, 1 AS n) WHERE id = 1;
      UPDATE d.life SET s.r = RANGE(RANGE_START(r), DATE '2022-01-01') WHERE id = 1;
      MERGE d.life AS t USING (SELECT 2 AS id, RANGE<DATE> '[UNBOUNDED, 1999-01-01)' AS r) AS q ON t.id = q.id
      WHEN MATCHED AND t.r > q.r THEN UPDATE SET r = q.r`);
    expect(await rows("SELECT id, r, s.r AS inner_r FROM d.life ORDER BY id")).toEqual([
      [1n, "[2020-01-01, UNBOUNDED)", "[2020-01-01, 2022-01-01)"],
      [2n, "[UNBOUNDED, 1999-01-01)", null],
    ]);
  });

  test("keep their element", async () => {
    await harness.run("CREATE OR REPLACE TABLE d.fixed (r RANGE<DATE>)");
    for (const statement of [
      "ALTER TABLE d.fixed ALTER COLUMN r SET DATA TYPE RANGE<DATETIME>",
      "INSERT d.fixed VALUES (RANGE<DATETIME> '[2020-01-01, UNBOUNDED)')",
      "CREATE TABLE d.no (r RANGE<INT64>)",
      "CREATE TABLE d.no (r RANGE<DATE>) PARTITION BY r",
    ])
      expect((await harness.failure(statement)).reason, statement).toBe("invalidQuery");
  });

  test("count 16 bytes for each value", async () => {
    await harness.run(
      "CREATE OR REPLACE TABLE d.sizes AS SELECT RANGE<DATE> '[2020-01-01, UNBOUNDED)' AS r, [RANGE<DATE> '[2020-01-01, 2020-01-02)', RANGE<DATE> '[UNBOUNDED, UNBOUNDED)'] AS a UNION ALL SELECT NULL, []",
    );
    expect((await harness.run("SELECT r FROM d.sizes", { dryRun: true })).bytesProcessed).toBe(16);
    expect((await harness.run("SELECT r, a FROM d.sizes", { dryRun: true })).bytesProcessed).toBe(48);
  });

  test("are variables, parameters of functions and temporary", async () => {
    expect(
      await rows(`
        DECLARE r RANGE<DATE> DEFAULT RANGE<DATE> '[2020-01-01, UNBOUNDED)';
        CREATE TEMP FUNCTION cut(x RANGE<DATE>) RETURNS RANGE<DATE> AS (RANGE_INTERSECT(x, RANGE<DATE> '[UNBOUNDED, 2021-01-01)'));
        SET r = cut(r);
        SELECT r`),
    ).toEqual([["[2020-01-01, 2021-01-01)"]]);
  });
});

describe("RANGE_SESSIONIZE", () => {
  // The examples of https://cloud.google.com/bigquery/docs/reference/standard-sql/range-functions#range_sessionize
  test("joins ranges that meet or overlap", async () => {
    for (const mode of ["", ", 'MEETS'"]) {
      const sql = `SELECT emp_id, duration, session_range FROM RANGE_SESSIONIZE(TABLE d.staff, 'duration', ['emp_id']${mode}) ORDER BY emp_id, duration`;
      expect(await rows(sql)).toEqual([
        [10n, "[2010-01-10, 2010-03-10)", "[2010-01-10, 2010-08-18)"],
        [10n, "[2010-03-10, 2010-07-15)", "[2010-01-10, 2010-08-18)"],
        [10n, "[2010-06-15, 2010-08-18)", "[2010-01-10, 2010-08-18)"],
        [20n, "[2010-03-10, 2010-07-20)", "[2010-03-10, 2010-07-20)"],
        [20n, "[2020-05-10, 2020-09-20)", "[2020-05-10, 2020-09-20)"],
      ]);
    }
  });

  test("or only those that overlap", async () => {
    const sql =
      "SELECT emp_id, duration, session_range FROM RANGE_SESSIONIZE(TABLE d.staff, 'duration', ['emp_id'], 'OVERLAPS') ORDER BY emp_id, duration";
    expect((await rows(sql)).map((row) => row[2])).toEqual([
      "[2010-01-10, 2010-03-10)",
      "[2010-03-10, 2010-08-18)",
      "[2010-03-10, 2010-08-18)",
      "[2010-03-10, 2010-07-20)",
      "[2020-05-10, 2020-09-20)",
    ]);
  });

  test("and is a table like any other", async () => {
    const normalized = `SELECT emp_id, session_range AS normalized FROM (
        SELECT emp_id, session_range FROM RANGE_SESSIONIZE(TABLE d.staff, 'duration', ['emp_id'], 'MEETS'))
      GROUP BY emp_id, normalized ORDER BY emp_id, normalized`;
    expect(await rows(normalized)).toEqual([
      [10n, "[2010-01-10, 2010-08-18)"],
      [20n, "[2010-03-10, 2010-07-20)"],
      [20n, "[2020-05-10, 2020-09-20)"],
    ]);
    // https://cloud.google.com/bigquery/docs/working-with-time-series#combine_range_data
    expect(
      await rows(
        `SELECT dept_id, session_range, COUNT(*), SUM(emp_id)
        FROM RANGE_SESSIONIZE((SELECT dept_id, emp_id, duration AS d FROM d.staff WHERE emp_id > 0), "D", ["dept_ID"], "OVERLAPS") AS s
        WHERE RANGE_START(s.session_range) < DATE '2015-01-01' GROUP BY ALL ORDER BY ALL`.replace(
          " ORDER BY ALL",
          " ORDER BY 1, 2",
        ),
      ),
    ).toEqual([
      [1000n, "[2010-01-10, 2010-03-10)", 1n, 10n],
      [2000n, "[2010-03-10, 2010-08-18)", 3n, 40n],
    ]);
    expect(
      await harness.rows("SELECT COUNT(*) FROM RANGE_SESSIONIZE(TABLE d.staff, 'duration', [])"),
    ).toEqual([[5n]]);
    expect(await harness.rows("SELECT 1 FROM RANGE_SESSIONIZE(TABLE d.staff, 'duration', [])")).toHaveLength(
      5,
    );
    await harness.run(
      "CREATE VIEW d.sessions AS SELECT * FROM RANGE_SESSIONIZE(TABLE d.staff, 'duration', ['emp_id', 'dept_id'])",
    );
    expect(
      await harness.rows("SELECT COUNT(DISTINCT session_range) FROM d.sessions WHERE emp_id = 10"),
    ).toEqual([[2n]]);
  });

  test("takes ranges of every element, bounds that are not there, and NULL as a key", async () => {
    const sql = (element: string): string => `
      WITH input AS (
        SELECT k, RANGE<${element}> '[2020-01-05, 2020-01-06)' AS r FROM UNNEST([1, NULL]) AS k
        UNION ALL SELECT NULL, RANGE<${element}> '[UNBOUNDED, 2020-01-01)'
        UNION ALL SELECT NULL, RANGE<${element}> '[2020-01-01, UNBOUNDED)'
        UNION ALL SELECT 1, RANGE<${element}> '[2020-01-02, 2020-02-01)')
      SELECT k, CAST(session_range AS STRING), TYPEOF(session_range) FROM RANGE_SESSIONIZE(TABLE input, 'r', ['k']) ORDER BY k, r`;
    for (const [element, tail] of [
      ["DATE", ""],
      ["DATETIME", " 00:00:00"],
      ["TIMESTAMP", " 00:00:00+00"],
    ] as const) {
      const type = `RANGE<${element}>`;
      expect(await harness.rows(sql(element))).toEqual([
        [null, "[UNBOUNDED, UNBOUNDED)", type],
        [null, "[UNBOUNDED, UNBOUNDED)", type],
        [null, "[UNBOUNDED, UNBOUNDED)", type],
        [1n, `[2020-01-02${tail}, 2020-02-01${tail})`, type],
        [1n, `[2020-01-02${tail}, 2020-02-01${tail})`, type],
      ]);
    }
  });

  test.each([
    ["(TABLE d.staff, 'nope', ['emp_id'])", "RANGE_SESSIONIZE: the input has no column nope"],
    ["(TABLE d.staff, 'duration', ['nope'])", "RANGE_SESSIONIZE: the input has no column nope"],
    ["(TABLE d.staff, 'emp_id', ['dept_id'])", "RANGE_SESSIONIZE: the column emp_id is no RANGE but INT64"],
    [
      "(TABLE d.staff, 'duration', ['dept_id'], 'TOUCHES')",
      "RANGE_SESSIONIZE: the option must be MEETS or OVERLAPS, not TOUCHES",
    ],
    ["(TABLE d.nope, 'duration', ['dept_id'])", "Not found: Table p:d.nope was not found in location US"],
    [
      "(TABLE d.odd, 'r', [])",
      "Invalid table-valued function RANGE_SESSIONIZE [at 1:15]; Column name is duplicated between extra column and input schema: session_range",
    ],
    [
      "((SELECT k, r FROM d.odd), 'r', ['k'])",
      "Not supported by the local BigQuery endpoint: RANGE_SESSIONIZE partitioned by the column k of type FLOAT64",
    ],
    [
      "(TABLE d.gaps, 'r', [])",
      "Not supported by the local BigQuery endpoint: RANGE_SESSIONIZE of a NULL range",
    ],
  ])("refuses %s", async (call, message) => {
    expect((await harness.failure(`SELECT * FROM RANGE_SESSIONIZE${call}`)).message).toBe(message);
  });

  test("has the words of its statement's mistakes", async () => {
    const wrong = "SELECT nope FROM RANGE_SESSIONIZE((SELECT r FROM d.gaps), 'r', [])";
    expect((await harness.failure(wrong)).message).toBe("Unrecognized name: nope at [1:8]");
  });

  test("takes ranges of one type in a statement", async () => {
    const both =
      "SELECT 1 FROM RANGE_SESSIONIZE(TABLE d.gaps, 'r', []), RANGE_SESSIONIZE(TABLE d.staff, 'duration', [])";
    expect((await harness.failure(both)).message).toBe(
      "Not supported by the local BigQuery endpoint: RANGE_SESSIONIZE of ranges of different types in one statement",
    );
  });
});
