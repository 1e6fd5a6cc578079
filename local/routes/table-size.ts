import type { TableEntry } from "../storage/entries.ts";
import type { Services } from "./services.ts";
import type { TableSize } from "./table-resource.ts";

/** What a table holds now. */
export async function sizeOf(services: Services, entry: TableEntry): Promise<TableSize> {
  const { rows, bytes } = await services.sizes.size(entry);
  return { rows, bytes, lastModified: services.storage.catalog.lastModified(entry) };
}
