import type { TreeNode } from "../googlesql/tree.ts";
import { failWhen } from "../raise.ts";
import { joinRegion } from "./join-steps.ts";
import { RECURSIVE, setOperationItem, setOperator } from "./set-operations.ts";
import { childOf, columnId, nodesOf, textOf } from "./tree-access.ts";
import type { Unit, WithQuery } from "./unit.ts";

/** https://cloud.google.com/bigquery/docs/recursive-ctes#troubleshoot-iteration-limit-errors */
const MAX_ITERATIONS = 500;

/** WITH, recursive or not. The analyzer gives each WITH query of a statement a name of its own. */
export function compileWithScan(node: TreeNode, unit: Unit): string {
  let isRecursive = false;
  const entries = nodesOf(node, "withEntryList").map((entry) => {
    const scan = childOf(entry, "withSubquery");
    const query = {
      name: unit.fresh("w"),
      ids: nodesOf(scan, "columnList").map(columnId),
      region: joinRegion(scan, unit),
    };
    if (scan.kind !== "RecursiveScan") {
      const sql = unit.scan(scan);
      unit.withQueries.set(textOf(entry, "withQueryName").toLowerCase(), query);
      return `${query.name} AS (${sql})`;
    }
    isRecursive = true;
    unit.withQueries.set(textOf(entry, "withQueryName").toLowerCase(), query);
    return `${query.name} AS (${recursiveQuery(scan, query, unit)})`;
  });
  const query = childOf(node, "query");
  const columns = unit.columnList(nodesOf(node, "columnList"));
  return `WITH ${isRecursive ? "RECURSIVE " : ""}${entries.join(", ")} SELECT ${columns} FROM (${unit.scan(query)})`;
}

function recursiveQuery(scan: TreeNode, query: WithQuery, unit: Unit): string {
  const outer = unit.withQueries.get(RECURSIVE);
  const first = setOperationItem(childOf(scan, "nonRecursiveTerm"), query.ids, unit);
  unit.withQueries.set(RECURSIVE, query);
  const rest = setOperationItem(childOf(scan, "recursiveTerm"), query.ids, unit);
  if (outer === undefined) unit.withQueries.delete(RECURSIVE);
  else unit.withQueries.set(RECURSIVE, outer);
  const operator = setOperator(textOf(scan, "opType"));
  // Rows that are kept once cannot carry a counter: it would make each of them another row.
  if (operator !== "UNION ALL") return `${first} ${operator} ${rest}`;
  // All rows of an iteration carry its number.
  const before = `(SELECT max(iteration) FROM ${query.name})`;
  const next = failWhen(
    `${before} >= ${MAX_ITERATIONS}`,
    { kind: "INT64" },
    [`A recursive CTE has reached the maximum number of iterations: ${MAX_ITERATIONS}`],
    `${before} + 1`,
  );
  return `SELECT *, 0::BIGINT AS iteration FROM (${first}) UNION ALL SELECT *, ${next} FROM (${rest})`;
}

/** A reference to a WITH query. */
export function compileWithRefScan(node: TreeNode, unit: Unit): string {
  const name = textOf(node, "withQueryName");
  const query = unit.withQueries.get(name.toLowerCase());
  if (query === undefined) throw new Error(`WITH query ${name} is not known`);
  const columns = nodesOf(node, "columnList").map((column, index) =>
    unit.define(`${query.name}.${unit.column(query.ids[index] ?? "")}`, columnId(column)),
  );
  return `SELECT ${columns.length === 0 ? `1 AS "none"` : columns.join(", ")} FROM ${query.name}`;
}
