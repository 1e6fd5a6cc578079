import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { registerFunctions } from "../../../src/compiler/functions/register.ts";
import { Engine } from "../../../src/scripting/engine.ts";
import { openStorage, type Storage } from "../../../src/storage/storage.ts";

const folder = mkdtempSync(join(tmpdir(), "contents-"));
const open = () => openStorage({ file: join(folder, "data.duckdb"), prepare: registerFunctions });
let storage: Storage;
let engine: Engine;
beforeAll(async () => {
  storage = await open();
  engine = new Engine(storage);
  await engine.start();
});
afterAll(async () => {
  await engine.close();
  await storage.close();
  rmSync(folder, { recursive: true, force: true });
});

const COLUMNS =
  "k INT64, day DATE, ts TIMESTAMP, name STRING, tags ARRAY<STRING>, r STRUCT<a INT64, b STRUCT<c STRING, d ARRAY<INT64>>>, f FLOAT64, j JSON";
/** Layouts, and what tells their partitions apart in DuckDB (for months the days they are made of). */
const LAYOUTS = [
  ["", "'all'"],
  ["PARTITION BY day", "day"],
  ["PARTITION BY DATE_TRUNC(day, MONTH)", "day"],
  ["PARTITION BY TIMESTAMP_TRUNC(ts, HOUR)", "date_trunc('hour', ts)"],
  [
    "PARTITION BY RANGE_BUCKET(k, GENERATE_ARRAY(0, 40, 7))",
    "CASE WHEN k BETWEEN 0 AND 39 THEN k // 7 WHEN k IS NOT NULL THEN -1 END",
  ],
] as const;

const key = fc.integer({ min: -3, max: 50 });
const word = fc.constantFrom("NULL", "''", "'a'", "'héé'", "'a longer text'");
const day = fc.constantFrom(
  "NULL",
  "DATE '0001-01-01'",
  "DATE '1969-12-31'",
  "DATE '2024-02-29'",
  "DATE '2024-03-01'",
);
const at = fc.constantFrom(
  "NULL",
  "TIMESTAMP '1969-12-31 23:59:59+00'",
  "TIMESTAMP '2024-02-29 10:59:59+00'",
  "TIMESTAMP '2024-02-29 11:00:00+00'",
);
const tags = fc.constantFrom("[]", "['x']", "['xy', 'z']");
const record = fc.constantFrom(
  "NULL",
  "STRUCT(1, STRUCT('é', [1, 2]))",
  "STRUCT(CAST(NULL AS INT64), STRUCT('', CAST([] AS ARRAY<INT64>)))",
);
const json = fc.constantFrom("NULL", "JSON '{\"a\": 1}'");
const row = fc
  .tuple(key, day, at, word, tags, record, fc.constantFrom("NULL", "0.0", "-0.0", "1.5"), json)
  .map((values) => values.join(", "));
const insertOf = (minLength: number, maxLength: number) =>
  fc.array(row, { minLength, maxLength }).map((rows) => {
    const tuples = rows.map((values) => `(${values})`).join(", ");
    return `INSERT d.t (k, day, ts, name, tags, r, f, j) VALUES ${tuples}`;
  });
const insert = insertOf(1, 4);
const set = fc.constantFrom(
  "name = 'other'",
  "name = CONCAT(IFNULL(name, ''), '+')",
  "tags = ['p', 'q', 'r']",
  "tags = ARRAY_CONCAT(tags, ['more']), name = NULL",
  "day = DATE '2024-03-05'",
  "ts = TIMESTAMP_ADD(ts, INTERVAL 1 HOUR), f = 0.0",
  "k = k + 7",
  "r.a = 5",
  "r = NULL, j = JSON '[1]'",
  "r.b.c = 'in'",
  "f = -0.0",
);
const some = fc
  .tuple(fc.integer({ min: 2, max: 4 }), fc.integer({ min: 0, max: 3 }))
  .map(([by, rest]) => `MOD(k, ${by}) = ${rest}`);
const statement = fc.oneof(
  { weight: 3, arbitrary: insert },
  fc
    .tuple(set, fc.oneof(some, fc.constant("TRUE")))
    // A STRUCT that is NULL has no field to set.
    .map(
      ([what, where]) =>
        `UPDATE d.t SET ${what} WHERE ${where}${what.startsWith("r.") ? " AND r.b IS NOT NULL" : ""}`,
    ),
  some.map((where) => `DELETE d.t WHERE ${where}`),
  fc.constantFrom("DELETE d.t WHERE TRUE", "TRUNCATE TABLE d.t"),
  fc.constant("INSERT d.t SELECT * FROM d.t WHERE k < 20"),
  fc
    .tuple(
      set.filter((what) => !what.startsWith("r.")),
      some,
    )
    .map(
      ([what, where]) =>
        `MERGE d.t AS t USING (SELECT DISTINCT k AS key FROM d.t WHERE k > 10 UNION DISTINCT SELECT 99) ON k = key AND FALSE
       WHEN NOT MATCHED BY SOURCE AND ${where} AND k > 30 THEN DELETE
       WHEN NOT MATCHED BY SOURCE AND ${where} THEN UPDATE SET ${what}
       WHEN NOT MATCHED BY SOURCE AND name IS NULL THEN UPDATE SET name = 'merged'
       WHEN NOT MATCHED THEN INSERT (k, name, day) VALUES (key, 'new', DATE '2024-01-01')`,
    ),
);
/** A statement of its own, or several that one transaction commits or rolls back. */
const step = fc.oneof(
  { weight: 2, arbitrary: statement },
  fc
    .tuple(
      fc.array(statement, { minLength: 1, maxLength: 4 }),
      fc.constantFrom("COMMIT", "COMMIT", "ROLLBACK"),
    )
    .map(([statements, end]) => `BEGIN TRANSACTION; ${statements.join("; ")}; ${end} TRANSACTION`),
  fc.constant("ALTER TABLE d.t ADD COLUMN IF NOT EXISTS extra STRING"),
);

