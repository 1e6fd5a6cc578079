import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
  await harness.run(`
    CREATE TABLE d.days (dt DATE, x INT64) PARTITION BY dt OPTIONS (require_partition_filter = TRUE);
    INSERT d.days VALUES (DATE '2024-01-01', 1), (DATE '2024-01-02', 2), (NULL, 3);
    CREATE TABLE d.times (t TIMESTAMP, x INT64) PARTITION BY DATE(t) OPTIONS (require_partition_filter = TRUE);
    CREATE TABLE d.arrivals (x INT64) PARTITION BY _PARTITIONDATE OPTIONS (require_partition_filter = TRUE);
    CREATE TABLE d.ranges (n INT64) PARTITION BY RANGE_BUCKET(n, GENERATE_ARRAY(0, 100, 10)) OPTIONS (require_partition_filter = TRUE);
    CREATE TABLE d.other (dt DATE, x INT64);
    CREATE VIEW d.seen AS SELECT dt AS day, x FROM d.days;
    CREATE VIEW d.newest AS SELECT dt, x FROM d.days QUALIFY ROW_NUMBER() OVER (PARTITION BY x ORDER BY dt DESC) = 1;
    CREATE VIEW d.both AS SELECT dt AS day FROM d.days UNION ALL SELECT dt FROM d.other;
    CREATE TABLE FUNCTION d.since(first DATE) AS SELECT * FROM d.days WHERE dt >= first;
  `);
});
afterAll(() => harness.close());

function refusal(table: string, columns: string): string {
  return `Cannot query over table 'p.d.${table}' without a filter over column(s) ${columns} that can be used for partition elimination`;
}

