import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { isUnnamed } from "../storage/schema.ts";
import type { FieldSchema } from "../types.ts";
import type { CompiledQuery, ResultColumn } from "./compiled.ts";
import type { CompileContext } from "./context.ts";
import { openUnit } from "./statement-unit.ts";
import { resultSql, storedSql } from "./stored.ts";
import { childOf, columnId, flagOf, nodesOf, textOf } from "./tree-access.ts";
import { typeOf } from "./tree-types.ts";
import type { Unit } from "./unit.ts";

interface Output extends ResultColumn {
  readonly sql: string;
}

/** A QueryStmt. */
export function compileQuery(statement: TreeNode, context: CompileContext): CompiledQuery {
  let unnamed = 0;
  return compileOutputs(statement, context, ({ name, type, sql }, unit) => {
    const shown = isUnnamed(name) ? `f${unnamed++}_` : name;
    return context.asValue === true ? sql : resultSql(sql, type, shown, unit);
  });
}

/** The query of CREATE TABLE … AS SELECT, its values as the new table keeps them. */
export function compileStoredQuery(
  statement: TreeNode,
  context: CompileContext,
  schema: readonly FieldSchema[],
): CompiledQuery {
  return compileOutputs(statement, context, ({ type, sql }, unit, index) => {
    const field = schema[index];
    return field === undefined ? sql : storedSql(sql, type, field, unit);
  });
}

function compileOutputs(
  statement: TreeNode,
  context: CompileContext,
  finish: (output: Output, unit: Unit, index: number) => string,
): CompiledQuery {
  const { unit, reads } = openUnit(context, statement);
  const outputs = flagOf(statement, "isValueTable")
    ? valueTableOutputs(statement, unit)
    : nodesOf(statement, "outputColumnList").map((output) => ({
        name: textOf(output, "name"),
        type: typeOf(childOf(output, "column")),
        sql: unit.column(columnId(childOf(output, "column"))),
      }));
  const items = outputs.map((output, index) => `${finish(output, unit, index)} AS r${index}`);
  const sql = `SELECT ${items.join(", ")} FROM (${unit.scan(childOf(statement, "query"))})`;
  const columns = outputs.map(({ name, type }) => ({ name, type }));
  return { kind: "query", sql, columns, reads: reads.result() };
}

/** SELECT AS STRUCT and SELECT AS VALUE: a STRUCT's fields become the columns. */
function valueTableOutputs(statement: TreeNode, unit: Unit): readonly Output[] {
  const [output] = nodesOf(statement, "outputColumnList");
  if (output === undefined) throw unsupported("a value table without a column");
  const column = childOf(output, "column");
  const type = typeOf(column);
  const value = unit.column(columnId(column));
  if (type.kind !== "STRUCT") return [{ name: textOf(output, "name"), type, sql: value }];
  return type.fields.map((field, index) => ({ ...field, sql: `(${value}).f${index}` }));
}
