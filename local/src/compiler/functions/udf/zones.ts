import { isNamedZone, zoneOffsetMinutes } from "../calendar.ts";
import { EvaluationError, int, text, type Udf, udf } from "./define.ts";

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  if (!isNamedZone(zone)) throw new EvaluationError(`Invalid time zone: ${zone}`);
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    era: "short",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  formatters.set(zone, made);
  return made;
}

/** Seconds since 1970 of a date of the proleptic Gregorian calendar. */
export function civilSeconds(
  year: number,
  month: number,
  day: number,
  hour = 0,
  minute = 0,
  second = 0,
): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() / 1000 + hour * 3600 + minute * 60 + second;
}

/** Seconds east of UTC that a zone's clocks are at an instant. */
function offsetSeconds(zone: string, seconds: number): number {
  if (zone === "UTC") return 0;
  const fixed = zoneOffsetMinutes(zone);
  if (fixed !== undefined) return fixed * 60;
  const parts: Record<string, string> = {};
  for (const { type, value } of formatterOf(zone).formatToParts(seconds * 1000)) parts[type] = value;
  const year = parts.era === "BC" ? 1 - Number(parts.year) : Number(parts.year);
  const clock = civilSeconds(
    year,
    Number(parts.month),
    Number(parts.day),
    Number(parts.hour),
    Number(parts.minute),
    Number(parts.second),
  );
  return clock - seconds;
}

const MILLION = 1_000_000n;

function floorSeconds(micros: bigint): number {
  const rest = ((micros % MILLION) + MILLION) % MILLION;
  return Number((micros - rest) / MILLION);
}

/** What clocks in a zone show at an instant, as microseconds of a DATETIME. */
export function localMicros(micros: bigint, zone: string): bigint {
  return micros + BigInt(offsetSeconds(zone, floorSeconds(micros))) * MILLION;
}

/** The instant at which clocks in a zone show a DATETIME. A time that is skipped counts by the offset before, one that comes twice is the first. */
export function instantMicros(local: bigint, zone: string): bigint {
  const seconds = floorSeconds(local);
  const before = offsetSeconds(zone, seconds - 86_400);
  const after = offsetSeconds(zone, seconds + 86_400);
  const early = seconds - before;
  const late = seconds - after;
  const found =
    offsetSeconds(zone, early) === before ? early : offsetSeconds(zone, late) === after ? late : early;
  return local - BigInt(seconds - found) * MILLION;
}

/** Conversions in a zone that is known only when the query runs. */
export const zoneUdfs: readonly Udf[] = [
  udf("local_micros", [int, text], int, localMicros),
  udf("instant_micros", [int, text], int, instantMicros),
];
