import type { TableEntry } from "../storage/entries.ts";
import type { Services } from "./services.ts";
import type { TableState } from "./table-resource.ts";

/** How a table stands now, with what it holds. */
export async function stateOf(services: Services, entry: TableEntry): Promise<TableState> {
  // Looked up before the rows are counted: an etag may be older than what it stands for, never newer.
  const lastModified = services.storage.catalog.lastModified(entry);
  const { rows, bytes } = await services.sizes.size(entry);
  return { lastModified, size: { rows, bytes } };
}
