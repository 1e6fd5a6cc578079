import type { TableRef } from "../types.ts";
import type { DatasetEntry, RoutineEntry, TableEntry } from "./entries.ts";
import type { TableHistory } from "./history.ts";
import type { TableContents } from "./table-contents.ts";

/** Something objects can be looked up in: the committed catalog, or a change in progress that sees itself. */
export interface CatalogView {
  getDataset(projectId: string, datasetId: string): DatasetEntry | undefined;
  getTable(ref: TableRef): TableEntry | undefined;
  getRoutine(projectId: string, datasetId: string, routineId: string): RoutineEntry | undefined;
  listDatasets(projectId: string): DatasetEntry[];
  listTables(projectId: string, datasetId: string): TableEntry[];
  listRoutines(projectId: string, datasetId: string): RoutineEntry[];
  /** When the table or its rows last changed, in milliseconds. */
  lastModified(entry: TableEntry): number;
  /** Rows and bytes of a table; a view has none. */
  contents(entry: TableEntry): Promise<TableContents>;
  /** What is known of the table's past. */
  history(entry: TableEntry): TableHistory;
}
