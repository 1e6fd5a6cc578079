import { unsupported } from "../errors.ts";
import type { TreeNode } from "./tree.ts";

/** Functions that BigQuery has, GoogleSQL of this age does not know and the endpoint does not run. */
const LATER_FUNCTIONS: ReadonlySet<string> = new Set([
  "BAG_OF_WORDS",
  "CHANGES",
  "COLLATE",
  "DLP_DETERMINISTIC_DECRYPT",
  "DLP_DETERMINISTIC_ENCRYPT",
  "DLP_KEY_CHAIN",
  "EXTERNAL_OBJECT_TRANSFORM",
  "EXTERNAL_QUERY",
  "GAP_FILL",
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
  "SEARCH",
  "ST_HAUSDORFFDISTANCE",
  "ST_HAUSDORFFDWITHIN",
  "ST_LINEINTERPOLATEPOINT",
  "ST_LINESUBSTRING",
  "ST_NPOINTS",
  "ST_REGIONSTATS",
  "TF_IDF",
  "VECTOR_SEARCH",
]);

const UNKNOWN_FUNCTION = /^(?:Table-valued function|Aggregate function|Function) not found: ([\w.`]+)/i;

/** What GoogleSQL says of syntax that is younger than it, and the name of that syntax. */
const LATER_SYNTAX: readonly (readonly [RegExp, string])[] = [
  [/^CORRESPONDING BY (?:for set operations )?is not/, "CORRESPONDING BY in a set operation"],
  [/^Syntax error: Expected end of input but got keyword FROM$/, "pipe syntax"],
  [/^Syntax error: Expected end of input but got "\|"$/, "pipe syntax"],
  [/^Syntax error: .* but got identifier "?MATCH_RECOGNIZE"?$/i, "MATCH_RECOGNIZE"],
  [/^Invalid identifier after SELECT WITH; .* but got: DIFFERENTIAL_PRIVACY$/i, "DIFFERENTIAL_PRIVACY"],
  [/^(?:RESERVATION|ASSIGNMENT|CAPACITY|BI_CAPACITY) is not a supported/, "reservations and capacities"],
  [/^(?:ORGANIZATION|PROJECT) is not a supported/, "ALTER ORGANIZATION and ALTER PROJECT"],
  [/^DATA_POLICY is not a supported/, "data policies"],
  [/^PROPERTY is not a supported/, "PROPERTY GRAPH"],
  [/^Invalid type for MakeValue\w+Setter: RANGE</, "FORMAT of RANGE"],
  [/^COLLATE is not supported/, "COLLATE"],
  [/^LANGUAGE is not supported/, "procedures in a LANGUAGE other than SQL"],
  [/^Connection not found/, "connections"],
  [/^Syntax error: Expected keyword TABLE but got keyword SCHEMA$/, "EXTERNAL SCHEMA"],
  [/^Syntax error: Unexpected keyword VECTOR$/, "ALTER VECTOR INDEX"],
];

/** Statements that are refused before anybody looks for the tables they name. */
const REFUSED_STATEMENTS: ReadonlyMap<string, string> = new Map([
  ["astAuxLoadDataStatement", "LOAD DATA (use a load job)"],
  ["astCreateIndexStatement", "CREATE SEARCH INDEX and CREATE VECTOR INDEX"],
]);

/** The construct of BigQuery that a refusal of GoogleSQL is about, where it is GoogleSQL's age and not the query that is at fault. */
export function laterFeature(message: string): string | undefined {
  const syntax = LATER_SYNTAX.find(([pattern]) => pattern.test(message));
  if (syntax !== undefined) return syntax[1];
  const name = UNKNOWN_FUNCTION.exec(message)?.[1]?.replaceAll("`", "").toUpperCase();
  if (name === undefined) return undefined;
  if (/^(?:ML|AI)\./.test(name)) return name;
  return LATER_FUNCTIONS.has(name) ? name : undefined;
}

/** Refuses a statement of a kind that this endpoint never runs. */
export function refuseStatement(script: TreeNode): void {
  const list = (script.statementListNode as TreeNode | undefined)?.statementList;
  for (const { kind = "" } of Array.isArray(list) ? (list as readonly TreeNode[]) : []) {
    const name = REFUSED_STATEMENTS.get(kind);
    if (name !== undefined) throw unsupported(name);
  }
}
