import type { DuckDBConnection } from "@duckdb/node-api";
import type { TableRead } from "../compiler/compiled.ts";
import { LruCache } from "../googlesql/cache.ts";
import type { Catalog } from "../storage/catalog.ts";
import type { CatalogView } from "../storage/catalog-view.ts";
import type { TableEntry } from "../storage/entries.ts";
import { fieldType, findField } from "../storage/schema.ts";
import { valueSize } from "../storage/sizes.ts";
import { quoteName } from "../values.ts";
import { wildcardEntries } from "./wildcard-tables.ts";

/** Computes what BigQuery would bill: the logical bytes of the columns that a statement reads. */
export class ReadBytes {
  readonly #catalog: Catalog;
  readonly #known = new LruCache<number>(10_000);

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** The bytes of all these reads, each table counted once per mention as BigQuery does. */
  async count(connection: DuckDBConnection, view: CatalogView, reads: readonly TableRead[]): Promise<number> {
    let total = 0;
    for (const { table, columns, partitionFilter } of reads) {
      const found = table.tableId.endsWith("*") ? wildcardEntries(view, table) : [view.getTable(table)];
      for (const entry of found) {
        if (entry?.physical === undefined) continue;
        for (const column of columns) total += await this.#column(connection, entry, column, partitionFilter);
      }
    }
    return total;
  }

  async #column(
    connection: DuckDBConnection,
    entry: TableEntry,
    column: string,
    filter: string | undefined,
  ): Promise<number> {
    const field = findField(entry.schema, column);
    if (field === undefined) return 0;
    const key = `${this.#catalog.dataVersion(entry)} ${column} ${filter ?? ""}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const where = filter === undefined ? "" : ` WHERE ${filter}`;
    const size = valueSize(fieldType(field), quoteName(field.name));
    const sql = `SELECT coalesce(sum(${size}), 0)::DOUBLE FROM ${entry.physical} AS t${where}`;
    const bytes = Number((await connection.runAndReadAll(sql)).getRows()[0]?.[0] ?? 0);
    this.#known.set(key, bytes);
    return bytes;
  }
}
