import type { TreeNode } from "../googlesql/tree.ts";
import type { SqlType } from "../types.ts";
import { childOf, functionName, nodesOf, walkTree } from "./tree-access.ts";
import { typeOf } from "./tree-types.ts";
import type { Unit } from "./unit.ts";
import { isWithoutFrom } from "./without-from.ts";

/**
 * Whether DuckDB holds values of a type equal that differ: 0.0 and -0.0, INTERVALs of one length (`P1M`, `P30D`). DuckDB
 * works a correlated subquery out once for outer rows that are equal in all that it uses of them, so that one row's value
 * would stand in another's result.
 */
export function hasLooseEquality(type: SqlType): boolean {
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
export interface IdentifiedRows {
  readonly from: string;
  readonly unit: Unit;
}

/** The rows of a FROM item, each with an id where a subquery in these expressions could not tell them apart otherwise. */
export function identifiedRows(from: string, expressions: readonly TreeNode[], unit: Unit): IdentifiedRows {
  return needsRowId(expressions) ? withRowId(from, unit) : { from, unit };
}

/** The rows of a FROM item, each with an id: a random one, since a window loses the sign of 0.0 in a correlated subquery. */
export function withRowId(from: string, unit: Unit): IdentifiedRows {
  const name = unit.fresh("r");
  return {
    from: `(SELECT *, uuid() AS ${name} FROM ${from}) AS ${unit.fresh("q")}`,
    unit: unit.withRowId(name),
  };
}

/** A condition, always true, by which a subquery uses the ids of the rows outside; "" where there are none. */
export function usesRowIds(unit: Unit): string {
  return unit.rowIds.map((name) => `${name} IS NOT NULL`).join(" AND ");
}

function needsRowId(expressions: readonly TreeNode[]): boolean {
  let found = false;
  walkTree(expressions, (node) => {
    if (node.kind === "SubqueryExpr" && !isWithoutFrom(node)) {
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
