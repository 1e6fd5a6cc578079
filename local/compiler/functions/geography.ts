import { sqlOf } from "./arguments.ts";
import type { ScalarMapping } from "./types.ts";

/** GEOGRAPHY is kept as the WKT that ST_ASTEXT prints; only points are understood. */
export const geographyFunctions: Readonly<Record<string, ScalarMapping>> = {
  st_geogpoint: (call) => `bq_st_geogpoint(${sqlOf(call, 0)}, ${sqlOf(call, 1)})`,
  st_astext: (call) => sqlOf(call, 0),
  st_x: (call) => `bq_st_coordinate(${sqlOf(call, 0)}, 0::BIGINT)`,
  st_y: (call) => `bq_st_coordinate(${sqlOf(call, 0)}, 1::BIGINT)`,
  st_geogfromtext: (call) => `bq_st_point_text(${sqlOf(call, 0)})`,
};
