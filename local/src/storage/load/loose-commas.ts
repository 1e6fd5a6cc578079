import { open } from "node:fs/promises";

const COMMA = 0x2c;
const CLOSING = [0x5d, 0x7d];
const CHUNK_BYTES = 1 << 20;

/**
 * True where a comma may stand before a closing bracket, which DuckDB's JSON reader forgives and BigQuery's does not. In a string it is
 * no mistake; whoever reads the file exactly knows.
 */
export async function hasLooseCommas(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    // One buffer for all of the file: a stream's new one for each piece takes longer than the search.
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    /** The last byte before the chunk that is no space. */
    let before = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES);
      if (bytesRead === 0) return false;
      const chunk = buffer.subarray(0, bytesRead);
      for (const bracket of CLOSING) {
        for (let at = chunk.indexOf(bracket); at >= 0; at = chunk.indexOf(bracket, at + 1)) {
          if (lastByte(chunk, at, before) === COMMA) return true;
        }
      }
      before = lastByte(chunk, bytesRead, before);
    }
  } finally {
    await handle.close();
  }
}

function lastByte(chunk: Buffer, end: number, before: number): number {
  for (let at = end - 1; at >= 0; at -= 1) {
    const byte = chunk[at] ?? 0;
    if (byte > 0x20) return byte;
  }
  return before;
}
