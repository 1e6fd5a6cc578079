import { createReadStream } from "node:fs";
import type { FieldSchema } from "../../types.ts";
import type { SqlValue } from "../../values.ts";
import { JsonSyntaxError } from "../json-parser.ts";
import { parseExactJson } from "../json-text.ts";
import { JsonRowReader } from "../json-values.ts";
import { ValueError } from "../text-values.ts";
import type { BadRecords } from "./bad-records.ts";

/** One line of a file: its bytes as text, and where it starts. */
export interface Line {
  readonly text: string;
  readonly position: number;
  /** What ends it, as a cell that goes on in the next line keeps it. */
  readonly end: "\n" | "\r\n";
}

/** BigQuery's limit: https://cloud.google.com/bigquery/quotas#load_job_row_size */
const MAX_LINE = 100 * 1024 * 1024;

/** The lines of a file, without their ends. */
export async function* readLines(file: string, latin1: boolean): AsyncGenerator<Line> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let position = 0;
  const line = (bytes: Buffer): Line => {
    const returned = bytes.at(-1) === 13;
    const trimmed = returned ? bytes.subarray(0, -1) : bytes;
    // Bytes that are not UTF-8 become the replacement character, as BigQuery has it.
    return { text: trimmed.toString(latin1 ? "latin1" : "utf8"), position, end: returned ? "\r\n" : "\n" };
  };
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const piece = chunk.subarray(start, end);
      const bytes = pending.length === 0 ? piece : Buffer.concat([...pending, piece]);
      yield line(bytes);
      position += bytes.length + 1;
      pending = [];
      pendingBytes = 0;
      start = end + 1;
    }
    if (start < chunk.length) {
      pending.push(chunk.subarray(start));
      pendingBytes += chunk.length - start;
      if (pendingBytes > MAX_LINE) throw new ValueError("Row size is larger than: 104857600.", "");
    }
  }
  if (pendingBytes > 0) yield line(Buffer.concat(pending));
}

/** Reads NDJSON row by row, with BigQuery's error for each that cannot be stored. */
export async function* readJsonRows(
  file: string,
  schema: readonly FieldSchema[],
  options: { ignoreUnknownValues: boolean; latin1: boolean },
  bad: BadRecords,
): AsyncGenerator<readonly SqlValue[]> {
  const reader = new JsonRowReader({ ignoreUnknownValues: options.ignoreUnknownValues, words: "load" });
  let row = 0;
  for await (const line of readLines(file, options.latin1)) {
    const text = line.position === 0 ? line.text.replace(/^(?:\ufeff|ï»¿)/, "") : line.text;
    if (text.trim() === "") continue;
    row += 1;
    try {
      yield reader.row(schema, parseExactJson(text));
    } catch (error) {
      if (!(error instanceof JsonSyntaxError || error instanceof ValueError)) throw error;
      bad.add(`JSON parsing error in row starting at position ${line.position}: ${error.message}`, row);
    }
  }
}
