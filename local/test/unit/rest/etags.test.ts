import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LiveEndpoint } from "./live-endpoint.ts";

// https://google.aip.dev/154: a resource's etag, and requests that depend on it.
let endpoint: LiveEndpoint;
beforeAll(async () => {
  endpoint = await LiveEndpoint.start();
  await endpoint.rows("CREATE TABLE d.t (n INT64); CREATE FUNCTION d.f(x INT64) AS (x); SELECT 1");
});
afterAll(async () => {
  await endpoint.close();
  expect(endpoint.defects).toEqual([]);
});

/** Something of each kind, and what changes it. */
const RESOURCES: [path: string, change: () => Promise<unknown>][] = [
  ["/datasets/d", () => endpoint.ask("PATCH", "/datasets/d", { description: "changed" })],
  ["/datasets/d/tables/t", () => endpoint.ask("PATCH", "/datasets/d/tables/t", { description: "changed" })],
  ["/datasets/d/tables/t", () => endpoint.rows("INSERT d.t VALUES (1)")],
  [
    "/datasets/d/tables/t",
    () => endpoint.ask("POST", "/datasets/d/tables/t/insertAll", { rows: [{ json: { n: 2 } }] }),
  ],
  ["/datasets/d/tables/t", () => endpoint.rows("DELETE FROM d.t WHERE n = 1")],
  ["/datasets/d/routines/f", () => endpoint.rows("CREATE OR REPLACE FUNCTION d.f(x INT64) AS (x + 1)")],
];

describe("etags", () => {
  it.each(RESOURCES)("of %s change when it does (%#)", async (path, change) => {
    const before = (await endpoint.ask("GET", path)).body;
    const known = await endpoint.ask("GET", path, undefined, { "if-none-match": before.etag });
    expect([known.status, known.body, known.headers.etag]).toEqual([304, "", `"${before.etag}"`]);
    const listed = await endpoint.ask("GET", path, undefined, {
      "if-none-match": `"other", W/"${before.etag}"`,
    });
    expect(listed.status).toBe(304);
    await change();
    const after = await endpoint.ask("GET", path, undefined, { "if-none-match": before.etag });
    expect([after.status, after.body.etag === before.etag]).toEqual([200, false]);
    const missed = await endpoint.ask("GET", path, undefined, { "if-match": before.etag });
    expect([missed.status, missed.body.error.errors[0].reason]).toEqual([412, "conditionNotMet"]);
    expect((await endpoint.ask("GET", path, undefined, { "if-match": after.body.etag })).status).toBe(200);
  });

  it("stand for lists, jobs and parts of a resource as well", async () => {
    for (const path of ["/datasets", "/datasets/d/tables", "/jobs?maxResults=1", "/datasets/d?fields=id"]) {
      const { headers } = await endpoint.ask("GET", path);
      const again = await endpoint.ask("GET", path, undefined, { "if-none-match": headers.etag as string });
      expect([path, again.status, again.body]).toEqual([path, 304, ""]);
    }
  });

  it("of a routine guard its replacement and its end", async () => {
    const body = { routineReference: { routineId: "g" }, routineType: "SCALAR_FUNCTION", language: "SQL" };
    const made = (await endpoint.ask("POST", "/datasets/d/routines", { ...body, definitionBody: "1" })).body;
    const put = (definitionBody: string) =>
      endpoint.ask("PUT", "/datasets/d/routines/g", { ...body, definitionBody }, { "if-match": made.etag });
    // Of two that saw the same, one is too late.
    const answers = await Promise.all([put("2"), put("3")]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
    const winner = answers.find(({ status }) => status === 200)?.body;
    expect((await endpoint.ask("GET", "/datasets/d/routines/g")).body).toEqual(winner);
    const remove = (etag: string) =>
      endpoint.ask("DELETE", "/datasets/d/routines/g", undefined, { "if-match": etag });
    expect((await remove(made.etag)).status).toBe(412);
    expect((await remove(winner.etag)).status).toBe(204);
  });
});
