import { refuse, sqlOf } from "./arguments.ts";
import type { ScalarMapping } from "./types.ts";

/** A text that is refused because it is no point is no error of the query, which SAFE would turn into NULL. */
function notSafe(mapping: ScalarMapping): ScalarMapping {
  return (call) => (call.safe ? refuse(call, "with SAFE") : mapping(call));
}

/** GEOGRAPHY is kept as the WKT that ST_ASTEXT prints; only points are understood. */
export const geographyFunctions: Readonly<Record<string, ScalarMapping>> = {
  st_geogpoint: (call) => `bq_st_geogpoint(${sqlOf(call, 0)}, ${sqlOf(call, 1)})`,
  st_astext: (call) => sqlOf(call, 0),
  st_x: notSafe((call) => `bq_st_coordinate(${sqlOf(call, 0)}, 0::BIGINT)`),
  st_y: notSafe((call) => `bq_st_coordinate(${sqlOf(call, 0)}, 1::BIGINT)`),
  st_geogfromtext: notSafe((call) => `bq_st_point_text(${sqlOf(call, 0)})`),
};
