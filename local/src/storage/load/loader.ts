import { createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { BigQueryError, type ErrorProto, unsupported } from "../../errors.ts";
import { raisedMessage } from "../../raise.ts";
import type { FieldSchema, TableRef } from "../../types.ts";
import type { SqlValue } from "../../values.ts";
import type { Catalog } from "../catalog.ts";
import type { ColumnDefaults } from "../column-defaults.ts";
import { detectSchema } from "./autodetect.ts";
import { BadRecords, loadError } from "./bad-records.ts";
import { bulkSources, type RowSource } from "./bulk-sources.ts";
import { readCsvRows } from "./csv-rows.ts";
import { LoadDestination } from "./destination.ts";
import { readJsonRows } from "./json-rows.ts";
import { type LoadOptions, parseLoadOptions } from "./options.ts";
import { readParquet } from "./parquet.ts";
import { SLOW } from "./text-sql.ts";
import { encodeRow, transportQuery } from "./transport.ts";

/** A load job: a local file, uncompressed, into a table. */
export interface LoadJob {
  readonly destinationTable: TableRef;
  readonly file: string;
  /** `configuration.load` as the client wrote it. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
}

/** What a load did. */
export interface LoadResult {
  readonly outputRows: number;
  readonly outputBytes: number;
  readonly badRecords: number;
  readonly warnings: readonly ErrorProto[];
  /** Whether DuckDB read the file itself, or each row was looked at. */
  readonly how: "bulk" | "exact";
}

/** DuckDB takes 1 to 2 ms to prepare a column's checks, in which the exact path reads this much. */
const BULK_BYTES = 50_000;

/** Loads files into tables of a catalog: all of a file's rows, or none. */
export class TableLoader {
  readonly #catalog: Catalog;
  readonly #defaults: ColumnDefaults;
  readonly #bulkBytes: number;

  /** `bulkBytes`: how large a file must be, for each of its columns, to be read by DuckDB itself. */
  constructor(catalog: Catalog, defaults: ColumnDefaults, bulkBytes = BULK_BYTES) {
    this.#catalog = catalog;
    this.#defaults = defaults;
    this.#bulkBytes = bulkBytes;
  }

  /** Runs one load job. */
  async load(job: LoadJob): Promise<LoadResult> {
    const options = parseLoadOptions(job.options);
    const run = new LoadRun(this.#catalog, this.#defaults, job, options, this.#bulkBytes);
    const { size } = await stat(job.file);
    return this.#catalog.database.working(size, () => run.run());
  }
}

class LoadRun {
  readonly #catalog: Catalog;
  readonly #job: LoadJob;
  readonly #destination: LoadDestination;
  readonly #bulkBytes: number;
  #options: LoadOptions;
  #parquet = "";

  constructor(
    catalog: Catalog,
    defaults: ColumnDefaults,
    job: LoadJob,
    options: LoadOptions,
    bulkBytes: number,
  ) {
    this.#catalog = catalog;
    this.#job = job;
    this.#destination = new LoadDestination(catalog, defaults, job.destinationTable, options);
    this.#options = options;
    this.#bulkBytes = bulkBytes;
  }

  async run(): Promise<LoadResult> {
    this.#checkAborted();
    this.#destination.check();
    const fileSchema = await this.#fileSchema();
    this.#checkFlat(fileSchema);
    this.#checkRanges(fileSchema);
    for await (const source of this.#bulkSources(fileSchema)) {
      try {
        return await this.#write(fileSchema, source);
      } catch (error) {
        // Whatever DuckDB stumbles over, the exact path finds the row and the words for it.
        if (error instanceof BigQueryError || isDefect(error)) throw error;
        if (this.#options.format === "PARQUET")
          throw loadError(plainMessage(error).replaceAll(this.#job.file, "the file"));
      }
    }
    return this.#runExact(fileSchema);
  }

  /** Row by row: values are checked here and handed to DuckDB in a file of its own. */
  async #runExact(schema: readonly FieldSchema[]): Promise<LoadResult> {
    const bad = new BadRecords(this.#options.format === "CSV" ? "CSV" : "JSON", this.#options.maxBadRecords);
    const file = `${this.#job.file}.rows`;
    try {
      const longest = await this.#transport(schema, this.#exactRows(schema, bad), file);
      return await this.#write(schema, { query: transportQuery(schema, file, longest), bad });
    } finally {
      await rm(file, { force: true });
    }
  }

  async #transport(
    schema: readonly FieldSchema[],
    rows: AsyncIterable<readonly SqlValue[]>,
    file: string,
  ): Promise<number> {
    let longest = 0;
    const signal = this.#job.signal;
    async function* chunks(): AsyncGenerator<string> {
      let chunk = "";
      for await (const row of rows) {
        const line = encodeRow(schema, row);
        longest = Math.max(longest, line.length * 3);
        chunk += line;
        if (chunk.length < 1 << 18) continue;
        if (signal?.aborted) throw stopped();
        yield chunk;
        chunk = "";
      }
      yield chunk;
    }
    await pipeline(Readable.from(chunks()), createWriteStream(file));
    return longest;
  }

  #exactRows(schema: readonly FieldSchema[], bad: BadRecords): AsyncIterable<readonly SqlValue[]> {
    const { format, csv, latin1, ignoreUnknownValues } = this.#options;
    const { file } = this.#job;
    return format === "CSV"
      ? readCsvRows(file, schema, { ...csv, latin1, ignoreUnknownValues }, bad)
      : readJsonRows(file, schema, { latin1, ignoreUnknownValues }, bad);
  }

  async *#bulkSources(schema: readonly FieldSchema[]): AsyncGenerator<RowSource> {
    if (this.#options.format === "PARQUET") yield { query: this.#parquet };
    else yield* bulkSources(this.#catalog.database, this.#job.file, this.#options, schema, this.#bulkBytes);
  }

  /** What the file's rows are made of: the job's schema, one found in the file, or the table's. */
  async #fileSchema(): Promise<readonly FieldSchema[]> {
    const { format, schema, autodetect } = this.#options;
    const destination = this.#destination;
    const { table } = destination;
    if (format === "PARQUET") {
      const wanted = schema ?? (destination.replacesTable ? undefined : table?.schema);
      const limited = wanted && destination.limited(wanted, table);
      const source = await readParquet(this.#catalog.database, this.#job.file, limited, this.#options);
      this.#parquet = source.query;
      return source.schema;
    }
    if (schema !== undefined) return destination.limited(schema, table);
    if (table !== undefined && !autodetect) {
      // A file may have fewer fields than the table; CSV is matched by position.
      return table.schema;
    }
    if (autodetect) {
      const known = destination.replacesTable ? undefined : table?.schema;
      const detected = await detectSchema(this.#job.file, this.#options, known);
      this.#options = { ...this.#options, csv: { ...this.#options.csv, skipRows: detected.skipRows } };
      return destination.limited(detected.schema, table);
    }
    throw new BigQueryError("invalid", "No schema specified on job or table.");
  }

  /** CSV has no way to write nested data: https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv#limitations */
  #checkFlat(schema: readonly FieldSchema[]): void {
    if (this.#options.format !== "CSV") return;
    const nested = schema.find((field) => field.type === "RECORD" || field.mode === "REPEATED");
    if (nested === undefined) return;
    const how = nested.type === "RECORD" ? "nested" : "repeated";
    throw new BigQueryError("invalid", `Cannot load CSV data with a ${how} schema. Field: ${nested.name}`);
  }

  /** How NDJSON would write a RANGE is not documented; a load job of one fails in BigQuery. insertAll takes it, and CSV. */
  #checkRanges(schema: readonly FieldSchema[]): void {
    if (this.#options.format !== "NEWLINE_DELIMITED_JSON") return;
    const path = rangePath(schema);
    if (path !== undefined) throw unsupported(`RANGE in a load of NEWLINE_DELIMITED_JSON (field ${path})`);
  }

  /** Puts the rows in place, with the table where there was none, in one transaction. */
  async #write(schema: readonly FieldSchema[], source: RowSource): Promise<LoadResult> {
    return this.#catalog.change(async (change) => {
      const interrupt = (): void => change.connection.interrupt();
      this.#job.signal?.addEventListener("abort", interrupt);
      try {
        const outputRows = await this.#destination.place(change, schema, source.query);
        if (await source.spoiled) throw new Error(SLOW);
        const { size } = await stat(this.#job.file);
        return {
          outputRows,
          outputBytes: size,
          badRecords: source.bad?.count ?? 0,
          warnings: source.bad?.shown ?? [],
          how: source.bad === undefined ? "bulk" : "exact",
        };
      } catch (error) {
        this.#checkAborted();
        const raised = error instanceof Error ? raisedMessage(error.message) : undefined;
        throw raised !== undefined && this.#destination.partition !== undefined
          ? new BigQueryError("invalid", raised)
          : error;
      } finally {
        this.#job.signal?.removeEventListener("abort", interrupt);
      }
    });
  }

  #checkAborted(): void {
    if (this.#job.signal?.aborted) throw stopped();
  }
}

/** The path of the first RANGE, at any depth. */
function rangePath(schema: readonly FieldSchema[]): string | undefined {
  for (const field of schema) {
    if (field.type === "RANGE") return field.name;
    const inner = rangePath(field.fields ?? []);
    if (inner !== undefined) return `${field.name}.${inner}`;
  }
  return undefined;
}

function stopped(): BigQueryError {
  return new BigQueryError("stopped", "Job execution was cancelled: User requested cancellation");
}

/** True for an error that says nothing of the data: the SQL itself is wrong. */
function isDefect(error: unknown): boolean {
  return error instanceof Error && /^(Binder|Parser|Catalog|Not implemented|INTERNAL)/.test(error.message);
}

function plainMessage(error: unknown): string {
  const message = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  const raised = raisedMessage(message);
  if (raised !== undefined) return raised;
  const required = /\(Error: (Required field .* cannot be null)\)/.exec(message)?.[1];
  if (required !== undefined) return required;
  return message.includes(SLOW) ? "a value cannot be converted" : message;
}
