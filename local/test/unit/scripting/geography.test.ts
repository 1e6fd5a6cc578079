import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { QueryRequest } from "../../../src/jobs/ports.ts";
import { Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.close());

async function value(expression: string, request: Partial<QueryRequest> = {}): Promise<unknown> {
  return (await harness.rows(`SELECT ${expression}`, request))[0]?.[0];
}

async function refusal(expression: string, request: Partial<QueryRequest> = {}): Promise<string> {
  const { message } = await harness.failure(`SELECT ${expression}`, request);
  return message.replace("Not supported by the local BigQuery endpoint: ", "refused: ");
}

const LINE = "ST_GEOGFROMTEXT('LINESTRING(1 1, 2 1, 3 2, 3 3)')";
const NOTHING = "ST_GEOGFROMTEXT('POINT EMPTY')";

// https://cloud.google.com/bigquery/docs/reference/standard-sql/geography_functions
describe("GEOGRAPHY", () => {
  test.each([
    ["ST_GEOGFROMTEXT('linestring ( 1 1, 3 2.50 )', oriented => TRUE)", "LINESTRING(1 1, 3 2.5)"],
    ["ST_GEOGFROMTEXT('LINESTRING(1 1, 1 1, 3 2)')", "LINESTRING(1 1, 3 2)"],
    ["ST_GEOGFROMTEXT('LINESTRING(1 1, 1 1)')", "POINT(1 1)"],
    ["ST_GEOGFROMTEXT('LINESTRING(0 0, 1 0, 2 0, 3 0)')", "LINESTRING(0 0, 1 0, 2 0, 3 0)"],
    ["ST_GEOGFROMTEXT('LINESTRING(0 1, 4 3, 2 6, 0 1)')", "LINESTRING(0 1, 4 3, 2 6, 0 1)"],
    ["ST_GEOGFROMTEXT('MULTIPOINT((1 2))')", "POINT(1 2)"],
    ["ST_GEOGFROMTEXT('MULTIPOLYGON EMPTY')", "GEOMETRYCOLLECTION EMPTY"],
    ["ST_GEOGFROM('010100000000000000000000400000000000001040')", "POINT(2 4)"],
    ["ST_GEOGFROM(FROM_HEX('010100000000000000000000400000000000001040'))", "POINT(2 4)"],
    ["ST_GEOGFROMWKB(FROM_HEX('000000000140000000000000004010000000000000'))", "POINT(2 4)"],
    [
      "ST_GEOGFROMWKB('010200000002000000feffffffffffef3f000000000000f03f01000000000008400000000000000040')",
      "LINESTRING(1 1, 3 2)",
    ],
    [`ST_GEOGFROM(' {"type": "Point", "coordinates": [2, -0.5]}')`, "POINT(2 -0.5)"],
    [`ST_GEOGFROMGEOJSON('{"type": "Point", "coordinates": []}')`, "GEOMETRYCOLLECTION EMPTY"],
    ["ST_MAKELINE(ST_GEOGPOINT(1, 2), ST_GEOGPOINT(2, 3))", "LINESTRING(1 2, 2 3)"],
    ["ST_MAKELINE([ST_GEOGPOINT(1, 2), ST_GEOGPOINT(1, 2)])", "POINT(1 2)"],
    [
      "ST_MAKELINE([ST_MAKELINE(ST_GEOGPOINT(1, 2), ST_GEOGPOINT(2, 3)), ST_GEOGPOINT(2, 3), ST_GEOGPOINT(3, 4)])",
      "LINESTRING(1 2, 2 3, 3 4)",
    ],
    ["ST_MAKELINE([ST_GEOGPOINT(1, 2), NULL])", null],
    ["ST_GEOHASH(ST_GEOGPOINT(-122.35, 47.62), 10)", "c22yzugqw7"],
    ["LENGTH(ST_GEOHASH(ST_GEOGPOINT(-122.35, 47.62), 21))", 20n],
    [`ST_GEOHASH(${NOTHING})`, null],
    ["ST_GEOGPOINTFROMGEOHASH('9q')", "POINT(-118.125 36.5625)"],
    ["ST_ASGEOJSON(ST_GEOGPOINT(1, 2.5))", '{ "type": "Point", "coordinates": [1, 2.5] }'],
    [`ST_POINTN(${LINE}, 2)`, "POINT(2 1)"],
    [`ST_POINTN(${LINE}, -2)`, "POINT(3 2)"],
    [`ST_STARTPOINT(${LINE})`, "POINT(1 1)"],
    [`ST_ENDPOINT(${LINE})`, "POINT(3 3)"],
    [`SAFE.ST_POINTN(${LINE}, 5)`, null],
    ["SAFE.ST_STARTPOINT(ST_GEOGPOINT(1, 2))", null],
    [`ST_DUMP(${LINE}, 1)`, ["LINESTRING(1 1, 2 1, 3 2, 3 3)"]],
    [`ST_DUMP(${LINE}, 0)`, []],
    [`ST_DUMP(${NOTHING})`, []],
    ["ST_EQUALS(ST_GEOGPOINT(1, 2), ST_GEOGFROMTEXT('POINT(1 2)'))", true],
    ["ST_EQUALS(ST_GEOGPOINT(1, 2), ST_GEOGPOINT(1, 3))", false],
    [`ST_EQUALS(${NOTHING}, ST_GEOGFROMTEXT('POLYGON EMPTY'))`, true],
    [`ST_EQUALS(${NOTHING}, ST_GEOGPOINT(1, 3))`, false],
    [`SAFE.ST_X(${NOTHING})`, null],
    ["ST_NPOINTS(ST_GEOGPOINT(1, 2))", 1n],
  ])("%s", async (expression, expected) => {
    expect(await value(expression)).toEqual(expected);
  });

  test("what it is made of", async () => {
    const shapes = [
      "POINT(5 0)",
      "LINESTRING(0 1, 4 3, 2 6, 0 1)",
      "LINESTRING(2 6, 1 3, 3 9)",
      "LINESTRING EMPTY",
    ];
    const rows = await harness.rows(
      `SELECT ST_GEOMETRYTYPE(g), ST_DIMENSION(g), ST_ISEMPTY(g), ST_ISCOLLECTION(g), ST_NUMPOINTS(g), ST_NUMGEOMETRIES(g), ST_ISCLOSED(g), ST_ISRING(g)
       FROM (SELECT ST_GEOGFROMTEXT(wkt) AS g, i FROM UNNEST(['${shapes.join("', '")}']) wkt WITH OFFSET i) ORDER BY i`,
    );
    expect(rows).toEqual([
      ["ST_Point", 0n, false, false, 1n, 1n, true, false],
      ["ST_LineString", 1n, false, false, 4n, 1n, true, true],
      ["ST_LineString", 1n, false, false, 3n, 1n, false, false],
      ["ST_GeometryCollection", -1n, true, false, 0n, 0n, false, false],
    ]);
  });

  test("points cover and meet each other where they are one", async () => {
    const [one, other, nothing] = ["ST_GEOGPOINT(1, 2)", "ST_GEOGPOINT(1, 3)", NOTHING];
    for (const name of ["CONTAINS", "COVERS", "COVEREDBY", "WITHIN", "INTERSECTS", "EQUALS"]) {
      const calls = [other, nothing, one].map((each) => `ST_${name}(${one}, ${each})`);
      expect(await harness.rows(`SELECT ${calls.join(", ")}`), name).toEqual([[false, false, true]]);
    }
    expect(
      await harness.rows(
        `SELECT ST_DISJOINT(${one}, ${one}), ST_DISJOINT(${one}, ${nothing}), ST_TOUCHES(${one}, ${one}), ST_INTERSECTS(${nothing}, ${nothing})`,
      ),
    ).toEqual([[false, true, false, false]]);
  });

  test.each([
    ["ST_INTERSECTSBOX(ST_GEOGPOINT(10, 10), -90, 0, 90, 20)", true],
    ["ST_INTERSECTSBOX(ST_GEOGPOINT(170, 10), -90, 0, 90, 20)", false],
    ["ST_INTERSECTSBOX(ST_GEOGPOINT(30, 30), -90, 0, 90, 20)", false],
    ["ST_INTERSECTSBOX(ST_GEOGPOINT(10, 10), 90, 0, -90, 20)", false],
    ["ST_INTERSECTSBOX(ST_GEOGPOINT(170, 10), 90, 0, -90, 20)", true],
    ["ST_INTERSECTSBOX(ST_GEOGPOINT(-170, 10), 170, 0, 200, 20)", true],
    [`ST_INTERSECTSBOX(${NOTHING}, -90, 0, 90, 20)`, false],
    ["ST_AREA(ST_GEOGFROMTEXT('LINESTRING(0 0, 1 1)'))", 0],
    ["ST_PERIMETER(ST_GEOGPOINT(1, 2))", 0],
    ["ST_LENGTH(ST_GEOGPOINT(1, 2), FALSE)", 0],
    ["ST_BOUNDARY(ST_GEOGPOINT(1, 2))", "GEOMETRYCOLLECTION EMPTY"],
    ["ST_BOUNDARY(ST_GEOGFROMTEXT('LINESTRING(0 1, 4 3, 2 6, 0 1)'))", "GEOMETRYCOLLECTION EMPTY"],
    ["SAFE.ST_INTERSECTSBOX(ST_GEOGPOINT(10, 10), 0, -100, 90, 20)", null],
    ["SAFE.ST_INTERSECTSBOX(ST_GEOGPOINT(10, 10), 170, 0, 600, 20)", null],
  ])("%s", async (expression, expected) => {
    expect(await value(expression)).toEqual(expected);
  });

  /** A value that was loaded, of which the endpoint keeps the text. */
  const loaded = (wkt: string): Partial<QueryRequest> => ({
    parameters: new Map([["g", { type: { kind: "GEOGRAPHY" }, value: wkt }]]),
  });

  test.each([
    ["MULTIPOINT(0 1, 4 3, 0 1)", ["ST_MultiPoint", 0n, true, 2n, 2n, true]],
    ["POLYGON((0 0, 2 0, 2 2, 0 0))", ["ST_Polygon", 2n, false, 1n, 4n, false]],
  ])("what is known of the loaded %s", async (wkt, expected) => {
    const [row] = await harness.rows(
      "SELECT ST_GEOMETRYTYPE(@g), ST_DIMENSION(@g), ST_ISCOLLECTION(@g), ST_NUMGEOMETRIES(@g), ST_NUMPOINTS(@g), ST_ISCLOSED(@g)",
      loaded(wkt),
    );
    expect(row).toEqual(expected);
  });

  test.each([
    [
      "ST_GEOMETRYTYPE(@g)",
      "GEOMETRYCOLLECTION(POINT(0 0), LINESTRING(0 0, 2 1))",
      "with several parts that are no points",
    ],
    ["ST_AREA(@g)", "POLYGON((0 0, 2 0, 2 2, 0 0))", "with an area"],
    ["ST_DUMP(@g)", "MULTIPOINT(0 1, 4 3)", "with several parts"],
    ["ST_EQUALS(@g, @g)", "POLYGON((0 0, 2 0, 2 2, 0 0))", "that is no point"],
    ["ST_ISRING(@g)", "LINESTRING(0 0, 2 2, 2 0, 0 2, 0 0)", "whose line passes a point twice, or nearly so"],
    ["ST_ASGEOJSON(@g)", "LINESTRING(0 0, 2 2)", "that is no point, as GeoJSON"],
  ])("%s of %s is refused", async (expression, wkt, what) => {
    expect(await refusal(expression, loaded(wkt))).toBe(`refused: a GEOGRAPHY ${what}`);
    expect(await refusal(`SAFE.${expression}`, loaded(wkt))).toBe(`refused: a GEOGRAPHY ${what}`);
  });

  test.each([
    ["ST_GEOGFROMTEXT('POLYGON((0 0, 0 2, 2 2, 2 0, 0 0))')", "with a polygon"],
    ["ST_GEOGFROMTEXT('MULTIPOINT(0 0, 1 1)')", "with several parts"],
    ["ST_GEOGFROMTEXT('LINESTRING(1 1, 3 2)', planar => TRUE)", "with planar edges"],
    ["ST_GEOGFROMTEXT('LINESTRING(0 0, 2 2, 2 0, 0 2)')", "whose line passes a point twice, or nearly so"],
    ["ST_GEOGFROMTEXT('LINESTRING(0 0, 1 1, 0 0)')", "whose line passes a point twice, or nearly so"],
    ["ST_GEOGFROMTEXT('LINESTRING(0 0, 2 1, 1 0.5001142)')", "whose line passes a point twice, or nearly so"],
    ["ST_GEOGFROMTEXT('LINESTRING(0 0, 2 0, 1 0)')", "whose line passes a point twice, or nearly so"],
    [
      "ST_GEOGFROMTEXT('LINESTRING(1 0, 2 0, 2 2, 3 0, 1 0)')",
      "whose line passes a point twice, or nearly so",
    ],
    ["ST_GEOGFROMTEXT('LINESTRING(1 0, 10 0, 5 0, 5 4)')", "whose line passes a point twice, or nearly so"],
    [
      "ST_GEOGFROMTEXT('LINESTRING(0 0, 5 5, 5 0, 2.5 2.5071515)')",
      "whose line passes a point twice, or nearly so",
    ],
    [
      `ST_GEOGFROMGEOJSON('{"type": "LineString", "coordinates": [[0, 0], [1, 1]]}')`,
      "of GeoJSON's type LineString",
    ],
    ["ST_EQUALS(ST_GEOGPOINT(1, 2), ST_GEOGPOINT(1, 2.0000000001))", "that may be another point's"],
    ["ST_LENGTH(ST_GEOGFROMTEXT('LINESTRING(0 0, 1 1)'))", "with a length"],
    ["ST_BOUNDARY(ST_GEOGFROMTEXT('LINESTRING(0 0, 1 1)'))", "with a boundary"],
    ["ST_COVERS(ST_GEOGFROMTEXT('LINESTRING(0 0, 1 1)'), ST_GEOGPOINT(0, 0))", "that is no point"],
    ["ST_TOUCHES(ST_GEOGFROMTEXT('LINESTRING(0 0, 1 1)'), ST_GEOGPOINT(0, 0))", "that is no point"],
    ["ST_INTERSECTSBOX(ST_GEOGPOINT(10, 10), 10, 0, 90, 20)", "at a box's edge"],
    ["ST_EQUALS(ST_GEOGPOINT(180, 2), ST_GEOGPOINT(-180, 2))", "that may be another point's"],
  ])("%s is refused, with SAFE too", async (expression, what) => {
    expect(await refusal(expression)).toBe(`refused: a GEOGRAPHY ${what}`);
    expect(await refusal(`SAFE.${expression}`)).toBe(`refused: a GEOGRAPHY ${what}`);
  });

  test.each([
    "ST_GEOGFROMTEXT('POINT(1 2 3)')",
    "ST_GEOGFROMTEXT('POINT Z (1 2 3)')",
    "ST_GEOGFROMTEXT('POINT(1 2')",
    "ST_GEOGFROMTEXT('POINT(1 91)')",
    "ST_GEOGFROMTEXT('LINESTRING(1 1)')",
    "ST_GEOGFROMTEXT('')",
    "ST_GEOGFROMWKB(b'')",
    "ST_GEOGFROMWKB('zz')",
    "ST_GEOGFROMWKB('01010000000000000000000040000000000000104000')",
    `ST_GEOGFROMGEOJSON('{"type": "Feature"}')`,
    `ST_GEOGFROMGEOJSON('{"type": "Point", "coordinates": [1, 2, 3]}')`,
    `ST_GEOGFROMGEOJSON('{"type": "Point", "coordinates": [1]}')`,
    "ST_GEOGFROMTEXT(REPEAT('GEOMETRYCOLLECTION(', 100000))",
    "ST_GEOGFROMWKB(FROM_HEX(REPEAT('010700000001000000', 100000)))",
    "ST_GEOGPOINTFROMGEOHASH('a')",
    `ST_MAKELINE(ST_GEOGPOINT(1, 2), ${NOTHING})`,
    `ST_POINTN(${LINE}, 0)`,
  ])("%s fails, and is NULL with SAFE", async (expression) => {
    expect(await refusal(expression)).not.toMatch(/refused|RangeError/);
    expect(await value(`SAFE.${expression}`)).toBeNull();
  });
});
