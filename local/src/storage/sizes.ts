import type { SqlType } from "../types.ts";
import { quoteName } from "../values.ts";
import type { Catalog } from "./catalog.ts";
import type { TableEntry } from "./entries.ts";
import { fieldType } from "./schema.ts";

/** Bytes of a value of fixed size: https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#data_type_sizes */
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
  RANGE: 16,
};

/**
 * The sum of terms, nested no deeper than it must be: DuckDB takes expressions of a thousand levels, and a table may have 10,000
 * columns.
 */
export function sumOf(terms: readonly string[]): string {
  if (terms.length <= 1) return terms[0] ?? "0";
  const middle = Math.ceil(terms.length / 2);
  return `(${sumOf(terms.slice(0, middle))} + ${sumOf(terms.slice(middle))})`;
}

/** The DuckDB expression for a value's logical size in bytes; NULL has none. */
export function valueSize(type: SqlType, sql: string, depth = 0): string {
  if (type.kind === "STRUCT") {
    const fields = type.fields.map((field, index) =>
      valueSize(field.type, `struct_extract(${sql}, 'f${index}')`, depth),
    );
    return sumOf(fields);
  }
  if (type.kind === "ARRAY") {
    const fixed = FIXED[type.element.kind];
    if (fixed !== undefined) return `coalesce(len(${sql}) * ${fixed}, 0)`;
    const item = `e${depth}`;
    const sizes = `list_transform(${sql}, lambda ${item}: ${valueSize(type.element, item, depth + 1)})`;
    return `coalesce(list_sum(${sizes})::BIGINT, 0)`;
  }
  const fixed = FIXED[type.kind];
  if (fixed !== undefined) return `CASE WHEN ${sql} IS NULL THEN 0 ELSE ${fixed} END`;
  if (type.kind === "BYTES") return `coalesce(octet_length(${sql}) + 2, 0)`;
  return `coalesce(strlen(${sql}) + 2, 0)`;
}

/** What a table holds. */
export interface TableSize {
  readonly rows: number;
  readonly bytes: number;
}

/** Counts rows and bytes of tables, once for each state of a table's rows. */
export class TableSizes {
  readonly #catalog: Catalog;
  /** By the table's physical name: the state that was counted, and the answer. */
  readonly #known = new Map<string, { version: string; size: Promise<TableSize> }>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** Rows and logical bytes of a table; a view has none. */
  size(entry: TableEntry): Promise<TableSize> {
    const { physical } = entry;
    if (physical === undefined) return Promise.resolve({ rows: 0, bytes: 0 });
    const version = `${this.#catalog.dataVersion(entry)} ${entry.version}`;
    const known = this.#known.get(physical);
    if (known?.version === version) return known.size;
    const size = this.#count(entry);
    if (this.#known.size >= 10_000) this.#known.clear();
    this.#known.set(physical, { version, size });
    size.catch(() => this.#known.delete(physical));
    return size;
  }

  async #count(entry: TableEntry): Promise<TableSize> {
    const [row] = await this.#query(`SELECT count(*), ${rowBytes(entry)} FROM ${entry.physical}`);
    return { rows: Number(row?.[0] ?? 0), bytes: Number(row?.[1] ?? 0) };
  }

  #query(sql: string): Promise<unknown[][]> {
    return this.#catalog.database.use(async (connection) => (await connection.runAndReadAll(sql)).getRows());
  }
}

/** The DuckDB aggregate for the logical bytes of a table's rows, in the FROM of whoever uses it. */
export function rowBytes(entry: TableEntry): string {
  const sizes = entry.schema.map((field) => valueSize(fieldType(field), quoteName(field.name)));
  return sizes.length === 0 ? "0" : `coalesce(sum(${sumOf(sizes)}), 0)::DOUBLE`;
}
