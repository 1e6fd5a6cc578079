import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { CommandError, codeOf, messageOf } from "../project/errors.ts";
import { parseJson, valueWithBigInts } from "../project/json.ts";
import { isObject } from "../project/problems.ts";
import { findTable, tableOf, type Warehouse } from "../warehouse/client.ts";
import { readCsv } from "../warehouse/load/csv.ts";
import { checkFile } from "../warehouse/load/load.ts";
import { isParquet, readFooter, unpackParquet } from "../warehouse/load/parquet.ts";
import { parquetFields } from "../warehouse/load/parquet-fields.ts";
import { dataError, NO_SUCH_FILE, readLines } from "../warehouse/load/text.ts";
import { cellValue, FieldInference } from "./infer-fields.ts";
import { asSchemaFields, type FieldJson } from "./schema-json.ts";

/** So many rows of a file say what it holds. */
const MAX_ROWS = 100_000;

/** Fields for a new schema, with what there is to say about how they came about. */
export interface FoundFields {
  readonly fields: readonly FieldJson[];
  readonly said: readonly string[];
}

/** The fields of a BigQuery schema file, the bare array or `{"fields": […]}`, as they stand there. */
export async function readSchemaFile(file: string, shownAs: string): Promise<FoundFields> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw dataError(
      { file: shownAs },
      codeOf(error) === "ENOENT"
        ? NO_SUCH_FILE
        : `cannot be read (${String(codeOf(error) ?? messageOf(error))})`,
    );
  });
  const json = parseJson(text, shownAs);
  const fields = isObject(json) ? json.fields : json;
  if (!Array.isArray(fields))
    throw new CommandError(
      `${shownAs}: not a BigQuery schema; \`bq show --schema --format=prettyjson\` prints one`,
    );
  return { fields: fields as FieldJson[], said: [] };
}

/** The fields of a live table, `project.dataset.table` or `dataset.table`. */
export async function readTableFields(warehouse: Warehouse, name: string): Promise<FoundFields> {
  const parts = name.split(".");
  const [table = "", dataset, project] = parts.reverse();
  if (dataset === undefined || parts.length > 3)
    throw new CommandError(`--from-table ${name}: write project.dataset.table, or dataset.table`);
  const metadata = await findTable(tableOf(warehouse, { project, dataset, table }));
  if (metadata === undefined) throw new CommandError(`--from-table ${name}: no such table`);
  return { fields: asSchemaFields(metadata.schema?.fields ?? []), said: [] };
}

/** The fields that the rows of a file have: NDJSON, CSV or Parquet. */
export async function readFileFields(file: string, shownAs: string): Promise<FoundFields> {
  await checkFile(shownAs);
  if (isParquet(file)) return { fields: await readParquet(file, shownAs), said: [] };
  const inference = new FieldInference(shownAs);
  let rows = 0;
  for await (const row of /\.csv(\.gz)?$/i.test(file) ? readCsvRows(file) : readJsonRows(file, shownAs)) {
    inference.add(row);
    rows++;
    if (rows === MAX_ROWS) break;
  }
  if (rows === 0) throw new CommandError(`${shownAs}: no rows, so nothing says what its columns are`);
  const { fields, said } = inference.result();
  return {
    fields,
    said: [`${fields.length} columns from the values of ${rows} rows of ${shownAs}`, ...said],
  };
}

async function readParquet(file: string, shownAs: string): Promise<readonly FieldJson[]> {
  const folder = await mkdtemp(path.join(tmpdir(), "parquet-"));
  try {
    const { columns } = await readFooter(await unpackParquet(file, folder), shownAs);
    return parquetFields(columns);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* readJsonRows(file: string, shownAs: string): AsyncGenerator<object> {
  for await (const { line, text } of readLines(file)) {
    if (text.trim() === "") continue;
    const row = parseRow(text);
    if (!isObject(row))
      throw dataError({ file: shownAs, line }, "not a JSON object; one is expected per line");
    yield row;
  }
}

function parseRow(text: string): unknown {
  try {
    const row: unknown = JSON.parse(text);
    // A double would hide how many digits there are.
    return /\d{16}/.test(text) ? valueWithBigInts(text) : row;
  } catch {
    return undefined;
  }
}

async function* readCsvRows(file: string): AsyncGenerator<object> {
  let header: readonly string[] | undefined;
  for await (const { cells } of readCsv(file)) {
    if (header === undefined) {
      header = cells.map((cell) => (cell ?? "").trim());
      continue;
    }
    const names = header;
    yield Object.fromEntries(names.map((name, index) => [name, cellValue(cells[index] ?? null)]));
  }
}
