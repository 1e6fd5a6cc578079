import { createRequire } from "node:module";
import type { DuckDBConnection } from "@duckdb/node-api";
import {
  attributes,
  batchQuery,
  checkQuery,
  columnsOf,
  type DataSize,
  DUCKDB,
  historyQuery,
} from "./data.ts";

/** DuckDB as the endpoint has it. */
const { DuckDBInstance } = createRequire(new URL("../local/package.json", import.meta.url))(
  "@duckdb/node-api",
) as typeof import("@duckdb/node-api");

/**
 * The least that an engine does for the same tables: DuckDB itself, an `arg_max` an attribute over the new rows, and an UPDATE and an
 * INSERT of those users; no versions, no transaction log, no accounting.
 */
export class DuckDbMinimum {
  readonly #connection: DuckDBConnection;
  readonly #size: DataSize;

  private constructor(connection: DuckDBConnection, size: DataSize) {
    this.#connection = connection;
    this.#size = size;
  }

  /** Makes the tables, with the history. */
  static async start(size: DataSize): Promise<DuckDbMinimum> {
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    await connection.run("SET TimeZone = 'UTC'");
    const minimum = new DuckDbMinimum(connection, size);
    await connection.run(`CREATE TABLE updates AS ${historyQuery(size, DUCKDB)}`);
    await connection.run("CREATE TABLE final AS SELECT * FROM updates LIMIT 0");
    return minimum;
  }

  /** Appends a batch. */
  async append(rows: number, number: number): Promise<void> {
    await this.#connection.run(`INSERT INTO updates ${batchQuery(this.#size, rows, number, DUCKDB)}`);
  }

  /** Takes in what is new; gives how long that took, in seconds. */
  async run(): Promise<number> {
    const start = performance.now();
    const names = attributes(this.#size.attributes).map(({ name }) => name);
    const newest = names.map(
      (name) => `arg_max(${name}, ingestTimestamp) FILTER (WHERE ${name} IS NOT NULL) AS ${name}`,
    );
    const since = "(SELECT coalesce(max(ingestTimestamp), TIMESTAMPTZ '1900-01-01') FROM final)";
    await this.#connection.run(
      `CREATE OR REPLACE TEMP TABLE batch AS SELECT userId, max(ingestTimestamp) AS ingestTimestamp, ${newest.join(", ")} FROM updates WHERE ingestTimestamp > ${since} GROUP BY userId`,
    );
    const sets = names.map((name) => `${name} = coalesce(batch.${name}, final.${name})`);
    await this.#connection.run(
      `UPDATE final SET ingestTimestamp = batch.ingestTimestamp, ${sets.join(", ")} FROM batch WHERE final.userId = batch.userId`,
    );
    const columns = columnsOf(this.#size.attributes).map(({ name }) => name);
    await this.#connection.run(
      `INSERT INTO final SELECT ${columns.join(", ")} FROM batch WHERE NOT EXISTS (SELECT 1 FROM final WHERE final.userId = batch.userId)`,
    );
    return (performance.now() - start) / 1000;
  }

  /** What `checkQuery` gives. */
  async check(): Promise<string> {
    const sql = checkQuery("final", this.#size.attributes, DUCKDB);
    return (await this.#connection.runAndReadAll(sql)).getRows().map(String).join();
  }

  /** Frees the tables. */
  close(): void {
    this.#connection.closeSync();
  }
}
