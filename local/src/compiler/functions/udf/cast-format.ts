import { bytes, EvaluationError, int, text, type Udf, udf } from "./define.ts";
import { fromBase32, toBase32 } from "./text.ts";
import { NAMES } from "./time-format.ts";
import { clockOf, dayOf } from "./time-parse.ts";
import { instantMicros } from "./zones.ts";

/** Elements of a format, longest first; quoted text and the separators stand for themselves. */
const TOKEN =
  /SSSSS|YYYY|RRRR|MONTH|HH24|HH12|A\.M\.|P\.M\.|YYY|DDD|MON|DAY|TZH|TZM|FF[1-9]|YY|RR|MM|DD|DY|HH|MI|SS|AM|PM|Y|D|"(?:[^"\\]|\\.)*"|[-./,';: ]/giy;

function tokensOf(format: string): readonly string[] {
  const tokens: string[] = [];
  for (let at = 0; at < format.length; ) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(format)?.[0];
    if (found === undefined) throw new EvaluationError(`Cannot find matched format element at ${at}`);
    tokens.push(found);
    at += found.length;
  }
  return tokens;
}

const TIME_ONLY = /^(HH|HH12|HH24|MI|SS|SSSSS|FF\d|AM|PM|A\.M\.|P\.M\.)$/;
const DATE_ONLY = /^(Y{1,4}|RR|RRRR|MM|MON|MONTH|D{1,3}|DAY|DY)$/;

/** Refuses an element that the type has nothing for. */
function check(element: string, kind: string): void {
  const wrong =
    (TIME_ONLY.test(element) && kind === "DATE") ||
    (DATE_ONLY.test(element) && kind === "TIME") ||
    (element.startsWith("TZ") && kind !== "TIMESTAMP");
  if (wrong) throw new EvaluationError(`${kind} does not support '${element}'`);
}

/** Names follow the case of the element: MONTH, Month, month. */
function cased(name: string, element: string): string {
  if (element === element.toLowerCase()) return name.toLowerCase();
  return element.slice(0, 2) === element.slice(0, 2).toUpperCase() ? name.toUpperCase() : name;
}

const pad = (value: number, width: number): string => String(value).padStart(width, "0");

interface Point {
  readonly date: Date;
  readonly micros: number;
  readonly seconds: number;
  readonly offsetMinutes: number;
}

const DAY_MICROS = 86_400_000_000n;

function pointOf(local: bigint, instant: bigint): Point {
  const inDay = ((local % DAY_MICROS) + DAY_MICROS) % DAY_MICROS;
  return {
    date: new Date(Number((local - inDay) / 1000n)),
    seconds: Number(inDay / 1_000_000n),
    micros: Number(inDay % 1_000_000n),
    offsetMinutes: Number((local - instant) / 60_000_000n),
  };
}

function show({ date, seconds, micros, offsetMinutes }: Point, token: string): string {
  const element = token.toUpperCase();
  const year = date.getUTCFullYear();
  const hour = Math.floor(seconds / 3600);
  switch (element) {
    case "YYYY":
    case "RRRR":
      return pad(year, 4);
    case "YYY":
      return pad(year % 1000, 3);
    case "YY":
    case "RR":
      return pad(year % 100, 2);
    case "Y":
      return String(year % 10);
    case "MM":
      return pad(date.getUTCMonth() + 1, 2);
    case "MONTH":
      return cased(NAMES.MONTHS[date.getUTCMonth()] ?? "", token);
    case "MON":
      return cased((NAMES.MONTHS[date.getUTCMonth()] ?? "").slice(0, 3), token);
    case "DDD":
      return pad((date.getTime() - new Date(date).setUTCMonth(0, 1)) / 86_400_000 + 1, 3);
    case "DD":
      return pad(date.getUTCDate(), 2);
    case "D":
      return String(date.getUTCDay() + 1);
    case "DAY":
      return cased(NAMES.DAYS[date.getUTCDay()] ?? "", token);
    case "DY":
      return cased((NAMES.DAYS[date.getUTCDay()] ?? "").slice(0, 3), token);
    case "HH":
    case "HH12":
      return pad(hour % 12 || 12, 2);
    case "HH24":
      return pad(hour, 2);
    case "MI":
      return pad(Math.floor(seconds / 60) % 60, 2);
    case "SS":
      return pad(seconds % 60, 2);
    case "SSSSS":
      return pad(seconds, 5);
    case "AM":
    case "PM":
      return cased(hour < 12 ? "AM" : "PM", token);
    case "A.M.":
    case "P.M.":
      return cased(hour < 12 ? "A.M." : "P.M.", token);
    case "TZH":
      return `${offsetMinutes < 0 ? "-" : "+"}${pad(Math.floor(Math.abs(offsetMinutes) / 60), 2)}`;
    case "TZM":
      return pad(Math.abs(offsetMinutes) % 60, 2);
    default:
      if (element.startsWith("FF")) return pad(micros, 6).padEnd(9, "0").slice(0, Number(element[2]));
      return token.startsWith('"') ? token.slice(1, -1).replace(/\\(.)/g, "$1") : token;
  }
}

