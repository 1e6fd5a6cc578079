import type { TableRef } from "../types.ts";
import type { DatasetEntry, RoutineEntry, TableEntry } from "./entries.ts";

/** What the catalog holds, by the key it is stored under. */
export type Entry =
  | { readonly kind: "dataset"; readonly value: DatasetEntry }
  | { readonly kind: "table"; readonly value: TableEntry }
  | { readonly kind: "routine"; readonly value: RoutineEntry };

/** A key of the catalog: kind and names, as JSON text. */
export type EntryKey = string;

/** The key of a dataset. Names of datasets and tables are case-sensitive. */
export function datasetKey(projectId: string, datasetId: string): EntryKey {
  return JSON.stringify(["dataset", projectId, datasetId]);
}

/** The key of a table or view. */
export function tableKey(ref: TableRef): EntryKey {
  return JSON.stringify(["table", ref.projectId, ref.datasetId, ref.tableId]);
}

/** The key of a routine; routine names are case-insensitive. */
export function routineKey(projectId: string, datasetId: string, routineId: string): EntryKey {
  return JSON.stringify(["routine", projectId, datasetId, routineId.toLowerCase()]);
}

/** The datasets of a project, by name. */
export function listDatasets(entries: Iterable<[EntryKey, Entry]>, projectId: string): DatasetEntry[] {
  const found: DatasetEntry[] = [];
  for (const [, entry] of entries) {
    if (entry.kind === "dataset" && entry.value.projectId === projectId) found.push(entry.value);
  }
  return found.sort((a, b) => compareText(a.datasetId, b.datasetId));
}

/** The tables and views of a dataset, by name. */
export function listTables(
  entries: Iterable<[EntryKey, Entry]>,
  projectId: string,
  datasetId: string,
): TableEntry[] {
  const found: TableEntry[] = [];
  for (const [, entry] of entries) {
    if (entry.kind !== "table") continue;
    const { ref } = entry.value;
    if (ref.projectId === projectId && ref.datasetId === datasetId) found.push(entry.value);
  }
  return found.sort((a, b) => compareText(a.ref.tableId, b.ref.tableId));
}

/** The routines of a dataset, by name. */
export function listRoutines(
  entries: Iterable<[EntryKey, Entry]>,
  projectId: string,
  datasetId: string,
): RoutineEntry[] {
  const found: RoutineEntry[] = [];
  for (const [, entry] of entries) {
    if (entry.kind !== "routine") continue;
    if (entry.value.projectId === projectId && entry.value.datasetId === datasetId) found.push(entry.value);
  }
  return found.sort((a, b) => compareText(a.routineId, b.routineId));
}

/** Names in the order of their code units. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
