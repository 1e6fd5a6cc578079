import { afterAll, beforeAll, expect, it } from "vitest";
import { LiveEndpoint } from "./live-endpoint.ts";

let endpoint: LiveEndpoint;
beforeAll(async () => {
  endpoint = await LiveEndpoint.start();
  await endpoint.rows(`
    CREATE TABLE d.t AS SELECT 1 AS x;
    CREATE MATERIALIZED VIEW d.by_sql OPTIONS (enable_refresh = FALSE, refresh_interval_minutes = 60)
    AS SELECT x, COUNT(*) AS n FROM d.t GROUP BY x;
    SELECT 1`);
});
afterAll(async () => {
  await endpoint.close();
  expect(endpoint.defects).toEqual([]);
});

const query = "SELECT x, COUNT(*) AS n FROM d.t GROUP BY x";
const shown = async (tableId: string) => (await endpoint.ask("GET", `/datasets/d/tables/${tableId}`)).body;

// https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#MaterializedViewDefinition; dbt reads every member.
it("a materialized view tells its options, or their defaults", async () => {
  const body = await shown("by_sql");
  expect(body.materializedView).toEqual({ query, enableRefresh: false, refreshIntervalMs: "3600000" });
  expect(body).not.toHaveProperty("enableRefresh");
  expect(body).not.toHaveProperty("refreshIntervalMinutes");
  const plain = { tableReference: { tableId: "plain" }, materializedView: { query } };
  const { materializedView } = (await endpoint.ask("POST", "/datasets/d/tables", plain)).body;
  expect(materializedView).toEqual({ query, enableRefresh: true, refreshIntervalMs: "1800000" });
});

it("takes its options by REST, and keeps those that a patch does not name", async () => {
  const options = { refreshIntervalMs: "7200000", allowNonIncrementalDefinition: true };
  await endpoint.ask("POST", "/datasets/d/tables", {
    tableReference: { tableId: "by_rest" },
    materializedView: { query, ...options },
  });
  expect((await shown("by_rest")).materializedView).toEqual({ query, enableRefresh: true, ...options });
  await endpoint.ask("PATCH", "/datasets/d/tables/by_rest", {
    description: "changed",
    materializedView: { enableRefresh: false },
  });
  expect((await shown("by_rest")).materializedView).toEqual({ query, enableRefresh: false, ...options });
});

// https://cloud.google.com/bigquery/docs/reference/system-procedures#bqrefresh_materialized_view
it("has nothing to refresh, but must be there", async () => {
  const call = (argument: string) =>
    endpoint.failure({ query: { query: `CALL BQ.REFRESH_MATERIALIZED_VIEW(${argument})` } });
  expect(await call("'p.d.by_sql'")).toBeUndefined();
  expect(await call("'d.by_sql'")).toBeUndefined();
  expect(await call("'p.d.t'")).toContain("p:d.t is not a materialized view");
  expect(await call("'p.d.nope'")).toContain("Not found: Table p:d.nope");
  expect(await call("NULL")).toContain("needs the name of a view");
  expect(await call("")).toContain("takes 1 argument");
});
