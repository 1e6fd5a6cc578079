import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { displayName, functionCall } from "./call-arguments.ts";
import { firstElementColumn } from "./first-elements.ts";
import { scalarFunctions } from "./functions/table.ts";
import type { CompiledExpr, FunctionCall, ScalarMapping } from "./functions/types.ts";
import { compileLongChain } from "./operator-chains.ts";
import { compileFunctionBody } from "./routines.ts";
import { functionName, nodeOf, nodesOf } from "./tree-access.ts";
import { typeOf } from "./tree-types.ts";
import type { Unit } from "./unit.ts";

/** De Morgan's other half of a quantified LIKE. */
const OTHER_QUANTIFIER: Readonly<Record<string, string>> = { $like_any: "$like_all", $like_all: "$like_any" };

/**
 * `x NOT LIKE ANY (…)` asks for a pattern that does not match, which the analyzer's `NOT (x LIKE ANY (…))` is not: the two differ in
 * where they stand (https://cloud.google.com/bigquery/docs/reference/standard-sql/operators#semantic_rules_quant_like).
 */
function withoutQuantifiedNot(node: TreeNode): TreeNode {
  const [operand] = nodesOf(node, "argumentList");
  if (operand?.kind !== "FunctionCall" || functionName(node).name !== "$not") return node;
  const other = OTHER_QUANTIFIER[functionName(operand).name];
  const [outer, inner] = [node, operand].map((each) => nodeOf(each, "parseLocationRange"));
  if (other === undefined || outer === undefined || inner === undefined) return node;
  if (outer.start !== inner.start || outer.end !== inner.end) return node;
  return { ...node, argumentList: [{ ...operand, function: { name: `ZetaSQL:${other}` } }] };
}

/** A call of a scalar function: a mapping, or the body of a user's function. */
export function compileFunctionCall(node: TreeNode, unit: Unit): CompiledExpr {
  const { group } = functionName(node);
  if (group !== "ZetaSQL") return compileFunctionBody(node, unit);
  const element = firstElement(node, unit);
  if (element !== undefined) return element;
  const chain = compileLongChain(node, unit, (operand) => unit.expr(operand));
  if (chain !== undefined) return chain;
  const call = functionCall(withoutQuantifiedNot(node), unit);
  const mapping = scalarFunctions.get(call.name);
  if (mapping === undefined) throw unsupported(displayName(node));
  return { sql: mappedSql(mapping, call, unit), type: call.resultType };
}

/**
 * The DuckDB expression of a call. Inside a correlated subquery DuckDB does not find a column in a lambda's body, so there a
 * mapping that makes a lambda is given its arguments by the name of another one's parameter.
 */
function mappedSql(mapping: ScalarMapping, call: FunctionCall, unit: Unit): string {
  const sql = mapping(call);
  if (!unit.correlated || !sql.includes("lambda ")) return sql;
  const name = unit.fresh("v");
  const bound: string[] = [];
  const args = call.args.map((arg) => {
    if (arg.literal !== undefined) return arg;
    bound.push(`f${bound.length} := ${arg.sql}`);
    return { ...arg, sql: `(${name}).f${bound.length - 1}` };
  });
  const inner = mapping({ ...call, args });
  if (bound.length === 0 || !inner.includes("lambda ") || inner.includes("SELECT ")) return sql;
  return `list_transform([struct_pack(${bound.join(", ")})], lambda ${name}: ${inner})[1]`;
}

/** `a[SAFE_OFFSET(0)]` where the column holds the first element already. */
function firstElement(node: TreeNode, unit: Unit): CompiledExpr | undefined {
  const id = firstElementColumn(node);
  if (id === undefined || !unit.firstElements.has(id)) return undefined;
  return { sql: unit.columnSql(id), type: typeOf(node) };
}
