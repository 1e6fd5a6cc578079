import { BigQueryError, unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { failWhen } from "../raise.ts";
import { findField } from "../storage/schema.ts";
import { typeText } from "../type-text.ts";
import type { SqlType } from "../types.ts";
import { literalSql } from "../values.ts";
import type { PhysicalTable } from "./context.ts";
import { structSql } from "./expressions.ts";
import { factsOf } from "./facts.ts";
import type { Operand } from "./functions/types.ts";
import { childOf, columnId, integerOf, nodeOf, nodesOf, textOf } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

/** What SET does to a column or a field: a new value for all of it, or something to some of its fields. */
type Change = { readonly value: Operand } | { readonly fields: Map<number, Change> };

/** The columns of a table that a SET list changes, in the list's order, with their new values. */
export function assignedValues(
  items: readonly TreeNode[],
  table: PhysicalTable,
  unit: Unit,
): ReadonlyMap<string, Operand> {
  const changes = new Map<string, { change: Change; column: TreeNode }>();
  for (const item of items) {
    refuseArrayUpdates(item);
    const { column, path } = targetPath(childOf(item, "target"));
    const given = childOf(childOf(item, "setValue"), "value");
    const value =
      given.kind === "DMLDefault" && path.length > 0
        ? fieldDefault(tableColumn(table, textOf(column, "name")).type, path)
        : dmlValue(given, column, table, unit);
    const id = columnId(column);
    const known = changes.get(id)?.change;
    changes.set(id, { change: addChange(known, path, value), column });
  }
  const values = new Map<string, Operand>();
  for (const [id, { change, column }] of changes) {
    const { name, type } = tableColumn(table, textOf(column, "name"));
    values.set(name, changed(unit.columnOperand(id), type, change));
  }
  return values;
}

/** The ids of the target's columns whose present value a SET list needs: those of which it changes fields only. */
export function partlyAssigned(items: readonly TreeNode[]): readonly TreeNode[] {
  return items
    .map((item) => targetPath(childOf(item, "target")))
    .flatMap(({ column, path }) => (path.length > 0 ? [column] : []));
}

/** A column of a table by its name, whatever the case. */
export function tableColumn(table: PhysicalTable, name: string): PhysicalTable["columns"][number] {
  const column = findField(table.columns, name);
  if (column === undefined) throw new Error(`no column ${name} in ${table.ref.tableId}`);
  return column;
}

/** A value of INSERT, or of SET for this column; DEFAULT stands for the column's default. */
export function dmlValue(value: TreeNode, column: TreeNode, table: PhysicalTable, unit: Unit): Operand {
  if (value.kind !== "DMLDefault") return unit.expr(value);
  return defaultValue(table, textOf(column, "name"), unit);
}

/** The default of a column, which is NULL unless it has one. */
export function defaultValue(table: PhysicalTable, name: string, unit: Unit): Operand {
  const { type, defaultValue: tree } = tableColumn(table, name);
  return tree === undefined ? { sql: literalSql(type, null) } : unit.withBody("", new Map()).expr(tree);
}

/** The default of a field, which is always NULL: only columns have others. */
function fieldDefault(column: SqlType, path: readonly number[]): Operand {
  const type = path.reduce((outer: SqlType, index): SqlType => {
    const field = outer.kind === "STRUCT" ? outer.fields[index] : undefined;
    if (field === undefined) throw new Error("a field that the column has not is set");
    return field.type;
  }, column);
  return { sql: literalSql(type, null) };
}

function refuseArrayUpdates(item: TreeNode): void {
  if (nodesOf(item, "arrayUpdateList").length > 0) throw unsupported("UPDATE of an array's element");
  const nested = ["deleteList", "updateList", "insertList"].filter((list) => nodesOf(item, list).length > 0);
  if (nested.length > 0) throw unsupported("DML nested in UPDATE … SET");
}

function targetPath(target: TreeNode): { column: TreeNode; path: readonly number[] } {
  if (target.kind === "GetStructField") {
    const { column, path } = targetPath(childOf(target, "expr"));
    return { column, path: [...path, integerOf(target, "fieldIdx")] };
  }
  if (nodeOf(target, "column") === undefined) throw unsupported(`SET of ${target.kind}`);
  return { column: childOf(target, "column"), path: [] };
}

function addChange(known: Change | undefined, path: readonly number[], value: Operand): Change {
  const [first, ...rest] = path;
  if (first === undefined || (known !== undefined && "value" in known)) {
    if (known !== undefined)
      throw new BigQueryError("invalidQuery", "Update item overlaps with another", "query");
    return { value };
  }
  const fields = known?.fields ?? new Map<number, Change>();
  fields.set(first, addChange(fields.get(first), rest, value));
  return { fields };
}

/**
 * A STRUCT with some fields changed; one that is NULL has no field to set. BigQuery's pages say nothing of it, GoogleSQL's own rule is
 * an error (`assign_struct_field_in_null_struct` in the compliance tests of github.com/google/zetasql, dml_update_struct.test).
 */
function changed(current: Operand, type: SqlType, change: Change): Operand {
  if ("value" in change) return change.value;
  if (type.kind !== "STRUCT") throw new Error("a field of something that is no STRUCT is set");
  const fields = type.fields.map((field, index) => {
    const inner = change.fields.get(index);
    const value = { ...current, sql: `(${current.sql}).f${index}` };
    return inner === undefined ? value : changed(value, field.type, inner);
  });
  const struct = structSql(fields.map(({ sql }) => sql));
  const message = `Cannot set field of NULL ${typeText(type)}`;
  return {
    ...factsOf(fields),
    mayFail: true,
    sql: failWhen(`${current.sql} IS NULL`, type, [message], struct),
  };
}
