import { typeText } from "../../type-text.ts";
import type { FieldSchema } from "../../types.ts";
import type { SqlValue } from "../../values.ts";
import { tooLongMessage } from "../json-values.ts";
import { elementType } from "../schema.ts";
import { limitValue, parseFieldText, ValueError } from "../text-values.ts";
import type { BadRecords } from "./bad-records.ts";
import { readLines } from "./json-rows.ts";
import type { CsvOptions } from "./options.ts";

/** A cell of a CSV record. */
interface CsvCell {
  readonly text: string;
  readonly quoted: boolean;
}

/** A record of a CSV file: its cells, or what is wrong with it. */
export interface CsvRecord {
  readonly cells: readonly CsvCell[];
  readonly position: number;
  readonly problem?: string;
}

/** BigQuery's limit for a cell: https://cloud.google.com/bigquery/quotas#load_job_per_row_size */
const MAX_RECORD = 100 * 1024 * 1024;

/** Reads a CSV file's records, the skipped ones left out; lines without a character are no records. */
export async function* readCsvRecords(
  file: string,
  options: CsvOptions,
  latin1: boolean,
): AsyncGenerator<CsvRecord> {
  let toSkip = options.skipRows;
  let pending: { text: string; position: number } | undefined;
  for await (const line of readLines(file, latin1)) {
    const text = line.position === 0 ? line.text.replace(/^(?:\ufeff|ï»¿)/, "") : line.text;
    const whole: string = pending === undefined ? text : pending.text + text;
    const position: number = pending?.position ?? line.position;
    if (whole === "") continue;
    // A line without a quote cannot close the one that is open.
    const open = pending !== undefined && !text.includes(options.quote);
    const cells = open ? undefined : splitRecord(whole, options);
    if (cells === undefined && options.allowQuotedNewlines && whole.length < MAX_RECORD) {
      pending = { text: whole + line.end, position };
      continue;
    }
    pending = undefined;
    if (toSkip > 0) {
      toSkip -= 1;
      continue;
    }
    yield cells === undefined
      ? { cells: [], position, problem: unclosed(position) }
      : splitProblem(cells, position);
  }
  if (pending !== undefined)
    yield { cells: [], position: pending.position, problem: unclosed(pending.position) };
}

function unclosed(position: number): string {
  return `Error detected while parsing row starting at position: ${position}. Error: Missing close quote character (").`;
}

function splitProblem(cells: readonly CsvCell[] | "after-quote", position: number): CsvRecord {
  if (cells !== "after-quote") return { cells, position };
  const problem = `Error detected while parsing row starting at position: ${position}. Error: Data between close quote character (") and field separator.`;
  return { cells: [], position, problem };
}

/** The cells of a record; undefined where a quote is still open at the end. */
function splitRecord(text: string, options: CsvOptions): CsvCell[] | "after-quote" | undefined {
  const { delimiter, quote } = options;
  const cells: CsvCell[] = [];
  let at = 0;
  for (;;) {
    if (quote !== "" && text.startsWith(quote, at)) {
      let value = "";
      let from = at + quote.length;
      for (;;) {
        const close = text.indexOf(quote, from);
        if (close < 0) return undefined;
        value += text.slice(from, close);
        from = close + quote.length;
        if (!text.startsWith(quote, from)) break;
        value += quote;
        from += quote.length;
      }
      cells.push({ text: value, quoted: true });
      if (from === text.length) return cells;
      if (!text.startsWith(delimiter, from)) return "after-quote";
      at = from + delimiter.length;
    } else {
      const end = text.indexOf(delimiter, at);
      cells.push({ text: text.slice(at, end < 0 ? undefined : end), quoted: false });
      if (end < 0) return cells;
      at = end + delimiter.length;
    }
  }
}

/** Reads CSV row by row, with BigQuery's error for each that cannot be stored. */
export async function* readCsvRows(
  file: string,
  schema: readonly FieldSchema[],
  options: CsvOptions & { ignoreUnknownValues: boolean; latin1: boolean },
  bad: BadRecords,
): AsyncGenerator<readonly SqlValue[]> {
  let row = 0;
  for await (const record of readCsvRecords(file, options, options.latin1)) {
    row += 1;
    const problem =
      record.problem ?? controlProblem(record, options) ?? widthProblem(record, schema, options);
    if (problem !== undefined) {
      bad.add(problem, row);
      continue;
    }
    try {
      yield schema.map((field, index) =>
        cellValue(field, record.cells[index], index, record.position, options),
      );
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      bad.add(error.message, row);
    }
  }
}

function controlProblem({ cells, position }: CsvRecord, options: CsvOptions): string | undefined {
  if (options.keepsControls || !cells.some(({ text }) => text.includes("\0"))) return undefined;
  return `Error detected while parsing row starting at position: ${position}. Error: Bad character (ASCII 0) encountered.`;
}

function widthProblem(
  record: CsvRecord,
  schema: readonly FieldSchema[],
  options: CsvOptions & { ignoreUnknownValues: boolean },
): string | undefined {
  const found = record.cells.length;
  if (found > schema.length && !options.ignoreUnknownValues) {
    return `Too many values in row starting at position: ${record.position}. Found ${found} column(s) while expected ${schema.length}.`;
  }
  if (found < schema.length && !options.allowJaggedRows) {
    return `CSV table references column position ${found}, but line starting at position:${record.position} contains only ${found} columns.`;
  }
  return undefined;
}

/** True where the cell stands for NULL. */
function isNullCell(field: FieldSchema, cell: CsvCell | undefined, options: CsvOptions): boolean {
  if (cell === undefined) return true;
  if (options.nullMarkers !== undefined) return !cell.quoted && options.nullMarkers.includes(cell.text);
  return cell.text === "" && !(cell.quoted && (field.type === "STRING" || field.type === "BYTES"));
}

function cellValue(
  field: FieldSchema,
  cell: CsvCell | undefined,
  index: number,
  position: number,
  options: CsvOptions,
): SqlValue {
  if (cell === undefined || isNullCell(field, cell, options)) {
    if (field.mode !== "REQUIRED") return null;
    throw new ValueError(
      `Required column value for column index: ${index} is missing in row starting at position: ${position}`,
      field.name,
    );
  }
  const parsed = parseFieldText(field, cell.text);
  const kept = parsed === undefined ? undefined : limitValue(field, parsed);
  if (kept !== undefined) return kept;
  const why = parsed === undefined ? "Unable to parse" : tooLongMessage(field);
  throw new ValueError(
    `Could not parse '${cell.text}' as ${typeText(elementType(field))} for field ${field.name} (position ${index}) starting at location ${position} with message '${why}'`,
    field.name,
  );
}
