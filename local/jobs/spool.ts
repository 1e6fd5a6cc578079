import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { appendFile, mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { BigQueryError } from "../errors.ts";

/** Uploaded data waits in files for its load job; a folder that goes with the server. */
export class Spool {
  readonly #folder: string;
  readonly maxBytes: number;

  private constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.maxBytes = maxBytes;
  }

  /** Makes the folder. `maxBytes` limits one upload, decompressed. */
  static async open(maxBytes: number): Promise<Spool> {
    return new Spool(await mkdtemp(join(tmpdir(), "bigquery-local-")), maxBytes);
  }

  /** A new, empty file. */
  create(): SpoolFile {
    return new SpoolFile(join(this.#folder, randomUUID()), this.maxBytes);
  }

  /** Removes all files. */
  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** One upload's data. */
export class SpoolFile {
  #path: string;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  /** Bytes received so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Where the data lies. */
  get path(): string {
    return this.#path;
  }

  /** Appends a piece. */
  async append(chunk: Uint8Array): Promise<void> {
    if (this.#bytes + chunk.length > this.#maxBytes) throw tooLarge();
    await appendFile(this.#path, chunk);
    this.#bytes += chunk.length;
  }

  /** Appends a whole stream; what came before an error stays. */
  async appendAll(source: AsyncIterable<Uint8Array>): Promise<void> {
    const file = await open(this.#path, "a");
    try {
      for await (const chunk of source) {
        if (this.#bytes + chunk.length > this.#maxBytes) throw tooLarge();
        await file.write(chunk);
        this.#bytes += chunk.length;
      }
    } finally {
      await file.close();
    }
  }

  /** Makes the data readable: an empty upload is an empty file, and gzip is undone (BigQuery sees it by its content, too). */
  async settle(): Promise<void> {
    const handle = await open(this.#path, "a+");
    const magic = Buffer.alloc(2);
    await handle.read(magic, 0, 2, 0);
    await handle.close();
    if (magic[0] !== 0x1f || magic[1] !== 0x8b) return;
    const plain = `${this.#path}.plain`;
    try {
      await pipeline(createReadStream(this.#path), createGunzip(), this.#limit(), createWriteStream(plain));
    } catch (error) {
      await rm(plain, { force: true });
      if (error instanceof BigQueryError) throw error;
      throw new BigQueryError("invalid", "Error while reading data, error message: the gzip data is broken.");
    }
    await rm(this.#path, { force: true });
    this.#path = plain;
    this.#bytes = (await stat(plain)).size;
  }

  /** Removes the file. */
  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  #limit(): Transform {
    let seen = 0;
    const maxBytes = this.#maxBytes;
    return new Transform({
      transform(chunk: Buffer, _encoding, done) {
        seen += chunk.length;
        if (seen > maxBytes) done(tooLarge());
        else done(null, chunk);
      },
    });
  }
}

function tooLarge(): BigQueryError {
  return new BigQueryError("uploadTooLarge", "The upload exceeds the limit of the local BigQuery endpoint.");
}
