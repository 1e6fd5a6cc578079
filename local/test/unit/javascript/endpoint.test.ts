import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { LiveEndpoint } from "../rest/live-endpoint.ts";

const folder = mkdtempSync(path.join(tmpdir(), "javascript-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("with a data file, functions in JavaScript outlive the server", async () => {
  const dataFile = path.join(folder, "functions.duckdb");
  const first = await LiveEndpoint.start({ dataFile });
  await first.rows(
    "CREATE FUNCTION d.f(x FLOAT64) RETURNS STRUCT<y FLOAT64> DETERMINISTIC LANGUAGE js AS r'return { y: x + \"\\n\".length }'; CREATE VIEW d.v AS SELECT d.f(1).y AS y",
  );
  const shown = (await first.ask("GET", "/datasets/d/routines/f")).body;
  await first.close();

  const second = await LiveEndpoint.start({ dataFile });
  expect((await second.ask("GET", "/datasets/d/routines/f")).body).toEqual(shown);
  expect(await second.rows("SELECT y, d.f(y).y AS z FROM d.v")).toEqual([["2.0", "3.0"]]);
  expect(second.defects).toEqual([]);
  await second.close();
});

it("a job that runs one can be cancelled, by request or by its time limit", async () => {
  const endpoint = await LiveEndpoint.start();
  const query = `CREATE TEMP FUNCTION f() RETURNS STRING LANGUAGE js AS "while (true) {}"; SELECT f()`;
  const configuration = { query: { query, useLegacySql: false } };
  await endpoint.ask("POST", "/jobs", { configuration, jobReference: { jobId: "endless" } });
  expect(await endpoint.rows("SELECT 1")).toEqual([["1"]]);
  await endpoint.ask("POST", "/jobs/endless/cancel");
  const cancelled = await endpoint.ask("GET", "/queries/endless?timeoutMs=60000");
  expect(cancelled.body.error.message).toContain("cancelled");
  const limited = await endpoint.job({ ...configuration, jobTimeoutMs: "200" });
  expect(limited.status.errorResult.message).toContain("timed out");
  expect(endpoint.defects).toEqual([]);
  await endpoint.close();
});

it("a session goes on after a cancelled function, with those it has", async () => {
  const endpoint = await LiveEndpoint.start();
  const create = `CREATE TEMP FUNCTION f(n FLOAT64) RETURNS FLOAT64 LANGUAGE js AS "while (n > 1) {} return n"; SELECT f(1)`;
  const first = await endpoint.job({ query: { query: create, useLegacySql: false, createSession: true } });
  const { sessionId } = first.statistics.sessionInfo;
  const inSession = (query: string) => ({
    query: { query, useLegacySql: false, connectionProperties: [{ key: "session_id", value: sessionId }] },
  });
  await endpoint.job(inSession("CREATE TEMP FUNCTION g(n FLOAT64) AS (f(n) + 1)"));
  const jobReference = { jobId: "endless" };
  await endpoint.ask("POST", "/jobs", { configuration: inSession("SELECT f(2)"), jobReference });
  await endpoint.ask("POST", "/jobs/endless/cancel");
  await endpoint.ask("GET", "/queries/endless?timeoutMs=60000");
  const { query } = inSession("SELECT g(1)");
  expect(await endpoint.rows(query.query, query)).toEqual([["2.0"]]);
  expect(endpoint.defects).toEqual([]);
  await endpoint.close();
});

it("what a function leaves behind that fails or is stopped is nobody's problem: the next call works, and nothing is said on stderr", async () => {
  const said: string[] = [];
  const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said.push(String(text));
    return true;
  });
  const endpoint = await LiveEndpoint.start();
  const call = (body: string): string =>
    `CREATE TEMP FUNCTION f(x FLOAT64) RETURNS STRING LANGUAGE js AS r"""${body}"""; SELECT f(1)`;
  const failing = [
    "function g(n) { return g(n + 1) + 1 } return g(0)",
    "return new Promise((resolve) => { globalThis.kept = [resolve, globalThis] })",
  ];
  for (const body of failing) {
    await expect(endpoint.rows(call(body)), body).rejects.toThrow();
    expect(await endpoint.rows(call("return 'well'")), body).toEqual([["well"]]);
  }
  const endless = { query: { query: call("const a = []; for (;;) a[0] = { a }"), useLegacySql: false } };
  expect(await endpoint.failure({ ...endless, jobTimeoutMs: "300" })).toContain("timed out");
  expect(await endpoint.rows(call("return 'well'"))).toEqual([["well"]]);
  await endpoint.close();
  spy.mockRestore();
  expect(said.join("")).toBe("");
});
