import type { DuckDBConnection } from "@duckdb/node-api";
import type { FieldSchema, Partitioning } from "../types.ts";
import { duckType, quoteName } from "../values.ts";
import { partitioningColumn, partitionKey, partitionRows } from "./partition-keys.ts";
import { fieldType, findField, placeOfField } from "./schema.ts";
import { sizeSum, sumOf } from "./sizes.ts";

/** What tells the partitions of a table apart; see `partitionKey`. */
export type PartitionKey = bigint | null;

/** Rows and bytes that a partition gained or, below zero, lost; `bytes` by column, in the schema's order. */
export interface ContentsChange {
  readonly key: PartitionKey;
  readonly rows: number;
  readonly bytes: readonly number[];
}

/** Of a table or a statement's target: what its contents are counted by. */
export interface CountedTable {
  readonly schema: readonly FieldSchema[];
  readonly partitioning: Partitioning;
}

/** Row ids in DuckDB of rows that the open transaction has inserted; those of committed rows are all below. */
export const FIRST_OWN_ROW = 36_028_797_018_960_000n;

/** What a table holds: rows and logical bytes, by partition and column. */
export class TableContents {
  readonly #table: CountedTable;
  readonly #partitions = new Map<PartitionKey, { rows: number; readonly bytes: number[] }>();

  constructor(table: CountedTable) {
    this.#table = table;
  }

  /** The partitions that hold rows. */
  get keys(): PartitionKey[] {
    return [...this.#partitions.keys()];
  }

  /** Adds what partitions gained and takes away what they lost. */
  add(changes: readonly ContentsChange[]): void {
    for (const { key, rows, bytes } of changes) {
      const known = this.#partitions.get(key) ?? { rows: 0, bytes: this.#table.schema.map(() => 0) };
      known.rows += rows;
      for (const [index, size] of bytes.entries()) known.bytes[index] = (known.bytes[index] ?? 0) + size;
      if (known.rows === 0) this.#partitions.delete(key);
      else this.#partitions.set(key, known);
    }
  }

  /** The same with these changes. */
  with(changes: readonly ContentsChange[]): TableContents {
    const copy = new TableContents(this.#table);
    copy.add(this.changes());
    copy.add(changes);
    return copy;
  }

  /** All of it as what an empty table gained; with `sign` -1 as what the table would lose. */
  changes(sign: 1 | -1 = 1): ContentsChange[] {
    return [...this.#partitions].map(([key, { rows, bytes }]) => ({
      key,
      rows: sign * rows,
      bytes: bytes.map((size) => sign * size),
    }));
  }

  /** The rows in these partitions. */
  rows(keys: readonly PartitionKey[] = this.keys): number {
    return keys.reduce((sum, key) => sum + (this.#partitions.get(key)?.rows ?? 0), 0);
  }

  /** The bytes of these columns (names in any case; all when absent) in these partitions. */
  bytes(columns?: readonly string[], keys: readonly PartitionKey[] = this.keys): number {
    const { schema } = this.#table;
    const places =
      columns === undefined ? schema.keys() : new Set(columns.map((name) => placeOfField(schema, name)));
    let total = 0;
    for (const index of places) {
      if (index === undefined) continue;
      for (const key of keys) total += this.#partitions.get(key)?.bytes[index] ?? 0;
    }
    return total;
  }

  /** The partitions for which a DuckDB condition over a row `t` of the table is true; it is so for all rows of one or for none. */
  async where(connection: DuckDBConnection, condition: string): Promise<PartitionKey[]> {
    if (this.#partitions.size === 0) return [];
    const rows = partitionRows(this.#table.partitioning, this.#partitioningType(), this.keys);
    const sql = `SELECT partition_key FROM ${rows} AS t WHERE ${condition}`;
    return (await connection.runAndReadAll(sql)).getRows().map(([key]) => key as PartitionKey);
  }

  #partitioningType(): string {
    const field = findField(this.#table.schema, partitioningColumn(this.#table.partitioning) ?? "");
    return field === undefined ? "TIMESTAMPTZ" : duckType(fieldType(field));
  }
}

/**
 * The DuckDB query that counts rows by partition, to be read by `readContents`: one pass over `from`, a table with or without WHERE. With
 * `sign` "-" it tells what is lost where these rows go.
 */
export function contentsSql(table: CountedTable, from: string, sign: "" | "-" = ""): string {
  const column = partitioningColumn(table.partitioning);
  const key = partitionKey(table.partitioning, column === undefined ? "" : quoteName(column));
  const sizes = table.schema.map((field) => sizeSum(fieldType(field), quoteName(field.name)));
  return contentsQuery(key, `${sign}count(*)`, sizes, from, sign);
}

/** The DuckDB aggregate for the logical bytes of a table's rows, in the FROM of whoever uses it. */
export function rowBytes({ schema }: Pick<CountedTable, "schema">): string {
  const sizes = schema.map((field) => sizeSum(fieldType(field), quoteName(field.name)));
  return `${sumOf(sizes)}::BIGINT`;
}

/** The same with expressions of one's own for the key of the partition, the rows and the bytes of each column. */
export function contentsQuery(
  key: string,
  rows: string,
  sizes: readonly string[],
  from: string,
  sign: "" | "-" = "",
): string {
  const columns = [key, rows, ...sizes.map((size) => `${sign}(${size})::DOUBLE`)];
  return `SELECT ${columns.join(", ")} FROM ${from} GROUP BY 1`;
}

/** Runs what `contentsSql` gives. */
export async function readContents(connection: DuckDBConnection, sql: string): Promise<ContentsChange[]> {
  const changes = (await connection.runAndReadAll(sql)).getRows().map(([key, rows, ...bytes]) => ({
    key: key as PartitionKey,
    rows: Number(rows ?? 0),
    bytes: bytes.map((size) => Number(size ?? 0)),
  }));
  return changes.filter(({ rows, bytes }) => rows !== 0 || bytes.some((size) => size !== 0));
}
