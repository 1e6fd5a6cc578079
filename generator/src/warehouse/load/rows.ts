import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import type { TableField } from "@google-cloud/bigquery";
import { messageOf } from "../../project/errors.ts";
import { findSyntaxFault, positionOfPath, textOfPath } from "../../project/json.ts";
import { type CsvRecord, readCsv } from "./csv.ts";
import { findDoubledName } from "./doubled-names.ts";
import { rangeJson } from "./ranges.ts";
import { type CountBytes, dataError, type Place, readLines } from "./text.ts";
import { findField, findRowProblem, typeName, unknownField } from "./value.ts";

/** Rows of NDJSON and CSV files, checked and gathered in one file, so that one load job takes all of them or none. */
export interface GatheredRows {
  readonly file: string;
  readonly rowCount: number;
  /** Where a row of the gathered file came from; rows count from 0. Reads the files again, since to remember it of each takes memory. */
  placeOf(row: number): Promise<Place>;
}

/** Told of the rows as they are gathered; either may throw to stop. */
export interface RowWatch {
  onRow(row: Record<string, unknown>, place: Place): void;
  /** How many bytes of the files are read, as they are on disk, and how many rows are gathered. */
  onBytes(bytes: number, rows: number): void;
}

/** Checks every row of the files against the table's columns and writes all of them to `target` as NDJSON. */
export async function gatherRows(
  files: readonly string[],
  fields: readonly TableField[],
  target: string,
  watch: RowWatch = { onRow: () => undefined, onBytes: () => undefined },
): Promise<GatheredRows> {
  let bytes = 0;
  const onBytes = (count: number): void => {
    bytes += count;
  };
  const output = createWriteStream(target);
  let rowCount = 0;
  let pending = "";
  try {
    for (const file of files) {
      for await (const row of readRows(file, fields, onBytes)) {
        rowCount++;
        watch.onRow(row.value, { file, line: row.line });
        pending += `${row.json}\n`;
        if (pending.length < 1 << 16) continue;
        if (!output.write(pending)) await once(output, "drain");
        pending = "";
        watch.onBytes(bytes, rowCount);
      }
    }
    output.end(pending);
    await finished(output);
  } finally {
    output.destroy();
  }
  return { file: target, rowCount, placeOf: (row) => findPlace(files, fields, row) };
}

async function findPlace(
  files: readonly string[],
  fields: readonly TableField[],
  row: number,
): Promise<Place> {
  let before = 0;
  for (const file of files) {
    for await (const { line } of readRows(file, fields)) if (before++ === row) return { file, line };
  }
  throw new RangeError(`row ${row} of ${before}`);
}

function readRows(
  file: string,
  fields: readonly TableField[],
  onBytes?: CountBytes,
): AsyncGenerator<CheckedRow> {
  return isCsv(file) ? readCsvRows(file, fields, onBytes) : readJsonRows(file, fields, onBytes);
}

/** True for a file whose name says CSV, packed or not. */
function isCsv(file: string): boolean {
  return /\.csv(\.gz)?$/i.test(file);
}

interface CheckedRow {
  readonly line: number;
  readonly json: string;
  readonly value: Record<string, unknown>;
}

async function* readJsonRows(
  file: string,
  fields: readonly TableField[],
  onBytes?: CountBytes,
): AsyncGenerator<CheckedRow> {
  for await (const { line, text } of readLines(file, onBytes)) {
    if (text.trim() === "") continue;
    const value = parseJson({ file, line }, text);
    const doubled = findDoubledName(text, value, fields);
    if (doubled !== undefined)
      throw dataError(
        { file, line, column: doubled.column },
        `${doubled.path}: a second value for the column ${doubled.path}`,
      );
    yield { line, json: text, value: checkRow(value, fields, { file, line }, text) };
  }
}

