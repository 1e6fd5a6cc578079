import type { TreeNode } from "../googlesql/tree.ts";
import type { SqlType } from "../types.ts";
import { CallScope } from "./call-scope.ts";
import { factsOf } from "./facts.ts";
import { scalarFunctions } from "./functions/table.ts";
import type { CompiledExpr } from "./functions/types.ts";
import { functionName, nodesOf, textOf } from "./tree-access.ts";
import { typeOf } from "./tree-types.ts";
import type { Unit } from "./unit.ts";

const CHAINED = new Set(["$add", "$subtract", "$multiply", "$concat_op", "concat"]);
/** DuckDB plans a nested operator in the cube of its depth: a tenth of a second at 100, several at 500. */
const LONG = 40;

/** `a + b + c + …` of one type and operator where it is long: folded over a list, from left to right as it is written. */
export function compileLongChain(
  node: TreeNode,
  unit: Unit,
  compile: (node: TreeNode) => CompiledExpr,
): CompiledExpr | undefined {
  const { name } = functionName(node);
  const mapping = scalarFunctions.get(name);
  if (mapping === undefined || !CHAINED.has(name)) return undefined;
  const operands = operandsOf(node, name, typeOf(node));
  if (operands.length < LONG) return undefined;
  const type = typeOf(node);
  const items = operands.map(compile);
  const [left, right] = [unit.fresh("v"), unit.fresh("v")];
  const args = [left, right].map((sql) => ({ sql, type }));
  const scope = new CallScope(unit, args);
  const step = mapping({
    name,
    args,
    argTypes: [type, type],
    resultType: type,
    safe: false,
    node,
    context: scope,
  });
  const list = items.map(({ sql }) => sql).join(", ");
  const sql = `list_reduce([${list}], lambda ${left}, ${right}: ${step})`;
  return { ...factsOf(items), mayFail: true, sql, type };
}

function operandsOf(chain: TreeNode, name: string, type: SqlType): readonly TreeNode[] {
  const rest: TreeNode[] = [];
  let node = chain;
  while (isLink(node, name, type)) {
    const [left, right] = nodesOf(node, "argumentList") as [TreeNode, TreeNode];
    rest.push(right);
    node = left;
  }
  return [node, ...rest.reverse()];
}

function isLink(node: TreeNode, name: string, type: SqlType): boolean {
  if (node.kind !== "FunctionCall" || functionName(node).name !== name) return false;
  const args = nodesOf(node, "argumentList");
  return (
    args.length === 2 &&
    textOf(node, "errorMode") !== "SAFE_ERROR_MODE" &&
    args.every((arg) => sameType(typeOf(arg), type))
  );
}

function sameType(a: SqlType, b: SqlType): boolean {
  return a.kind === b.kind && JSON.stringify(a) === JSON.stringify(b);
}
