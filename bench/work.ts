import { createReadStream } from "node:fs";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { BigQuery } from "@google-cloud/bigquery";
import { loadFrom } from "../warehouse/client.ts";
import { ATTRIBUTES, SCHEMA } from "./updates.ts";

/** The same work twice: through the endpoint, and by DuckDB directly. */
export interface Work {
  readonly name: string;
  endpoint(): Promise<unknown>;
  direct(): Promise<unknown>;
}

/** What the bench works on. */
export interface Sizes {
  readonly rows: number;
  readonly users: number;
  readonly selected: number;
  readonly queries: number;
}

/** Where the two sides run. */
export interface Sides {
  readonly client: BigQuery;
  readonly duck: DuckDBConnection;
  readonly dataset: string;
  readonly file: string;
}

const CONCURRENT = 16;

/** All works, in an order in which each finds what it needs. */
export function works({ client, duck, dataset, file }: Sides, sizes: Sizes): readonly Work[] {
  const query = (sql: string) => client.query({ query: sql, defaultDataset: { datasetId: dataset } });
  const small = (n: number): string => `SELECT ${n} AS n, CONCAT('a', 'b') AS s`;
  const all = async (run: (n: number) => Promise<unknown>, width: number): Promise<void> => {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < sizes.queries) await run(next++);
    };
    await Promise.all(Array.from({ length: width }, worker));
  };
  const directly = (n: number): Promise<unknown> => duck.runAndReadAll(small(n));
  const duckColumns = SCHEMA.map(({ name, duck: type }) => `${name}: '${type}'`).join(", ");
  return [
    {
      name: `load job, ${sizes.rows} rows of NDJSON`,
      endpoint: () =>
        loadFrom(createReadStream(file), client.dataset(dataset).table("updates"), {
          sourceFormat: "NEWLINE_DELIMITED_JSON",
          writeDisposition: "WRITE_TRUNCATE",
          schema: { fields: SCHEMA.map(({ name, type }) => ({ name, type })) },
        }),
      direct: () =>
        duck.run(
          `CREATE OR REPLACE TABLE updates AS SELECT * FROM read_json('${file}', format = 'newline_delimited', columns = {${duckColumns}})`,
        ),
    },
    {
      name: `SELECT of ${sizes.selected} rows, as objects`,
      endpoint: () => query(`SELECT * FROM updates LIMIT ${sizes.selected}`),
      direct: async () =>
        (await duck.runAndReadAll(`SELECT * FROM updates LIMIT ${sizes.selected}`)).getRowObjects(),
    },
    {
      name: `${sizes.queries} small queries, one after another`,
      endpoint: () => all((n) => query(small(n)), 1),
      direct: () => all(directly, 1),
    },
    {
      name: `${sizes.queries} small queries, ${CONCURRENT} at a time`,
      endpoint: () => all((n) => query(small(n)), CONCURRENT),
      direct: () => all(directly, CONCURRENT),
    },
    {
      name: `gather of ${ATTRIBUTES.length} attributes, ${sizes.rows} rows`,
      endpoint: () =>
        query(
          `CREATE OR REPLACE TABLE batch AS SELECT userId, MAX(ts) AS ts, ${newest()} FROM updates GROUP BY userId`,
        ),
      direct: () =>
        duck.run(
          `CREATE OR REPLACE TABLE batch AS SELECT userId, max(ts) AS ts, ${newestInDuck()} FROM updates GROUP BY userId`,
        ),
    },
    {
      name: `MERGE of ${sizes.users} users`,
      endpoint: async () => {
        await query("CREATE OR REPLACE TABLE final AS SELECT * FROM batch WHERE userId < 'user5'");
        await query(
          `MERGE final AS t USING batch AS s ON t.userId = s.userId WHEN MATCHED THEN UPDATE SET ts = s.ts, ${kept()} WHEN NOT MATCHED THEN INSERT ROW`,
        );
      },
      direct: async () => {
        await duck.run("CREATE OR REPLACE TABLE final AS SELECT * FROM batch WHERE userId < 'user5'");
        await duck.run(
          `MERGE INTO final AS t USING batch AS s ON t.userId = s.userId WHEN MATCHED THEN UPDATE SET ts = s.ts, ${kept()} WHEN NOT MATCHED THEN INSERT`,
        );
      },
    },
  ];
}

function newest(): string {
  return ATTRIBUTES.map(
    (name) =>
      `ARRAY_AGG(IF(${name} IS NULL, NULL, STRUCT(${name} AS value, ts AS version)) IGNORE NULLS ORDER BY ts DESC, ${name} DESC LIMIT 1)[SAFE_OFFSET(0)].value AS ${name}`,
  ).join(", ");
}

/** A maximum over (time, value) breaks ties as the query for BigQuery does. */
function newestInDuck(): string {
  return ATTRIBUTES.map(
    (name) => `max({'version': ts, 'value': ${name}}) FILTER (${name} IS NOT NULL).value AS ${name}`,
  ).join(", ");
}

function kept(): string {
  return ATTRIBUTES.map((name) => `${name} = COALESCE(s.${name}, t.${name})`).join(", ");
}
