import type { TableEntry } from "../storage/entries.ts";
import type { Services } from "./services.ts";
import type { TableSize } from "./table-resource.ts";

/** What a table holds now. */
export async function sizeOf(services: Services, entry: TableEntry): Promise<TableSize> {
  const { catalog, database } = services.storage;
  const lastModified = catalog.lastModified(entry);
  const { physical } = entry;
  if (physical === undefined) return { rows: 0, bytes: 0, lastModified };
  const columns = entry.schema.map((field) => field.name);
  return database.use(async (connection) => {
    const reader = await connection.runAndReadAll(`SELECT count(*) FROM ${physical}`);
    const rows = Number(reader.getRows()[0]?.[0] ?? 0);
    const bytes = await services.readBytes.count(connection, catalog, [{ table: entry.ref, columns }]);
    return { rows, bytes, lastModified };
  });
}
