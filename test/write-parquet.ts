import { DuckDBInstance } from "@duckdb/node-api";

/** Writes the rows of a DuckDB query as a Parquet file; options as COPY takes them. */
export async function writeParquet(file: string, query: string, options = ""): Promise<void> {
  const database = await DuckDBInstance.create(":memory:");
  const connection = await database.connect();
  await connection.run(`COPY (${query}) TO '${file}' (FORMAT parquet${options})`);
  connection.closeSync();
  database.closeSync();
}
