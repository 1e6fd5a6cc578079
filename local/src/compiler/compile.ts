import type { TreeNode } from "../googlesql/tree.ts";
import { compileQuery } from "./compile-query.ts";
import type { CompiledDml, CompiledStatement } from "./compiled.ts";
import type { CompileContext } from "./context.ts";
import { compileDdl } from "./ddl.ts";
import { compileDelete, compileInsert, compileTruncate, compileUpdate, finishDml } from "./dml.ts";
import { compileMerge } from "./merge.ts";
import { openUnit } from "./statement-unit.ts";
import { childOf, textOf } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

const DML: Readonly<Record<string, (node: TreeNode, unit: Unit) => Parameters<typeof finishDml>[0]>> = {
  InsertStmt: compileInsert,
  UpdateStmt: compileUpdate,
  DeleteStmt: compileDelete,
  MergeStmt: compileMerge,
  TruncateStmt: compileTruncate,
};

/** A resolved statement as DuckDB SQL, or as the plain data of a DDL statement. */
export function compileStatement(statement: TreeNode, context: CompileContext): CompiledStatement {
  const kind = statement.kind ?? "";
  if (kind === "QueryStmt") return compileQuery(statement, context);
  if (kind === "AssertStmt") {
    const { unit, reads } = openUnit(context, statement);
    const { sql } = unit.expr(childOf(statement, "expression"));
    const message = textOf(statement, "description") || "Assertion failed";
    return { kind: "assert", sql: `SELECT ${sql}`, message, reads: reads.result() };
  }
  const dml = DML[kind];
  return dml === undefined ? compileDdl(statement, context) : compileDml(statement, context, dml);
}

function compileDml(
  statement: TreeNode,
  context: CompileContext,
  compile: (typeof DML)[string],
): CompiledDml {
  const { unit, reads } = openUnit(context, statement);
  const parts = compile(statement, unit);
  return finishDml(parts, reads.result());
}
