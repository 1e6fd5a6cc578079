import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { compileBranches } from "./branches.ts";
import { CallScope } from "./call-scope.ts";
import { checkLiterals } from "./checked-literals.ts";
import type { CompiledExpr, FunctionCall } from "./functions/types.ts";
import { functionName, nodeOf, nodesOf, textOf } from "./tree-access.ts";
import { typeOf } from "./tree-types.ts";
import type { Unit } from "./unit.ts";

/** The arguments of a call. */
export function compileArguments(node: TreeNode, unit: Unit): readonly CompiledExpr[] {
  const branches = compileBranches(node, unit);
  if (branches !== undefined) return branches;
  const generic = nodesOf(node, "genericArgumentList");
  const isKept = node.kind === "AggregateFunctionCall";
  if (generic.length === 0)
    return nodesOf(node, "argumentList").map((arg) => (isKept ? unit.keptExpr(arg) : unit.expr(arg)));
  return generic.map((arg) => {
    const expr = nodeOf(arg, "expr");
    if (expr !== undefined) return unit.expr(expr);
    throw unsupported(`this argument of ${functionName(node).name.toUpperCase()}`);
  });
}

/** What every kind of call has in common. */
export function functionCall(node: TreeNode, unit: Unit): FunctionCall {
  const args = compileArguments(node, unit);
  checkLiterals(node, args);
  return {
    name: functionName(node).name.toLowerCase(),
    args,
    argTypes: args.map((arg) => arg.type),
    resultType: typeOf(node),
    safe: textOf(node, "errorMode") === "SAFE_ERROR_MODE",
    node,
    context: new CallScope(unit, args),
  };
}

/** How a function is named to its user. */
export function displayName(node: TreeNode): string {
  return functionName(node).name.toUpperCase().replace(/^\$/, "operator ");
}
