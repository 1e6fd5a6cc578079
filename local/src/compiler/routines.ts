import { BigQueryError, unsupported } from "../errors.ts";
import type { RoutineBody, SqlRoutineBody } from "../googlesql/routines.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { aggregateCall, aggregateSql } from "./aggregate-calls.ts";
import { compileArguments } from "./call-arguments.ts";
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
    return { sql: javaScriptCallSql(routine, args, unit), type: routine.returnType };
  }
  const bind = (index: number, bound: ReadonlyMap<string, CompiledExpr>): string => {
    const arg = args[index];
    const argument = routine.argumentNames[index];
    if (arg === undefined || argument === undefined) {
      return unit.withBody(name, bound, routine.body).expr(routine.body).sql;
    }
    return unit.once(arg.sql, (sql) =>
      bind(index + 1, new Map([...bound, [argument.toLowerCase(), { ...arg, sql }]])),
    );
  };
  return { sql: bind(0, new Map()), type: typeOf(node) };
}

/** A call of a user's aggregate function: its body, over the aggregates that it names by column. */
export function compileAggregateBody(node: TreeNode, unit: Unit): string {
  const { name } = functionName(node);
  const routine = findSqlRoutine(name, unit);
  const refused =
    flagOf(node, "distinct") || nodesOf(node, "orderByItemList").length > 0 || nodeOf(node, "limit");
  if (refused) throw unsupported(`DISTINCT, ORDER BY or LIMIT in a call of ${name}`);
  const args = compileArguments(node, unit).map(
    (arg, index) => [(routine.argumentNames[index] ?? "").toLowerCase(), arg] as const,
  );
  const inner = unit.withBody(name, new Map(args));
  const aggregates = (routine.aggregates ?? []).map(
    (item) =>
      [columnId(childOf(item, "column")), aggregateSql(aggregateCall(childOf(item, "expr"), inner))] as const,
  );
  return inner.withColumns(new Map(aggregates)).expr(routine.body).sql;
}
