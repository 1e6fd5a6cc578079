import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Harness } from "./harness.ts";

/** More than the thousand levels that DuckDB's expressions may nest. */
const COLUMNS = 1200;

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
  const columns = Array.from({ length: COLUMNS }, (_, index) => `c${index} INT64`);
  await harness.run(`CREATE TABLE d.wide (${columns.join(", ")})`);
  await harness.run("INSERT INTO d.wide (c0, c1) VALUES (1, 2)");
});
afterAll(() => harness.close());

describe("a table of more than a thousand columns", () => {
  it.each([
    ["__TABLES__", "SELECT row_count, size_bytes FROM d.__TABLES__", [[1n, 16n]]],
    [
      "TABLE_STORAGE",
      "SELECT total_rows, total_logical_bytes FROM d.INFORMATION_SCHEMA.TABLE_STORAGE",
      [[1n, 16n]],
    ],
  ])("has its size in %s", async (_, sql, rows) => {
    expect(await harness.rows(sql)).toEqual(rows);
  });
});