function parseJson(place: Place, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const { column, wrong } = findSyntaxFault(text) ?? { column: text.length + 1, wrong: "not understood" };
    const hint = /^\s*[[{]\s*$/.test(text)
      ? "; one whole JSON object per line is expected, not pretty-printed JSON"
      : "";
    throw dataError({ ...place, column }, `not JSON: ${wrong}${hint}`);
  }
}

function checkRow(
  row: unknown,
  fields: readonly TableField[],
  place: Place,
  text?: string,
): Record<string, unknown> {
  const problem = findRowProblem(
    row,
    fields,
    text === undefined ? undefined : (path) => textOfPath(path, text),
  );
  if (problem === undefined) return row as Record<string, unknown>;
  const column = text === undefined ? undefined : positionOfPath(problem.path, text)?.column;
  throw dataError(
    { ...place, column },
    problem.path === "" ? problem.message : `${problem.path}: ${problem.message}`,
  );
}

async function* readCsvRows(
  file: string,
  fields: readonly TableField[],
  onBytes?: CountBytes,
): AsyncGenerator<CheckedRow> {
  let header: readonly TableField[] | undefined;
  for await (const record of readCsv(file, onBytes)) {
    if (header === undefined) {
      header = readHeader(file, record, fields);
      continue;
    }
    const place = { file, line: record.line };
    if (record.cells.length !== header.length) {
      const cells = record.cells.length === 1 ? "1 cell" : `${record.cells.length} cells`;
      throw dataError(place, `${cells}, but the header names ${header.length} columns`);
    }
    const json = jsonOf(record.cells, header, place);
    const value: unknown = JSON.parse(json);
    yield { line: record.line, json, value: checkRow(value, fields, place) };
  }
  if (header === undefined) throw dataError({ file, line: 1 }, "empty; its first line must name the columns");
}

/** The columns that a CSV file's first line names: values go by name, so their order in the file is free. */
function readHeader(file: string, record: CsvRecord, fields: readonly TableField[]): readonly TableField[] {
  const place = { file, line: record.line };
  const [only] = record.cells.length === 1 ? record.cells : [];
  const separator = /[;\t|]/.exec(only ?? "")?.[0];
  if (separator !== undefined && findField(only?.trim() ?? "", fields) === undefined) {
    throw dataError(place, `cells are separated by ${JSON.stringify(separator)}; save the file with commas`);
  }
  const header = record.cells.map((text) => {
    const name = (text ?? "").trim();
    const field = findField(name, fields);
    if (field === undefined) throw dataError(place, `${name}: ${unknownField(name, fields)}`);
    if (typeName(field) === "RECORD" || field.mode === "REPEATED") {
      throw dataError(place, `${name}: CSV cannot carry a RECORD or REPEATED column; use NDJSON or Parquet`);
    }
    return field;
  });
  const twice = header.find((field, index) => header.indexOf(field) !== index);
  if (twice !== undefined) throw dataError(place, `${twice.name}: named twice in the header`);
  return header;
}

/** A CSV record as JSON: an empty cell is NULL, which says nothing; a quoted empty cell is the empty text. */
function jsonOf(cells: CsvRecord["cells"], header: readonly TableField[], place: Place): string {
  const members = header.flatMap((field, index) => {
    const cell = cells[index];
    if (cell === undefined || cell === null || isNull(cell, field)) return [];
    return [`${JSON.stringify(field.name)}:${jsonValue(cell, field, place)}`];
  });
  return `{${members.join(",")}}`;
}

function isNull(cell: string, field: TableField): boolean {
  return cell === "" && !["STRING", "BYTES"].includes(typeName(field));
}

function jsonValue(text: string, field: TableField, place: Place): string {
  switch (typeName(field)) {
    case "BOOL":
      if (/^\s*(true|t|yes|y|1)\s*$/i.test(text)) return "true";
      if (/^\s*(false|f|no|n|0)\s*$/i.test(text)) return "false";
      return JSON.stringify(text);
    case "JSON":
      try {
        JSON.parse(text);
        return text.replace(/[\r\n]+/g, " ");
      } catch (error) {
        throw dataError(place, `${field.name}: JSON: not JSON (${messageOf(error)})`);
      }
    case "RANGE":
      return rangeJson(text) ?? JSON.stringify(text);
    default:
      return JSON.stringify(text);
  }
}
