import { BigQueryError } from "../errors.ts";

/** What a multipart/related upload is made of: a JSON part, then the data. */
export interface MultipartSink {
  metadata(text: string): void;
  /** A piece of the data part; awaited, so a slow disk slows the client down. */
  data(chunk: Buffer): Promise<void>;
}

const MAX_METADATA_BYTES = 1024 * 1024;
const RETURN = 13;
const HEADER_END = Buffer.from("\r\n\r\n");

/** The boundary of a `multipart/related` (or `multipart/form-data`) Content-Type. */
export function boundaryOf(contentType: string | undefined): string {
  const match = /^multipart\/[a-z-]+\s*;.*?\bboundary\s*=\s*(?:"([^"]+)"|([^\s;]+))/i.exec(contentType ?? "");
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined) {
    throw new BigQueryError(
      "invalid",
      "A multipart upload needs a multipart Content-Type with its boundary.",
    );
  }
  return boundary;
}

/**
 * Reads a multipart/related body (RFC 2387) of two parts as it arrives; the data part is passed on in pieces and never held as
 * a whole. A part ends at a line break followed by `--boundary`, so that many bytes are always kept back.
 */
export async function readMultipart(
  source: AsyncIterable<Buffer>,
  boundary: string,
  sink: MultipartSink,
): Promise<void> {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  // The first delimiter may open the body, without a line break before it.
  let pending: Buffer = Buffer.from("\r\n");
  let state: "preamble" | "metadata-head" | "metadata" | "data-head" | "data" | "end" = "preamble";

  for await (const chunk of source) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    for (let progress = true; progress && state !== "end"; ) {
      progress = false;
      if (state === "metadata-head" || state === "data-head") {
        const at = pending.indexOf(HEADER_END);
        if (at >= 0) {
          // The blank line's second half may start the delimiter of an empty part.
          pending = pending.subarray(at + 2);
          state = state === "metadata-head" ? "metadata" : "data";
          progress = true;
          if (state === "data") pending = trimLeadingBreak(pending, delimiter);
        } else if (pending.length > MAX_METADATA_BYTES) {
          throw malformed("a part's headers are too long");
        }
        continue;
      }
      const at = pending.indexOf(delimiter);
      if (at >= 0) {
        const part = pending.subarray(0, at);
        pending = pending.subarray(at + delimiter.length);
        progress = true;
        if (state === "preamble") state = "metadata-head";
        else if (state === "metadata") {
          sink.metadata(part.toString("utf8").trim());
          state = "data-head";
        } else {
          await sink.data(part);
          state = "end";
        }
      } else if (state === "data") {
        // Only what may be the start of the delimiter waits for more.
        const start = pending.indexOf(RETURN, Math.max(0, pending.length - delimiter.length));
        const end = start < 0 ? pending.length : start;
        if (end > 0) await sink.data(pending.subarray(0, end));
        pending = pending.subarray(end);
      } else if (pending.length > MAX_METADATA_BYTES) {
        throw malformed("the metadata part is too long");
      }
    }
  }
  if (state !== "end") throw malformed("the body ended before its last boundary");
}

/** Drops the rest of the blank line after a part's headers, unless it belongs to the delimiter of an empty part. */
function trimLeadingBreak(pending: Buffer, delimiter: Buffer): Buffer {
  const startsDelimiter = pending.length >= delimiter.length && pending.indexOf(delimiter) === 0;
  return startsDelimiter ? pending : pending.subarray(2);
}

function malformed(what: string): BigQueryError {
  return new BigQueryError("invalid", `Malformed multipart body: ${what}.`);
}
