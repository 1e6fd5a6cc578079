import { createHash } from "node:crypto";
import { hexEscape, stringLiteral } from "../../../string-literal.ts";
import { bool, bytes, EvaluationError, int, list, text, type Udf, udf } from "./define.ts";

/** ASCII letters alone have a case in BYTES. */
function mapAscii(data: Buffer, from: number, shift: number): Buffer {
  return Buffer.from(data.map((byte) => (byte >= from && byte < from + 26 ? byte + shift : byte)));
}

/** BYTES as text of one unit a byte, on which the string methods work. */
const latin = (data: Buffer): string => data.toString("latin1");
const unlatin = (data: string): Buffer => Buffer.from(data, "latin1");

function trimmed(data: Buffer, set: Buffer, left: boolean, right: boolean): Buffer {
  let [start, end] = [0, data.length];
  while (left && start < end && set.includes(data[start] as number)) start++;
  while (right && end > start && set.includes(data[end - 1] as number)) end--;
  return data.subarray(start, end);
}

function padded(data: Buffer, size: bigint, pattern: Buffer, atStart: boolean): Buffer {
  if (size < 0n) throw new EvaluationError("Second argument (output size) for LPAD/RPAD cannot be negative");
  if (pattern.length === 0)
    throw new EvaluationError("Third argument (pad pattern) for LPAD/RPAD cannot be empty");
  const length = Number(size);
  if (length <= data.length) return data.subarray(0, length);
  const fill = Buffer.alloc(length - data.length, pattern);
  return Buffer.concat(atStart ? [fill, data] : [data, fill]);
}

function split(data: Buffer, by: Buffer): Buffer[] {
  if (by.length === 0) return data.length === 0 ? [data] : [...data].map((byte) => Buffer.from([byte]));
  return latin(data).split(latin(by)).map(unlatin);
}

function likePattern(pattern: string): RegExp {
  let source = "";
  for (let index = 0; index < pattern.length; index++) {
    let char = pattern[index] as string;
    if (char === "%") source += "[^]*";
    else if (char === "_") source += "[^]";
    else {
      if (char === "\\") {
        index++;
        if (index >= pattern.length) throw new EvaluationError("LIKE pattern ends with a backslash");
        char = pattern[index] as string;
      }
      source += char.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
    }
  }
  return new RegExp(`^${source}$`);
}

function combined(a: Buffer, b: Buffer, operate: (x: number, y: number) => number): Buffer {
  if (a.length !== b.length) {
    throw new EvaluationError(
      `Bitwise binary operator for BYTES requires equal length of the inputs. Got ${a.length} bytes on the left hand side and ${b.length} bytes on the right hand side.`,
    );
  }
  return Buffer.from(a.map((byte, index) => operate(byte, b[index] as number)));
}

function shifted(data: Buffer, by: bigint, left: boolean): Buffer {
  if (by < 0n) throw new EvaluationError("Bitwise shift by negative offset.");
  const bits = BigInt(data.length * 8);
  if (by >= bits) return Buffer.alloc(data.length);
  const value = BigInt(`0x${data.toString("hex") || "0"}`);
  const moved = left ? BigInt.asUintN(Number(bits), value << by) : value >> by;
  return Buffer.from(moved.toString(16).padStart(data.length * 2, "0"), "hex");
}

function countBits(data: Buffer): bigint {
  let count = 0;
  for (let byte of data) for (; byte > 0; byte >>= 1) count += byte & 1;
  return BigInt(count);
}

/** Where an empty part is found: right at the position, as far as there is one. */
export function emptyPosition(length: bigint, position: bigint, occurrence: bigint): bigint {
  const at = position > 0n ? position + occurrence - 1n : length + position + 3n - occurrence;
  return at >= 1n && at <= length + 1n ? at : 0n;
}

function position(data: Buffer, part: Buffer, from: bigint, occurrence: bigint): bigint {
  if (from === 0n) throw new EvaluationError("Position must be non-zero");
  if (occurrence <= 0n) throw new EvaluationError("Occurrence must be positive");
  if (part.length === 0) return emptyPosition(BigInt(data.length), from, occurrence);
  const forward = from > 0n;
  let at = forward ? Number(from) - 1 : data.length + Number(from);
  let found = -1;
  for (let n = occurrence; n > 0n; n--) {
    if (at < 0) return 0n;
    found = forward ? data.indexOf(part, at) : data.lastIndexOf(part, at);
    if (found < 0) return 0n;
    at = forward ? found + 1 : found - 1;
  }
  return BigInt(found + 1);
}

const printable = (byte: number): boolean => byte >= 0x20 && byte < 0x7f;

