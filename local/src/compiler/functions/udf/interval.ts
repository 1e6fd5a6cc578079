import type { IntervalValue } from "../../../values.ts";
import { bool, EvaluationError, int, interval, text, type Udf, udf } from "./define.ts";

const DAY = 86_400_000_000n;
const abs = (x: bigint): bigint => (x < 0n ? -x : x);

function clockText(micros: bigint): string {
  const value = abs(micros);
  const seconds = value / 1_000_000n;
  const fraction = (value % 1_000_000n).toString().padStart(6, "0");
  const shown = fraction === "000000" ? "" : `.${fraction.endsWith("000") ? fraction.slice(0, 3) : fraction}`;
  return `${micros < 0n ? "-" : ""}${seconds / 3600n}:${(seconds / 60n) % 60n}:${seconds % 60n}${shown}`;
}

/** `Y-M D H:M:S`, as CAST prints an INTERVAL. */
function intervalText({ months, days, micros }: IntervalValue): string {
  const value = Math.abs(months);
  return `${months < 0 ? "-" : ""}${Math.floor(value / 12)}-${value % 12} ${days} ${clockText(micros)}`;
}

/** The ISO 8601 duration of TO_JSON_STRING. */
function isoText({ months, days, micros }: IntervalValue): string {
  const sign = months < 0 ? -1 : 1;
  const value = Math.abs(months);
  const part = (n: number | bigint, unit: string): string => (n === 0 || n === 0n ? "" : `${n}${unit}`);
  const date = part(sign * Math.floor(value / 12), "Y") + part(sign * (value % 12), "M") + part(days, "D");
  const seconds = micros / 1_000_000n;
  const fraction = abs(micros % 1_000_000n);
  const rest = seconds % 60n;
  const secondText =
    fraction === 0n
      ? part(rest, "S")
      : `${micros < 0n && rest === 0n ? "-" : ""}${rest}.${fraction.toString().padStart(6, "0").replace(/0+$/, "")}S`;
  const time = part(seconds / 3600n, "H") + part((seconds / 60n) % 60n, "M") + secondText;
  if (date === "" && time === "") return "P0Y";
  return `P${date}${time === "" ? "" : `T${time}`}`;
}

/**
 * The canonical format, from any part to any other that cannot be mistaken: `Y-M D H:M:S` and what is left of it
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#canonical_format_3).
 */
const CANONICAL = [
  /^(?<yearMonth>[+-]?\d+-\d+)(?: (?<day>[+-]?\d+)(?: (?<clock>[+-]?\d+(?::\d+(?::\d+(?:\.\d{1,6})?)?)?))?)?$/,
  /^(?<day>[+-]?\d+) (?<clock>[+-]?\d+:\d+(?::\d+(?:\.\d{1,6})?)?)$/,
  /^(?<clock>[+-]?\d+:\d+:\d+(?:\.\d{1,6})?)$/,
  /^(?<month>[+-]?\d+) (?<day>[+-]?\d+) (?<clock>[+-]?\d+(?::\d+(?::\d+(?:\.\d{1,6})?)?)?)$/,
] as const;

/** Parts that a sign belongs to together, in units of the last one. */
function signed(text: string, separator: string, factor: bigint): bigint {
  const total = text
    .replace(/^[+-]/, "")
    .split(separator)
    .reduce((sum, part) => sum * factor + BigInt(part), 0n);
  return text.startsWith("-") ? -total : total;
}

function clockMicros(text: string): bigint {
  const [clock = "", fraction = ""] = text.split(".");
  const padded = `${clock}${":0".repeat(2 - (clock.split(":").length - 1))}`;
  const micros = BigInt(fraction.padEnd(6, "0"));
  return signed(padded, ":", 60n) * 1_000_000n + (text.startsWith("-") ? -micros : micros);
}

const ISO_PART = /(-?)(\d+)(?:[.,](\d{1,6}))?([YMWDHS])/y;
const MONTHS_OF: Readonly<Record<string, bigint>> = { Y: 12n, M: 1n };
const DAYS_OF: Readonly<Record<string, bigint>> = { W: 7n, D: 1n };
const MICROS_OF: Readonly<Record<string, bigint>> = { H: 3_600_000_000n, M: 60_000_000n, S: 1_000_000n };

/** An ISO 8601 duration; a part may stand several times, in any order. */
function parseIso(source: string): IntervalValue | undefined {
  let [months, days, micros] = [0n, 0n, 0n];
  let inTime = false;
  for (let at = 1; at < source.length; at = ISO_PART.lastIndex) {
    if (source[at] === "T" && !inTime) {
      inTime = true;
      ISO_PART.lastIndex = at + 1;
      continue;
    }
    ISO_PART.lastIndex = at;
    const [, minus, digits = "", fraction, unit = ""] = ISO_PART.exec(source) ?? [];
    const size = inTime ? MICROS_OF[unit] : (MONTHS_OF[unit] ?? DAYS_OF[unit]);
    if (size === undefined || (fraction !== undefined && unit !== "S")) return undefined;
    const value = BigInt(digits) * size + BigInt((fraction ?? "").padEnd(6, "0"));
    const amount = minus === "-" ? -value : value;
    if (inTime) micros += amount;
    else if (unit in MONTHS_OF) months += amount;
    else days += amount;
  }
  return checked(months, days, micros);
}