/** Runs a statement over `d.t`, on the table of a dataset. */
async function run(datasetId: string, sql: string): Promise<void> {
  const request = { projectId: "p", parameters: new Map(), dryRun: false, jobId: "j" };
  const signal = new AbortController().signal;
  await engine.runQuery({ sql: sql.replaceAll(/\bd\b(?=\.t\b)/g, datasetId), ...request, signal });
}

/** What the ledger says of the table, and what its rows say. */
async function bothWays(datasetId: string, partition: string): Promise<[unknown, unknown]> {
  const entry = storage.catalog.getTable({ projectId: "p", datasetId, tableId: "t" });
  if (entry === undefined) throw new Error("no table");
  const kept = await storage.catalog.contents(entry);
  // Counted by expressions of this test's own: a value at a time, by the documentation's list of sizes.
  const text = (column: string): string => `coalesce(sum(octet_length(encode(${column})) + 2), 0)`;
  const tables = await storage.database.use(async (connection) =>
    (
      await connection.runAndReadAll(`SELECT count(*)::INT,
        sum(CASE WHEN k IS NULL THEN 0 ELSE 8 END)::INT,
        sum(CASE WHEN day IS NULL THEN 0 ELSE 8 END)::INT,
        sum(CASE WHEN ts IS NULL THEN 0 ELSE 8 END)::INT,
        ${text("name")}::INT,
        (SELECT ${text("x")} FROM (SELECT unnest(tags) AS x FROM ${entry.physical}))::INT,
        (sum(CASE WHEN r.f0 IS NULL THEN 0 ELSE 8 END) + ${text("r.f1.f0")} + sum(CASE WHEN r.f1.f1 IS NULL THEN 0 ELSE 8 * len(r.f1.f1) END))::INT,
        sum(CASE WHEN f IS NULL THEN 0 ELSE 8 END)::INT,
        coalesce(sum(octet_length(encode(j::VARCHAR))), 0)::INT
        FROM ${entry.physical}`)
    ).getRows(),
  );
  const parts = await storage.database.use(async (connection) =>
    (
      await connection.runAndReadAll(
        `SELECT count(*)::INT AS n FROM ${entry.physical} GROUP BY ${partition} ORDER BY n`,
      )
    ).getRows(),
  );
  const names = ["k", "day", "ts", "name", "tags", "r", "f", "j"];
  const counted = (tables[0] ?? []).map((value) => Number(value ?? 0));
  const keptParts = kept.keys.map((each) => kept.rows([each])).sort((a, b) => a - b);
  return [
    [kept.rows(), ...names.map((name) => kept.bytes([name])), keptParts],
    [...counted, parts.map(([rows]) => Number(rows))],
  ];
}

describe("what is known of a table's contents", () => {
  const tables: { datasetId: string; partition: string; kept: unknown }[] = [];

  it.each(LAYOUTS)("is what its rows say after any changes: %s", async (layout, partition) => {
    await fc.assert(
      fc.asyncProperty(
        insertOf(8, 16),
        fc.array(step, { minLength: 2, maxLength: 6 }),
        async (first, steps) => {
          const datasetId = `d${tables.length}`;
          await run(datasetId, `CREATE SCHEMA ${datasetId}; CREATE TABLE d.t (${COLUMNS}) ${layout}`);
          for (const sql of [first, ...steps]) {
            await run(datasetId, sql);
            const [kept, counted] = await bothWays(datasetId, partition);
            expect(kept, sql).toEqual(counted);
          }
          const [kept] = await bothWays(datasetId, partition);
          tables.push({ datasetId, partition, kept });
        },
      ),
      { numRuns: 8, endOnFailure: true },
    );
  });

  it("is the same after a start", async () => {
    await storage.close();
    storage = await open();
    expect(tables).toHaveLength(8 * LAYOUTS.length);
    for (const { datasetId, partition, kept } of tables) {
      const [again, counted] = await bothWays(datasetId, partition);
      expect([again, again], datasetId).toEqual([counted, kept]);
    }
  });
});