// https://cloud.google.com/bigquery/docs/querying-partitioned-tables#require_a_partition_filter_in_queries
describe("a table that requires a partition filter", () => {
  it.each([
    "SELECT x FROM d.days WHERE dt = DATE '2024-01-01'",
    "SELECT x FROM d.days WHERE dt = DATE '2024-01-01' AND x = 1",
    "SELECT x FROM d.days WHERE DATE '2024-01-01' <= dt",
    "SELECT x FROM d.days WHERE dt IN UNNEST([DATE '2024-01-01'])",
    "SELECT x FROM d.days WHERE dt IS NULL OR dt IS NOT NULL",
    "SELECT x FROM d.days WHERE EXTRACT(YEAR FROM dt) = 2024",
    "SELECT x FROM d.times WHERE DATE(t) = CURRENT_DATE()",
    "SELECT x FROM d.times WHERE TIMESTAMP_TRUNC(t, DAY) = TIMESTAMP '2024-01-01'",
    "SELECT x FROM d.arrivals WHERE _PARTITIONTIME > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)",
    "SELECT x FROM d.arrivals WHERE _PARTITIONDATE = '2024-01-01'",
    "SELECT n FROM d.ranges WHERE n BETWEEN 1 AND 2",
    "DECLARE day DATE DEFAULT '2024-01-01'; SELECT x FROM d.days WHERE dt = day",
    "SELECT x FROM (SELECT * FROM d.days) WHERE dt = DATE '2024-01-01'",
    "SELECT x FROM d.seen WHERE day = DATE '2024-01-01'",
    "SELECT day FROM d.both WHERE day = DATE '2024-01-01'",
    "SELECT dt, COUNT(*) AS n FROM d.days GROUP BY dt HAVING dt = DATE '2024-01-01'",
    "WITH w AS (SELECT dt, x FROM d.days) SELECT a.x FROM w AS a JOIN w AS b USING (x) WHERE a.dt = DATE '2024-01-01' AND b.dt = DATE '2024-01-02'",
    "SELECT a.x FROM d.other AS a LEFT JOIN d.days AS b ON a.x = b.x AND b.dt = DATE '2024-01-01'",
    "SELECT * FROM d.since(DATE '2024-01-01')",
    "SELECT n FROM d.days, UNNEST([1, 2]) AS n WHERE dt = DATE '2024-01-01'",
    "SELECT ARRAY(SELECT x FROM d.days WHERE dt = DATE '2024-01-01')",
    "INSERT d.days VALUES (DATE '2024-02-01', 9)",
    "UPDATE d.days SET x = 2 WHERE dt = DATE '2024-01-02'",
    "DELETE d.days WHERE dt = DATE '2024-02-01'",
    // The forms of https://cloud.google.com/bigquery/docs/using-dml-with-partitioned-tables, and dbt's for insert_overwrite and merge.
    "MERGE d.days AS t USING d.other AS s ON t.x = s.x AND t.dt = DATE '2024-01-01' WHEN MATCHED THEN UPDATE SET x = s.x WHEN NOT MATCHED THEN INSERT ROW",
    "MERGE d.days AS t USING d.other AS s ON FALSE WHEN NOT MATCHED BY SOURCE AND t.dt IN (DATE '2024-03-01') THEN DELETE WHEN NOT MATCHED THEN INSERT ROW",
    "MERGE d.days AS t USING d.other AS s ON FALSE WHEN NOT MATCHED THEN INSERT ROW",
    "MERGE d.days AS t USING d.other AS s ON (t.dt IS NULL OR t.dt IS NOT NULL) AND t.x = s.x WHEN MATCHED THEN DELETE",
    "MERGE d.days AS t USING d.other AS s ON t.x = s.x WHEN MATCHED AND t.dt = DATE '2024-01-01' THEN DELETE",
  ])("runs %s", async (sql) => {
    await harness.run(sql);
    await harness.run(sql, { dryRun: true });
  });

  it.each([
    ["SELECT x FROM d.days", "days", "'dt'"],
    ["SELECT COUNT(*) FROM d.days", "days", "'dt'"],
    ["SELECT x FROM d.days LIMIT 1", "days", "'dt'"],
    ["SELECT x FROM d.days WHERE x = 1", "days", "'dt'"],
    ["SELECT x FROM d.days WHERE dt = DATE '2024-01-01' OR x = 1", "days", "'dt'"],
    ["SELECT a.x FROM d.days AS a JOIN d.other AS b ON a.dt = b.dt", "days", "'dt'"],
    ["SELECT x FROM d.days WHERE dt = (SELECT MAX(dt) FROM d.other)", "days", "'dt'"],
    ["SELECT x FROM (SELECT * FROM d.days LIMIT 1) WHERE dt = DATE '2024-01-01'", "days", "'dt'"],
    ["SELECT x FROM d.seen", "days", "'dt'"],
    ["SELECT x FROM d.newest WHERE dt = DATE '2024-01-01'", "days", "'dt'"],
    [
      "WITH w AS (SELECT dt, x FROM d.days) SELECT a.x FROM w AS a JOIN w AS b USING (x) WHERE a.dt = DATE '2024-01-01'",
      "days",
      "'dt'",
    ],
    ["SELECT x FROM d.other WHERE x IN (SELECT x FROM d.days)", "days", "'dt'"],
    ["SELECT x FROM d.times WHERE x = 1", "times", "'t'"],
    ["SELECT n FROM d.ranges", "ranges", "'n'"],
    ["SELECT x FROM d.arrivals", "arrivals", "'_PARTITION_LOAD_TIME', '_PARTITIONDATE', '_PARTITIONTIME'"],
    ["UPDATE d.days SET x = 1 WHERE x = 2", "days", "'dt'"],
    ["DELETE d.days WHERE TRUE", "days", "'dt'"],
    [
      "MERGE d.days AS t USING d.other AS s ON t.x = s.x WHEN MATCHED THEN UPDATE SET x = s.x",
      "days",
      "'dt'",
    ],
    ["INSERT d.other SELECT * FROM d.days", "days", "'dt'"],
    ["CREATE TABLE d.copied AS SELECT * FROM d.days", "days", "'dt'"],
  ])("refuses %s", async (sql, table, columns) => {
    const error = await harness.failure(sql);
    expect(error).toMatchObject({ reason: "invalidQuery", message: refusal(table, columns) });
    expect(await harness.failure(sql, { dryRun: true })).toMatchObject({ message: error.message });
  });
});

