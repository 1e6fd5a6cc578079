import { EvaluationError, int, text, type Udf, udf } from "./define.ts";
import { civilSeconds, localMicros } from "./zones.ts";

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

const DAY_MICROS = 86_400_000_000n;

/** A point in time taken apart for formatting. */
interface Parts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly micros: string;
  /** 0 for Sunday. */
  readonly weekday: number;
  /** 0 for 1 January. */
  readonly yearDay: number;
  readonly iso: { readonly year: number; readonly week: number };
  readonly offsetMinutes: number;
  readonly unixSeconds: bigint;
}

function takeApart(local: bigint, instant: bigint): Parts {
  const inDay = ((local % DAY_MICROS) + DAY_MICROS) % DAY_MICROS;
  const days = Number((local - inDay) / DAY_MICROS);
  const date = new Date(days * 86_400_000);
  const seconds = Number(inDay / 1_000_000n);
  const year = date.getUTCFullYear();
  const yearDay = days - civilSeconds(year, 1, 1) / 86400;
  return {
    year,
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: Math.floor(seconds / 3600),
    minute: Math.floor(seconds / 60) % 60,
    second: seconds % 60,
    micros: (inDay % 1_000_000n).toString().padStart(6, "0"),
    weekday: date.getUTCDay(),
    yearDay,
    iso: isoWeek(days),
    offsetMinutes: Math.trunc(Number((local - instant) / 1_000_000n) / 60),
    unixSeconds: (instant - (((instant % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n,
  };
}

function isoWeek(days: number): { year: number; week: number } {
  // The Thursday of a week lies in the week's ISO year.
  const thursday = days - ((((days + 3) % 7) + 7) % 7) + 3;
  const year = new Date(thursday * 86_400_000).getUTCFullYear();
  return { year, week: Math.floor((thursday - civilSeconds(year, 1, 1) / 86400) / 7) + 1 };
}

const two = (n: number): string => String(n).padStart(2, "0");
const blank = (n: number): string => String(n).padStart(2, " ");
const week = (p: Parts, first: number): number =>
  Math.floor((p.yearDay + 7 - ((p.weekday - first + 7) % 7)) / 7);

function offset(p: Parts, colon: string): string {
  const minutes = Math.abs(p.offsetMinutes);
  return `${p.offsetMinutes < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}${colon}${two(minutes % 60)}`;
}

function zoneName(p: Parts): string {
  const minutes = Math.abs(p.offsetMinutes);
  const rest = minutes % 60 === 0 ? "" : two(minutes % 60);
  if (minutes === 0) return "UTC";
  const hours = Math.floor(minutes / 60);
  return `UTC${p.offsetMinutes < 0 ? "-" : "+"}${rest === "" ? hours : two(hours)}${rest}`;
}

const hour12 = (p: Parts): number => p.hour % 12 || 12;
const name = (list: readonly string[], index: number): string => list[index] ?? "";

type Element = (p: Parts) => string;

const DATE_ELEMENTS: Readonly<Record<string, Element>> = {
  A: (p) => name(DAYS, p.weekday),
  a: (p) => name(DAYS, p.weekday).slice(0, 3),
  B: (p) => name(MONTHS, p.month - 1),
  b: (p) => name(MONTHS, p.month - 1).slice(0, 3),
  h: (p) => name(MONTHS, p.month - 1).slice(0, 3),
  C: (p) => two(Math.floor(p.year / 100)),
  D: (p) => `${two(p.month)}/${two(p.day)}/${two(p.year % 100)}`,
  d: (p) => two(p.day),
  e: (p) => blank(p.day),
  F: (p) => `${p.year}-${two(p.month)}-${two(p.day)}`,
  G: (p) => String(p.iso.year),
  g: (p) => two(p.iso.year % 100),
  J: (p) => String(p.iso.year),
  j: (p) => String(p.yearDay + 1).padStart(3, "0"),
  m: (p) => two(p.month),
  Q: (p) => String(Math.ceil(p.month / 3)),
  U: (p) => two(week(p, 0)),
  u: (p) => String(p.weekday || 7),
  V: (p) => two(p.iso.week),
  W: (p) => two(week(p, 1)),
  w: (p) => String(p.weekday),
  x: (p) => `${two(p.month)}/${two(p.day)}/${two(p.year % 100)}`,
  Y: (p) => String(p.year),
  y: (p) => two(p.year % 100),
  E4Y: (p) => String(p.year).padStart(4, "0"),
};

const TIME_ELEMENTS: Readonly<Record<string, Element>> = {
  H: (p) => two(p.hour),
  I: (p) => two(hour12(p)),
  k: (p) => blank(p.hour),
  l: (p) => blank(hour12(p)),
  M: (p) => two(p.minute),
  P: (p) => (p.hour < 12 ? "am" : "pm"),
  p: (p) => (p.hour < 12 ? "AM" : "PM"),
  R: (p) => `${two(p.hour)}:${two(p.minute)}`,
  r: (p) => `${two(hour12(p))}:${two(p.minute)}:${two(p.second)} ${p.hour < 12 ? "AM" : "PM"}`,
  S: (p) => two(p.second),
  T: (p) => `${two(p.hour)}:${two(p.minute)}:${two(p.second)}`,
  X: (p) => `${two(p.hour)}:${two(p.minute)}:${two(p.second)}`,
  "E*S": (p) => two(p.second) + (/^0*$/.test(p.micros) ? "" : `.${p.micros.replace(/0+$/, "")}`),
};

const ZONE_ELEMENTS: Readonly<Record<string, Element>> = {
  s: (p) => String(p.unixSeconds),
  Z: zoneName,
  z: (p) => offset(p, ""),
  Ez: (p) => offset(p, ":"),
};

const BOTH_ELEMENTS: Readonly<Record<string, Element>> = {
  c: (p) =>
    `${name(DAYS, p.weekday).slice(0, 3)} ${name(MONTHS, p.month - 1).slice(0, 3)} ${blank(p.day)} ${two(p.hour)}:${two(p.minute)}:${two(p.second)} ${p.year}`,
};

const LITERALS: Readonly<Record<string, string>> = { n: "\n", t: "\t", "%": "%" };
const TOKEN = /%(E4Y|E\*S|E[0-6]S|Ez|[EO]?[A-Za-z%])|%/g;

/** The elements that a type has; the others print as they stand. */
function elementsOf(kind: string): Readonly<Record<string, Element>> {
  if (kind === "DATE") return DATE_ELEMENTS;
  if (kind === "TIME") return TIME_ELEMENTS;
  const both = { ...DATE_ELEMENTS, ...TIME_ELEMENTS, ...BOTH_ELEMENTS };
  return kind === "TIMESTAMP" ? { ...both, ...ZONE_ELEMENTS } : { ...both, s: (p) => String(p.unixSeconds) };
}

const ELEMENTS = new Map(["DATE", "TIME", "DATETIME", "TIMESTAMP"].map((kind) => [kind, elementsOf(kind)]));

function format(pattern: string, kind: string, local: bigint, instant: bigint): string {
  const parts = takeApart(local, instant);
  const elements = ELEMENTS.get(kind) ?? {};
  return pattern.replace(TOKEN, (token, code: string | undefined) => {
    if (code === undefined) return token;
    const literal = LITERALS[code];
    if (literal !== undefined) return literal;
    const digits = /^E(\d)S$/.exec(code)?.[1];
    if (digits !== undefined && kind !== "DATE") {
      return two(parts.second) + (digits === "0" ? "" : `.${parts.micros.slice(0, Number(digits))}`);
    }
    const element = elements[code] ?? elements[code.replace(/^[EO]/, "")];
    // An element that the type does not have stays as it is written.
    return element === undefined ? token : element(parts);
  });
}

/** A TIMESTAMP as CAST prints it in a zone: the offset without minutes where there are none. */
function timestampText(instant: bigint, local: bigint): string {
  const p = takeApart(local, instant);
  const seconds = /^0*$/.test(p.micros) ? "" : `.${p.micros.replace(/000$/, "")}`;
  const shift = offset(p, ":").replace(/:00$/, "");
  return `${String(p.year).padStart(4, "0")}-${two(p.month)}-${two(p.day)} ${two(p.hour)}:${two(p.minute)}:${two(p.second)}${seconds}${shift}`;
}

/** FORMAT_DATE and its kin. */
export const timeFormatUdfs: readonly Udf[] = [
  udf("format_time", [text, text, int, int], text, format),
  udf("timestamp_text", [int, text], text, (instant, zone) =>
    timestampText(instant, localMicros(instant, zone)),
  ),
];

/** English names, for parsing. */
export const NAMES = { DAYS, MONTHS };

/** What a format that cannot be read gives. */
export function unreadable(value: string): EvaluationError {
  return new EvaluationError(`Failed to parse input string "${value}"`);
}
