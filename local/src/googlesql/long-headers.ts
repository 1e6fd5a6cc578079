import type { Socket } from "node:net";
import { Duplex } from "node:stream";

/**
 * Node's HTTP/2 stops reading a connection, without a word, at a header's value of 64 KB. An error of the analyzer comes as such a
 * value and quotes what it is about, however long that is.
 */
const LONGEST_BLOCK = 60_000;
/** What is left of a value in a longer block: its first bytes, and its last, where an error says the place. */
const [KEPT_START, KEPT_END] = [16_000, 1000];
const ELLIPSIS = "%E2%80%A6";

const FRAME_BYTES = 9;
const [HEADERS, CONTINUATION] = [1, 9];
const [END_HEADERS, PADDED, PRIORITY] = [0x4, 0x8, 0x20];

/** A socket on which the values of long headers arrive shortened (RFC 9113, RFC 7541). */
export function shortenHeaders(socket: Socket): Duplex {
  const frames = new HeaderFrames();
  const duplex = new Duplex({
    read: () => socket.resume(),
    write: (chunk, encoding, done) => socket.write(chunk, encoding, done),
    // A call's frames are small and come together: one write for all is one system call.
    writev: (frames, done) => socket.write(Buffer.concat(frames.map(({ chunk }) => chunk)), done),
    final: (done) => socket.end(done),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on("data", (chunk: Buffer) => {
    for (const piece of frames.pass(chunk)) if (!duplex.push(piece)) socket.pause();
  });
  socket.on("end", () => duplex.push(null));
  socket.on("error", (error) => duplex.destroy(error));
  socket.on("close", () => duplex.destroy());
  return Object.assign(duplex, { ref: () => socket.ref(), unref: () => socket.unref() });
}

/** Follows the frames of a connection; all but header frames pass as they come. */
class HeaderFrames {
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes of the present frame that are still to pass. */
  #passing = 0;
  /** The header frames of the present block. */
  #block: Buffer[] = [];

  *pass(chunk: Buffer): Generator<Buffer> {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (data.length > 0) {
      if (this.#passing > 0) {
        const piece = data.subarray(0, this.#passing);
        this.#passing -= piece.length;
        data = data.subarray(piece.length);
        yield piece;
        continue;
      }
      if (data.length < FRAME_BYTES) break;
      const size = FRAME_BYTES + data.readUIntBE(0, 3);
      const type = data[3];
      if (type !== HEADERS && type !== CONTINUATION) {
        this.#passing = size;
        continue;
      }
      if (data.length < size) break;
      this.#block.push(data.subarray(0, size));
      const isLast = ((data[4] ?? 0) & END_HEADERS) !== 0;
      data = data.subarray(size);
      if (isLast) yield* shortened(this.#block.splice(0));
    }
    this.#rest = data;
  }
}

/** The frames of a header block as they are, or, where they are long, as one frame. */
function shortened(frames: readonly Buffer[]): readonly Buffer[] {
  const [first] = frames;
  const flags = first?.[4] ?? 0;
  const block = Buffer.concat(frames.map((frame) => frame.subarray(FRAME_BYTES)));
  if (first === undefined || block.length <= LONGEST_BLOCK || (flags & (PADDED | PRIORITY)) !== 0)
    return frames;
  const fields = shortFields(block);
  const sent = Buffer.from(first.subarray(0, FRAME_BYTES));
  const pieces: Buffer[] = [];
  // No frame is longer than 16 KB; the last one ends the block.
  for (let at = 0; at < fields.length; at += MAX_FRAME) {
    const piece = fields.subarray(at, at + MAX_FRAME);
    const isLast = at + MAX_FRAME >= fields.length;
    const head = Buffer.from(sent);
    head.writeUIntBE(piece.length, 0, 3);
    head[3] = at === 0 ? HEADERS : CONTINUATION;
    head[4] = (at === 0 ? flags & ~END_HEADERS : 0) | (isLast ? END_HEADERS : 0);
    pieces.push(head, piece);
  }
  return pieces;
}

const MAX_FRAME = 16_384;

/** The fields of a block with long values shortened. */
function shortFields(block: Buffer): Buffer {
  const out: Buffer[] = [];
  let at = 0;
  const integer = (prefix: number): number => {
    const mask = (1 << prefix) - 1;
    let value = (block[at++] ?? 0) & mask;
    if (value < mask) return value;
    for (let shift = 0; ; shift += 7) {
      const byte = block[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if ((byte & 0x80) === 0) return value;
    }
  };
  const string = (): { isHuffman: boolean; value: Buffer } => {
    const isHuffman = ((block[at] ?? 0) & 0x80) !== 0;
    const length = integer(7);
    const value = block.subarray(at, at + length);
    at += length;
    return { isHuffman, value };
  };
  while (at < block.length) {
    const start = at;
    const byte = block[at] ?? 0;
    if ((byte & 0x80) !== 0) {
      integer(7);
    } else if ((byte & 0xe0) === 0x20) {
      integer(5);
    } else {
      const isIndexed = (byte & 0x40) !== 0;
      if (integer(isIndexed ? 6 : 4) === 0) string();
      const valueStart = at;
      const { isHuffman, value } = string();
      if (!isHuffman && value.length > KEPT_START + KEPT_END) {
        const kept = Buffer.concat([
          value.subarray(0, KEPT_START),
          Buffer.from(ELLIPSIS),
          value.subarray(value.length - KEPT_END),
        ]);
        out.push(block.subarray(start, valueStart), lengthOf(kept), kept);
        continue;
      }
    }
    out.push(block.subarray(start, at));
  }
  return Buffer.concat(out);
}

/** The length that stands before a string. */
function lengthOf(text: Buffer): Buffer {
  const bytes = [0x7f];
  let rest = text.length - 0x7f;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Buffer.from([...bytes, rest]);
}
