import type { TreeNode } from "../googlesql/tree.ts";
import type { CompileContext } from "./context.ts";
import { compileExpr } from "./expressions.ts";
import { ReadCollector } from "./reads.ts";
import { compileScan } from "./scans.ts";
import { compileKeptExpr } from "./short-circuits.ts";
import { Unit } from "./unit.ts";

const COMPILERS = { expr: compileExpr, keptExpr: compileKeptExpr, scan: compileScan };

/** The unit of a whole statement, or of an expression that stands for itself, and what its parts will have read. */
export function openUnit(
  context: CompileContext,
  statement: TreeNode = {},
): { unit: Unit; reads: ReadCollector } {
  const reads = new ReadCollector();
  return { unit: Unit.ofStatement(context, reads, COMPILERS, statement), reads };
}
