import type { TreeNode } from "../googlesql/tree.ts";
import type { PhysicalTable } from "./context.ts";
import { literalValue } from "./literals.ts";
import { type NeededRows, outputId, refTo, renameColumns } from "./needed-rows.ts";
import { readPartitions } from "./partition-filters.ts";
import { compilePastScan } from "./past-rows.ts";
import { columnExpression } from "./physical-columns.ts";
import { childOf, columnId, functionName, nodeOf, nodesOf, refId, textOf } from "./tree-access.ts";
import { typeOf } from "./tree-types.ts";
import type { Unit } from "./unit.ts";

/** A table or a view. */
export function compileTableScan(node: TreeNode, unit: Unit): string {
  if (nodeOf(node, "forSystemTimeExpr") !== undefined)
    return compilePastScan(node, (table) => tableColumns(node, table, unit), unit);
  const name = tableName(node);
  const view = unit.context.expandView(name, (columns) => viewRows(node, columns, unit));
  if (view !== undefined) {
    unit.reads.addAll(view.reads);
    unit.note({ isVolatile: view.isVolatile });
    const names = view.columns.map((column) => column.name.toLowerCase());
    const columns = nodesOf(node, "columnList").map((column) => {
      const position = names.indexOf(textOf(column, "name").toLowerCase());
      return unit.define(`v.r${position}`, columnId(column));
    });
    const renamed = view.columns.map((_, index) => `r${index}`).join(", ");
    return `SELECT ${columns.length === 0 ? `1 AS "none"` : columns.join(", ")} FROM (${view.sql}) AS v(${renamed})`;
  }
  const table = unit.context.physicalTable(name);
  const columns = nodesOf(node, "columnList").map((column) => textOf(column, "name"));
  unit.reads.add(table.ref, columns, readPartitions(unit.neededRows(node), node, table, unit));
  return `SELECT ${tableColumns(node, table, unit)} FROM ${neededSql(node, table, unit)} AS t`;
}

/** What to read of a table: of a view of INFORMATION_SCHEMA that reads others no more than the one table that is asked for. */
function neededSql(scan: TreeNode, table: PhysicalTable, unit: Unit): string {
  const asked = unit.neededRows(scan);
  const [conditions = []] = asked;
  if (table.sqlOfTable === undefined || asked.length !== 1) return table.sql;
  const names = nodesOf(scan, "columnList").filter((column) => textOf(column, "name") === "table_name");
  const ids = new Set(names.map(columnId));
  for (const condition of conditions) {
    if (condition.kind !== "FunctionCall" || functionName(condition).name !== "$equal") continue;
    const [left = {}, right = {}] = nodesOf(condition, "argumentList");
    if (left.kind !== "ColumnRef" || !ids.has(refId(left)) || right.kind !== "Literal") continue;
    return table.sqlOfTable(String(literalValue(right, typeOf(right))));
  }
  return table.sql;
}

/** The rows needed of a view, in terms of its own columns. */
function viewRows(scan: TreeNode, columns: readonly string[], unit: Unit): NeededRows {
  const names = new Map(
    nodesOf(scan, "columnList").map((column) => [columnId(column), textOf(column, "name").toLowerCase()]),
  );
  return renameColumns(unit.neededRows(scan), (id, ref) => {
    const position = columns.findIndex((name) => name.toLowerCase() === names.get(id));
    return position < 0 ? undefined : refTo(outputId(position), ref);
  });
}

/** The name of a scanned table as it stands in the tree. */
export function tableName(scan: TreeNode): string {
  return textOf(childOf(scan, "table"), "name");
}

/** `t."a" AS c1, …` for the columns of a scan of a physical table named `t`. */
function tableColumns(scan: TreeNode, table: PhysicalTable, unit: Unit): string {
  const columns = nodesOf(scan, "columnList").map((column) =>
    unit.define(columnExpression(table, textOf(column, "name")), columnId(column)),
  );
  return columns.length === 0 ? `1 AS "none"` : columns.join(", ");
}
