import { pipeline, Readable } from "node:stream";
import { CsvError, type Options, parse } from "csv-parse";
import { parse as parseWhole } from "csv-parse/sync";
import { type CountBytes, dataError, MAX_ROW_BYTES, readText } from "./text.ts";

/** One record of a CSV file and the line it begins at. */
export interface CsvRecord {
  readonly line: number;
  /** Its cells; null where nothing stands between two commas, where `""` is the empty text. */
  readonly cells: readonly (string | null)[];
}

/** Commas, double quotes, line breaks within quotes (RFC 4180); a quote inside a bare cell is a character as any other. */
const FORM: Options = {
  record_delimiter: ["\r\n", "\n"],
  relax_column_count: true,
  relax_quotes: true,
  skip_empty_lines: true,
};

/** What the parser gives with `info` and `raw`. */
interface ParsedRecord {
  readonly record: readonly string[];
  readonly raw: string;
  readonly info: { readonly lines: number };
}

/** The records of a CSV file; blank lines are none. */
export async function* readCsv(file: string, onBytes?: CountBytes): AsyncGenerator<CsvRecord> {
  const parser = parse({ ...FORM, info: true, raw: true, max_record_size: MAX_ROW_BYTES });
  // An error of either end comes out of the iteration.
  pipeline(Readable.from(readText(file, onBytes)), parser, () => undefined);
  let lastLine = 0;
  try {
    for await (const { record, raw, info } of parser as AsyncIterable<ParsedRecord>) {
      const line = info.lines - breaksWithin(raw);
      lastLine = info.lines;
      yield { line, cells: cellsOf(file, line, record, raw) };
    }
  } catch (error) {
    throw error instanceof CsvError ? explain(file, lastLine + 1, error) : error;
  }
}

/** Line breaks inside a record's quotes: the parser counts lines to the record's end. */
function breaksWithin(raw: string): number {
  return raw.trim().split("\n").length - 1;
}

/** Whether a cell is quoted matters only where it is empty or begins with a quote; to ask it of every cell costs five times as much. */
function cellsOf(file: string, line: number, record: readonly string[], raw: string): CsvRecord["cells"] {
  if (!raw.includes('"')) return record.map((text) => (text === "" ? null : text));
  if (!record.some((text) => text === "" || text.startsWith('"'))) return record;
  try {
    return parseCells(raw, false);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    if (error.code === "CSV_INVALID_CLOSING_QUOTE") throw explain(file, line, error);
    return parseCells(raw, true);
  }
}

function parseCells(raw: string, isRelaxed: boolean): CsvRecord["cells"] {
  const [cells = []] = parseWhole(raw, {
    ...FORM,
    relax_quotes: isRelaxed,
    cast: (text, { quoting }) => (text === "" && !quoting ? null : text),
  }) as unknown as (string | null)[][];
  return cells;
}

function explain(file: string, line: number, error: CsvError): Error {
  const place = typeof error.column === "number" ? `column ${error.column + 1}: ` : "";
  switch (error.code) {
    case "CSV_QUOTE_NOT_CLOSED":
      return dataError({ file, line }, `${place}the quote that opens here is never closed`);
    case "CSV_INVALID_CLOSING_QUOTE":
      return dataError(
        { file, line },
        `${place}text after the closing quote; write a quote within quotes as ""`,
      );
    case "CSV_MAX_RECORD_SIZE":
      return dataError(
        { file, line },
        "a record of more than 100 MB, which BigQuery refuses; is a quote never closed?",
      );
    default:
      return dataError({ file, line }, `${place}not CSV (${error.message})`);
  }
}
