import type { TreeNode } from "../googlesql/tree.ts";
import { partitioningColumn, partitionKey } from "../storage/partition-keys.ts";
import { placeOfField } from "../storage/schema.ts";
import { sizeSum, valueSize } from "../storage/sizes.ts";
import { contentsQuery, contentsSql, FIRST_OWN_ROW } from "../storage/table-contents.ts";
import { quoteName } from "../values.ts";
import { tableColumn } from "./assignments.ts";
import type { StepContents } from "./compiled.ts";
import type { PhysicalTable } from "./context.ts";
import { hasArray } from "./loose-updates.ts";
import { columnId, nodesOf, textOf } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

/** The key of a target row's partition, for the SELECT list over the physical table `t`, by the name `pkey`. */
export function partitionOfRow({ partitioning }: PhysicalTable): string {
  const column = partitioningColumn(partitioning);
  return `${partitionKey(partitioning, column === undefined ? "" : `t.${quoteName(column)}`)} AS pkey`;
}

/** What the present values of these columns take, as `was0`, `was1`, … by the columns' places in the schema. */
export function sizesBefore(
  scan: TreeNode,
  table: PhysicalTable,
  names: Iterable<string>,
  unit: Unit,
): string[] {
  const ids = new Map(
    nodesOf(scan, "columnList").map((column) => [textOf(column, "name").toLowerCase(), columnId(column)]),
  );
  return [...names].flatMap((name) => {
    const place = placeOfField(table.schema, name);
    const id = ids.get(name.toLowerCase());
    if (place === undefined || id === undefined) return [];
    return [`${valueSize(tableColumn(table, name).type, unit.column(id))} AS was${place}`];
  });
}

/** A step that deletes the rows with the ids that a query gives. */
export function deletedContents(table: PhysicalTable, rids: string): StepContents {
  return { before: contentsSql(table, rowsBefore(table, rids), "-") };
}

/**
 * A step that sets columns, to `v0`, `v1`, … in the order of `names`, where `rows` (a FROM item) holds `rid`, `pkey` and the sizes of
 * `sizesBefore`. DuckDB replaces a row where an ARRAY is set: it is then one of the transaction's own.
 */
export function updatedContents(table: PhysicalTable, names: readonly string[], rows: string): StepContents {
  const rids = `SELECT rid FROM ${rows}`;
  if (names.some((name) => hasArray(tableColumn(table, name).type))) return deletedContents(table, rids);
  const column = partitioningColumn(table.partitioning);
  const isMoved = names.some((name) => name.toLowerCase() === column?.toLowerCase());
  if (isMoved) {
    const kept = rowsBefore(table, rids);
    return { before: contentsSql(table, kept, "-"), after: contentsSql(table, kept) };
  }
  const sizes = table.schema.map(() => "0");
  for (const [index, name] of names.entries()) {
    const place = placeOfField(table.schema, name);
    if (place !== undefined)
      sizes[place] = `${sizeSum(tableColumn(table, name).type, `v${index}`)} - coalesce(sum(was${place}), 0)`;
  }
  const from = `${rows} WHERE rid < ${FIRST_OWN_ROW}`;
  return { before: contentsQuery("pkey", "0", sizes, from) };
}

function rowsBefore(table: PhysicalTable, rids: string): string {
  return `${table.sql} WHERE rowid < ${FIRST_OWN_ROW} AND rowid IN (${rids})`;
}
