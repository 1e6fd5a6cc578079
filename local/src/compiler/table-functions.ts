import { unsupported } from "../errors.ts";
import { isAppends } from "../googlesql/appends.ts";
import { isSessionize } from "../googlesql/sessionize.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { CompiledExpr } from "./functions/types.ts";
import { compileAppendsScan } from "./past-rows.ts";
import { findSqlRoutine } from "./routines.ts";
import { compileSessionizeScan } from "./sessionize.ts";
import { childOf, columnId, integerOf, nodeOf, nodesOf, textOf } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

/** A call of a table function: of a user's one its query, with the arguments in place of their names. */
export function compileTableFunctionScan(node: TreeNode, unit: Unit): string {
  if (isAppends(node)) return compileAppendsScan(node, unit);
  if (isSessionize(node)) return compileSessionizeScan(node, unit);
  const name = textOf(childOf(node, "tvf"), "name");
  const routine = findSqlRoutine(name, unit);
  if (routine.outputColumns === undefined) throw unsupported(`the table function ${name}`);
  const args = new Map<string, CompiledExpr>();
  nodesOf(node, "argumentList").forEach((arg, index) => {
    const expr = nodeOf(arg, "expr");
    if (expr === undefined) throw unsupported("a table as an argument of a table function");
    args.set((routine.argumentNames[index] ?? "").toLowerCase(), unit.expr(expr));
  });
  const inner = unit.withBody(name, args, routine.body);
  const outputs = routine.outputColumns.map((column) => inner.column(columnId(column)));
  const indexes = Array.isArray(node.columnIndexList) ? (node.columnIndexList as unknown[]) : [];
  const items = nodesOf(node, "columnList").map((column, position) => {
    const index = indexes.length === 0 ? position : integerOf({ index: indexes[position] }, "index");
    return unit.define(outputs[index] ?? "", columnId(column));
  });
  return `SELECT ${items.length === 0 ? `1 AS "none"` : items.join(", ")} FROM (${inner.scan(routine.body)})`;
}