function escapedBytes(data: Buffer, quotes: string): string {
  const body = [...data].map((byte) => {
    const char = String.fromCharCode(byte);
    if (char === "\\" || quotes.includes(char)) return `\\${char}`;
    return printable(byte) ? char : hexEscape(byte);
  });
  return body.join("");
}

/** BYTES as a GoogleSQL literal. */
function bytesLiteral(data: Buffer): string {
  const quote = data.includes(0x22) && !data.includes(0x27) ? "'" : '"';
  return `b${quote}${escapedBytes(data, quote)}${quote}`;
}

/** BYTES as `%t` prints them: escaped, without quotes. */
function bytesDisplay(data: Buffer): string {
  return escapedBytes(data, `"'`);
}

/** Functions on BYTES. */
export const bytesUdfs: readonly Udf[] = [
  udf("latin_text", [bytes], text, latin),
  udf("latin_bytes", [text], bytes, unlatin),
  udf("upper_bytes", [bytes], bytes, (b) => mapAscii(b, 97, -32)),
  udf("lower_bytes", [bytes], bytes, (b) => mapAscii(b, 65, 32)),
  udf("reverse_bytes", [bytes], bytes, (b) => Buffer.from(b).reverse()),
  udf("replace_bytes", [bytes, bytes, bytes], bytes, (b, from, to) =>
    from.length === 0 ? b : unlatin(latin(b).replaceAll(latin(from), () => latin(to))),
  ),
  udf("repeat_bytes", [bytes, int], bytes, (b, n) => Buffer.alloc(b.length * Number(n), b)),
  udf("trim_bytes", [bytes, bytes], bytes, (b, set) => trimmed(b, set, true, true)),
  udf("ltrim_bytes", [bytes, bytes], bytes, (b, set) => trimmed(b, set, true, false)),
  udf("rtrim_bytes", [bytes, bytes], bytes, (b, set) => trimmed(b, set, false, true)),
  udf("lpad_bytes", [bytes, int, bytes], bytes, (b, size, pattern) => padded(b, size, pattern, true)),
  udf("rpad_bytes", [bytes, int, bytes], bytes, (b, size, pattern) => padded(b, size, pattern, false)),
  udf("split_bytes", [bytes, bytes], list(bytes), split),
  udf("instr_bytes", [bytes, bytes, int, int], int, position),
  udf("translate_bytes", [bytes, bytes, bytes], bytes, (b, from, to) => {
    if (new Set(from).size !== from.length)
      throw new EvaluationError("Duplicate byte in TRANSLATE source characters");
    return Buffer.from(
      [...b].flatMap((byte) => {
        const index = from.indexOf(byte);
        if (index < 0) return [byte];
        const target = to[index];
        return target === undefined ? [] : [target];
      }),
    );
  }),
  udf("ascii_bytes", [bytes], int, (b) => BigInt(b[0] ?? 0)),
  udf("to_code_points_bytes", [bytes], list(int), (b) => [...b].map(BigInt)),
  udf("like_bytes", [bytes, bytes], bool, (b, pattern) => likePattern(latin(pattern)).test(latin(b))),
  udf("join_bytes", [list(bytes), bytes], bytes, (items, by) =>
    Buffer.concat(
      items.filter((item) => item !== null).flatMap((item, index) => (index === 0 ? [item] : [by, item])),
    ),
  ),
  udf("bit_and_bytes", [bytes, bytes], bytes, (a, b) => combined(a, b, (x, y) => x & y)),
  udf("bit_or_bytes", [bytes, bytes], bytes, (a, b) => combined(a, b, (x, y) => x | y)),
  udf("bit_xor_bytes", [bytes, bytes], bytes, (a, b) => combined(a, b, (x, y) => x ^ y)),
  udf("bit_not_bytes", [bytes], bytes, (b) => Buffer.from(b.map((byte) => ~byte & 0xff))),
  udf("bit_shift_left_bytes", [bytes, int], bytes, (b, n) => shifted(b, n, true)),
  udf("bit_shift_right_bytes", [bytes, int], bytes, (b, n) => shifted(b, n, false)),
  udf("bit_count_bytes", [bytes], int, countBits),
  udf("shift_left", [int, int], int, (x, n) => (n > 63n ? 0n : BigInt.asIntN(64, x << n))),
  udf("shift_right", [int, int], int, (x, n) =>
    n > 63n ? 0n : BigInt.asIntN(64, BigInt.asUintN(64, x) >> n),
  ),
  udf("sha512", [bytes], bytes, (b) => createHash("sha512").update(b).digest()),
  udf("bytes_literal", [bytes], text, bytesLiteral),
  udf("bytes_display", [bytes], text, bytesDisplay),
  udf("string_literal", [text], text, stringLiteral),
];
