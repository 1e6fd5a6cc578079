import type { DuckDBConnection } from "@duckdb/node-api";
import type { BigQuery } from "@google-cloud/bigquery";
import { loadUpdates, type Milliseconds, readAnswers, timed } from "./measures.ts";
import type { QueryWork } from "./query-work.ts";
import { ATTRIBUTES, SCHEMA } from "./updates.ts";

/** The same work twice: through the endpoint, and by DuckDB directly where it can do it. */
export interface Work {
  readonly name: string;
  endpoint(): Promise<Milliseconds>;
  direct?(): Promise<Milliseconds>;
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
  readonly url: string;
  readonly client: BigQuery;
  readonly duck: DuckDBConnection;
  readonly queryWork: QueryWork;
  readonly dataset: string;
  readonly file: string;
}

const CONCURRENT = 16;

/** All works, in an order in which each finds what it needs. */
export function works(sides: Sides, sizes: Sizes): readonly Work[] {
  return [
    ...loads(sides, sizes),
    ...selects(sides, sizes),
    ...smallQueries(sides, sizes),
    ...merges(sides, sizes),
  ];
}

function loads({ url, client, duck, dataset, file }: Sides, { rows }: Sizes): Work[] {
  const columns = SCHEMA.map(({ name, duck: type }) => `${name}: '${type}'`).join(", ");
  const reader = `read_json('${file}', format = 'newline_delimited', columns = {${columns}})`;
  const direct = timed(() => duck.run(`CREATE OR REPLACE TABLE updates AS SELECT * FROM ${reader}`));
  const load = () => loadUpdates(url, client.dataset(dataset).table("updates"), file);
  return [
    { name: `load job, ${rows} rows of NDJSON: the job itself`, endpoint: load, direct },
    { name: "… with the client's upload and polling", endpoint: timed(load), direct },
  ];
}

function selects({ client, url, duck, dataset }: Sides, { selected }: Sizes): Work[] {
  const sql = `SELECT * FROM updates LIMIT ${selected}`;
  const direct = timed(async () => (await duck.runAndReadAll(sql)).getRowObjects());
  return [
    {
      name: `SELECT of ${selected} rows: the endpoint's answers`,
      endpoint: timed(() => readAnswers(url, client.projectId, dataset, sql)),
      direct,
    },
    {
      name: "… as the Node client's objects",
      endpoint: timed(() => client.query({ query: sql, defaultDataset: { datasetId: dataset } })),
      direct,
    },
  ];
}

function smallQueries({ client, duck, queryWork, dataset }: Sides, { queries }: Sizes): Work[] {
  const query = (sql: string) => client.query({ query: sql, defaultDataset: { datasetId: dataset } });
  const small = (n: number): string => `SELECT ${n} AS n, CONCAT('a', 'b') AS s`;
  let fresh = 0;
  const all = (width: number, run: (n: number) => Promise<unknown>) =>
    timed(async () => {
      let next = 0;
      const worker = async (): Promise<void> => {
        while (next < queries) await run(next++);
      };
      await Promise.all(Array.from({ length: width }, worker));
    });
  const directly = (n: number): Promise<unknown> => duck.runAndReadAll(small(n));
  const within = (sql: string): Promise<unknown> => queryWork.connection.runAndReadAll(sql);
  return [
    // A text that was analyzed before is not analyzed again: each of these is new.
    {
      name: `${queries} small queries, one after another`,
      endpoint: all(1, () => query(small(fresh++))),
      direct: all(1, directly),
    },
    {
      name: `${queries} small queries, ${CONCURRENT} at a time`,
      endpoint: all(CONCURRENT, () => query(small(fresh++))),
      direct: all(CONCURRENT, directly),
    },
    {
      name: `${queries} times the same small query`,
      endpoint: all(1, () => query(small(-1))),
      direct: all(1, () => directly(-1)),
    },
    {
      name: "… the query work itself, in DuckDB",
      endpoint: async () => {
        const sql = await queryWork.compiled(small(-1));
        return await all(1, () => within(sql))();
      },
      direct: all(1, () => within(small(-1))),
    },
    {
      name: `${queries} requests for a dataset: the client's round trip`,
      endpoint: all(1, () => client.dataset(dataset).getMetadata()),
    },
  ];
}

function merges({ client, duck, queryWork, dataset }: Sides, { rows, users }: Sizes): Work[] {
  const query = (sql: string) => client.query({ query: sql, defaultDataset: { datasetId: dataset } });
  const gather = `SELECT userId, MAX(ts) AS ts, ${newest()} FROM updates GROUP BY userId`;
  const gatherInDuck = (table: string): string =>
    `SELECT userId, max(ts) AS ts, ${newestInDuck()} FROM ${table} GROUP BY userId`;
  const within = (sql: string): Promise<unknown> =>
    queryWork.connection.run(`CREATE OR REPLACE TEMP TABLE batch AS ${sql}`);
  const half = "CREATE OR REPLACE TABLE final AS SELECT * FROM batch WHERE userId < 'user5'";
  const matched = `ON t.userId = s.userId WHEN MATCHED THEN UPDATE SET ts = s.ts, ${kept()} WHEN NOT MATCHED THEN INSERT`;
  return [
    {
      name: `gather of ${ATTRIBUTES.length} attributes, ${rows} rows`,
      endpoint: timed(() => query(`CREATE OR REPLACE TABLE batch AS ${gather}`)),
      direct: timed(() => duck.run(`CREATE OR REPLACE TABLE batch AS ${gatherInDuck("updates")}`)),
    },
    {
      name: "… the query work itself, in DuckDB",
      endpoint: async () => {
        const sql = await queryWork.compiled(gather);
        return await timed(() => within(sql))();
      },
      direct: timed(() => within(gatherInDuck(queryWork.updates))),
    },
    {
      name: `MERGE of ${users} users`,
      endpoint: timed(async () => {
        await query(half);
        await query(`MERGE final AS t USING batch AS s ${matched} ROW`);
      }),
      direct: timed(async () => {
        await duck.run(half);
        await duck.run(`MERGE INTO final AS t USING batch AS s ${matched}`);
      }),
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
