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

  it("are made in JavaScript too", async () => {
    const FLOAT64 = { typeKind: "FLOAT64" };
    const code = "// It's \"quoted\" \\ `back`\n\treturn x + '\\n'.length;";
    const made = await make(
      routine("plus", code, {
        language: "JAVASCRIPT",
        arguments: [{ name: "x", dataType: FLOAT64 }],
        returnType: FLOAT64,
        determinismLevel: "NOT_DETERMINISTIC",
        importedLibraries: [],
      }),
    );
    const members = {
      language: "JAVASCRIPT",
      arguments: [{ name: "x", dataType: FLOAT64 }],
      returnType: FLOAT64,
      determinismLevel: "NOT_DETERMINISTIC",
      definitionBody: code,
    };
    expect(made.body).toMatchObject(members);
    expect(await endpoint.rows("SELECT d.plus(41)")).toEqual([["42.0"]]);
    await endpoint.rows(
      "CREATE FUNCTION d.js(s STRUCT<a ARRAY<STRING>>) RETURNS STRING LANGUAGE js OPTIONS (description = 'first') AS 'return s.a[0]'",
    );
    expect((await endpoint.ask("GET", "/datasets/d/routines/js")).body).toMatchObject({
      language: "JAVASCRIPT",
      description: "first",
      definitionBody: "return s.a[0]",
      returnType: { typeKind: "STRING" },
      arguments: [
        {
          name: "s",
          dataType: {
            typeKind: "STRUCT",
            structType: {
              fields: [{ name: "a", type: { typeKind: "ARRAY", arrayElementType: { typeKind: "STRING" } } }],
            },
          },
        },
      ],
    });
    expect(
      await endpoint.rows(
        "SELECT routine_name, routine_type, data_type, routine_body, routine_definition, external_language, is_deterministic FROM d.INFORMATION_SCHEMA.ROUTINES WHERE routine_name IN ('plus', 'js') ORDER BY 1",
      ),
    ).toEqual([
      ["js", "FUNCTION", "STRING", "EXTERNAL", "return s.a[0]", "JAVASCRIPT", null],
      ["plus", "FUNCTION", "FLOAT64", "EXTERNAL", code, "JAVASCRIPT", "NO"],
    ]);
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
    [routine("wrong", "return 1", { language: "JAVASCRIPT" }), "must specify a return type"],
    [routine("wrong", "return 1", { language: "PYTHON" }), "routines in PYTHON"],
    [
      routine("wrong", "SELECT 1", { language: "JAVASCRIPT", routineType: "TABLE_VALUED_FUNCTION" }),
      "routines in JAVASCRIPT",
    ],
    [
      routine("wrong", "1", {
        language: "JAVASCRIPT",
        returnType: INT64,
        importedLibraries: ["gs://a/b.js"],
      }),
      "JavaScript libraries",
    ],
    [
      routine("wrong", "1", { language: "JAVASCRIPT", returnType: INT64, determinismLevel: "SOME" }),
      "Invalid determinismLevel",
    ],
    [routine("wrong", "1", { determinismLevel: "DETERMINISTIC" }), "Only JavaScript functions"],
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