function format(local: bigint, instant: bigint, pattern: string, kind: string): string {
  const point = pointOf(local, instant);
  return tokensOf(pattern)
    .map((token) => {
      check(token.toUpperCase(), kind);
      return show(point, token);
    })
    .join("");
}

/** What the elements of a format have said so far. */
interface Fields {
  year?: number;
  month?: number;
  day?: number;
  hour?: number;
  hour12?: number;
  afternoon?: boolean;
  minute?: number;
  second?: number;
  secondOfDay?: number;
  fraction?: string;
  zoneHour?: string;
  zoneMinute?: string;
}

function read(fields: Fields, element: string, value: string, today: Date): void {
  const number = Number(value);
  const thisYear = today.getUTCFullYear();
  if (/^Y{1,4}$/.test(element)) {
    const unit = 10 ** element.length;
    fields.year = element === "YYYY" ? number : Math.floor(thisYear / unit) * unit + number;
  } else if (element === "RRRR") fields.year = number;
  else if (element === "RR") {
    const century = Math.floor(thisYear / 100) + (number < 50 ? 0 : -1) + (thisYear % 100 < 50 ? 0 : 1);
    fields.year = century * 100 + number;
  } else if (element === "MM") fields.month = number;
  else if (element === "MONTH" || element === "MON") {
    const wanted = value.toLowerCase();
    fields.month = NAMES.MONTHS.findIndex((name) => name.toLowerCase().startsWith(wanted)) + 1;
  } else if (element === "DD") fields.day = number;
  else if (element === "HH24") fields.hour = number;
  else if (element === "HH" || element === "HH12") fields.hour12 = number;
  else if (element === "MI") fields.minute = number;
  else if (element === "SS") fields.second = number;
  else if (element === "SSSSS") fields.secondOfDay = number;
  else if (element.startsWith("FF")) fields.fraction = value;
  else if (/^[AP]\.?M/.test(element)) fields.afternoon = value.toLowerCase().startsWith("p");
  else if (element === "TZH") fields.zoneHour = value.replace(" ", "+");
  else if (element === "TZM") fields.zoneMinute = value;
}

/** Elements that are numbers. */
const NUMBER = /^(?:Y|RR|MM|DD|HH|MI|SS|FF)/;

/** What an element may be in the text, where `next` follows it in the format. */
function patternOf(element: string, next: string): RegExp {
  // A year leaves the digits of what follows it at once.
  if (element === "YYYY" || element === "RRRR") return NUMBER.test(next) ? /\d{1,4}/iy : /\d{1,5}/iy;
  if (/^(Y{1,3}|RR)$/.test(element)) return new RegExp(`\\d{1,${element.length}}`, "iy");
  if (element === "MONTH") return new RegExp(NAMES.MONTHS.join("|"), "iy");
  if (element === "MON") return new RegExp(NAMES.MONTHS.map((name) => name.slice(0, 3)).join("|"), "iy");
  if (element === "SSSSS") return /\d{1,5}/iy;
  if (element.startsWith("FF")) return new RegExp(`\\d{1,${element[2]}}`, "iy");
  if (/^[AP]M$/.test(element)) return /[ap]m/iy;
  if (/^[AP]\.M\.$/.test(element)) return /[ap]\.m\./iy;
  if (element === "TZH") return /[+\- ]?\d{1,2}/iy;
  return /\d{1,2}/iy;
}

function parse(source: string, pattern: string, kind: string, zone: string, now: bigint): bigint {
  const today = new Date(Number(now / 1000n));
  const fields: Fields = {};
  const fail = (): EvaluationError =>
    new EvaluationError(`Failed to parse input timestamp string "${source}"`);
  const end = source.trimEnd().length;
  let at = source.length - source.trimStart().length;
  const tokens = tokensOf(pattern);
  for (const [index, token] of tokens.entries()) {
    const element = token.toUpperCase();
    if (element === " ") {
      const start = at;
      while (at < end && /\s/.test(source[at] ?? "")) at++;
      // Any number of spaces stands for any other, but for none.
      if (at === start && tokens[index - 1] !== " ") throw fail();
      continue;
    }
    const isElement = /^[A-Z]/.test(element);
    check(element, kind);
    if (/^(D|DDD|DAY|DY)$/.test(element))
      throw new EvaluationError(`Format element '${element}' is not supported for parsing`);
    const wanted = isElement ? patternOf(element, (tokens[index + 1] ?? "").toUpperCase()) : undefined;
    if (wanted !== undefined) wanted.lastIndex = at;
    const literal = show(pointOf(0n, 0n), token);
    const found =
      wanted === undefined
        ? source.startsWith(literal, at)
          ? literal
          : undefined
        : wanted.exec(source)?.[0];
    if (found === undefined) throw fail();
    if (isElement) read(fields, element, found, today);
    at += found.length;
  }
  if (at < end) throw fail();
  const micros = microsOf(fields, kind, today);
  if (micros === undefined) throw fail();
  if (kind !== "TIMESTAMP") return micros;
  const own =
    fields.zoneHour === undefined
      ? zone
      : `${/^[+-]/.test(fields.zoneHour) ? "" : "+"}${fields.zoneHour}:${(fields.zoneMinute ?? "0").padStart(2, "0")}`;
  return instantMicros(micros, own);
}

