import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CompiledStatement } from "../../../src/compiler/compiled.ts";
import { Bench, field } from "./harness.ts";

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open([
    {
      name: "t",
      schema: [field("id", "INTEGER"), field("ts", "TIMESTAMP"), field("tags", "STRING", "REPEATED")],
    },
  ]);
});

afterAll(() => bench.close());

const table = (tableId: string) => ({ projectId: "p", datasetId: "d", tableId });
const NEW_TABLE = {
  kind: "create-table",
  mode: "create",
  temporary: false,
  partitioning: {},
  clustering: [],
  options: {},
};

// https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language
const STATEMENTS: readonly (readonly [string, Record<string, unknown>])[] = [
  [
    `CREATE TABLE d.n (
       a INT64 NOT NULL OPTIONS (description = 'the key'),
       b STRUCT<c STRING NOT NULL OPTIONS (description = 'in b'), e ARRAY<STRING(10)>>,
       f ARRAY<STRUCT<g BYTES(4)>>,
       h NUMERIC(10, 2) DEFAULT 1.5,
       day DATE)
     PARTITION BY DATE_TRUNC(day, MONTH) CLUSTER BY a, h
     OPTIONS (description = "all", labels = [("k", "v")], partition_expiration_days = 3.5, require_partition_filter = TRUE)`,
    {
      ...NEW_TABLE,
      table: table("n"),
      schema: [
        { name: "a", type: "INTEGER", mode: "REQUIRED", description: "the key" },
        {
          name: "b",
          type: "RECORD",
          mode: "NULLABLE",
          fields: [
            { name: "c", type: "STRING", mode: "REQUIRED", description: "in b" },
            { name: "e", type: "STRING", mode: "REPEATED", maxLength: "10" },
          ],
        },
        {
          name: "f",
          type: "RECORD",
          mode: "REPEATED",
          fields: [{ name: "g", type: "BYTES", mode: "NULLABLE", maxLength: "4" }],
        },
        {
          name: "h",
          type: "NUMERIC",
          mode: "NULLABLE",
          precision: "10",
          scale: "2",
          defaultValueExpression: "1.5",
        },
        { name: "day", type: "DATE", mode: "NULLABLE" },
      ],
      partitioning: { timePartitioning: { type: "MONTH", field: "day" } },
      clustering: ["a", "h"],
      requirePartitionFilter: true,
      options: {
        description: "all",
        labels: [["k", "v"]],
        partition_expiration_days: 3.5,
        require_partition_filter: true,
      },
    },
  ],
  [
    "CREATE TEMP TABLE x (a INT64)",
    {
      ...NEW_TABLE,
      temporary: true,
      table: table("x"),
      schema: [{ name: "a", type: "INTEGER", mode: "NULLABLE" }],
    },
  ],
  [
    "CREATE TABLE IF NOT EXISTS other.n (a INT64) PARTITION BY RANGE_BUCKET(a, GENERATE_ARRAY(0, 100, 10))",
    {
      ...NEW_TABLE,
      mode: "if-not-exists",
      table: { ...table("n"), datasetId: "other" },
      schema: [{ name: "a", type: "INTEGER", mode: "NULLABLE" }],
      partitioning: { rangePartitioning: { field: "a", range: { start: "0", end: "100", interval: "10" } } },
    },
  ],
  [
    "CREATE TABLE q.d.n COPY d.t",
    {
      ...NEW_TABLE,
      table: { ...table("n"), projectId: "q" },
      schema: [],
      from: { how: "copy", table: table("t") },
    },
  ],
  [
    "CREATE OR REPLACE VIEW d.v (x OPTIONS (description = 'one')) OPTIONS (expiration_timestamp = TIMESTAMP '2030-01-01') AS SELECT id FROM d.t",
    {
      kind: "create-view",
      table: table("v"),
      mode: "or-replace",
      materialized: false,
      query: "SELECT id FROM d.t",
      columns: [{ name: "x", type: { kind: "INT64" } }],
      columnOptions: { x: { description: "one" } },
      options: { expiration_timestamp: Date.UTC(2030, 0, 1) },
    },
  ],
  [
    "CREATE SCHEMA IF NOT EXISTS p.s OPTIONS (location = 'EU')",
    { kind: "create-schema", name: ["p", "s"], mode: "if-not-exists", options: { location: "EU" } },
  ],
  [
    "DROP TABLE IF EXISTS d.t",
    { kind: "drop", object: "TABLE", name: ["d", "t"], ifExists: true, cascade: false },
  ],
  [
    "DROP MATERIALIZED VIEW d.v",
    { kind: "drop", object: "MATERIALIZED VIEW", name: ["d", "v"], ifExists: false, cascade: false },
  ],
  ["DROP SCHEMA d CASCADE", { kind: "drop", object: "SCHEMA", name: ["d"], ifExists: false, cascade: true }],
  [
    "DROP FUNCTION d.f",
    { kind: "drop", object: "FUNCTION", name: ["d", "f"], ifExists: false, cascade: false },
  ],
  [
    "ALTER TABLE IF EXISTS d.t ADD COLUMN IF NOT EXISTS z STRUCT<q INT64> OPTIONS (description = 'new'), DROP COLUMN IF EXISTS id",
    {
      kind: "alter",
      object: "TABLE",
      name: ["d", "t"],
      ifExists: true,
      actions: [
        {
          action: "add-column",
          ifNotExists: true,
          field: {
            name: "z",
            type: "RECORD",
            mode: "NULLABLE",
            description: "new",
            fields: [{ name: "q", type: "INTEGER", mode: "NULLABLE" }],
          },
        },
        { action: "drop-column", column: "id", ifExists: true },
      ],
    },
  ],
  [
    "ALTER TABLE d.t SET OPTIONS (description = NULL)",
    alter({ action: "set-options", options: { description: null } }),
  ],
  [
    "ALTER TABLE d.t RENAME COLUMN id TO key",
    alter({ action: "rename-column", column: "id", to: "key", ifExists: false }),
  ],
  ["ALTER TABLE d.t RENAME TO t2", alter({ action: "rename-table", to: "t2" })],
  ["ALTER TABLE d.t ALTER COLUMN id DROP NOT NULL", alter({ action: "drop-not-null", column: "id" })],
  [
    "ALTER TABLE d.t ALTER COLUMN id SET DEFAULT 1 + 1",
    alter({ action: "set-default", column: "id", expression: "1 + 1" }),
  ],
  ["ALTER TABLE d.t ALTER COLUMN id DROP DEFAULT", alter({ action: "drop-default", column: "id" })],
  [
    "ALTER TABLE d.t ALTER COLUMN id SET OPTIONS (description = 'k')",
    alter({ action: "set-column-options", column: "id", options: { description: "k" } }),
  ],
  [
    "ALTER TABLE d.t ALTER COLUMN id SET DATA TYPE NUMERIC(5, 1)",
    alter({
      action: "set-data-type",
      column: "id",
      field: { name: "id", type: "NUMERIC", mode: "NULLABLE", precision: "5", scale: "1" },
    }),
  ],
  [
    "CREATE OR REPLACE FUNCTION d.f(x INT64) AS (x + 1)",
    {
      kind: "create-routine",
      routine: "FUNCTION",
      name: ["d", "f"],
      mode: "or-replace",
      temporary: false,
      text: "CREATE OR REPLACE FUNCTION d.f(x INT64) AS (x + 1)",
      definition: {
        arguments: [{ name: "x", type: { kind: "INT64" }, isNotAggregate: false }],
        body: "x + 1",
      },
    },
  ],
  [
    "CREATE TEMP FUNCTION f(x STRING) RETURNS ARRAY<INT64> NOT DETERMINISTIC LANGUAGE js OPTIONS (description = 'd', library = []) AS r'return [\\n]'",
    {
      kind: "create-routine",
      routine: "FUNCTION",
      name: ["f"],
      mode: "create",
      temporary: true,
      text: "CREATE TEMP FUNCTION f(x STRING) RETURNS ARRAY<INT64> NOT DETERMINISTIC LANGUAGE js OPTIONS (description = 'd', library = []) AS r'return [\\n]'",
      definition: {
        arguments: [{ name: "x", type: { kind: "STRING" }, isNotAggregate: false }],
        returnType: { kind: "ARRAY", element: { kind: "INT64" } },
        body: "return [\\n]",
      },
      javaScript: { determinismLevel: "NOT_DETERMINISTIC", description: "d" },
    },
  ],
];

