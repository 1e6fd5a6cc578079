/**
 * The functions that GoogleSQL's analyzer knows and the endpoint does not run. Each is refused by its name; what is added
 * here, or stops being here, is a change of what the endpoint supports.
 */
export const REFUSED_FUNCTIONS: readonly string[] = [
  // These want Cloud KMS.
  "keys.keyset_chain",
  "keys.new_wrapped_keyset",
  "keys.rewrap_keyset",
  "keys.rotate_wrapped_keyset",
  // Geodesy.
  "s2_cellidfrompoint",
  "s2_coveringcellids",
  "st_angle",
  "st_asbinary",
  "st_azimuth",
  "st_boundingbox",
  "st_buffer",
  "st_bufferwithtolerance",
  "st_centroid",
  "st_centroid_agg",
  "st_closestpoint",
  "st_clusterdbscan",
  "st_convexhull",
  "st_difference",
  "st_distance",
  "st_dwithin",
  "st_extent",
  "st_exteriorring",
  "st_interiorrings",
  "st_intersection",
  "st_linelocatepoint",
  "st_makepolygon",
  "st_makepolygonoriented",
  "st_maxdistance",
  "st_simplify",
  "st_snaptogrid",
  "st_union",
  "st_union_agg",
  // Not in BigQuery, never called by name, or not written yet.
  "$subscript_with_key",
  "$subscript_with_offset",
  "$subscript_with_ordinal",
  "grouping",
];
