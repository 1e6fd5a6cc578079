import { findField } from "../storage/schema.ts";
import { quoteName } from "../values.ts";
import type { PhysicalTable } from "./context.ts";

/** A column of the physical table `t`; names match whatever their case. */
export function columnExpression(table: PhysicalTable, name: string): string {
  const column = findField(table.columns, name);
  if (column === undefined) throw new Error(`column ${name} of ${table.ref.tableId} is not in the catalog`);
  return column.sql ?? `t.${quoteName(column.name)}`;
}
