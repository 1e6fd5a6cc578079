import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LiveEndpoint } from "./live.ts";

// https://cloud.google.com/bigquery/docs/reference/rest/v2/routines
let endpoint: LiveEndpoint;
beforeAll(async () => {
  endpoint = await LiveEndpoint.start();
  await endpoint.rows("CREATE TABLE d.t AS SELECT 1 AS n; SELECT 1");
});
afterAll(async () => {
  await endpoint.close();
  expect(endpoint.defects).toEqual([]);
});

const INT64 = { typeKind: "INT64" };
const routine = (routineId: string, definitionBody: string, more: object = {}) => ({
  routineReference: { projectId: "p", datasetId: "d", routineId },
  routineType: "SCALAR_FUNCTION",
  language: "SQL",
  definitionBody,
  ...more,
});
const make = (body: object) => endpoint.ask("POST", "/datasets/d/routines", body);

describe("routines", () => {
  it("are made, used, replaced, shown and deleted", async () => {
    const made = await make(
      routine("twice", "x * 2 -- and nothing else", {
        arguments: [{ name: "x", dataType: INT64 }],
        returnType: INT64,
        description: "doubles",
      }),
    );
    expect(made.body).toMatchObject({
      routineReference: { routineId: "twice" },
      routineType: "SCALAR_FUNCTION",
      language: "SQL",
      arguments: [{ name: "x", dataType: INT64 }],
      returnType: INT64,
      definitionBody: "x * 2 -- and nothing else",
      description: "doubles",
    });
    expect((await endpoint.ask("GET", "/datasets/d/routines/twice")).body).toEqual(made.body);
    expect(await endpoint.rows("SELECT d.twice(21)")).toEqual([["42"]]);
    expect((await make(routine("twice", "1"))).status).toBe(409);
    const changed = routine("twice", "y * 20", { arguments: [{ name: "y", argumentKind: "ANY_TYPE" }] });
    expect((await endpoint.ask("PUT", "/datasets/d/routines/twice", changed)).status).toBe(200);
    expect(await endpoint.rows("SELECT d.twice(1.5)")).toEqual([["30.0"]]);
    expect((await endpoint.ask("DELETE", "/datasets/d/routines/twice")).status).toBe(204);
    expect((await endpoint.ask("PUT", "/datasets/d/routines/twice", changed)).status).toBe(404);
  });

  it("take and give nested types and tables", async () => {
    const point = {
      typeKind: "STRUCT",
      structType: { fields: [{ name: "odd `name", type: { typeKind: "ARRAY", arrayElementType: INT64 } }] },
    };
    await make(
      routine("first", "p.`odd \\`name`[OFFSET(0)]", { arguments: [{ name: "p", dataType: point }] }),
    );
    expect(await endpoint.rows("SELECT d.first(STRUCT([7, 8]))")).toEqual([["7"]]);
    const range = { typeKind: "RANGE", rangeElementType: { typeKind: "DATE" } };
    const start = routine("start_of", "RANGE_START(x)", { arguments: [{ name: "x", dataType: range }] });
    expect((await make(start)).status).toBe(200);
    expect(await endpoint.rows("SELECT d.start_of(RANGE<DATE> '[2016-08-12, UNBOUNDED)')")).toEqual([
      ["2016-08-12"],
    ]);
    const table = routine("more", "SELECT n + x AS m FROM p.d.t", {
      routineType: "TABLE_VALUED_FUNCTION",
      arguments: [{ name: "x", dataType: INT64 }],
    });
    expect((await make(table)).status).toBe(200);
    expect(await endpoint.rows("SELECT m FROM d.more(4)")).toEqual([["5"]]);
  });

  it.each([
    [routine("wrong", "nope + 1"), "Unrecognized name: nope"],
    [routine("wrong", "1); DROP TABLE d.t; SELECT (1"), "more than one expression"],
    [routine("wr/ong", "1"), "Invalid routine ID"],
    [routine("wrong", "1", { routineType: "PROCEDURE" }), "routines of type PROCEDURE made by REST"],
    [routine("wrong", "return 1", { language: "JAVASCRIPT" }), "routines in JAVASCRIPT"],
    [
      routine("wrong", "1", { arguments: [{ name: "x", dataType: { typeKind: "INT64> (x" } }] }),
      "Invalid typeKind",
    ],
    [routine("wrong", "1", { arguments: [{ name: "x" }] }), "has no dataType"],
    [routine("wrong", "1", { remoteFunctionOptions: { endpoint: "x" } }), "remoteFunctionOptions"],
    [{ definitionBody: "1" }, "routineReference"],
    [{ routineReference: { routineId: "x" } }, "definitionBody"],
  ])("are refused: %j", async (body, message) => {
    const { status, body: answer } = await make(body);
    expect(status).toBe(400);
    expect(answer.error.message).toContain(message);
    expect(await endpoint.rows("SELECT COUNT(*) FROM d.t")).toEqual([["1"]]);
    expect((await endpoint.ask("GET", "/datasets/d/routines/wrong")).status).toBe(404);
  });
});
