import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { quoteName } from "../values.ts";
import type { PhysicalTable } from "./context.ts";
import { partitionFilter } from "./partition-filters.ts";
import { childOf, columnId, nodeOf, nodesOf, textOf } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

/** A table or a view. */
export function compileTableScan(node: TreeNode, unit: Unit): string {
  return compileFilteredTableScan(node, undefined, unit);
}

/** A table or a view, of which only rows that pass a filter are wanted; the filter itself is applied by the caller. */
export function compileFilteredTableScan(node: TreeNode, filter: TreeNode | undefined, unit: Unit): string {
  if (nodeOf(node, "forSystemTimeExpr") !== undefined) throw unsupported("FOR SYSTEM_TIME AS OF");
  const name = tableName(node);
  const view = unit.context.expandView(name);
  if (view !== undefined) {
    unit.reads.addAll(view.reads);
    const names = view.columns.map((column) => column.name.toLowerCase());
    const columns = nodesOf(node, "columnList").map((column) => {
      const position = names.indexOf(textOf(column, "name").toLowerCase());
      return unit.define(`v.r${position}`, columnId(column));
    });
    const renamed = view.columns.map((_, index) => `r${index}`).join(", ");
    return `SELECT ${columns.length === 0 ? `1 AS "none"` : columns.join(", ")} FROM (${view.sql}) AS v(${renamed})`;
  }
  const table = unit.context.physicalTable(name);
  const columns = nodesOf(node, "columnList");
  unit.reads.add(
    table.ref,
    columns.map((column) => textOf(column, "name")),
    filter === undefined ? undefined : partitionFilter(filter, node, table, unit),
  );
  return `SELECT ${tableColumns(node, table, unit)} FROM ${table.sql} AS t`;
}

/** The name of a scanned table as it stands in the tree. */
export function tableName(scan: TreeNode): string {
  return textOf(childOf(scan, "table"), "name");
}

/** `t."a" AS c1, …` for the columns of a scan of a physical table named `t`. */
export function tableColumns(scan: TreeNode, table: PhysicalTable, unit: Unit): string {
  const columns = nodesOf(scan, "columnList").map((column) =>
    unit.define(columnExpression(table, textOf(column, "name")), columnId(column)),
  );
  return columns.length === 0 ? `1 AS "none"` : columns.join(", ");
}

/** A column of the physical table `t`; names match whatever their case. */
export function columnExpression(table: PhysicalTable, name: string): string {
  const column = table.columns.find((each) => each.name.toLowerCase() === name.toLowerCase());
  if (column === undefined) throw new Error(`column ${name} of ${table.ref.tableId} is not in the catalog`);
  return column.sql ?? `t.${quoteName(column.name)}`;
}