function alter(action: Record<string, unknown>): Record<string, unknown> {
  return { kind: "alter", object: "TABLE", name: ["d", "t"], ifExists: false, actions: [action] };
}

describe("DDL", () => {
  it.each(STATEMENTS)("%s", async (sql, expected) => {
    expect(await bench.compile(sql)).toStrictEqual(expected as unknown as CompiledStatement);
  });

  it.each([
    ["DATE(ts)", { type: "DAY", field: "ts" }],
    ["TIMESTAMP_TRUNC(ts, HOUR)", { type: "HOUR", field: "ts" }],
    ["_PARTITIONDATE", { type: "DAY" }],
    ["DATE_TRUNC(_PARTITIONTIME, MONTH)", { type: "MONTH" }],
  ])("PARTITION BY %s", async (expression, timePartitioning) => {
    const compiled = await bench.compile(`CREATE TABLE d.n (ts TIMESTAMP) PARTITION BY ${expression}`);
    expect(compiled).toMatchObject({ partitioning: { timePartitioning } });
  });

  it("CREATE TABLE AS SELECT stores what its columns ask for", async () => {
    const compiled = await bench.compile(
      "CREATE TABLE d.n (a NUMERIC NOT NULL, b ARRAY<STRING>) AS SELECT 1, CAST(NULL AS ARRAY<STRING>)",
    );
    if (compiled.kind !== "create-table" || compiled.asSelect === undefined) throw new Error("no query");
    expect(compiled.schema.map(({ mode }) => mode)).toEqual(["REQUIRED", "REPEATED"]);
    const reader = await bench.connection.runAndReadAll(compiled.asSelect.sql);
    expect(reader.getRows()[0]?.map(String)).toEqual(["1.000000000", "[]"]);
  });

  it("an option that is an expression is left to be evaluated", async () => {
    const compiled = await bench.compile(
      "CREATE TABLE d.n (a INT64) OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY))",
    );
    const option = (compiled as { options: Record<string, { sql: string }> }).options.expiration_timestamp;
    const reader = await bench.connection.runAndReadAll(`SELECT ${option?.sql}`);
    expect(String(reader.getRows()[0]?.[0])).toBe("2026-01-03 03:04:05+00");
  });

  it("ASSERT gives its condition and message", async () => {
    const compiled = await bench.compile("ASSERT (SELECT COUNT(*) FROM d.t) = 0 AS 'not empty'");
    expect(compiled).toMatchObject({ kind: "assert", message: "not empty", reads: [{ columns: [] }] });
  });

  it.each([
    ["CREATE EXTERNAL TABLE d.e OPTIONS (format = 'CSV')", "CREATE EXTERNAL TABLE"],
    ["CREATE FUNCTION d.f(x INT64) RETURNS INT64 LANGUAGE js AS 'return x'", "the type INT64"],
    ["CREATE FUNCTION d.f(x ANY TYPE) RETURNS INT64 LANGUAGE js AS 'return x'", "ANY TYPE"],
    ["CREATE FUNCTION d.f(x ARRAY<DATETIME>) RETURNS INT64 LANGUAGE js AS 'return x'", "the type DATETIME"],
    ["CREATE FUNCTION d.f() RETURNS STRUCT<a GEOGRAPHY> LANGUAGE js AS 'return x'", "the type GEOGRAPHY"],
    [
      "CREATE FUNCTION d.f(x STRUCT<BOOL>) RETURNS INT64 LANGUAGE js AS 'return x'",
      "STRUCT<BOOL> in a JavaScript",
    ],
    [
      "CREATE FUNCTION d.f() RETURNS INT64 LANGUAGE js OPTIONS (library = ['gs://a/b.js']) AS 'return 1'",
      "JavaScript libraries",
    ],
    [
      "CREATE FUNCTION d.f() RETURNS INT64 LANGUAGE js OPTIONS (nope = 1) AS 'return 1'",
      "Unknown option: nope",
    ],
    ["CREATE FUNCTION d.f() RETURNS INT64 IMMUTABLE LANGUAGE js AS 'return 1'", "IMMUTABLE"],
    [
      "CREATE AGGREGATE FUNCTION d.f(x FLOAT64) RETURNS FLOAT64 LANGUAGE js AS 'return x'",
      "aggregate functions in the language JS",
    ],
    ["EXPORT DATA OPTIONS (uri = 'gs://b/*') AS SELECT 1 AS a", "EXPORT DATA"],
    ["CREATE TABLE d.n (a INT64) PARTITION BY a", "PARTITION BY expression must be"],
  ])("%s is refused by name", async (sql, message) => {
    await expect(bench.compile(sql)).rejects.toThrow(message);
  });
});
