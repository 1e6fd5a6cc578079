import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { field, Harness } from "./harness.ts";

/** More than the thousand levels that DuckDB's expressions may nest. */
const COLUMNS = 1200;
/** As many as BigQuery's tables may have: https://cloud.google.com/bigquery/quotas#all_tables */
const MOST = 10_000;

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
  await harness.table("wide", fields(COLUMNS));
  await harness.run("INSERT INTO d.wide (c0, c1) VALUES (1, 2)");
});
afterAll(() => harness.close());

function fields(count: number) {
  return Array.from({ length: count }, (_, index) => field(`c${index}`, "INTEGER"));
}

/** The time of this process that the work takes, in milliseconds. */
async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe("a table of more than a thousand columns", () => {
  it.each([
    ["__TABLES__", "SELECT row_count, size_bytes FROM d.__TABLES__ WHERE table_id = 'wide'", [[1n, 16n]]],
    [
      "TABLE_STORAGE",
      "SELECT total_rows, total_logical_bytes FROM d.INFORMATION_SCHEMA.TABLE_STORAGE WHERE table_name = 'wide'",
      [[1n, 16n]],
    ],
  ])("has its size in %s", async (_, sql, rows) => {
    expect(await harness.rows(sql)).toEqual(rows);
  });

  it("is read, changed and copied like any other", async () => {
    await harness.run("CREATE TABLE d.copy AS SELECT * FROM d.wide");
    await harness.run("UPDATE d.copy SET c2 = 3 WHERE c0 = 1");
    await harness.run(
      "MERGE d.copy AS t USING (SELECT * REPLACE (c0 + 1 AS c0) FROM d.wide) AS s ON t.c0 = s.c0 WHEN NOT MATCHED THEN INSERT ROW",
    );
    await harness.run("DELETE FROM d.copy WHERE c0 = 1");
    const [row] = await harness.rows("SELECT * FROM d.copy");
    expect(row?.length).toBe(COLUMNS);
    expect(row?.slice(0, 4)).toEqual([2n, 2n, null, null]);
    expect(
      await harness.rows("SELECT row_count, size_bytes FROM d.__TABLES__ WHERE table_id = 'copy'"),
    ).toEqual([[1n, 16n]]);
  });
});

describe("the work for a statement", () => {
  it("grows with the columns of its tables, and not with their square", async () => {
    for (const count of [MOST / 10, MOST]) await harness.table(`all${count}`, fields(count));
    const merge = (count: number) =>
      timeOf(() =>
        harness.run(
          `MERGE d.all${count} AS t USING d.all${count} AS s ON t.c0 = s.c0 WHEN MATCHED THEN UPDATE SET c1 = s.c1 WHEN NOT MATCHED THEN INSERT ROW`,
          { dryRun: true },
        ),
      );
    // In turn, so that whatever else the machine does meets both.
    let [few, many] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let run = 0; run < 6; run++) {
      few = Math.min(few, await merge(MOST / 10));
      many = Math.min(many, await merge(MOST));
    }
    expect(many / few).toBeLessThan(25);
  });
});
