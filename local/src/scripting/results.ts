import type { DuckDBConnection, DuckDBDataChunk } from "@duckdb/node-api";
import type { ResultColumn } from "../compiler/compiled.ts";
import type { ResultHandle } from "../jobs/ports.ts";
import { schemaOfColumns } from "../storage/schema.ts";
import type { FieldSchema } from "../types.ts";
import { fromDuck, type SqlValue } from "../values.ts";

/** A result of so few values is kept as they are: a column of DuckDB's has room for 2,048 rows, however few there are. */
const FEW_VALUES = 1_000;

/** A query's rows, kept in DuckDB's own columns and turned into values page by page. */
export class MemoryResult implements ResultHandle {
  readonly schema: readonly FieldSchema[];
  readonly totalRows: number;
  readonly #columns: readonly ResultColumn[];
  readonly #chunks: readonly DuckDBDataChunk[];
  /** All rows, where they are few. */
  readonly #values: SqlValue[][] | undefined;
  /** The number of the first row of each chunk. */
  readonly #starts: readonly number[];

  private constructor(columns: readonly ResultColumn[], chunks: readonly DuckDBDataChunk[]) {
    this.schema = schemaOfColumns(columns);
    this.#columns = columns;
    const starts: number[] = [];
    let rows = 0;
    for (const chunk of chunks) {
      starts.push(rows);
      rows += chunk.rowCount;
    }
    this.#starts = starts;
    this.totalRows = rows;
    this.#chunks = chunks;
    if (rows * columns.length > FEW_VALUES) return;
    this.#values = this.rows();
    this.#chunks = [];
  }

  /** Runs a DuckDB query whose i-th column is `columns[i]`. */
  static async read(
    connection: DuckDBConnection,
    sql: string,
    columns: readonly ResultColumn[],
  ): Promise<MemoryResult> {
    const result = await connection.stream(sql);
    const chunks: DuckDBDataChunk[] = [];
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) break;
      chunks.push(chunk);
    }
    return new MemoryResult(columns, chunks);
  }

  /** Rows from `start` on, at most `count`. */
  async page(start: number, count: number): Promise<SqlValue[][]> {
    return this.rows(start, count);
  }

  /** Rows from `start` on, at most `count`. */
  rows(start = 0, count = this.totalRows): SqlValue[][] {
    if (this.#values !== undefined) return this.#values.slice(start, start + count);
    const rows: SqlValue[][] = [];
    let index = this.#chunkOf(start);
    let next = start;
    while (rows.length < count && next < this.totalRows) {
      const chunk = this.#chunks[index];
      if (chunk === undefined) break;
      const offset = next - (this.#starts[index] ?? 0);
      const take = Math.min(chunk.rowCount - offset, count - rows.length);
      this.#appendRows(rows, chunk, offset, take);
      next += take;
      index += 1;
    }
    return rows;
  }

  #appendRows(rows: SqlValue[][], chunk: DuckDBDataChunk, offset: number, count: number): void {
    const vectors = this.#columns.map((_, column) => chunk.getColumnVector(column));
    for (let row = offset; row < offset + count; row++) {
      rows.push(this.#columns.map(({ type }, column) => fromDuck(type, vectors[column]?.getItem(row))));
    }
  }

  #chunkOf(row: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= row) low = middle;
      else high = middle;
    }
    return low;
  }
}
