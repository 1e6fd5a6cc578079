import { rm, stat, writeFile } from "node:fs/promises";
import type { FieldSchema } from "../../types.ts";
import type { Database } from "../database.ts";
import { countFields } from "../schema.ts";
import type { BadRecords } from "./bad-records.ts";
import { csvQuery } from "./csv-fast.ts";
import { needsExactCsv } from "./exact-csv.ts";
import { FORMS, jsonQuery, keyQuery, lenientJsonQuery, seedRows } from "./json-fast.ts";
import { hasLooseCommas } from "./loose-commas.ts";
import type { LoadOptions } from "./options.ts";

/** One DuckDB query that gives the file's rows in the order of a schema, and what was left out of them. */
export interface RowSource {
  readonly query: string;
  readonly bad?: BadRecords;
  /** Found out while the query runs: whether the file needs the exact path all the same. */
  readonly spoiled?: Promise<boolean>;
}

/**
 * Ways to have DuckDB read a text file itself, the fastest first; none where rows must be looked at one by one. `bulkBytes`:
 * how large the file must be for each of its columns.
 */
export async function* bulkSources(
  database: Database,
  file: string,
  options: LoadOptions,
  schema: readonly FieldSchema[],
  bulkBytes: number,
): AsyncGenerator<RowSource> {
  const { format, csv, latin1, ignoreUnknownValues } = options;
  if (latin1 || schema.length === 0) return;
  if ((await stat(file)).size < bulkBytes * countFields(schema)) return;
  if (format === "CSV" && !ignoreUnknownValues) {
    const usual = csvQuery(schema, file, csv, "usual");
    const all = csvQuery(schema, file, csv, "all");
    if (usual === undefined || all === undefined) return;
    if (await needsExactCsv(file, csv, schema.length)) return;
    yield { query: usual };
    if (all !== usual) yield { query: all };
  }
  if (format !== "NEWLINE_DELIMITED_JSON") return;
  if (ignoreUnknownValues && (await hasKeysInOtherCase(database, file, schema))) return;
  const spoiled = hasLooseCommas(file);
  spoiled.catch(() => undefined);
  for await (const query of jsonQueries(file, schema, ignoreUnknownValues)) {
    yield { query, spoiled };
    if (await spoiled) return;
  }
}

async function* jsonQueries(
  file: string,
  schema: readonly FieldSchema[],
  ignoreUnknownValues: boolean,
): AsyncGenerator<string> {
  const seed = `${file}.seed`;
  let before = "";
  for (const forms of FORMS) {
    const query = ignoreUnknownValues
      ? lenientJsonQuery(schema, file, forms)
      : jsonQuery(schema, file, forms, seed);
    // Where a schema has no field that it matters to, two of them are the same.
    if (query === before) continue;
    before = query;
    await writeFile(seed, seedRows(schema, forms));
    try {
      yield query;
    } finally {
      await rm(seed, { force: true });
    }
  }
}

async function hasKeysInOtherCase(
  database: Database,
  file: string,
  schema: readonly FieldSchema[],
): Promise<boolean> {
  const { sql, known } = keyQuery(schema, file);
  const rows = await database
    .use(async (connection) => (await connection.runAndReadAll(sql)).getRowsJS())
    // The file is not JSON throughout: the exact path says where.
    .catch(() => undefined);
  if (rows === undefined) return true;
  return (rows[0] ?? []).some((keys, index) => {
    const names = known[index] ?? new Set();
    const lower = new Set([...names].map((name) => name.toLowerCase()));
    return (
      Array.isArray(keys) &&
      keys.some((key) => !names.has(String(key)) && lower.has(String(key).toLowerCase()))
    );
  });
}