/** Tables of eight bytes a value; `partitions` are the ids of those with rows. */
const LAYOUTS = [
  {
    name: "daily",
    create: "(k TIMESTAMP, x INT64) PARTITION BY DATE(k)",
    rows: "('2024-01-01 10:00:00Z', 1), ('2024-01-01 20:00:00Z', 2), ('2024-01-02 00:00:00Z', 3), (NULL, 4)",
    partitions: ["20240101", "20240102", "__NULL__"],
  },
  {
    name: "hourly",
    create: "(k DATETIME, x INT64) PARTITION BY DATETIME_TRUNC(k, HOUR)",
    rows: "('2024-01-01 10:10:00', 1), ('2024-01-01 10:50:00', 2), ('2024-01-01 11:00:00', 3)",
    partitions: ["2024010110", "2024010111"],
  },
  {
    name: "monthly",
    create: "(k DATE, x INT64) PARTITION BY DATE_TRUNC(k, MONTH)",
    rows: "('2024-01-05', 1), ('2024-01-25', 2), ('2024-02-29', 3)",
    partitions: ["202401", "202402"],
  },
  {
    name: "yearly",
    create: "(k TIMESTAMP, x INT64) PARTITION BY TIMESTAMP_TRUNC(k, YEAR)",
    rows: "('2023-01-05', 1), ('2024-01-25', 2), ('2024-02-29', 3)",
    partitions: ["2023", "2024"],
  },
  {
    name: "ranged",
    create: "(k INT64, x INT64) PARTITION BY RANGE_BUCKET(k, GENERATE_ARRAY(0, 25, 10))",
    rows: "(3, 1), (7, 2), (12, 3), (24, 4), (25, 5), (-1, 6), (NULL, 7)",
    partitions: ["0", "10", "20", "__NULL__", "__UNPARTITIONED__"],
  },
];

