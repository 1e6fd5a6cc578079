import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { JobLoadMetadata, Table, TableField } from "@google-cloud/bigquery";
import { CommandError, messageOf, wrongUsage } from "../../project/errors.ts";
import { findTable, loadFrom, tableOf, type Warehouse } from "../client.ts";
import { defaulted, GivenDefaults, optionalDefaults } from "./defaults.ts";
import { checkParquet, isParquet, unpackParquet } from "./parquet.ts";
import { hasRange, stagedFields, unstagedSql } from "./ranges.ts";
import { removalOf, SpanOfTimes } from "./removal.ts";
import { type GatheredRows, gatherRows } from "./rows.ts";
import type { LoadTarget } from "./target.ts";
import { dataError, NO_SUCH_FILE } from "./text.ts";
import { findField, memberOf } from "./value.ts";

/** Told how far a load is. */
export interface LoadWatch {
  show(step: "check" | "send" | "wait", bytes: number, rows: number): void;
  /** Stops the load, also where it waits; what BigQuery has all of by then it goes on with. */
  readonly signal: AbortSignal;
}

const UNWATCHED: LoadWatch = { show: () => undefined, signal: new AbortController().signal };

/** What a load did. */
export interface LoadResult {
  readonly rows: number;
  readonly files: number;
  /** The statement that removes exactly these rows; undefined where there is none. */
  readonly removal: string | undefined;
}

/**
 * Appends the rows of all files to the table, or of none. Every file is checked before anything is sent. NDJSON and CSV
 * travel as one load job, which BigQuery commits whole; Parquet takes a job per file, so as soon as there is more than
 * one job they fill a table of their own and one INSERT moves its rows; so it is with a RANGE, which the INSERT makes, and with a
 * column's default, which the INSERT leaves out.
 */
