import { bool, EvaluationError, int, text, type Udf, udf } from "./define.ts";
import { civilSeconds, instantMicros } from "./zones.ts";

const MIN_MICROS = -62135596800000000n;
const MAX_MICROS = 253402300799999999n;
const DAY = 86_400_000_000n;

function daysIn(year: number, month: number): number {
  return month === 2
    ? year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
      ? 29
      : 28
    : [4, 6, 9, 11].includes(month)
      ? 30
      : 31;
}

/** Days since 1970 of a date, or undefined if there is no such date in BigQuery. */
export function dayOf(year: number, month: number, day: number): number | undefined {
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month))
    return undefined;
  return civilSeconds(year, month, day) / 86400;
}

/** Microseconds of the day, or undefined. */
export function clockOf(hour: number, minute: number, second: number, fraction = ""): bigint | undefined {
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const micros = BigInt(fraction.slice(0, 6).padEnd(6, "0"));
  return BigInt(hour * 3600 + minute * 60 + second) * 1_000_000n + micros;
}

/** The same of parts that are numbers, where a leap second is the next minute's first. */
function leapClockOf(hour: number, minute: number, second: number): bigint | undefined {
  const leap = second === 60;
  const clock = clockOf(hour, minute, leap ? 59 : second);
  return leap && clock !== undefined ? clock + 1_000_000n : clock;
}

const DATE = "(\\d{4,5})-(\\d{1,2})-(\\d{1,2})";
const CLOCK = "(\\d{1,2}):(\\d{1,2}):(\\d{1,2})(?:\\.(\\d{0,6}))?";
const DATE_ONLY = new RegExp(`^${DATE}$`);
const TIME_ONLY = new RegExp(`^${CLOCK}$`);
const DATETIME = new RegExp(`^${DATE}(?:[ Tt]${CLOCK})?$`);
/**
 * A zone follows a time only, an offset at once and a name after a space:
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#canonical_format_for_timestamp_literals
 */
const TIMESTAMP = new RegExp(
  `^${DATE}(?:[ Tt]${CLOCK}(?:([Zz])|([+-]\\d{1,2}(?::\\d\\d)?)| ([A-Za-z][A-Za-z0-9_+/-]*))?)?$`,
);

function parts(match: RegExpExecArray): bigint | undefined {
  const [, year, month, day, hour, minute, second, fraction] = match;
  const days = dayOf(Number(year), Number(month), Number(day));
  const clock = hour === undefined ? 0n : clockOf(Number(hour), Number(minute), Number(second), fraction);
  return days === undefined || clock === undefined ? undefined : BigInt(days) * DAY + clock;
}

function parseDate(s: string): bigint {
  const match = DATE_ONLY.exec(s);
  const day = match === null ? undefined : dayOf(Number(match[1]), Number(match[2]), Number(match[3]));
  if (day === undefined) throw new EvaluationError(`Invalid date: '${s}'`);
  return BigInt(day);
}

function parseTime(s: string): bigint {
  const match = TIME_ONLY.exec(s);
  const micros =
    match === null ? undefined : clockOf(Number(match[1]), Number(match[2]), Number(match[3]), match[4]);
  if (micros === undefined) throw new EvaluationError(`Invalid time string "${s}"`);
  return micros;
}

function parseDatetime(s: string): bigint {
  const match = DATETIME.exec(s);
  const micros = match === null ? undefined : parts(match);
  if (micros === undefined) throw new EvaluationError(`Invalid datetime string "${s}"`);
  return micros;
}

/** A TIMESTAMP's text; the zone in it wins over the one given, unless both are an error. */
function parseTimestamp(s: string, zone: string, onlyOneZone: boolean): bigint {
  const match = TIMESTAMP.exec(s);
  const local = match === null ? undefined : parts(match);
  if (match === null || local === undefined) throw new EvaluationError(`Invalid timestamp: '${s}'`);
  const [, , , , , , , , utc, offset, name] = match;
  const own = utc === undefined ? (offset ?? name) : "UTC";
  if (own !== undefined && onlyOneZone) {
    throw new EvaluationError(`Timezone is not allowed in "${s}"`);
  }
  const micros = instantMicros(local, own ?? zone);
  if (micros < MIN_MICROS || micros > MAX_MICROS) throw new EvaluationError(`Invalid timestamp: '${s}'`);
  return micros;
}

const padded = (value: bigint, width = 2): string => value.toString().padStart(width, "0");

function range(value: bigint): number {
  return value < 0n || value > 1_000_000n ? 1_000_000 : Number(value);
}

/** Text and numbers to DATE, DATETIME, TIME and TIMESTAMP. */
export const timeParseUdfs: readonly Udf[] = [
  udf("parse_date_literal", [text], int, parseDate),
  udf("parse_time_literal", [text], int, parseTime),
  udf("parse_datetime_literal", [text], int, parseDatetime),
  udf("parse_timestamp_literal", [text, text, bool], int, parseTimestamp),
  udf("make_date", [int, int, int], int, (year, month, day) => {
    const found = dayOf(range(year), range(month), range(day));
    if (found === undefined)
      throw new EvaluationError(
        `Input calculates to invalid date: ${padded(year, 4)}-${padded(month)}-${padded(day)}`,
      );
    return BigInt(found);
  }),
  udf("make_time", [int, int, int], int, (hour, minute, second) => {
    const valid = hour >= 0n && minute >= 0n && second >= 0n;
    const found = valid ? leapClockOf(range(hour), range(minute), range(second)) : undefined;
    if (found === undefined)
      throw new EvaluationError(
        `Input calculates to invalid time: ${padded(hour)}:${padded(minute)}:${padded(second)}`,
      );
    return found % DAY;
  }),
  udf("make_datetime", [int, int, int, int, int, int], int, (year, month, day, hour, minute, second) => {
    const days = dayOf(range(year), range(month), range(day));
    const valid = hour >= 0n && minute >= 0n && second >= 0n;
    const clock = valid ? leapClockOf(range(hour), range(minute), range(second)) : undefined;
    const micros = days === undefined || clock === undefined ? undefined : BigInt(days) * DAY + clock;
    if (micros === undefined || micros > MAX_MICROS) {
      throw new EvaluationError(
        `Input calculates to invalid datetime: ${padded(year, 4)}-${padded(month)}-${padded(day)} ${padded(hour)}:${padded(minute)}:${padded(second)}`,
      );
    }
    return micros;
  }),
];
