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

const TEXT = /^([+-]?)(\d+)-(\d+) ([+-]?\d+) ([+-]?)(\d+):(\d+):(\d+)(?:\.(\d{1,6}))?$/;
const ISO =
  /^P(?:([+-]?\d+)Y)?(?:([+-]?\d+)M)?(?:([+-]?\d+)W)?(?:([+-]?\d+)D)?(?:T(?:([+-]?\d+)H)?(?:([+-]?\d+)M)?(?:([+-]?\d+)(?:\.(\d{1,6}))?S)?)?$/;

function parseInterval(source: string): IntervalValue {
  const plain = TEXT.exec(source);
  if (plain !== null) {
    const [, sign, years, months, days, clockSign, hours, minutes, seconds, fraction = ""] = plain;
    const total = Number(years) * 12 + Number(months);
    const micros =
      (BigInt(hours as string) * 3600n + BigInt(minutes as string) * 60n + BigInt(seconds as string)) *
        1_000_000n +
      BigInt(fraction.padEnd(6, "0"));
    return {
      months: sign === "-" ? -total : total,
      days: Number(days),
      micros: clockSign === "-" ? -micros : micros,
    };
  }
  const iso = source === "P" || source.endsWith("T") ? null : ISO.exec(source);
  if (iso === null) throw new EvaluationError(`Invalid INTERVAL value '${source}'`);
  const [years, months, weeks, days, hours, minutes, seconds] = iso
    .slice(1, 8)
    .map((part) => Number(part ?? 0));
  const fraction = BigInt((iso[8] ?? "").padEnd(6, "0"));
  const whole = BigInt((hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)) * 1_000_000n;
  return {
    months: (years ?? 0) * 12 + (months ?? 0),
    days: (weeks ?? 0) * 7 + (days ?? 0),
    micros: whole + (iso[7]?.startsWith("-") ? -fraction : fraction),
  };
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
  return { months: m, days: d, micros: u };
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
      throw new EvaluationError(`Interval ${part} field '${value}' is out of range -${max} to ${max}`);
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
