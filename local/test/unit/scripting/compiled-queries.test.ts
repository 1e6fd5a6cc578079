import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { CompileContext } from "../../../src/compiler/context.ts";
import type { AnalyzedStatement } from "../../../src/googlesql/analyzed-statement.ts";
import { Analyzer } from "../../../src/googlesql/analyzer.ts";
import { GoogleSqlClient } from "../../../src/googlesql/client.ts";
import { createFixedSource } from "../../../src/googlesql/source.ts";
import { CompiledQueries } from "../../../src/scripting/compiled-queries.ts";
import { LiveSource } from "../../../src/scripting/live-source.ts";
import { openStorage, type Storage } from "../../../src/storage/storage.ts";
import { Harness } from "./harness.ts";

describe("a compiled query", () => {
  let analyzer: Analyzer;
  let storage: Storage;

  beforeAll(async () => {
    analyzer = new Analyzer();
    storage = await openStorage({ prepare: () => undefined });
  });
  afterAll(async () => {
    await analyzer.close();
    await storage.close();
  });

  const analyze = (sql: string): Promise<AnalyzedStatement> =>
    analyzer.analyzeStatement(sql, {
      source: createFixedSource([], { project: "p", dataset: "d" }),
      variables: new Map([["v", { kind: "INT64" }]]),
      parameters: new Map(),
      defaultProject: "p",
    });

  const contextOf = (analyzed: AnalyzedStatement, asValue = false): CompileContext => ({
    defaultProject: "p",
    now: 1n,
    text: analyzed.text,
    asValue,
    physicalTable: () => {
      throw new Error("no tables");
    },
    expandView: () => undefined,
    routine: () => undefined,
    javaScriptCall: () => 1,
    variable: () => ({ type: { kind: "INT64" }, value: 1n }),
    parameter: () => undefined,
    systemVariable: () => ({ type: { kind: "STRING" }, value: "UTC" }),
  });

  it.each([
    ["SELECT 1 + 1 AS n", true],
    ["SELECT v AS n", false],
    ["SELECT CURRENT_TIMESTAMP() AS n", false],
    ["SELECT @@time_zone AS n", false],
  ])("%s is kept: %s", async (sql, isKept) => {
    const analyzed = await analyze(sql);
    const source = new LiveSource(storage.catalog, {} as ConstructorParameters<typeof LiveSource>[1]);
    const queries = new CompiledQueries();
    const compile = (asValue = false) => queries.compile(analyzed, source, contextOf(analyzed, asValue));
    const first = compile();
    expect(compile() === first).toBe(isKept);
    expect(compile(true)).not.toBe(first);
  });
});

describe("a query asked again", () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await Harness.start();
  });
  afterAll(() => harness.close());

  const cells = async (sql: string): Promise<unknown> => (await harness.rows(sql)).flat();

  it.each([
    ["rows", "INSERT p.d.t VALUES (2)", [1n, 2n]],
    ["a table made anew", "CREATE OR REPLACE TABLE p.d.t AS SELECT 7 AS n", [7n]],
    ["a type", "CREATE OR REPLACE TABLE p.d.t AS SELECT 'x' AS n", ["x"]],
    ["a view in the table's place", "DROP TABLE p.d.t; CREATE VIEW p.d.t AS SELECT 5 AS n", [5n]],
  ])("sees %s that changed in between", async (_, change, expected) => {
    await harness.run(
      "DROP VIEW IF EXISTS p.d.v; DROP TABLE IF EXISTS p.d.t; CREATE TABLE p.d.t AS SELECT 1 AS n",
    );
    const sql = "SELECT n FROM p.d.t ORDER BY n";
    expect(await cells(sql)).toEqual([1n]);
    expect(await cells(sql)).toEqual([1n]);
    await harness.run(change);
    expect(await cells(sql)).toEqual(expected);
  });

  it("sees that its table is partitioned by ingestion from now on, and no longer", async () => {
    const sql = "SELECT COUNT(_PARTITIONTIME) FROM p.d.ingested";
    const create = "CREATE OR REPLACE TABLE p.d.ingested (n INT64)";
    await harness.run(create);
    await expect(harness.run(sql)).rejects.toThrow("_PARTITIONTIME");
    await harness.run(`${create} PARTITION BY _PARTITIONDATE`);
    expect(await cells(sql)).toEqual([0n]);
    await harness.run(create);
    await expect(harness.run(sql)).rejects.toThrow("_PARTITIONTIME");
  });

  it("is not analyzed again where its table was made anew with the same columns", async () => {
    const calls = vi.spyOn(GoogleSqlClient.prototype, "callOnce");
    const analyses = (): number => calls.mock.calls.filter(([method]) => method === "analyze").length;
    try {
      const create = "CREATE OR REPLACE TABLE p.d.anew (n INT64)";
      const sql = "SELECT n + 1 FROM p.d.anew";
      await harness.run(create);
      await harness.run(sql);
      await harness.run(create);
      const before = analyses();
      await harness.run(sql);
      expect(analyses()).toBe(before);
      await harness.run("CREATE OR REPLACE TABLE p.d.anew (n FLOAT64)");
      await harness.run(sql);
      expect(analyses()).toBeGreaterThan(before);
    } finally {
      calls.mockRestore();
    }
  });

  it("sees a filter that its table began to require", async () => {
    await harness.run("CREATE TABLE p.d.days (day DATE) PARTITION BY day");
    const sql = "SELECT day FROM p.d.days";
    expect(await cells(sql)).toEqual([]);
    await harness.run("ALTER TABLE p.d.days SET OPTIONS (require_partition_filter = TRUE)");
    await expect(harness.run(sql)).rejects.toThrow("without a filter");
  });

  it("sees what a transaction changed, and what its end took back", async () => {
    const sql = "SELECT n FROM p.d.back ORDER BY n";
    await harness.run("CREATE TABLE p.d.back AS SELECT 1 AS n");
    expect(await cells(sql)).toEqual([1n]);
    await harness.run(`BEGIN TRANSACTION; INSERT p.d.back VALUES (2); ${sql}; ROLLBACK TRANSACTION`);
    expect(await cells(sql)).toEqual([1n]);
  });
});
