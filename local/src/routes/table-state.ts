import type { TableEntry } from "../storage/entries.ts";
import { inPartition } from "../storage/partitions.ts";
import { rowBytes } from "../storage/table-contents.ts";
import type { Services } from "./services.ts";
import type { TableState } from "./table-resource.ts";

/** How a table stands now, with what it holds, or what one partition of it holds. */
export async function stateOf(
  services: Services,
  entry: TableEntry,
  partition?: string,
): Promise<TableState & Required<Pick<TableState, "size">>> {
  // Looked up before the rows are counted: an etag may be older than what it stands for, never newer.
  const lastModified = services.storage.catalog.lastModified(entry);
  const { rows, bytes } =
    partition === undefined
      ? await wholeSize(services, entry)
      : await partitionSize(services, entry, inPartition(entry, partition));
  return { lastModified, size: { rows, bytes }, streamed: services.storage.streaming.state(entry.ref) };
}

async function wholeSize({ storage }: Services, entry: TableEntry): Promise<{ rows: number; bytes: number }> {
  const contents = await storage.catalog.contents(entry);
  return { rows: contents.rows(), bytes: contents.bytes() };
}

async function partitionSize(
  { storage }: Services,
  entry: TableEntry,
  condition: string,
): Promise<{ rows: number; bytes: number }> {
  const sql = `SELECT count(*), ${rowBytes(entry)} FROM ${entry.physical} WHERE ${condition}`;
  const [row] = await storage.database.use(async (connection) =>
    (await connection.runAndReadAll(sql)).getRows(),
  );
  return { rows: Number(row?.[0] ?? 0), bytes: Number(row?.[1] ?? 0) };
}
