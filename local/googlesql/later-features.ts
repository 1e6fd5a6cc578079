/** Functions that BigQuery has and GoogleSQL of this age does not know, with what to write in their place. */
const LATER_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ["MAX_BY", "write ANY_VALUE(x HAVING MAX y)"],
  ["MIN_BY", "write ANY_VALUE(x HAVING MIN y)"],
  ...[
    "APPENDS",
    "BAG_OF_WORDS",
    "CHANGES",
    "COLLATE",
    "CONTAINS_SUBSTR",
    "COSINE_DISTANCE",
    "DLP_DETERMINISTIC_DECRYPT",
    "DLP_DETERMINISTIC_ENCRYPT",
    "DLP_KEY_CHAIN",
    "EDIT_DISTANCE",
    "EUCLIDEAN_DISTANCE",
    "EXTERNAL_OBJECT_TRANSFORM",
    "EXTERNAL_QUERY",
    "GAP_FILL",
    "JSON_FLATTEN",
    "JSON_KEYS",
    "KLL_QUANTILES.EXTRACT_FLOAT64",
    "KLL_QUANTILES.EXTRACT_INT64",
    "KLL_QUANTILES.EXTRACT_POINT_FLOAT64",
    "KLL_QUANTILES.EXTRACT_POINT_INT64",
    "KLL_QUANTILES.INIT_FLOAT64",
    "KLL_QUANTILES.INIT_INT64",
    "KLL_QUANTILES.MERGE_FLOAT64",
    "KLL_QUANTILES.MERGE_INT64",
    "KLL_QUANTILES.MERGE_PARTIAL",
    "KLL_QUANTILES.MERGE_POINT_FLOAT64",
    "KLL_QUANTILES.MERGE_POINT_INT64",
    "NULLIFZERO",
    "RANGE_SESSIONIZE",
    "SEARCH",
    "ST_HAUSDORFFDISTANCE",
    "ST_HAUSDORFFDWITHIN",
    "ST_LINEINTERPOLATEPOINT",
    "ST_LINESUBSTRING",
    "ST_NPOINTS",
    "ST_REGIONSTATS",
    "TEXT_ANALYZE",
    "TF_IDF",
    "VECTOR_SEARCH",
    "ZEROIFNULL",
  ].map((name): [string, string] => [name, ""]),
]);

const UNKNOWN_FUNCTION = /^(?:Table-valued function|Aggregate function|Function) not found: ([\w.`]+)/i;

/** The construct of BigQuery that a refusal of GoogleSQL is about, where it is GoogleSQL's age and not the query that is at fault. */
export function laterFeature(message: string): string | undefined {
  const name = UNKNOWN_FUNCTION.exec(message)?.[1]?.replaceAll("`", "").toUpperCase();
  if (name === undefined) return undefined;
  if (/^(?:ML|AI)\./.test(name)) return name;
  const instead = LATER_FUNCTIONS.get(name);
  if (instead === undefined) return undefined;
  return instead === "" ? name : `${name} (${instead})`;
}