// https://cloud.google.com/bigquery/docs/querying-partitioned-tables: "The pruned partitions are not included when calculating the bytes scanned"
describe("bytes processed of a partitioned table", () => {
  beforeAll(async () => {
    for (const { name, create, rows } of LAYOUTS) {
      await harness.run(`CREATE TABLE d.${name} ${create}; INSERT d.${name} VALUES ${rows}`);
    }
    await harness.run("CREATE TABLE d.plain (k DATE, x INT64); INSERT d.plain VALUES ('2024-01-01', 1)");
  });

  it.each([
    ["daily", "k >= TIMESTAMP '2024-01-01 15:00:00Z'", ["20240101", "20240102"]],
    ["daily", "k > TIMESTAMP '2024-01-01 23:59:59.999999Z'", ["20240102"]],
    ["daily", "k < TIMESTAMP '2024-01-01 09:00:00Z'", ["20240101"]],
    ["daily", "k <= TIMESTAMP '2023-12-31 23:59:59Z'", []],
    ["daily", "k = TIMESTAMP '2024-01-02 12:00:00Z'", ["20240102"]],
    ["daily", "DATE(k) = DATE '2024-01-01'", ["20240101"]],
    ["daily", "TIMESTAMP_TRUNC(k, MONTH) = TIMESTAMP '2024-01-01'", ["20240101", "20240102"]],
    ["daily", "DATE(k) IN UNNEST([DATE '2024-01-02', NULL])", ["20240102"]],
    ["daily", "k IS NULL", ["__NULL__"]],
    ["daily", "k IS NOT NULL", ["20240101", "20240102"]],
    ["daily", "k IS NULL OR DATE(k) = DATE '2024-01-02'", ["20240102", "__NULL__"]],
    ["daily", "x = 3 AND DATE(k) = DATE '2024-01-02'", ["20240102"]],
    ["daily", "x = 3 OR DATE(k) = DATE '2024-01-02'", ["20240101", "20240102", "__NULL__"]],
    [
      "daily",
      "TIMESTAMP_ADD(k, INTERVAL 1 DAY) > TIMESTAMP '2024-01-03'",
      ["20240101", "20240102", "__NULL__"],
    ],
    ["daily", "DATE(k) = (SELECT MAX(k) FROM d.plain)", ["20240101", "20240102", "__NULL__"]],
    ["daily", "k > TIMESTAMP_SUB(TIMESTAMP '2024-01-03', INTERVAL 36 HOUR)", ["20240101", "20240102"]],
    ["daily", "k >= @since", ["20240102"]],
    ["hourly", "k BETWEEN '2024-01-01 10:20:00' AND '2024-01-01 10:30:00'", ["2024010110"]],
    ["hourly", "k > '2024-01-01 10:59:59'", ["2024010110", "2024010111"]],
    ["monthly", "k > '2024-01-30'", ["202401", "202402"]],
    ["monthly", "k IN ('2024-02-01', '2024-02-02')", ["202402"]],
    ["monthly", "k >= '2024-01-31' AND k < '2024-02-01'", ["202401"]],
    ["yearly", "k < '2024-01-01'", ["2023"]],
    ["yearly", "EXTRACT(DATE FROM k) = '2024-12-31'", ["2024"]],
    ["ranged", "k BETWEEN 8 AND 11", ["0", "10", "__UNPARTITIONED__"]],
    ["ranged", "k = 24", ["20", "__UNPARTITIONED__"]],
    ["ranged", "k IS NULL", ["__NULL__", "__UNPARTITIONED__"]],
    ["ranged", "k + 1 BETWEEN 8 AND 11", ["0", "10", "20", "__NULL__", "__UNPARTITIONED__"]],
  ])("%s WHERE %s reads %j", async (name, where, ids) => {
    const layout = LAYOUTS.find((each) => each.name === name);
    const sizes = await harness.rows(
      `SELECT partition_id, total_logical_bytes FROM d.INFORMATION_SCHEMA.PARTITIONS WHERE table_name = '${name}' ORDER BY 1`,
    );
    expect(sizes.map(([id]) => id)).toEqual(layout?.partitions);
    const other = where.includes("d.plain") ? 8 : 0;
    const expected = sizes.reduce(
      (sum, [id, bytes]) => sum + (ids.includes(String(id)) ? Number(bytes) : 0),
      0,
    );
    const since = { type: { kind: "TIMESTAMP" as const }, value: BigInt(Date.UTC(2024, 0, 2)) * 1000n };
    const parameters = new Map(where.includes("@since") ? [["since", since]] : []);
    for (const dryRun of [true, false]) {
      const outcome = await harness.run(`SELECT * FROM d.${name} WHERE ${where}`, { dryRun, parameters });
      expect(outcome.bytesProcessed).toBe(expected + other);
    }
  });

  it("counts through script variables, which subqueries may set", async () => {
    const sql =
      "DECLARE since TIMESTAMP DEFAULT (SELECT MAX(k) FROM d.daily); SELECT x, k FROM d.daily WHERE k >= since";
    const outcome = await harness.run(sql);
    // 3 times in the DECLARE, which is a job as it reads a table; then one row of two values.
    expect(outcome.children?.map((child) => child.outcome?.bytesProcessed)).toEqual([24, 16]);
  });

  it.each([
    ["UPDATE d.monthly SET x = 0 WHERE k = '2024-02-29'", 16],
    ["UPDATE d.monthly SET x = 0 WHERE x = 9", 48],
    ["DELETE d.monthly WHERE k > '2024-02-28'", 16],
    [
      "MERGE d.monthly AS t USING d.plain AS s ON t.k = s.k AND t.k < '2024-02-01' WHEN MATCHED THEN UPDATE SET x = 1",
      40,
    ],
    [
      "MERGE d.monthly AS t USING d.plain AS s ON t.k = s.k AND t.k < '2024-02-01' WHEN NOT MATCHED THEN INSERT (x) VALUES (s.x)",
      32,
    ],
    ["MERGE d.monthly AS t USING d.plain AS s ON FALSE WHEN NOT MATCHED THEN INSERT (x) VALUES (1)", 0],
    ["INSERT d.monthly VALUES ('2024-01-01', 1)", 0],
  ])("%s reads %i bytes", async (sql, bytes) => {
    expect((await harness.run(sql, { dryRun: true })).bytesProcessed).toBe(bytes);
  });

  it("counts ingestion-time partitions", async () => {
    await harness.run(
      "CREATE TABLE d.arrived (x INT64) PARTITION BY _PARTITIONDATE; INSERT d.arrived (x) VALUES (1), (2)",
    );
    for (const [where, bytes] of [
      ["_PARTITIONDATE = CURRENT_DATE()", 16],
      ["_PARTITIONTIME < TIMESTAMP '2020-01-01'", 0],
    ] as const) {
      const outcome = await harness.run(`SELECT x FROM d.arrived WHERE ${where}`, { dryRun: true });
      expect(outcome.bytesProcessed).toBe(bytes);
    }
  });
});

