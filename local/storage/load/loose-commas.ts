import { createReadStream } from "node:fs";

const COMMA = 0x2c;
const CLOSING = [0x5d, 0x7d];

/**
 * True where a comma may stand before a closing bracket, which DuckDB's JSON reader forgives and BigQuery's does not. In a string it is
 * no mistake; whoever reads the file exactly knows.
 */
export async function hasLooseCommas(file: string): Promise<boolean> {
  /** The last byte before the chunk that is no space. */
  let before = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    for (const bracket of CLOSING) {
      for (let at = chunk.indexOf(bracket); at >= 0; at = chunk.indexOf(bracket, at + 1)) {
        if (lastByte(chunk, at, before) === COMMA) return true;
      }
    }
    before = lastByte(chunk, chunk.length, before);
  }
  return false;
}

function lastByte(chunk: Buffer, end: number, before: number): number {
  for (let at = end - 1; at >= 0; at -= 1) {
    const byte = chunk[at] ?? 0;
    if (byte > 0x20) return byte;
  }
  return before;
}
