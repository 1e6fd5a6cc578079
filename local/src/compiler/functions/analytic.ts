import { BigQueryError } from "../../errors.ts";
import type { TreeNode } from "../../googlesql/tree.ts";
import { nodesOf, walkTree } from "../tree-access.ts";
import type { AnalyticMapping } from "./types.ts";

function plain(name: string): AnalyticMapping {
  return (call) => `${name}() OVER ${call.over}`;
}

/** Functions that look at other rows; IGNORE NULLS stands inside DuckDB's parentheses too. */
function navigation(name: string): AnalyticMapping {
  return (call) => {
    const nulls = call.nulls === "ignore" ? " IGNORE NULLS" : "";
    return `${name}(${call.args.map((arg) => arg.sql).join(", ")}${nulls}) OVER ${call.over}`;
  };
}

function refersToRows(expr: TreeNode | undefined): boolean {
  let found = false;
  walkTree(expr, ({ kind, column }) => {
    if (kind === "SubqueryExpr" || column !== undefined) found = true;
    return !found;
  });
  return found;
}

/**
 * LAG and LEAD do not look the other way, and have a constant to give where there is no row
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/navigation_functions#lag).
 */
function offset(name: "lag" | "lead"): AnalyticMapping {
  return (call) => {
    if (refersToRows(nodesOf(call.node, "argumentList")[2])) {
      const message = `The third argument (the default expression) to ${name.toUpperCase()} must be constant`;
      throw new BigQueryError("invalidQuery", message, "query");
    }
    const distance = call.args[1]?.literal;
    if (typeof distance === "bigint" && distance < 0n) {
      return call.context.raise(
        call.resultType,
        `The offset to the function ${name.toUpperCase()} must not be negative`,
      );
    }
    return navigation(name)(call);
  };
}

/** Numbering and navigation functions. */
export const analytics: Readonly<Record<string, AnalyticMapping>> = {
  row_number: plain("row_number"),
  rank: plain("rank"),
  dense_rank: plain("dense_rank"),
  percent_rank: plain("percent_rank"),
  cume_dist: plain("cume_dist"),
  ntile: navigation("ntile"),
  lag: offset("lag"),
  lead: offset("lead"),
  first_value: navigation("first_value"),
  last_value: navigation("last_value"),
  nth_value: navigation("nth_value"),
};