// https://cloud.google.com/bigquery/docs/using-dml-with-partitioned-tables#inserting_data_into_ingestion-time_partitioned_tables
describe("_PARTITIONTIME", () => {
  const rows = () => harness.rows("SELECT x, CAST(_PARTITIONTIME AS STRING) FROM d.hours ORDER BY x");

  it("is given by INSERT, MERGE and UPDATE", async () => {
    await harness.run(`
      CREATE TABLE d.hours (x INT64) PARTITION BY TIMESTAMP_TRUNC(_PARTITIONTIME, HOUR);
      INSERT d.hours (_PARTITIONTIME, x) VALUES (TIMESTAMP '2024-01-01 05:00:00', 1);
      INSERT INTO d.hours (_partitiontime, x) SELECT TIMESTAMP '2024-01-01 06:00:00', 2;
      MERGE d.hours AS t USING (SELECT 3 AS x) AS s ON t.x = s.x
      WHEN NOT MATCHED THEN INSERT (x, _PARTITIONTIME) VALUES (s.x, TIMESTAMP '2024-01-01 07:00:00');
      UPDATE d.hours SET _PARTITIONTIME = TIMESTAMP_ADD(_PARTITIONTIME, INTERVAL 1 HOUR) WHERE x = 1`);
    expect(await rows()).toEqual([
      [1n, "2024-01-01 06:00:00+00"],
      [2n, "2024-01-01 06:00:00+00"],
      [3n, "2024-01-01 07:00:00+00"],
    ]);
  });

  it.each([
    ["INSERT d.hours (_PARTITIONTIME, x) VALUES (TIMESTAMP '2024-01-01 05:00:01', 9)", "HOUR partition"],
    ["INSERT d.hours (_PARTITIONTIME, x) VALUES (NULL, 9)", "NULL is not the start"],
    ["UPDATE d.hours SET _PARTITIONTIME = TIMESTAMP '2024-01-01 05:30:00' WHERE x = 1", "HOUR partition"],
    ["INSERT d.hours VALUES (9, TIMESTAMP '2024-01-01')", "wrong column count"],
    ["INSERT d.arrivals (_PARTITIONDATE, x) VALUES (DATE '2024-01-01', 9)", "non-writable column"],
  ])("refuses %s", async (sql, message) => {
    await expect(harness.run(sql)).rejects.toThrow(message);
    expect(await rows()).toHaveLength(3);
  });
});
