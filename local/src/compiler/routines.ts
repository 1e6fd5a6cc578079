import { BigQueryError, unsupported } from "../errors.ts";
import type { RoutineBody, SqlRoutineBody } from "../googlesql/routines.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { aggregateCall, aggregateSql } from "./aggregate-calls.ts";
import { compileArguments } from "./call-arguments.ts";
import { factsOf } from "./facts.ts";
import type { CompiledExpr } from "./functions/types.ts";
import { javaScriptCallSql } from "./javascript-calls.ts";
import { childOf, columnId, flagOf, functionName, nodeOf, nodesOf, textOf } from "./tree-access.ts";
import { typeOf } from "./tree-types.ts";
import type { Unit } from "./unit.ts";

/** A user's SQL function by the name that a tree calls it. */
export function findSqlRoutine(name: string, unit: Unit): SqlRoutineBody {
  const routine = findRoutine(name, unit);
  if (routine.language !== "SQL") throw new Error(`${name} is not in SQL`);
  return routine;
}

function findRoutine(name: string, unit: Unit): RoutineBody {
  const routine = unit.context.routine(name.split("."));
  if (routine === undefined) throw unsupported(`the function ${name}`);
  if (unit.callers.includes(name)) {
    throw new BigQueryError("invalidQuery", `Recursive function call is not allowed: ${name}`, "query");
  }
  return routine;
}

/** A call of a user's function: in SQL its body, with the arguments in place of their names. */
export function compileFunctionBody(node: TreeNode, unit: Unit): CompiledExpr {
  const { name } = functionName(node);
  const routine = findRoutine(name, unit);
  if (textOf(node, "errorMode") === "SAFE_ERROR_MODE") throw unsupported("SAFE. before a user's function");
  const args = compileArguments(node, unit);
  if (routine.language === "JAVASCRIPT") {
    const sql = javaScriptCallSql(routine, args, unit);
    return { ...factsOf(args), isVolatile: true, mayFail: true, sql, type: routine.returnType };
  }
  const bind = (index: number, bound: ReadonlyMap<string, CompiledExpr>): CompiledExpr => {
    const arg = args[index];
    const argument = routine.argumentNames[index];
    if (arg === undefined || argument === undefined)
      return unit.withBody(name, bound, routine.body).expr(routine.body);
    return unit.bindOnce(arg, (operand) =>
      bind(index + 1, new Map([...bound, [argument.toLowerCase(), operand]])),
    );
  };
  return { ...bind(0, new Map()), type: typeOf(node) };
}

/**
 * A call of a user's aggregate function: its body, over the aggregates that it names by column. `inside` is the place of what is
 * aggregated, where values of outer queries have names of their own; what is NOT AGGREGATE stands outside it too.
 */
export function compileAggregateBody(node: TreeNode, inside: Unit, outside: Unit): string {
  const { name } = functionName(node);
  const routine = findSqlRoutine(name, inside);
  const refused =
    flagOf(node, "distinct") || nodesOf(node, "orderByItemList").length > 0 || nodeOf(node, "limit");
  if (refused) throw unsupported(`DISTINCT, ORDER BY or LIMIT in a call of ${name}`);
  nodesOf(node, "argumentList").forEach((arg, index) => {
    if (routine.constantArguments?.[index] === true && !isConstantArgument(arg))
      throw new BigQueryError(
        "invalidQuery",
        `Argument ${index + 1} to ${name} must be a literal or query parameter`,
        "query",
      );
  });
  const bodyOf = (unit: Unit): Unit => {
    const args = compileArguments(node, unit).map(
      (arg, index) => [(routine.argumentNames[index] ?? "").toLowerCase(), arg] as const,
    );
    return unit.withBody(name, new Map(args));
  };
  const [aggregated, around] = [bodyOf(inside), bodyOf(outside)];
  const aggregates = (routine.aggregates ?? []).map((item) => {
    const expr = childOf(item, "expr");
    const isOwn = functionName(expr).group !== "ZetaSQL";
    const sql = isOwn
      ? compileAggregateBody(expr, aggregated, around)
      : aggregateSql(aggregateCall(expr, aggregated));
    return [columnId(childOf(item, "column")), { sql, mayFail: true, hasColumns: true }] as const;
  });
  return around.withColumns(new Map(aggregates)).expr(routine.body).sql;
}

/** Literals, parameters, variables and arguments of a function whose body this is, converted or not. */
function isConstantArgument(node: TreeNode): boolean {
  if (node.kind === "Cast") return isConstantArgument(childOf(node, "expr"));
  return ["Literal", "Parameter", "Constant", "ArgumentRef", "SystemVariable"].includes(String(node.kind));
}
