import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Harness, ref } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.close());

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language */
describe("tables", () => {
  it("are created with all that describes them", async () => {
    const outcome = await harness.run(`
      CREATE TABLE d.made (
        id INT64 NOT NULL OPTIONS(description = 'the key'),
        happened TIMESTAMP DEFAULT TIMESTAMP '2020-01-01 00:00:00',
        r STRUCT<a STRING, b ARRAY<NUMERIC>>
      )
      PARTITION BY DATE(happened) CLUSTER BY id
      OPTIONS(description = CONCAT('a', 'b'), labels = [('k', 'v')], partition_expiration_days = 2, require_partition_filter = TRUE)`);
    expect(outcome).toMatchObject({
      statementType: "CREATE_TABLE",
      ddlOperation: "CREATE",
      ddlTarget: ref("made"),
    });
    expect(harness.storage.catalog.getTable(ref("made"))).toMatchObject({
      description: "ab",
      labels: { k: "v" },
      clustering: ["id"],
      partitioning: { timePartitioning: { type: "DAY", field: "happened", expirationMs: "172800000" } },
      requirePartitionFilter: true,
      schema: [
        { name: "id", type: "INTEGER", mode: "REQUIRED", description: "the key" },
        { name: "happened", type: "TIMESTAMP", mode: "NULLABLE" },
        { name: "r", type: "RECORD", fields: [{ name: "a" }, { name: "b", mode: "REPEATED" }] },
      ],
    });
  });

  it("take the DEFAULT of a column that a statement leaves out or asks for", async () => {
    await harness.run(
      "CREATE OR REPLACE TABLE d.defaults (a INT64 DEFAULT 7, b STRING DEFAULT 'x', c INT64)",
    );
    await harness.run("INSERT INTO d.defaults (c) VALUES (1)");
    await harness.run("INSERT INTO d.defaults (a, b, c) VALUES (DEFAULT, NULL, 2)");
    await harness.run("UPDATE d.defaults SET b = DEFAULT WHERE c = 2");
    expect(await harness.rows("SELECT a, b, c FROM d.defaults ORDER BY c")).toEqual([
      [7n, "x", 1n],
      [7n, "x", 2n],
    ]);
  });

  it("keep to what is there, replace it, or fail", async () => {
    await harness.run("CREATE OR REPLACE TABLE d.one AS SELECT 1 AS a");
    expect(await harness.run("CREATE TABLE IF NOT EXISTS d.one AS SELECT 2 AS a")).toMatchObject({
      ddlOperation: "SKIP",
    });
    expect(await harness.rows("SELECT a FROM d.one")).toEqual([[1n]]);
    expect(await harness.failure("CREATE TABLE d.one (x INT64)")).toMatchObject({
      reason: "duplicate",
      message: "Already Exists: Table p:d.one",
    });
    expect(await harness.run("CREATE OR REPLACE TABLE d.one AS SELECT a + 1 AS b FROM d.one")).toMatchObject({
      statementType: "CREATE_TABLE_AS_SELECT",
      ddlOperation: "REPLACE",
    });
    expect(await harness.rows("SELECT b FROM d.one")).toEqual([[2n]]);
    expect((await harness.failure("CREATE TABLE nowhere.t (x INT64)")).reason).toBe("notFound");
  });

  it("are not there, even in part, when their rows fail", async () => {
    await harness.failure("CREATE TABLE d.half AS SELECT 1 / (x - 1) AS y FROM UNNEST([3, 2, 1]) AS x");
    expect(harness.storage.catalog.getTable(ref("half"))).toBeUndefined();
  });

  it("are copied, with and without rows", async () => {
    await harness.run("CREATE OR REPLACE TABLE d.source AS SELECT 1 AS a");
    await harness.run(
      "CREATE TABLE d.copy COPY d.source; CREATE TABLE d.clone CLONE d.source; CREATE TABLE d.shape LIKE d.source",
    );
    expect(
      await harness.rows(
        "SELECT (SELECT COUNT(*) FROM d.copy), (SELECT COUNT(*) FROM d.clone), (SELECT COUNT(*) FROM d.shape)",
      ),
    ).toEqual([[1n, 1n, 0n]]);
  });

  it("change their columns and keep their rows", async () => {
    await harness.run("CREATE OR REPLACE TABLE d.changing AS SELECT 1 AS a, 'x' AS b, 2 AS c");
    await harness.run(`
      ALTER TABLE d.changing ADD COLUMN d STRUCT<e INT64>, ADD COLUMN IF NOT EXISTS a STRING;
      ALTER TABLE d.changing RENAME COLUMN b TO bb;
      ALTER TABLE d.changing DROP COLUMN c, DROP COLUMN IF EXISTS nope;
      ALTER TABLE d.changing ALTER COLUMN a SET DATA TYPE NUMERIC;
      ALTER TABLE d.changing ALTER COLUMN bb SET OPTIONS(description = 'renamed');
      ALTER TABLE d.changing SET OPTIONS(description = 'changed');
      ALTER TABLE d.changing RENAME TO changed;`);
    expect(await harness.rows("SELECT * FROM d.changed")).toEqual([[1_000_000_000n, "x", null]]);
    expect(harness.storage.catalog.getTable(ref("changed"))).toMatchObject({
      description: "changed",
      schema: [{ name: "a", type: "NUMERIC" }, { name: "bb", description: "renamed" }, { name: "d" }],
    });
    expect((await harness.failure("ALTER TABLE d.changed ADD COLUMN a INT64")).message).toContain(
      "already exists",
    );
    expect((await harness.failure("ALTER TABLE d.none ADD COLUMN a INT64")).reason).toBe("notFound");
  });

  it("are dropped", async () => {
    await harness.run("CREATE OR REPLACE TABLE d.gone AS SELECT 1 AS a");
    expect(await harness.run("DROP TABLE d.gone")).toMatchObject({
      statementType: "DROP_TABLE",
      ddlOperation: "DROP",
    });
    expect((await harness.failure("DROP TABLE d.gone")).reason).toBe("notFound");
    expect(await harness.run("DROP TABLE IF EXISTS d.gone")).toMatchObject({ ddlOperation: "SKIP" });
  });
});

