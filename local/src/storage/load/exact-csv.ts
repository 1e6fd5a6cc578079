import { createReadStream } from "node:fs";
import type { CsvOptions } from "./options.ts";

const NEWLINE = 10;
const RETURN = 13;
const QUOTE = 34;

/**
 * True where a CSV file may have what DuckDB's reader takes and BigQuery refuses: a NUL, or a line that ends with a delimiter that no cell
 * follows, where DuckDB drops one such cell. Lines with quotes count as such; whoever reads the file exactly knows.
 */
export async function needsExactCsv(
  file: string,
  { delimiter, keepsControls }: CsvOptions,
  columns: number,
): Promise<boolean> {
  const separator = Buffer.from(delimiter);
  const last = separator.at(-1) ?? 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    if (!keepsControls && chunk.includes(0)) return true;
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = bytes.lastIndexOf(NEWLINE);
    if (end < 0) {
      rest = bytes;
      continue;
    }
    if (scan(bytes.subarray(0, end + 1), separator, last, columns)) return true;
    rest = bytes.subarray(end + 1);
  }
  return scan(Buffer.concat([rest, Buffer.from("\n")]), separator, last, columns);
}

/** Looks at whole lines. */
function scan(bytes: Buffer, separator: Buffer, last: number, columns: number): boolean {
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    const stop = bytes[end - 1] === RETURN ? end - 1 : end;
    if (stop > start && bytes[stop - 1] === last) {
      const line = bytes.subarray(start, stop);
      if (line.indexOf(QUOTE) >= 0 || countOf(line, separator) >= columns) return true;
    }
    start = end + 1;
  }
  return false;
}

function countOf(line: Buffer, separator: Buffer): number {
  let count = 0;
  let at = line.indexOf(separator);
  while (at >= 0) {
    count += 1;
    at = line.indexOf(separator, at + separator.length);
  }
  return count;
}
