import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { tableResource } from "../../../src/routes/table-resource.ts";
import { Harness, ref } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.close());

beforeEach(async () => {
  await harness.run("DROP SNAPSHOT TABLE IF EXISTS d.kept; CREATE OR REPLACE TABLE d.t AS SELECT 1 AS x");
  await harness.run(
    "CREATE SNAPSHOT TABLE d.kept CLONE d.t OPTIONS (expiration_timestamp = TIMESTAMP '2999-01-01 00:00:00+00')",
  );
});

// https://cloud.google.com/bigquery/docs/table-snapshots-intro
describe("a snapshot", () => {
  test("stays as the table was", async () => {
    await harness.run("INSERT d.t VALUES (2); ALTER TABLE d.t ADD COLUMN y INT64");
    expect(await harness.rows("SELECT * FROM d.kept")).toEqual([[1n]]);
    await harness.run("DROP TABLE d.t");
    expect(await harness.rows("SELECT * FROM d.kept")).toEqual([[1n]]);
  });

  test.each([
    "INSERT d.kept VALUES (2)",
    "UPDATE d.kept SET x = 2 WHERE TRUE",
    "DELETE d.kept WHERE TRUE",
    "TRUNCATE TABLE d.kept",
    "MERGE d.kept USING (SELECT 1 AS x) s ON FALSE WHEN NOT MATCHED THEN INSERT ROW",
    "ALTER TABLE d.kept ADD COLUMN y INT64",
    "CREATE OR REPLACE TABLE d.kept AS SELECT 2 AS x",
  ])("is not changed by %s", async (sql) => {
    const { reason, message } = await harness.failure(sql);
    expect([reason, message]).toEqual([
      "invalidQuery",
      "p:d.kept is not allowed for this operation because it is currently a SNAPSHOT.",
    ]);
    expect(await harness.rows("SELECT * FROM d.kept")).toEqual([[1n]]);
  });

  test("is no destination of a query", async () => {
    const failure = await harness.failure("SELECT 2 AS x", {
      destinationTable: ref("kept"),
      writeDisposition: "WRITE_TRUNCATE",
    });
    expect(failure.message).toBe("Cannot write to p:d.kept: it is a SNAPSHOT");
  });

  test("is dropped as what it is", async () => {
    expect((await harness.failure("DROP TABLE d.kept")).message).toMatch("which has type SNAPSHOT");
    expect((await harness.failure("DROP SNAPSHOT TABLE d.t")).message).toMatch("which has type TABLE");
    await harness.run("DROP SNAPSHOT TABLE d.kept");
    expect((await harness.failure("SELECT * FROM d.kept")).reason).toBe("notFound");
  });

  test("is there once", async () => {
    expect((await harness.failure("CREATE SNAPSHOT TABLE d.kept CLONE d.t")).reason).toBe("duplicate");
    const skipped = await harness.run("CREATE SNAPSHOT TABLE IF NOT EXISTS d.kept CLONE d.t");
    expect([skipped.statementType, skipped.ddlOperation]).toEqual(["CREATE_SNAPSHOT_TABLE", "SKIP"]);
  });

  test("gives its rows back", async () => {
    await harness.run(
      "DELETE d.t WHERE TRUE; CREATE OR REPLACE TABLE d.t CLONE d.kept; INSERT d.t VALUES (3)",
    );
    expect(await harness.rows("SELECT x FROM d.t ORDER BY x")).toEqual([[1n], [3n]]);
  });

  // https://cloud.google.com/bigquery/docs/information-schema-tables and rest/v2/tables
  test("and a clone say what they were made of", async () => {
    await harness.run("CREATE OR REPLACE TABLE d.twin CLONE d.t");
    const columns =
      "table_name, table_type, is_insertable_into, base_table_name, snapshot_time_ms IS NOT NULL";
    expect(await harness.rows(`SELECT ${columns} FROM d.INFORMATION_SCHEMA.TABLES ORDER BY 1`)).toEqual([
      ["kept", "SNAPSHOT", "NO", "t", true],
      ["t", "BASE TABLE", "YES", null, false],
      ["twin", "CLONE", "YES", "t", false],
    ]);
    const base = { projectId: "p", datasetId: "d", tableId: "t" };
    const shown = (tableId: string) => {
      const entry = harness.storage.catalog.getTable(ref(tableId));
      return entry && tableResource(entry, { lastModified: 0 }, "");
    };
    expect(shown("kept")).toMatchObject({
      type: "SNAPSHOT",
      snapshotDefinition: { baseTableReference: base },
    });
    expect(shown("twin")).toMatchObject({ type: "TABLE", cloneDefinition: { baseTableReference: base } });
  });
});
