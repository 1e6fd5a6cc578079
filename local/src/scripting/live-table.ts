import type { PhysicalTable } from "../compiler/context.ts";
import type { FoundTable } from "../googlesql/source.ts";
import type { TableEntry } from "../storage/entries.ts";

/** A table as the analyzer sees it, and as DuckDB does. */
export interface LiveTable extends FoundTable {
  /** Views have none. */
  readonly physical?: PhysicalTable;
  readonly entry?: TableEntry;
}
