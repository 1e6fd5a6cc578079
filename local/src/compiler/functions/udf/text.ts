import { countGroups } from "../regexp.ts";
import { emptyPosition } from "./bytes.ts";
import { bool, bytes, EvaluationError, int, list, text, type Udf, udf } from "./define.ts";

const points = (s: string): string[] => [...s];

function titleCase(s: string, delimiters: string): string {
  let start = true;
  return points(s)
    .map((char) => {
      const isDelimiter = delimiters.includes(char);
      const shown = isDelimiter ? char : start ? char.toUpperCase() : char.toLowerCase();
      start = isDelimiter;
      return shown;
    })
    .join("");
}

const DEFAULT_DELIMITERS = ' \t\r\n\f\v[](){}/|<>!?@"^#$&~_,.:;*%+-';

/** A text in a normal form of Unicode, and folded so that case does not matter. */
export function normalized(s: string, form: string, fold: boolean): string {
  const normal = s.normalize(form);
  return fold ? normal.toLowerCase().toUpperCase().toLowerCase().normalize(form) : normal;
}

/** Where the n-th occurrence starts, counted in elements from 1; 0 if there is none. */
function nthPosition(s: string, part: string, position: bigint, occurrence: bigint): bigint {
  if (position === 0n) throw new EvaluationError("Position must be non-zero");
  if (occurrence <= 0n) throw new EvaluationError("Occurrence must be positive");
  if (part === "") return emptyPosition(BigInt(s.length), position, occurrence);
  let found = -1;
  if (position > 0n) {
    let from = Number(position) - 1;
    for (let n = occurrence; n > 0n; n--) {
      found = s.indexOf(part, from);
      if (found < 0) return 0n;
      from = found + 1;
    }
  } else {
    let from = s.length + Number(position);
    for (let n = occurrence; n > 0n; n--) {
      if (from < 0) return 0n;
      found = s.lastIndexOf(part, from);
      if (found < 0) return 0n;
      from = found - 1;
    }
  }
  return BigInt(found + 1);
}

/** Replaces each code point by one UTF-16 unit where some need two, so that positions count characters. */
function byCharacters(s: string, part: string): readonly [string, string] {
  if (!/[\ud800-\udfff]/.test(s + part)) return [s, part];
  const ids = new Map<string, string>();
  const encode = (x: string): string =>
    points(x)
      .map((char) => {
        const known = ids.get(char);
        if (known !== undefined) return known;
        const made = String.fromCharCode(ids.size);
        ids.set(char, made);
        return made;
      })
      .join("");
  return [encode(s), encode(part)];
}

const SOUNDEX: Readonly<Record<string, string>> = Object.fromEntries(
  ["BFPV", "CGJKQSXZ", "DT", "L", "MN", "R"].flatMap((letters, index) =>
    [...letters].map((letter) => [letter, String(index + 1)]),
  ),
);

function soundex(s: string): string {
  const letters = [...s].filter((char) => /[A-Za-z]/.test(char));
  const [first, ...rest] = letters;
  if (first === undefined) return "";
  let code = first;
  let last = SOUNDEX[first.toUpperCase()] ?? "";
  for (const letter of rest) {
    const digit = SOUNDEX[letter.toUpperCase()];
    // Letters without a code do not part two letters of the same one.
    if (digit === undefined) continue;
    if (digit !== last) code += digit;
    last = digit;
    if (code.length === 4) break;
  }
  return code.padEnd(4, "0");
}

function translate(s: string, from: string, to: string): string {
  const targets = points(to);
  const map = new Map<string, string>();
  points(from).forEach((char, index) => {
    if (map.has(char))
      throw new EvaluationError(`Duplicate character "${char}" in TRANSLATE source characters`);
    map.set(char, targets[index] ?? "");
  });
  return points(s)
    .map((char) => map.get(char) ?? char)
    .join("");
}

function isScalarValue(code: bigint): boolean {
  return code >= 0n && code <= 0x10ffffn && !(code >= 0xd800n && code <= 0xdfffn);
}

function character(code: bigint | null): string {
  if (code === null || !isScalarValue(code)) throw new EvaluationError(`Invalid codepoint ${code}`);
  return String.fromCodePoint(Number(code));
}

