import type { TableEntry } from "../storage/entries.ts";
import type { Storage } from "../storage/storage.ts";
import type { TableSize } from "./table-resource.ts";

/** What a table holds now. */
export async function sizeOf(storage: Storage, entry: TableEntry): Promise<TableSize> {
  const lastModified = storage.catalog.lastModified(entry);
  const { physical } = entry;
  if (physical === undefined) return { rows: 0, bytes: 0, lastModified };
  const rows = await storage.database.use(async (connection) => {
    const reader = await connection.runAndReadAll(`SELECT count(*) FROM ${physical}`);
    return Number(reader.getRows()[0]?.[0] ?? 0);
  });
  return { rows, bytes: 0, lastModified };
}
