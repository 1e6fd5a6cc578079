import type { DuckDBConnection } from "@duckdb/node-api";
import { registerFunctions } from "../src/compiler/functions/register.ts";
import { Engine } from "../src/scripting/engine.ts";
import { TableLoader } from "../src/storage/load/loader.ts";
import { openStorage } from "../src/storage/storage.ts";
import { SCHEMA } from "./updates.ts";

/** What the endpoint has DuckDB do for a query, without HTTP, jobs and analysis. */
export interface QueryWork {
  readonly connection: DuckDBConnection;
  /** The DuckDB name of the table of updates. */
  readonly updates: string;
  /** The DuckDB SQL that a query over the table `updates` is compiled to. */
  compiled(sql: string): Promise<string>;
  close(): Promise<void>;
}

const DATASET = { projectId: "bench", datasetId: "bench" };
const UPDATES = { ...DATASET, tableId: "updates" };

/** Opens the endpoint's engine in this process, with a file of updates loaded. */
export async function openQueryWork(file: string): Promise<QueryWork> {
  const storage = await openStorage({ prepare: registerFunctions });
  const engine = new Engine(storage);
  await engine.start();
  const run = (sql: string): Promise<unknown> =>
    engine.runQuery({
      sql,
      projectId: DATASET.projectId,
      defaultDataset: DATASET,
      parameters: [],
      dryRun: false,
      jobId: "bench",
      signal: new AbortController().signal,
    });
  await run("CREATE SCHEMA bench");
  await new TableLoader(storage.catalog, (fields) => engine.columnDefaults(fields)).load({
    destinationTable: UPDATES,
    file,
    options: {
      sourceFormat: "NEWLINE_DELIMITED_JSON",
      schema: { fields: SCHEMA.map(({ name, type }) => ({ name, type })) },
    },
  });
  return {
    connection: await storage.database.connect(),
    updates: storage.catalog.getTable(UPDATES)?.physical ?? "",
    compiled: async (sql) => {
      let overheard = "";
      await storage.database.use(async (connection) => {
        const stream = connection.stream.bind(connection);
        connection.stream = (text, ...rest) => {
          overheard = text;
          return stream(text, ...rest);
        };
      });
      // The pool gives the connection that came back last.
      await run(sql);
      return overheard;
    },
    close: async () => {
      await engine.close();
      await storage.close();
    },
  };
}
