import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { CommandError, messageOf } from "../../project/errors.ts";

/** What is said of a path that leads nowhere. */
export const NO_SUCH_FILE = "no such file; a path is relative to the folder that you call from";

/** Where in a data file something is wrong; lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/** The longest row that BigQuery loads (https://cloud.google.com/bigquery/quotas#load_jobs); a longer one would fill the memory first. */
export const MAX_ROW_BYTES = 100 * 1024 * 1024;

/** An error about a place in a data file: `file:line:column: message`. */
export function dataError(place: Place, message: string): CommandError {
  const position = [place.file, place.line, place.column].filter((part) => part !== undefined).join(":");
  return new CommandError(`${position}: ${message}`);
}

/** Told of bytes that were read from the disk. */
export type CountBytes = (count: number) => void;

/** The bytes of a data file, unpacked when its name ends in `.gz`; only then is `onBytes` told of those on the disk. */
export function openBytes(file: string, onBytes?: CountBytes): Readable {
  const bytes = createReadStream(file);
  if (!file.endsWith(".gz")) return bytes;
  const unpacked = createGunzip();
  bytes.on("error", (error) => unpacked.destroy(error));
  bytes.on("data", (piece) => onBytes?.(piece.length));
  return bytes.pipe(unpacked);
}

/** The text of a data file in pieces, without a byte order mark; what is not UTF-8 is an error, never replaced. */
export async function* readText(file: string, onBytes?: CountBytes): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let line = 1;
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      throw dataError({ file, line: line + lineOfFirstBadByte(bytes) }, "not UTF-8; save the file as UTF-8");
    }
  };
  try {
    for await (const bytes of openBytes(file, onBytes) as AsyncIterable<Uint8Array>) {
      if (!file.endsWith(".gz")) onBytes?.(bytes.length);
      const text = decode(bytes);
      line += countLines(text);
      if (text !== "") yield text;
    }
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw dataError({ file }, `cannot be read: ${messageOf(error)}`);
  }
  decode();
}

/** The lines of a data file with their numbers, without their line ends. */
export async function* readLines(
  file: string,
  onBytes?: CountBytes,
): AsyncGenerator<{ line: number; text: string }> {
  let rest = "";
  let line = 0;
  for await (const text of readText(file, onBytes)) {
    const pieces = (rest + text).split("\n");
    rest = pieces.pop() ?? "";
    if (rest.length > MAX_ROW_BYTES)
      throw dataError(
        { file, line: line + pieces.length + 1 },
        "a line of more than 100 MB, which BigQuery refuses; write one JSON object per line",
      );
    for (const piece of pieces)
      yield { line: ++line, text: piece.endsWith("\r") ? piece.slice(0, -1) : piece };
  }
  if (rest !== "") yield { line: ++line, text: rest };
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

function lineOfFirstBadByte(bytes: Uint8Array | undefined): number {
  if (bytes === undefined) return 0;
  const readable = new TextDecoder("utf-8").decode(bytes).split("\uFFFD")[0] ?? "";
  return countLines(readable);
}
