import type { TreeNode } from "../googlesql/tree.ts";
import { CallScope } from "./call-scope.ts";
import { equalSql } from "./functions/comparison.ts";
import type { CompiledExpr } from "./functions/types.ts";
import { functionName, nodesOf } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

/** A condition of more text than this is not written again. */
const LONGEST_CONDITION = 2_000;

/** An argument that decides, and what it must come to. */
type Condition = readonly [expr: CompiledExpr, sql: string];

/** What must hold for an argument to be evaluated, by the arguments before it. */
type Guard = (before: readonly CompiledExpr[], unit: Unit) => readonly Condition[];

function isNotTrue(expr: CompiledExpr, sql = expr.sql): Condition {
  return [expr, `(${sql}) IS NOT TRUE`];
}

/** Conditions and results by turns from the argument `first` on, and perhaps an ELSE. */
function caseGuard(
  count: number,
  first: number,
  conditionSql: (expr: CompiledExpr, before: readonly CompiledExpr[], unit: Unit) => string,
): Guard {
  return (before, unit) => {
    const index = before.length - first;
    if (index <= 0) return [];
    const isResult = index % 2 === 1 && before.length < count;
    const conditions = before.slice(first).filter((_, at) => at % 2 === 0);
    return conditions.map((expr, at): Condition => {
      const sql = conditionSql(expr, before, unit);
      return isResult && at === conditions.length - 1 ? [expr, sql] : isNotTrue(expr, sql);
    });
  };
}

/** How each conditional expression chooses among its arguments. */
function guardOf(name: string, count: number): Guard | undefined {
  switch (name) {
    case "if":
      return ([condition, chosen]) => {
        if (condition === undefined) return [];
        return [chosen === undefined ? [condition, condition.sql] : isNotTrue(condition)];
      };
    case "ifnull":
    case "coalesce":
      return (before) => before.map((expr) => [expr, `(${expr.sql}) IS NULL`]);
    case "$case_no_value":
      return caseGuard(count, 0, ({ sql }) => sql);
    case "$case_with_value":
      return caseGuard(count, 1, (expr, [value], unit) =>
        value === undefined ? "NULL" : equalSql({ context: new CallScope(unit, [value, expr]) }, value, expr),
      );
    default:
      return undefined;
  }
}

/**
 * The arguments of a conditional expression, which evaluates its result alone
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/conditional_expressions). DuckDB joins the subqueries of all results
 * to the rows, so those that are not chosen are given no rows to fail on. Undefined for what is no conditional expression.
 */
export function compileBranches(node: TreeNode, unit: Unit): readonly CompiledExpr[] | undefined {
  const nodes = nodesOf(node, "argumentList");
  const guard = node.kind === "FunctionCall" ? guardOf(functionName(node).name, nodes.length) : undefined;
  if (guard === undefined) return undefined;
  const args: CompiledExpr[] = [];
  for (const each of nodes) {
    const plain = unit.expr(each);
    const needed = plain.hasSubquery === true ? guard(args, unit).filter(([expr]) => isRepeatable(expr)) : [];
    const sql = needed.map(([, condition]) => condition).join(" AND ");
    const isGuarded = needed.length > 0 && sql.length <= LONGEST_CONDITION;
    const hasColumns = needed.some(([expr]) => expr.hasColumns) || (needed.length > 0 && args[0]?.hasColumns);
    args.push(isGuarded ? unit.withGuard({ sql: `(${sql})`, hasColumns }).expr(each) : plain);
  }
  return args;
}

function isRepeatable({ isVolatile, hasSubquery }: CompiledExpr): boolean {
  return isVolatile !== true && hasSubquery !== true;
}
