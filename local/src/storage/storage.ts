import { Catalog } from "./catalog.ts";
import { Database, type DatabaseOptions } from "./database.ts";
import { StreamingBuffer } from "./streaming-buffer.ts";

/** The database and its catalog: what the rest of the endpoint is given. */
export interface Storage {
  readonly database: Database;
  readonly catalog: Catalog;
  readonly streaming: StreamingBuffer;
  close(): Promise<void>;
}

/** Opens a data file, or a store in memory. */
export async function openStorage(
  options: DatabaseOptions & { location?: string; streamedMinutes?: (() => number) | undefined } = {},
): Promise<Storage> {
  const database = await Database.open(options);
  try {
    const catalog = await Catalog.open(database, options.location);
    const streaming = new StreamingBuffer(options.streamedMinutes);
    return { database, catalog, streaming, close: () => database.close() };
  } catch (error) {
    await database.close();
    throw error;
  }
}
