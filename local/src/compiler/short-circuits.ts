import type { TreeNode } from "../googlesql/tree.ts";
import type { CompiledExpr } from "./functions/types.ts";
import { functionName, nodesOf } from "./tree-access.ts";
import { type Unit, VOLATILE } from "./unit.ts";

/** What our mappings write where an evaluation may end in an error. */
const MAY_FAIL = /«bq:|\bbq_(?!safe_)/;

/**
 * An expression whose value is kept. DuckDB evaluates all of AND and OR there, but of a condition only what still decides:
 * `d <> 0 AND n / d > 1` would fail in a SELECT list and not in WHERE. GoogleSQL promises no order either
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/operators#logical_operators), and people rely on it.
 */
export function compileKeptExpr(node: TreeNode, unit: Unit): CompiledExpr {
  const plain = unit.expr(node);
  if (!isLogical(node) || !MAY_FAIL.test(plain.sql) || VOLATILE.test(plain.sql)) return plain;
  const sql = `(CASE WHEN ${condition(node, true, unit)} THEN true WHEN ${condition(node, false, unit)} THEN false END)`;
  return { sql, type: plain.type };
}

function operatorOf(node: TreeNode): string {
  return node.kind === "FunctionCall" ? functionName(node).name : "";
}

/** AND, OR, and NOT of these. */
function isLogical(node: TreeNode): boolean {
  const operator = operatorOf(node);
  return operator === "$not"
    ? nodesOf(node, "argumentList").every(isLogical)
    : operator === "$and" || operator === "$or";
}

/** That an expression is TRUE, or that it is FALSE, with NOT at the leaves alone. */
function condition(node: TreeNode, wanted: boolean, unit: Unit): string {
  if (!isLogical(node)) {
    const { sql } = unit.expr(node);
    return wanted ? sql : `(NOT ${sql})`;
  }
  const operator = operatorOf(node);
  const inner = operator === "$not" ? !wanted : wanted;
  const joiner = (operator === "$and") === wanted ? " AND " : " OR ";
  const operands = nodesOf(node, "argumentList").map((arg) => condition(arg, inner, unit));
  return `(${operands.join(joiner)})`;
}
