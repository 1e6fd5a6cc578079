import { arg, kindOf, refuse, sqlOf } from "./arguments.ts";
import type { FunctionCall, ScalarMapping } from "./types.ts";

/** A function of ours that takes the arguments as they are. */
function own(name: string): ScalarMapping {
  return (call) => `${call.context.own(name)}(${call.args.map((_, index) => sqlOf(call, index)).join(", ")})`;
}

/** The argument `planar` of a constructor, which is a literal; `oriented` and `make_valid` are about polygons alone. */
function planar(call: FunctionCall): string {
  return String(call.args[2]?.literal === true);
}

/** A measure on a sphere; the measures that BigQuery has on a spheroid are none of these functions'. */
function measure(name: string): ScalarMapping {
  return (call) => {
    const spheroid = call.args[1];
    if (spheroid !== undefined && spheroid.literal !== false) return refuse(call, "with use_spheroid");
    return `${call.context.own(`partial_st_${name}`)}(${sqlOf(call, 0)})`;
  };
}

/** GEOGRAPHY is kept as the WKT that ST_ASTEXT prints. */
export const geographyFunctions: Readonly<Record<string, ScalarMapping>> = {
  st_geogpoint: own("st_geogpoint"),
  st_astext: (call) => sqlOf(call, 0),
  st_asgeojson: (call) => `${call.context.own("partial_st_asgeojson")}(${sqlOf(call, 0)})`,
  st_x: own("st_x"),
  st_y: own("st_y"),
  st_geogfromtext: (call) =>
    `${call.context.own("partial_st_geogfromtext")}(${sqlOf(call, 0)}, ${planar(call)})`,
  st_geogfromwkb: (call) => {
    const name = kindOf(call, 0) === "BYTES" ? "wkb" : "hex";
    return `${call.context.own(`partial_st_geogfrom${name}`)}(${sqlOf(call, 0)}, ${planar(call)})`;
  },
  st_geogfromgeojson: (call) => `${call.context.own("partial_st_geogfromgeojson")}(${sqlOf(call, 0)})`,
  st_geogfrom: (call) =>
    kindOf(call, 0) === "BYTES"
      ? `${call.context.own("partial_st_geogfromwkb")}(${sqlOf(call, 0)}, false)`
      : `${call.context.own("partial_st_geogfromany")}(${sqlOf(call, 0)})`,
  st_geogpointfromgeohash: own("st_geogpointfromgeohash"),
  st_geohash: (call) =>
    `${call.context.own("st_geohash")}(${sqlOf(call, 0)}, ${call.args[1]?.sql ?? "20::BIGINT"})`,
  st_makeline: (call) =>
    arg(call, 0).type.kind === "ARRAY" ? own("partial_st_makeline")(call) : makeLineOfTwo(call),
  st_startpoint: own("st_startpoint"),
  st_endpoint: own("st_endpoint"),
  st_pointn: own("st_pointn"),
  st_geometrytype: own("partial_st_geometrytype"),
  st_dimension: own("st_dimension"),
  st_isempty: own("st_isempty"),
  st_iscollection: own("partial_st_iscollection"),
  st_isclosed: own("st_isclosed"),
  st_isring: own("partial_st_isring"),
  st_numgeometries: own("partial_st_numgeometries"),
  st_numpoints: own("partial_st_numpoints"),
  st_dump: (call) =>
    `${call.context.own("partial_st_dump")}(${sqlOf(call, 0)}, ${call.args[1]?.sql ?? "(-1)::BIGINT"})`,
  // Of two points each covers, contains and intersects the other just where they are one.
  st_equals: own("partial_st_equals"),
  st_contains: own("partial_st_intersects"),
  st_coveredby: own("partial_st_intersects"),
  st_covers: own("partial_st_intersects"),
  st_intersects: own("partial_st_intersects"),
  st_within: own("partial_st_intersects"),
  st_disjoint: (call) => `(NOT ${own("partial_st_intersects")(call)})`,
  st_touches: own("partial_st_touches"),
  st_intersectsbox: own("partial_st_intersectsbox"),
  st_area: measure("area"),
  st_length: measure("length"),
  st_perimeter: measure("perimeter"),
  st_boundary: own("partial_st_boundary"),
};

function makeLineOfTwo(call: FunctionCall): string {
  return `${call.context.own("partial_st_makeline")}([${sqlOf(call, 0)}, ${sqlOf(call, 1)}])`;
}
