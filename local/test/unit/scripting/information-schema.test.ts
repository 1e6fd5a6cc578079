import { afterAll, beforeAll, expect, it } from "vitest";
import { Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
  await harness.run(`
    CREATE TABLE d.t (id INT64 NOT NULL, day DATE, r STRUCT<a STRING OPTIONS(description = 'deep'), b ARRAY<NUMERIC(5, 2)>>)
      PARTITION BY day CLUSTER BY id OPTIONS(description = 'about t');
    INSERT INTO d.t (id, day) VALUES (1, '2020-01-01'), (2, '2020-01-01'), (3, '2020-01-02'), (4, NULL);
    CREATE VIEW d.v AS SELECT id FROM d.t;
    CREATE TABLE d.events_1 AS SELECT 1 AS a;
    CREATE TABLE d.events_2 AS SELECT 2 AS a, 'x' AS b;`);
});
afterAll(() => harness.close());

/** https://cloud.google.com/bigquery/docs/information-schema-intro */
it.each([
  ["SELECT schema_name, location FROM INFORMATION_SCHEMA.SCHEMATA", [["d", "US"]]],
  [
    "SELECT table_name, table_type FROM d.INFORMATION_SCHEMA.TABLES WHERE table_name IN ('t', 'v') ORDER BY 1",
    [
      ["t", "BASE TABLE"],
      ["v", "VIEW"],
    ],
  ],
  ["SELECT COUNT(*) FROM `region-us`.INFORMATION_SCHEMA.TABLES", [[4n]]],
  [
    "SELECT column_name, ordinal_position, is_nullable, data_type, is_partitioning_column, clustering_ordinal_position FROM `p.d.INFORMATION_SCHEMA.COLUMNS` WHERE table_name = 't' ORDER BY 2",
    [
      ["id", 1n, "NO", "INT64", "NO", 1n],
      ["day", 2n, "YES", "DATE", "YES", null],
      ["r", 3n, "YES", "STRUCT<a STRING, b ARRAY<NUMERIC(5, 2)>>", "NO", null],
    ],
  ],
  [
    "SELECT field_path, data_type, description FROM d.INFORMATION_SCHEMA.COLUMN_FIELD_PATHS WHERE column_name = 'r'",
    [
      ["r", "STRUCT<a STRING, b ARRAY<NUMERIC(5, 2)>>", null],
      ["r.a", "STRING", "deep"],
      ["r.b", "ARRAY<NUMERIC(5, 2)>", null],
    ],
  ],
  [
    "SELECT partition_id, total_rows, total_logical_bytes FROM d.INFORMATION_SCHEMA.PARTITIONS WHERE table_name = 't' ORDER BY 1",
    [
      ["20200101", 2n, 32n],
      ["20200102", 1n, 16n],
      ["__NULL__", 1n, 8n],
    ],
  ],
  [
    "SELECT option_name, option_value FROM d.INFORMATION_SCHEMA.TABLE_OPTIONS",
    [["description", '"about t"']],
  ],
  ["SELECT view_definition FROM d.INFORMATION_SCHEMA.VIEWS", [["SELECT id FROM d.t"]]],
  [
    "SELECT total_rows, total_partitions FROM d.INFORMATION_SCHEMA.TABLE_STORAGE WHERE table_name = 't'",
    [[4n, 3n]],
  ],
  [
    "SELECT t.table_name FROM d.INFORMATION_SCHEMA.TABLES AS t JOIN d.INFORMATION_SCHEMA.COLUMNS AS c USING (table_name) WHERE c.column_name = 'day'",
    [["t"]],
  ],
  [
    "SELECT a, b, _TABLE_SUFFIX FROM `p.d.events_*` ORDER BY a",
    [
      [1n, null, "1"],
      [2n, "x", "2"],
    ],
  ],
  ["SELECT a FROM `p.d.events_*` WHERE _TABLE_SUFFIX = '1'", [[1n]]],
])("%s", async (sql, rows) => {
  expect(await harness.rows(sql)).toEqual(rows);
});

it("lists a dataset's tables in __TABLES__, as they are now", async () => {
  await harness.run("CREATE SCHEMA e; CREATE TABLE e.t AS SELECT 1 AS a; CREATE VIEW e.v AS SELECT 1 AS a");
  await harness.run("CREATE MATERIALIZED VIEW e.m AS SELECT a FROM e.t");
  const query =
    "SELECT table_id, row_count, size_bytes, type, last_modified_time FROM e.__TABLES__ ORDER BY 1";
  const before = await harness.rows(query);
  expect(before.map((row) => row.slice(0, 4))).toEqual([
    ["m", 0n, 0n, null],
    ["t", 1n, 8n, 1n],
    ["v", 0n, 0n, 2n],
  ]);
  await harness.run("INSERT e.t VALUES (2)");
  const after = await harness.rows(query);
  expect(after[1]?.slice(0, 4)).toEqual(["t", 2n, 16n, 1n]);
  expect(Number(after[1]?.[4])).toBeGreaterThan(Number(before[1]?.[4]));
  await harness.run("DROP SCHEMA e CASCADE");
});

it("names what it does not have", async () => {
  expect((await harness.failure("SELECT * FROM d.INFORMATION_SCHEMA.NOPE")).message).toContain(
    "INFORMATION_SCHEMA.NOPE",
  );
  expect((await harness.failure("SELECT * FROM nope.INFORMATION_SCHEMA.TABLES")).reason).toBe("notFound");
});

it("writes a table's DDL so that it makes the same table again", async () => {
  const [[ddl] = []] = await harness.rows(
    "SELECT ddl FROM d.INFORMATION_SCHEMA.TABLES WHERE table_name = 't'",
  );
  await harness.run(String(ddl).replace("`p.d.t`", "`p.d.again`"));
  const [[again] = []] = await harness.rows(
    "SELECT ddl FROM d.INFORMATION_SCHEMA.TABLES WHERE table_name = 'again'",
  );
  expect(String(again).replace("again", "t")).toBe(ddl);
});
