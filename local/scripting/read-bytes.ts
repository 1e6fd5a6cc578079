import type { DuckDBConnection } from "@duckdb/node-api";
import type { TableRead } from "../compiler/compiled.ts";
import { LruCache } from "../googlesql/cache.ts";
import type { Catalog, CatalogView } from "../storage/catalog.ts";
import type { TableEntry } from "../storage/entries.ts";
import { fieldType, findField } from "../storage/schema.ts";
import type { SqlType } from "../types.ts";
import { quoteName } from "../values.ts";
import { wildcardEntries } from "./wildcard-tables.ts";

/** Bytes of a value of fixed size; NULL takes none. https://cloud.google.com/bigquery/pricing#data */
const FIXED: Partial<Record<SqlType["kind"], number>> = {
  INT64: 8,
  FLOAT64: 8,
  NUMERIC: 16,
  BIGNUMERIC: 32,
  BOOL: 1,
  DATE: 8,
  DATETIME: 8,
  TIME: 8,
  TIMESTAMP: 8,
  INTERVAL: 16,
};

/** The DuckDB expression for the logical size of one value; NULL gives 0. */
export function sizeOf(type: SqlType, sql: string, depth = 0): string {
  if (type.kind === "STRUCT") {
    const fields = type.fields.map((field, index) =>
      sizeOf(field.type, `struct_extract(${sql}, 'f${index}')`, depth),
    );
    return fields.length === 0 ? "0" : `(${fields.join(" + ")})`;
  }
  if (type.kind === "ARRAY") {
    const fixed = FIXED[type.element.kind];
    if (fixed !== undefined) return `coalesce(len(${sql}) * ${fixed}, 0)`;
    const item = `e${depth}`;
    const sizes = `list_transform(${sql}, lambda ${item}: ${sizeOf(type.element, item, depth + 1)})`;
    return `coalesce(list_sum(${sizes})::BIGINT, 0)`;
  }
  const fixed = FIXED[type.kind];
  if (fixed !== undefined) return `CASE WHEN ${sql} IS NULL THEN 0 ELSE ${fixed} END`;
  if (type.kind === "BYTES") return `coalesce(octet_length(${sql}) + 2, 0)`;
  return `coalesce(strlen(${sql}) + 2, 0)`;
}

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
    const size = sizeOf(fieldType(field), quoteName(field.name));
    const sql = `SELECT coalesce(sum(${size}), 0)::DOUBLE FROM ${entry.physical} AS t${where}`;
    const bytes = Number((await connection.runAndReadAll(sql)).getRows()[0]?.[0] ?? 0);
    this.#known.set(key, bytes);
    return bytes;
  }
}
