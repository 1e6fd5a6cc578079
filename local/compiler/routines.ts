import { BigQueryError, unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { compileArguments } from "./calls.ts";
import { compileExpr } from "./expressions.ts";
import { findFirstElements } from "./first-elements.ts";
import type { CompiledExpr } from "./functions/types.ts";
import { functionName } from "./tree-access.ts";
import { typeOf } from "./tree-types.ts";
import type { Unit } from "./unit.ts";

/** A call of a user's SQL function: its body, with the arguments in place of their names. */
export function compileFunctionBody(node: TreeNode, unit: Unit): CompiledExpr {
  const { name } = functionName(node);
  const routine = unit.context.routine(name.split("."));
  if (routine === undefined) throw unsupported(`the function ${name}`);
  if (unit.callers.includes(name)) {
    throw new BigQueryError("invalidQuery", `Recursive function call is not allowed: ${name}`, "query");
  }
  const args = compileArguments(node, unit);
  const type = typeOf(node);
  const bind = (index: number, bound: ReadonlyMap<string, CompiledExpr>): string => {
    const arg = args[index];
    const argument = routine.argumentNames[index];
    if (arg === undefined || argument === undefined) {
      const inner = unit.withBody(name, bound, findFirstElements(routine.body));
      return compileExpr(routine.body, inner).sql;
    }
    return unit.once(arg.sql, (sql) =>
      bind(index + 1, new Map([...bound, [argument.toLowerCase(), { ...arg, sql }]])),
    );
  };
  return { sql: bind(0, new Map()), type };
}
