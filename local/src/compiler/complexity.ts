import { BigQueryError } from "../errors.ts";
import { TOO_COMPLEX } from "../googlesql/client.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { childOf, nodesOf, textOf, walkTree } from "./tree-access.ts";

/** The most scans that a statement may come to, each query of a WITH counted wherever it is named: so often is it planned. */
const MOST_SCANS = 200_000;

/**
 * Refuses a statement that would be planned for minutes, in the words of BigQuery, which works out a query of a WITH wherever it is
 * named too (https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#with_clause).
 */
export function checkComplexity(statement: TreeNode): void {
  const queries = new Map<string, number>();
  if (scansIn(statement, queries) > MOST_SCANS)
    throw new BigQueryError("resourcesExceeded", TOO_COMPLEX, "query");
}

/** How many scans a part of the tree comes to, given those of the queries that it can name. */
function scansIn(part: TreeNode, queries: Map<string, number>): number {
  let scans = 0;
  walkTree(part, (node) => {
    if (node.kind === "WithScan") {
      for (const entry of nodesOf(node, "withEntryList"))
        queries.set(nameOf(entry), scansIn(childOf(entry, "withSubquery"), queries));
      scans += scansIn(childOf(node, "query"), queries);
      return false;
    }
    if (node.kind?.endsWith("Scan") === true) scans += 1;
    if (node.kind === "WithRefScan") scans += queries.get(nameOf(node)) ?? 0;
    return true;
  });
  return scans;
}

function nameOf(node: TreeNode): string {
  return textOf(node, "withQueryName").toLowerCase();
}
