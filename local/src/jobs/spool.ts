import { randomUUID } from "node:crypto";
import { constants, createReadStream, createWriteStream } from "node:fs";
import { type FileHandle, mkdir, mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { BigQueryError } from "../errors.ts";

const { O_APPEND, O_WRONLY } = constants;

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

/** Pieces are written together once they are this much: the network brings them by 64 KB. */
const WRITE_BYTES = 1 << 20;

/** One upload's data. */
export class SpoolFile {
  #path: string;
  readonly #maxBytes: number;
  #bytes = 0;
  /** Bytes that are in the file. */
  #written = 0;
  #handle: FileHandle | undefined;
  readonly #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  /** Bytes received so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Where the data lies, once it is settled. */
  get path(): string {
    return this.#path;
  }

  /** Appends a piece. */
  async append(chunk: Uint8Array): Promise<void> {
    if (this.#bytes + chunk.length > this.#maxBytes) throw tooLarge();
    this.#bytes += chunk.length;
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    if (this.#pendingBytes >= WRITE_BYTES) await this.#flush();
  }

  /** Appends a whole stream; what came before an error stays. */
  async appendAll(source: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of source) await this.append(chunk);
    } finally {
      // Nobody knows when the next piece of a resumable upload comes.
      await this.#finish();
    }
  }

  async #flush(): Promise<void> {
    const pieces = Buffer.concat(this.#pending.splice(0));
    this.#pendingBytes = 0;
    this.#handle ??= await this.#open();
    await this.#handle.writeFile(pieces);
    this.#written += pieces.length;
  }

  /** A cleaner of temporary files may have taken the folder: it is made again, but what it took of this upload is lost. */
  async #open(): Promise<FileHandle> {
    if (this.#written > 0) return await open(this.#path, O_WRONLY | O_APPEND).catch(ifMissing(uploadLost));
    return await open(this.#path, "a").catch(
      ifMissing(async () => {
        await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
        return await open(this.#path, "a");
      }),
    );
  }

  async #finish(): Promise<void> {
    await this.#flush();
    await this.#handle?.close();
    this.#handle = undefined;
  }

  /** Makes the data readable: an empty upload is an empty file, and gzip is undone (BigQuery sees it by its content, too). */
  async settle(): Promise<void> {
    await this.#finish();
    const handle = await open(this.#path, "r").catch(ifMissing(uploadLost));
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
    await this.#handle?.close();
    this.#handle = undefined;
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

/** What to do where a file or its folder is not there; any other error stays. */
function ifMissing<T>(instead: () => T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code !== "ENOENT") throw error;
    return instead();
  };
}

/** A client starts an upload again that is not found (https://cloud.google.com/bigquery/docs/reference/api-uploads#resume-upload). */
function uploadLost(): never {
  throw new BigQueryError("notFound", "Not found: the data of this upload is gone; start it again.");
}

function tooLarge(): BigQueryError {
  return new BigQueryError("uploadTooLarge", "The upload exceeds the limit of the local BigQuery endpoint.");
}
