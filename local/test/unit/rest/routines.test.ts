import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LiveEndpoint } from "./live-endpoint.ts";

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

  it("that SQL made tell what they take and give, and may be written back", async () => {
    await endpoint.rows(`
      CREATE FUNCTION d.declared(x INT64, y ARRAY<STRUCT<a STRING, b NUMERIC>>) RETURNS FLOAT64 AS (x /* as is */ * 2.5);
      CREATE FUNCTION d.any_type(x ANY TYPE) AS (x);
      CREATE AGGREGATE FUNCTION d.total(x INT64, k INT64 NOT AGGREGATE) AS (SUM(x) * k);
      CREATE TABLE FUNCTION d.rows(x INT64) RETURNS TABLE<y INT64> AS SELECT x AS y;
      CREATE PROCEDURE d.doing(a INT64, OUT b STRING, INOUT c ARRAY<INT64>) BEGIN SET b = 'done'; END;
      CREATE PROCEDURE d.unchecked() OPTIONS (strict_mode = FALSE) BEGIN SELECT * FROM nowhere; END;
      SELECT 1`);
    const shown = async (id: string) => (await endpoint.ask("GET", `/datasets/d/routines/${id}`)).body;
    const pair = {
      fields: [
        { name: "a", type: { typeKind: "STRING" } },
        { name: "b", type: { typeKind: "NUMERIC" } },
      ],
    };
    const pairs = { typeKind: "ARRAY", arrayElementType: { typeKind: "STRUCT", structType: pair } };
    const declared = await shown("declared");
    expect(declared).toMatchObject({
      arguments: [
        { name: "x", dataType: INT64 },
        { name: "y", dataType: pairs },
      ],
      returnType: { typeKind: "FLOAT64" },
      definitionBody: "x /* as is */ * 2.5",
    });
    expect(await shown("any_type")).toMatchObject({ arguments: [{ name: "x", argumentKind: "ANY_TYPE" }] });
    expect((await shown("total")).arguments).toEqual([
      { name: "x", dataType: INT64 },
      { name: "k", dataType: INT64, isAggregate: false },
    ]);
    const rows = await shown("rows");
    expect(rows.returnTableType).toEqual({ columns: [{ name: "y", type: INT64 }] });
    expect(await shown("doing")).toMatchObject({
      arguments: [
        { name: "a", mode: "IN" },
        { name: "b", mode: "OUT" },
        { name: "c", mode: "INOUT" },
      ],
      definitionBody: "BEGIN SET b = 'done'; END",
    });
    expect((await shown("unchecked")).definitionBody).toBeUndefined();
    for (const routine of [declared, rows]) {
      const path = `/datasets/d/routines/${routine.routineReference.routineId}`;
      expect((await endpoint.ask("PUT", path, routine)).body.definitionBody).toBe(routine.definitionBody);
    }
    expect(await endpoint.rows("SELECT d.declared(2, []), (SELECT y FROM d.rows(3))")).toEqual([
      ["5.0", "3"],
    ]);
    const columns = "specific_name, ordinal_position, parameter_mode, is_result, parameter_name, data_type";
    expect(
      await endpoint.rows(
        `SELECT ${columns} FROM d.INFORMATION_SCHEMA.PARAMETERS WHERE specific_name IN ('declared', 'any_type', 'doing', 'rows') ORDER BY 1, 2`,
      ),
    ).toEqual([
      ["any_type", "0", null, "YES", null, null],
      ["any_type", "1", null, "NO", "x", "ANY TYPE"],
      ["declared", "0", null, "YES", null, "FLOAT64"],
      ["declared", "1", null, "NO", "x", "INT64"],
      ["declared", "2", null, "NO", "y", "ARRAY<STRUCT<a STRING, b NUMERIC>>"],
      ["doing", "1", "IN", "NO", "a", "INT64"],
      ["doing", "2", "OUT", "NO", "b", "STRING"],
      ["doing", "3", "INOUT", "NO", "c", "ARRAY<INT64>"],
      ["rows", "1", null, "NO", "x", "INT64"],
    ]);
  });

  it("may come with options that say nothing", async () => {
    const unset = {
      importedLibraries: [],
      determinismLevel: "DETERMINISM_LEVEL_UNSPECIFIED",
      strictMode: null,
    };
    expect((await make(routine("plain", "1", unset))).status).toBe(200);
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
