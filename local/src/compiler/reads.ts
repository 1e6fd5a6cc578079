import type { TableRef } from "../types.ts";
import type { TableRead } from "./compiled.ts";

interface OpenRead {
  readonly table: TableRef;
  readonly columns: Set<string>;
  past: boolean;
  /** One condition for each scan of the table; undefined for a scan that reads everything. */
  readonly filters: (string | undefined)[];
}

/** Gathers what a statement reads, table by table. */
export class ReadCollector {
  private readonly byTable = new Map<string, OpenRead>();

  /** Notes one scan of a table; `past`: not of its rows as they are. */
  add(table: TableRef, columns: readonly string[], partitionFilter: string | undefined, past = false): void {
    const key = `${table.projectId}.${table.datasetId}.${table.tableId}`;
    let read = this.byTable.get(key);
    if (read === undefined) {
      read = { table, columns: new Set(), past: false, filters: [] };
      this.byTable.set(key, read);
    }
    for (const column of columns) read.columns.add(column);
    read.past ||= past;
    read.filters.push(partitionFilter);
  }

  /** Takes over what a view reads. */
  addAll(reads: readonly TableRead[]): void {
    for (const read of reads) this.add(read.table, read.columns, read.partitionFilter, read.past);
  }

  /** Everything noted so far. A table scanned twice is needed where either scan needs it. */
  result(): readonly TableRead[] {
    return [...this.byTable.values()].map(({ table, columns, past, filters }) => {
      const known = filters.filter((filter) => filter !== undefined);
      const all = known.length < filters.length;
      return {
        table,
        columns: [...columns],
        ...(past ? { past } : {}),
        ...(all ? {} : { partitionFilter: [...new Set(known)].map((filter) => `(${filter})`).join(" OR ") }),
      };
    });
  }
}