function parseInterval(source: string): IntervalValue {
  for (const pattern of CANONICAL) {
    const found = pattern.exec(source);
    if (found === null) continue;
    const { month = "0", yearMonth = month, day = "0", clock = "0" } = found.groups ?? {};
    return checked(signed(yearMonth, "-", 12n), signed(day, "-", 1n), clockMicros(clock));
  }
  const iso = source.startsWith("P") && source !== "P" ? parseIso(source) : undefined;
  if (iso === undefined) throw new EvaluationError(`Invalid INTERVAL value '${source}'`);
  return iso;
}

function justify({ months, days, micros }: IntervalValue, byDays: boolean, byHours: boolean): IntervalValue {
  let [m, d, u] = [months, days, micros];
  if (byHours) {
    d += Number(u / DAY);
    u %= DAY;
  }
  if (byDays) {
    m += Math.trunc(d / 30);
    d %= 30;
  }
  if (byDays && byHours) {
    if (m > 0 && (d < 0 || (d === 0 && u < 0n))) {
      d += 30;
      m--;
    } else if (m < 0 && (d > 0 || (d === 0 && u > 0n))) {
      d -= 30;
      m++;
    }
  }
  if (byHours) {
    if (d > 0 && u < 0n) {
      u += DAY;
      d--;
    } else if (d < 0 && u > 0n) {
      u -= DAY;
      d++;
    }
  }
  if (byDays && !byHours) {
    if (m > 0 && d < 0) {
      d += 30;
      m--;
    } else if (m < 0 && d > 0) {
      d -= 30;
      m++;
    }
  }
  return checked(BigInt(m), BigInt(d), u);
}

function divide({ months, days, micros }: IntervalValue, by: bigint): IntervalValue {
  if (by === 0n) throw new EvaluationError("Interval division by zero");
  const n = Number(by);
  const m = Math.trunc(months / n);
  // What is left of a month counts as 30 days, what is left of a day as 24 hours.
  const spareDays = days + (months % n) * 30;
  const d = Math.trunc(spareDays / n);
  const u = (micros + BigInt(spareDays % n) * DAY) / by;
  return { months: m, days: d, micros: u };
}

/** The greatest parts: 10000 years (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#interval_type). */
const MAX_MONTHS = 120_000n;
const MAX_DAYS = 3_660_000n;
const MAX_MICROS = MAX_DAYS * DAY;

/** An INTERVAL of parts that may be out of range. */
function checked(months: bigint, days: bigint, micros: bigint): IntervalValue {
  for (const [part, value, max] of [
    ["months", months, MAX_MONTHS],
    ["days", days, MAX_DAYS],
    ["microseconds", micros, MAX_MICROS],
  ] as const) {
    if (abs(value) > max)
      throw new EvaluationError(`Interval field ${part} '${value}' is out of range -${max} to ${max}`);
  }
  return { months: Number(months), days: Number(days), micros };
}

/** Functions on INTERVAL. */
export const intervalUdfs: readonly Udf[] = [
  udf("interval_text", [interval], text, intervalText),
  udf("interval_iso", [interval], text, isoText),
  udf("parse_interval", [text], interval, parseInterval),
  udf("interval_justify", [interval, bool, bool], interval, justify),
  udf("interval_multiply", [interval, int], interval, (x, n) => {
    const months = BigInt(x.months) * n;
    const days = BigInt(x.days) * n;
    if (abs(months) > MAX_MONTHS || abs(days) > MAX_DAYS || abs(x.micros * n) > MAX_MICROS)
      throw new EvaluationError("Interval overflow during multiplication operation");
    return { months: Number(months), days: Number(days), micros: x.micros * n };
  }),
  udf("interval_add", [interval, interval], interval, (a, b) =>
    checked(BigInt(a.months + b.months), BigInt(a.days + b.days), a.micros + b.micros),
  ),
  udf("interval_subtract", [interval, interval], interval, (a, b) =>
    checked(BigInt(a.months - b.months), BigInt(a.days - b.days), a.micros - b.micros),
  ),
  udf("interval_make", [int, int, int, int, int, int], interval, (year, month, day, hour, minute, second) =>
    checked(year * 12n + month, day, (hour * 3600n + minute * 60n + second) * 1_000_000n),
  ),
  udf("interval_sum", [int, int, int], interval, checked),
  udf("interval_mean", [int, int, int, int], interval, (months, days, micros, count) =>
    divide({ months: Number(months), days: Number(days), micros }, count),
  ),
  udf("interval_divide", [interval, int], interval, divide),
];
