import type { TreeNode } from "../googlesql/tree.ts";
import type { SqlType } from "../types.ts";
import { childOf, functionName, nodesOf, walkTree } from "./tree-access.ts";
import { typeOf } from "./tree-types.ts";
import type { Unit } from "./unit.ts";

/**
 * Whether DuckDB holds values of a type equal that differ: 0.0 and -0.0, INTERVALs of one length (`P1M`, `P30D`). DuckDB
 * works a correlated subquery out once for outer rows that are equal in all that it uses of them, so that one row's value
 * would stand in another's result.
 */
function hasLooseEquality(type: SqlType): boolean {
  if (type.kind === "ARRAY") return hasLooseEquality(type.element);
  if (type.kind === "STRUCT") return type.fields.some((field) => hasLooseEquality(field.type));
  return type.kind === "FLOAT64" || type.kind === "INTERVAL";
}

/** Whether a subquery uses values of outer rows by which DuckDB cannot tell these rows apart. */
export function confusesRows(subquery: TreeNode): boolean {
  const used = [...nodesOf(subquery, "parameterList")];
  walkTree(childOf(subquery, "subquery"), (node) => {
    if (node.kind === "ArgumentRef") used.push(node);
    return true;
  });
  return used.some((value) => hasLooseEquality(typeOf(value)));
}

/** Where expressions over the rows of a FROM item are compiled, and the item as they need it. */
export interface NumberedRows {
  readonly from: string;
  readonly unit: Unit;
}

/** The rows of a FROM item, numbered where a subquery in these expressions could not tell them apart otherwise. */
export function numberedRows(from: string, expressions: readonly TreeNode[], unit: Unit): NumberedRows {
  return needsRowNumber(expressions) ? withRowNumber(from, unit) : { from, unit };
}

/** The rows of a FROM item, numbered. */
export function withRowNumber(from: string, unit: Unit): NumberedRows {
  const name = unit.fresh("r");
  return {
    from: `(SELECT *, row_number() OVER () AS ${name} FROM ${from}) AS ${unit.fresh("q")}`,
    unit: unit.withRowNumber(name),
  };
}

/** A condition, always true, by which a subquery uses the numbers of the rows outside; "" where there are none. */
export function usesRowNumbers(unit: Unit): string {
  return unit.rowNumbers.map((name) => `${name} IS NOT NULL`).join(" AND ");
}

function needsRowNumber(expressions: readonly TreeNode[]): boolean {
  let found = false;
  walkTree(expressions, (node) => {
    if (node.kind === "SubqueryExpr") {
      found ||= confusesRows(node);
      return false;
    }
    // The body of a function, where a subquery may stand, is another tree.
    if (node.kind === "FunctionCall" && functionName(node).group !== "ZetaSQL")
      found ||= nodesOf(node, "argumentList").some((argument) => hasLooseEquality(typeOf(argument)));
    return !found;
  });
  return found;
}
