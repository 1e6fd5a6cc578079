import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
  await harness.run(
    "CREATE TABLE d.t (day DATE, x INT64) PARTITION BY day; INSERT d.t VALUES ('2026-01-01', 1), ('2026-01-02', 2)",
  );
});
afterAll(() => harness.close());

// https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobStatistics2.FIELDS.undeclared_query_parameters
describe("a dry run without the parameters of its query", () => {
  it("tells their names and types, and counts all partitions", async () => {
    const sql = "SELECT x FROM d.t WHERE day = @day AND x > @least AND x < @least + 5";
    const outcome = await harness.run(sql, { dryRun: true });
    expect(outcome.undeclaredParameters).toEqual([
      { name: "day", type: { kind: "DATE" } },
      { name: "least", type: { kind: "INT64" } },
    ]);
    expect(outcome.bytesProcessed).toBe(32);
  });

  it("tells a RANGE with its element", async () => {
    const sql = "SELECT @r = RANGE<DATE> '[2020-01-01, UNBOUNDED)'";
    expect((await harness.run(sql, { dryRun: true })).undeclaredParameters).toEqual([
      { name: "r", type: { kind: "RANGE", element: { kind: "DATE" } } },
    ]);
  });

  it("tells those by position in their order", async () => {
    const sql = "SELECT x FROM d.t WHERE day = ? AND x IN UNNEST(?)";
    const outcome = await harness.run(sql, { dryRun: true, parameters: [] });
    expect(outcome.undeclaredParameters).toEqual([
      { type: { kind: "DATE" } },
      { type: { kind: "ARRAY", element: { kind: "INT64" } } },
    ]);
  });

  it("is no leave to run it, and tells nothing where none is missing", async () => {
    expect((await harness.failure("SELECT @x + 1")).message).toMatch(/^Query parameter 'x' not found/);
    const given = new Map([["x", { type: { kind: "INT64" as const }, value: 1n }]]);
    const outcome = await harness.run("SELECT @x + 1", { dryRun: true, parameters: given });
    expect(outcome.undeclaredParameters).toBe(undefined);
  });
});