describe("views", () => {
  it("keep their text as written and follow their tables", async () => {
    await harness.run("CREATE OR REPLACE TABLE d.base AS SELECT 1 AS a");
    await harness.run(
      "CREATE OR REPLACE VIEW d.view OPTIONS(description = 'v') AS SELECT a, a * 2 AS b FROM `p.d.base`",
    );
    expect(harness.storage.catalog.getTable(ref("view"))?.viewQuery).toBe(
      "SELECT a, a * 2 AS b FROM `p.d.base`",
    );
    await harness.run("INSERT INTO d.base VALUES (5)");
    expect(await harness.rows("SELECT b FROM d.view ORDER BY b")).toEqual([[2n], [10n]]);
  });

  it("are not tables", async () => {
    await harness.run("CREATE OR REPLACE VIEW d.only_view AS SELECT 1 AS a");
    expect((await harness.failure("INSERT INTO d.only_view VALUES (1)")).message).toContain(
      "currently a VIEW",
    );
    expect((await harness.failure("DROP TABLE d.only_view")).message).toContain("has type VIEW");
    expect((await harness.failure("CREATE OR REPLACE TABLE d.only_view (a INT64)")).message).toContain(
      "currently a VIEW",
    );
    await harness.run("DROP VIEW d.only_view");
  });
});

describe("schemas", () => {
  it("are created, changed and dropped", async () => {
    await harness.run("CREATE SCHEMA made OPTIONS(description = 'x', default_table_expiration_days = 1)");
    expect(harness.storage.catalog.getDataset("p", "made")).toMatchObject({
      description: "x",
      defaultTableExpirationMs: "86400000",
    });
    await harness.run("ALTER SCHEMA made SET OPTIONS(description = 'y')");
    expect(harness.storage.catalog.getDataset("p", "made")?.description).toBe("y");
    expect((await harness.failure("CREATE SCHEMA made")).reason).toBe("duplicate");
    await harness.run("CREATE TABLE made.t (a INT64)");
    expect((await harness.failure("DROP SCHEMA made")).reason).toBe("resourceInUse");
    await harness.run("DROP SCHEMA made CASCADE");
    expect(harness.storage.catalog.getDataset("p", "made")).toBeUndefined();
    expect(await harness.run("DROP SCHEMA IF EXISTS made")).toMatchObject({ ddlOperation: "SKIP" });
  });
});

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets#Dataset */
it("a dataset's default expirations are those of new tables, of partitioned ones the partitions'", async () => {
  await harness.run(
    "CREATE SCHEMA brief OPTIONS(default_table_expiration_days = 2, default_partition_expiration_days = 1)",
  );
  await harness.run("CREATE TABLE brief.plain (a INT64); CREATE TABLE brief.days (d DATE) PARTITION BY d");
  await harness.run("CREATE TABLE brief.long (d DATE) PARTITION BY d OPTIONS(partition_expiration_days = 9)");
  const found = (table: string) => {
    const entry = harness.storage.catalog.getTable({ ...ref(table), datasetId: "brief" });
    return [entry?.expirationTime !== undefined, entry?.partitioning.timePartitioning?.expirationMs];
  };
  expect(found("plain")).toEqual([true, undefined]);
  expect(found("days")).toEqual([false, "86400000"]);
  expect(found("long")).toEqual([false, "777600000"]);
  await harness.run("ALTER TABLE brief.plain SET OPTIONS(expiration_timestamp = NULL)");
  await harness.run("ALTER TABLE brief.days SET OPTIONS(partition_expiration_days = NULL)");
  expect(found("plain")).toEqual([false, undefined]);
  expect(found("days")).toEqual([false, undefined]);
  await harness.run("DROP SCHEMA brief CASCADE");
});

describe("functions", () => {
  it("of SQL are called with their dataset", async () => {
    await harness.run("CREATE OR REPLACE FUNCTION d.plus(x INT64, y INT64) RETURNS INT64 AS (x + y)");
    expect(await harness.rows("SELECT d.plus(1, 2), `p.d.plus`(3, 4)")).toEqual([[3n, 7n]]);
    await harness.run("DROP FUNCTION d.plus");
    expect((await harness.failure("SELECT d.plus(1, 2)")).message).toContain("Function not found");
  });

  it("may read tables", async () => {
    await harness.run("CREATE OR REPLACE TABLE d.numbers AS SELECT x FROM UNNEST([1, 2, 3]) AS x");
    await harness.run(
      "CREATE OR REPLACE FUNCTION d.below(y INT64) AS ((SELECT COUNT(*) FROM d.numbers WHERE x < y))",
    );
    await harness.run(
      "CREATE OR REPLACE TABLE FUNCTION d.above(y INT64) AS (SELECT x FROM d.numbers WHERE x > y)",
    );
    expect(await harness.rows("SELECT d.below(3)")).toEqual([[2n]]);
    expect(await harness.rows("SELECT x FROM d.above(1) ORDER BY x")).toEqual([[2n], [3n]]);
  });
});
