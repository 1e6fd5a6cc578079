import type { TreeNode } from "../googlesql/tree.ts";
import { identifiedRows, usesRowIds, withRowId } from "./row-identity.ts";
import { childOf, columnId, flagOf, nodeOf, nodesOf } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

/** UNNEST, alone or joined to the rows that the array belongs to. A NULL array has no elements. */
export function compileArrayScan(node: TreeNode, unit: Unit): string {
  const input = nodeOf(node, "inputScan");
  const columns = nodesOf(node, "columnList");
  const array = unit.fresh("a");
  const arrayExpr = childOf(node, "arrayExpr");
  if (input === undefined) {
    const { sql } = unit.expr(arrayExpr);
    const rows = `SELECT ${elementItems(node, array, array, unit).join(", ")} FROM (SELECT ${sql} AS ${array})`;
    return `SELECT ${unit.columnList(columns)} FROM (${rows})`;
  }
  const condition = nodeOf(node, "joinExpr");
  if (condition === undefined) return unnestInPlace(node, input, array, unit);
  const { from, unit: identified } = withRowId(unit.from(input), unit);
  // LATERAL is a subquery that refers to columns of the input.
  const inner = identified.withCorrelation();
  const { sql } = inner.expr(arrayExpr);
  const rows = `SELECT ${elementItems(node, array, array, unit).join(", ")} FROM (SELECT ${sql} AS ${array})`;
  const matching = `(SELECT * FROM (${rows}) WHERE ${inner.expr(condition).sql} AND ${usesRowIds(inner)}) AS ${unit.fresh("q")}`;
  const join = flagOf(node, "isOuter")
    ? `LEFT JOIN LATERAL ${matching} ON true`
    : `CROSS JOIN LATERAL ${matching}`;
  return `SELECT ${unit.columnList(columns)} FROM ${from} ${join}`;
}

/** UNNEST in the SELECT list of the input repeats its row for each element, with no join to plan. */
function unnestInPlace(node: TreeNode, input: TreeNode, array: string, unit: Unit): string {
  const arrayExpr = childOf(node, "arrayExpr");
  const { from: inputRows, unit: inner } = identifiedRows(unit.from(input), [arrayExpr], unit);
  const { sql } = inner.expr(arrayExpr);
  const own = new Set([columnId(childOf(node, "elementColumn")), offsetId(node)]);
  const others = nodesOf(node, "columnList").filter((column) => !own.has(columnId(column)));
  const outer = flagOf(node, "isOuter") ? `(len(${array}) > 0)` : undefined;
  const elements = outer === undefined ? array : `CASE WHEN ${outer} THEN ${array} ELSE [NULL] END`;
  const items = elementItems(node, elements, array, unit, outer);
  const kept = others.length === 0 ? [] : [unit.columnList(others)];
  const from = `(SELECT *, ${sql} AS ${array} FROM ${inputRows}) AS ${unit.fresh("q")}`;
  const rows = `SELECT ${[...kept, ...items].join(", ")} FROM ${from}`;
  return `SELECT ${unit.columnList(nodesOf(node, "columnList"))} FROM (${rows})`;
}

function offsetId(node: TreeNode): string | undefined {
  const holder = nodeOf(node, "arrayOffsetColumn");
  return holder === undefined ? undefined : columnId(childOf(holder, "column"));
}

/** The element, and its offset where that is asked for. */
function elementItems(node: TreeNode, elements: string, array: string, unit: Unit, outer?: string): string[] {
  const items = [unit.define(`unnest(${elements})`, columnId(childOf(node, "elementColumn")))];
  const offset = offsetId(node);
  if (offset !== undefined) {
    const offsets =
      outer === undefined
        ? `range(len(${array}))`
        : `CASE WHEN ${outer} THEN range(len(${array})) ELSE [NULL] END`;
    items.push(unit.define(`unnest(${offsets})`, offset));
  }
  return items;
}