function chr(code: bigint): string {
  return code === 0n ? "\0" : character(code);
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** BYTES in base 32. */
export function toBase32(data: Buffer): string {
  let bits = "";
  for (const byte of data) bits += byte.toString(2).padStart(8, "0");
  const digits = (bits.match(/.{1,5}/g) ?? []).map((five) => BASE32[Number.parseInt(five.padEnd(5, "0"), 2)]);
  return digits.join("").padEnd(Math.ceil(digits.length / 8) * 8, "=");
}

/** BYTES from base 32, or an EvaluationError. */
export function fromBase32(s: string): Buffer {
  const digits = s.replace(/=+$/, "");
  if (s.length % 8 !== 0 || !/^[A-Z2-7]*$/.test(digits) || ![0, 2, 4, 5, 7].includes(digits.length % 8)) {
    throw new EvaluationError("Failed to decode invalid base32 string");
  }
  const bits = [...digits].map((digit) => BASE32.indexOf(digit).toString(2).padStart(5, "0")).join("");
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((eight) => Number.parseInt(eight, 2)));
}

function fromBase64(s: string): Buffer {
  const digits = s.replace(/[\t\n\f\r ]/g, "");
  const bare = digits.replace(/={1,2}$/, "");
  const padded = digits.length !== bare.length;
  if (!/^[A-Za-z0-9+/]*$/.test(bare) || bare.length % 4 === 1 || (padded && digits.length % 4 !== 0)) {
    throw new EvaluationError("Failed to decode invalid base64 string");
  }
  return Buffer.from(bare, "base64");
}

function fromHex(s: string): Buffer {
  const bad = /[^0-9A-Fa-f]/.exec(s);
  if (bad !== null) {
    throw new EvaluationError(
      `Failed to decode invalid hexadecimal string due to character at offset ${bad.index}: ${s}`,
    );
  }
  return Buffer.from(s.length % 2 === 1 ? `0${s}` : s, "hex");
}

/** Each byte that is no part of a valid sequence becomes one U+FFFD. */
function decodeLossy(data: Buffer): string {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const attempt = (part: Buffer): string | undefined => {
    try {
      return strict.decode(part);
    } catch {
      return undefined;
    }
  };
  const whole = attempt(data);
  if (whole !== undefined) return whole;
  let decoded = "";
  for (let at = 0; at < data.length; ) {
    const lead = data[at] as number;
    const size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const char = attempt(data.subarray(at, at + size));
    decoded += char ?? "\ufffd";
    at += char === undefined ? 1 : size;
  }
  return decoded;
}

/** Functions on STRING. */
export const textUdfs: readonly Udf[] = [
  udf("upper", [text], text, (s) => s.toUpperCase()),
  udf("lower", [text], text, (s) => s.toLowerCase()),
  udf("reverse", [text], text, (s) => points(s).reverse().join("")),
  udf("initcap_default", [text], text, (s) => titleCase(s, DEFAULT_DELIMITERS)),
  udf("initcap", [text, text], text, titleCase),
  udf("instr", [text, text, int, int], int, (s, part, position, occurrence) =>
    nthPosition(...byCharacters(s, part), position, occurrence),
  ),
  udf("split", [text, text], list(text), (s, by) =>
    by === "" ? (s === "" ? [""] : points(s)) : s.split(by),
  ),
  udf("join", [list(text), text], text, (items, by) => items.filter((item) => item !== null).join(by)),
  udf("soundex", [text], text, soundex),
  udf("translate", [text, text, text], text, translate),
  udf("ascii", [text], int, (s) => {
    const code = s.codePointAt(0) ?? 0;
    if (code > 127)
      throw new EvaluationError(`Argument to ASCII is not a structurally valid ASCII string: '${s}'`);
    return BigInt(code);
  }),
  udf("unicode", [text], int, (s) => BigInt(s.codePointAt(0) ?? 0)),
  udf("chr", [int], text, chr),
  udf("normalize", [text, text, bool], text, normalized),
  udf("to_code_points", [text], list(int), (s) => points(s).map((char) => BigInt(char.codePointAt(0) ?? 0))),
  udf("code_points_to_string", [list(int)], text, (codes) =>
    codes.includes(null) ? null : codes.map(character).join(""),
  ),
  udf("code_points_to_bytes", [list(int)], bytes, (codes) => {
    if (codes.includes(null)) return null;
    const bad = codes.find((code) => code !== null && (code < 0n || code > 255n));
    if (bad !== undefined) throw new EvaluationError(`Invalid ASCII value ${bad}`);
    return Buffer.from(codes.map(Number));
  }),
  udf("from_hex", [text], bytes, fromHex),
  udf("from_base64", [text], bytes, fromBase64),
  udf("to_base32", [bytes], text, toBase32),
  udf("from_base32", [text], bytes, fromBase32),
  udf("safe_convert", [bytes], text, decodeLossy),
  udf("regexp_groups", [text], int, (pattern) => {
    const groups = countGroups(pattern);
    if (groups > 1) {
      throw new EvaluationError(
        "Regular expressions passed into extraction functions must not have more than 1 capturing group",
      );
    }
    return BigInt(groups);
  }),
];