export async function loadFiles(
  warehouse: Warehouse,
  target: LoadTarget,
  files: readonly string[],
  watch: LoadWatch = UNWATCHED,
): Promise<LoadResult> {
  for (const file of files) await checkFile(file);
  const table = tableOf(warehouse, target);
  const metadata = await findTable(table);
  if (metadata === undefined) {
    throw new CommandError(`${target.dataset}.${target.table}: no such table; run \`npm run init\` first`);
  }
  const fields = metadata.schema?.fields ?? [];
  const folder = await mkdtemp(path.join(tmpdir(), "load-"));
  try {
    const times = new SpanOfTimes();
    const given = new GivenDefaults();
    const ingest =
      target.ingestTimestamp === undefined ? undefined : findField(target.ingestTimestamp, fields);
    const parts = await prepareParts(files, fields, folder, watch, given, (row) =>
      times.add(ingest && memberOf(row, ingest)),
    );
    const loaded = given.loaded(fields);
    const [first, ...others] = parts;
    const isDirect = others.length === 0 && !hasRange(fields) && loaded.length === fields.length;
    if (first !== undefined && isDirect) await loadPart(first, table, fields, watch);
    else await loadThroughStaging(warehouse, parts, target, fields, loaded, watch);
    const rows = parts.reduce((sum, part) => sum + part.rows, 0);
    const isText = parts.length === 1 && !files.some(isParquet);
    const removal = await removalOf(warehouse, target, isText ? times.span : undefined, rows);
    return { rows, files: files.length, removal };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Refuses what is no file of rows; a path is relative to the process's folder. */
export async function checkFile(file: string): Promise<void> {
  if (!/\.(ndjson|jsonl|json|csv|parquet)(\.gz)?$/i.test(file)) {
    throw wrongUsage(
      `${file}: unknown format; expected .ndjson, .jsonl, .json, .csv or .parquet, each also as .gz`,
    );
  }
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) throw dataError({ file }, NO_SUCH_FILE);
  if (!found.isFile()) throw dataError({ file }, "not a file");
}

/** The data of one load job. */
interface Part {
  readonly file: string;
  readonly rows: number;
  readonly configuration: JobLoadMetadata;
  /** Says in the user's words where the job failed. */
  explain(error: unknown): Promise<unknown>;
}

async function prepareParts(
  files: readonly string[],
  fields: readonly TableField[],
  folder: string,
  watch: LoadWatch,
  given: GivenDefaults,
  onRow: (row: Record<string, unknown>) => void,
): Promise<Part[]> {
  const parts: Part[] = [];
  const withDefault = defaulted(fields);
  for (const file of files.filter(isParquet)) {
    const unpacked = await unpackParquet(file, await mkdtemp(path.join(folder, "parquet-")));
    const { rows, columns } = await checkParquet(unpacked, file, stagedFields(fields), watch.signal);
    for (const field of withDefault)
      given.add(
        field,
        columns.some((name) => findField(name, [field]) !== undefined),
        { file },
      );
    parts.push(parquetPart(unpacked, file, rows));
  }
  const textFiles = files.filter((file) => !isParquet(file));
  if (textFiles.length === 0) return parts;
  const rows = await gatherRows(textFiles, optionalDefaults(fields), path.join(folder, "rows.ndjson"), {
    onRow(row, place) {
      onRow(row);
      for (const field of withDefault) given.add(field, (memberOf(row, field) ?? null) !== null, place);
    },
    onBytes: (bytes, count) => {
      watch.signal.throwIfAborted();
      watch.show("check", bytes, count);
    },
  });
  if (rows.rowCount > 0 || parts.length === 0) parts.unshift(textPart(rows, textFiles));
  return parts;
}

function textPart(rows: GatheredRows, files: readonly string[]): Part {
  return {
    file: rows.file,
    rows: rows.rowCount,
    configuration: { sourceFormat: "NEWLINE_DELIMITED_JSON" },
    explain: (error) => explainRowError(error, rows, files),
  };
}

function parquetPart(file: string, shownAs: string, rows: number): Part {
  return {
    file,
    rows,
    configuration: { sourceFormat: "PARQUET", parquetOptions: { enableListInference: true } },
    explain: async (error) => (isDataError(error) ? dataError({ file: shownAs }, reasonOf(error)) : error),
  };
}

async function loadPart(
  part: Part,
  table: Table,
  fields: readonly TableField[],
  watch: LoadWatch,
): Promise<void> {
  const source = createReadStream(part.file);
  source.on("data", () => watch.show("send", source.bytesRead, part.rows));
  source.on("end", () => watch.show("wait", source.bytesRead, part.rows));
  try {
    const loading = loadFrom(source, table, {
      ...part.configuration,
      schema: { fields: [...fields] },
      writeDisposition: "WRITE_APPEND",
      createDisposition: "CREATE_NEVER",
      autodetect: false,
      ignoreUnknownValues: false,
      maxBadRecords: 0,
    });
    await Promise.race([loading, untilAborted(watch.signal)]);
  } catch (error) {
    source.destroy();
    throw await part.explain(error);
  }
}

/** Fails when the signal comes: neither a stalled upload nor a job under way would notice. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

async function loadThroughStaging(
  warehouse: Warehouse,
  parts: readonly Part[],
  target: LoadTarget,
  fields: readonly TableField[],
  loaded: readonly TableField[],
  watch: LoadWatch,
): Promise<void> {
  const name = `${target.table}_load_${randomUUID().replaceAll("-", "")}`;
  const staged = stagedFields(optionalDefaults(fields));
  const [staging] = await warehouse.client.dataset(target.dataset).createTable(name, {
    schema: { fields: staged },
    description: "Rows on their way into the updates; dropped when the load ends.",
    expirationTime: String(Date.now() + 24 * 60 * 60 * 1000),
  });
  try {
    for (const part of parts) await loadPart(part, staging, staged, watch);
    await moveRows(warehouse, name, target, loaded);
  } finally {
    await staging.delete({ ignoreNotFound: true }).catch(() => undefined);
  }
}

async function moveRows(
  warehouse: Warehouse,
  from: string,
  target: LoadTarget,
  fields: readonly TableField[],
): Promise<void> {
  const columns = fields.map((field) => `\`${field.name}\``).join(", ");
  const values = fields.map((field) => unstagedSql(field, `\`${field.name}\``)).join(", ");
  const dataset = `${warehouse.project.projectId}.${target.dataset}`;
  await warehouse.client.query({
    query: `INSERT INTO \`${dataset}.${target.table}\` (${columns}) SELECT ${values} FROM \`${dataset}.${from}\``,
  });
}

interface FailedJob {
  readonly message: string;
  readonly errors: readonly { readonly reason?: string; readonly message?: string }[];
}

async function explainRowError(
  error: unknown,
  rows: GatheredRows,
  files: readonly string[],
): Promise<unknown> {
  if (!isDataError(error)) return error;
  const texts = [...error.errors.map((detail) => detail.message ?? ""), error.message];
  const row = await findRow(texts, rows.file);
  const place =
    row !== undefined && row < rows.rowCount ? await rows.placeOf(row) : { file: files.join(", ") };
  return dataError(place, reasonOf(error));
}

/** The row, from 0, that one of BigQuery's messages points at, by its number or by the byte it starts at. */
async function findRow(messages: readonly string[], file: string): Promise<number | undefined> {
  for (const message of messages) {
    const line = /line_number: (\d+)/.exec(message)?.[1] ?? /\brow (\d+)\b/i.exec(message)?.[1];
    if (line !== undefined) return Number(line) - 1;
    const position = /starting at position (\d+)/.exec(message)?.[1];
    if (position !== undefined) return countRowsBefore(Number(position), file);
  }
  return undefined;
}

async function countRowsBefore(position: number, file: string): Promise<number> {
  if (position === 0) return 0;
  let rows = 0;
  for await (const bytes of createReadStream(file, { end: position - 1 }) as AsyncIterable<Uint8Array>) {
    for (const byte of bytes) if (byte === 0x0a) rows++;
  }
  return rows;
}

/** BigQuery's most telling message: the first detail that is not only the summary. */
function reasonOf(error: FailedJob): string {
  const details = error.errors.map((detail) => detail.message ?? "").filter((text) => text !== "");
  const telling = details.find((text) => !/too many errors|errors\[\] collection/.test(text));
  const text = messageOf(new Error(telling ?? details[0] ?? error.message));
  return text.replace(/^Error while reading data, error message: /, "").replace(/;? ?File: \S*$/, "");
}

function isDataError(error: unknown): error is FailedJob {
  if (!(error instanceof Error) || !("errors" in error) || !Array.isArray(error.errors)) return false;
  return error.errors.some((detail: { reason?: string }) => detail?.reason === "invalid");
}