function microsOf(fields: Fields, kind: string, today: Date): bigint | undefined {
  const year = fields.year ?? today.getUTCFullYear();
  // What is not said is this year, this month, the first day.
  const day = dayOf(year, fields.month ?? today.getUTCMonth() + 1, fields.day ?? 1);
  const hour =
    fields.hour ??
    (fields.hour12 === undefined ? 0 : (fields.hour12 % 12) + (fields.afternoon === true ? 12 : 0));
  const clock =
    fields.secondOfDay === undefined
      ? clockOf(hour, fields.minute ?? 0, fields.second ?? 0, fields.fraction)
      : BigInt(fields.secondOfDay) * 1_000_000n + BigInt((fields.fraction ?? "").slice(0, 6).padEnd(6, "0"));
  if (clock === undefined || day === undefined) return undefined;
  return kind === "TIME" ? clock : BigInt(day) * DAY_MICROS + clock;
}

const DIGITS: Readonly<Record<string, number>> = { BASE2: 1, BASE8: 3, BASE16: 4, HEX: 4 };

function encode(data: Buffer, format: string): string {
  const name = format.toUpperCase();
  const bits = DIGITS[name];
  if (name === "HEX" || name === "BASE16") return data.toString("hex");
  if (bits !== undefined) {
    const text = [...data].map((byte) => byte.toString(2).padStart(8, "0")).join("");
    const whole = text.padStart(Math.ceil(text.length / bits) * bits, "0");
    return (whole.match(new RegExp(`.{${bits}}`, "g")) ?? [])
      .map((digit) => Number.parseInt(digit, 2))
      .join("");
  }
  if (name === "BASE32") return toBase32(data);
  if (name === "BASE64") return data.toString("base64");
  if (name === "BASE64M") return (data.toString("base64").match(/.{1,76}/g) ?? []).join("\n");
  if (name === "ASCII") {
    if (data.some((byte) => byte > 127)) throw new EvaluationError("Invalid ASCII value");
    return data.toString("latin1");
  }
  if (name === "UTF-8" || name === "UTF8") {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
    } catch {
      throw new EvaluationError("Invalid UTF-8 value");
    }
  }
  throw new EvaluationError(`Invalid format '${format}' for a conversion of BYTES`);
}

function decode(value: string, format: string): Buffer {
  const name = format.toUpperCase();
  if (name === "HEX" || name === "BASE16") {
    if (!/^[0-9a-fA-F]*$/.test(value))
      throw new EvaluationError(`Failed to decode invalid hexadecimal string: ${value}`);
    return Buffer.from(value.length % 2 === 1 ? `0${value}` : value, "hex");
  }
  if (name === "BASE2" && /^[01]*$/.test(value) && value.length % 8 === 0) {
    return Buffer.from((value.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  }
  if (name === "BASE32") return fromBase32(value);
  if (name === "BASE64" || name === "BASE64M") {
    const bare = value.replace(/[\s]/g, "");
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(bare))
      throw new EvaluationError("Failed to decode invalid base64 string");
    return Buffer.from(bare, "base64");
  }
  if (name === "UTF-8" || name === "UTF8") return Buffer.from(value, "utf8");
  if (name === "ASCII") {
    const data = Buffer.from(value, "utf8");
    if (data.some((byte) => byte > 127)) throw new EvaluationError("Invalid ASCII value");
    return data;
  }
  throw new EvaluationError(
    `Not supported by the local BigQuery endpoint: CAST to BYTES with FORMAT '${format}'`,
  );
}

/** CAST … FORMAT. */
export const castFormatUdfs: readonly Udf[] = [
  udf("cast_format", [int, int, text, text], text, format),
  udf("cast_parse", [text, text, text, text, int], int, parse),
  udf("encode_bytes", [bytes, text], text, encode),
  udf("decode_bytes", [text, text], bytes, decode),
];
