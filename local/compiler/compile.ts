import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { CompiledDml, CompiledQuery, CompiledStatement } from "./compiled.ts";
import type { CompileContext } from "./context.ts";
import { compileDdl } from "./ddl.ts";
import { compileDelete, compileInsert, compileTruncate, compileUpdate, finishDml } from "./dml.ts";
import { compileExpr } from "./expressions.ts";
import { findFirstElements } from "./first-elements.ts";
import { compileMerge } from "./merge.ts";
import { ReadCollector } from "./reads.ts";
import { compileScan } from "./scans.ts";
import { resultSql } from "./stored.ts";
import { childOf, columnId, flagOf, nodesOf, textOf } from "./tree-access.ts";
import { typeOf } from "./tree-types.ts";
import { Unit } from "./unit.ts";

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
    const { unit, reads } = open(statement, context);
    const { sql } = compileExpr(childOf(statement, "expression"), unit);
    const message = textOf(statement, "description") || "Assertion failed";
    return { kind: "assert", sql: `SELECT ${sql}`, message, reads: reads.result() };
  }
  const dml = DML[kind];
  return dml === undefined ? compileDdl(statement, context) : compileDml(statement, context, dml);
}

function open(statement: TreeNode, context: CompileContext): { unit: Unit; reads: ReadCollector } {
  const reads = new ReadCollector();
  return { unit: Unit.ofStatement(context, reads, findFirstElements(statement)), reads };
}

function compileDml(
  statement: TreeNode,
  context: CompileContext,
  compile: (typeof DML)[string],
): CompiledDml {
  const { unit, reads } = open(statement, context);
  const parts = compile(statement, unit);
  return finishDml(parts, reads.result());
}

/** A statement's query with its output columns: of a QueryStmt, of CREATE TABLE … AS SELECT, of a view. */
export function compileQuery(statement: TreeNode, context: CompileContext): CompiledQuery {
  const { unit, reads } = open(statement, context);
  if (flagOf(statement, "isValueTable")) return compileValueTable(statement, context, unit, reads);
  const columns = nodesOf(statement, "outputColumnList").map((output) => ({
    name: textOf(output, "name"),
    type: typeOf(childOf(output, "column")),
    id: columnId(childOf(output, "column")),
  }));
  const items = columns.map(({ name, type, id }, index) => {
    const value = unit.column(id);
    return `${context.asValue === true ? value : resultSql(value, type, name, unit)} AS r${index}`;
  });
  const sql = `SELECT ${items.join(", ")} FROM (${compileScan(childOf(statement, "query"), unit)})`;
  return {
    kind: "query",
    sql,
    columns: columns.map(({ name, type }) => ({ name, type })),
    reads: reads.result(),
  };
}

/** SELECT AS STRUCT and SELECT AS VALUE: a STRUCT's fields become the columns. */
function compileValueTable(
  statement: TreeNode,
  context: CompileContext,
  unit: Unit,
  reads: ReadCollector,
): CompiledQuery {
  const [output] = nodesOf(statement, "outputColumnList");
  if (output === undefined) throw unsupported("a value table without a column");
  const column = childOf(output, "column");
  const type = typeOf(column);
  const value = unit.column(columnId(column));
  const columns =
    type.kind === "STRUCT"
      ? type.fields.map((field, index) => ({ ...field, sql: `(${value}).f${index}` }))
      : [{ name: textOf(output, "name"), type, sql: value }];
  const items = columns.map(({ name, type, sql }, index) => {
    return `${context.asValue === true ? sql : resultSql(sql, type, name, unit)} AS r${index}`;
  });
  const sql = `SELECT ${items.join(", ")} FROM (${compileScan(childOf(statement, "query"), unit)})`;
  return {
    kind: "query",
    sql,
    columns: columns.map(({ name, type }) => ({ name, type })),
    reads: reads.result(),
  };
}
