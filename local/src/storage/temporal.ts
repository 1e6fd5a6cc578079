import type { ScalarKind } from "../types.ts";

const MICROS_PER_SECOND = 1_000_000n;
const MICROS_PER_DAY = 86_400n * MICROS_PER_SECOND;
/** 0001-01-01 and the end of 9999-12-31, in µs. */
const MIN_MICROS = -62_135_596_800_000_000n;
const MAX_MICROS = 253_402_300_799_999_999n;

/** Days since 1970 as `YYYY-MM-DD`. */
export function dateText(days: bigint): string {
  return new Date(Number(days) * 86_400_000).toISOString().slice(0, 10);
}

/** Microseconds of the day as `HH:MM:SS`, with six more digits where there is a fraction. */
export function clockText(micros: bigint): string {
  const two = (part: bigint): string => part.toString().padStart(2, "0");
  const seconds = micros / MICROS_PER_SECOND;
  const fraction = micros % MICROS_PER_SECOND;
  const clock = `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}`;
  return fraction === 0n ? clock : `${clock}.${fraction.toString().padStart(6, "0")}`;
}

/** Microseconds since 1970 as a date and a clock with this text between them. */
export function dateTimeText(micros: bigint, separator: string): string {
  const days = floorDivide(micros, MICROS_PER_DAY);
  return `${dateText(days)}${separator}${clockText(micros - days * MICROS_PER_DAY)}`;
}

/** Division that rounds towards negative infinity. */
function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor !== 0n && value < 0n !== divisor < 0n ? quotient - 1n : quotient;
}

const DATE = /^(\d{1,4})-(\d{1,2})-(\d{1,2})$/;
const CLOCK = /^(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{0,9}))?)?$/;
/** A date, then perhaps a clock, then perhaps a zone: https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#timestamp_type */
const TIMESTAMP =
  /^(\d{1,4}-\d{1,2}-\d{1,2})(?:[Tt ](\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d{0,9})?)?))?(?:\s?(Z|z|[+-]\d{1,2}(?::?\d{2})?|UTC(?:[+-]\d{1,2}(?::\d{2})?)?)|\s([A-Za-z]+(?:[/_+-][A-Za-z0-9_+-]+)*))?$/;

/** Days since 1970 of a DATE's text; undefined where it is none. */
export function parseDate(text: string): bigint | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (year < 1 || month < 1 || month > 12 || day < 1) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 ? BigInt(date.getTime() / 86_400_000) : undefined;
}

/** Microseconds of the day of a TIME's text; undefined where it is none. */
export function parseTime(text: string): bigint | undefined {
  const clock = parseCivilClock(text);
  return clock === undefined ? undefined : clock % MICROS_PER_DAY;
}

/** Microseconds from midnight, of a clock that no zone moves: its leap second is the next minute's start. */
function parseCivilClock(text: string): bigint | undefined {
  const clock = parseClock(text);
  return /:60\./.test(text) && clock !== undefined ? clock - (clock % MICROS_PER_SECOND) : clock;
}

/** Microseconds from midnight, which a leap second may take into the next day. */
function parseClock(text: string): bigint | undefined {
  const match = CLOCK.exec(text);
  if (match === null) return undefined;
  const [hour, minute, second] = [Number(match[1]), Number(match[2]), Number(match[3] ?? "0")];
  // GoogleSQL takes a leap second and counts it into the next minute.
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const fraction = BigInt((match[4] ?? "").padEnd(6, "0").slice(0, 6));
  return BigInt(hour * 3600 + minute * 60 + second) * MICROS_PER_SECOND + fraction;
}

/** Microseconds since 1970 of a DATETIME's text; undefined where it is none. */
export function parseDateTime(text: string): bigint | undefined {
  const match = /^(\S+?)(?:[Tt ](\S+))?$/.exec(text);
  const days = parseDate(match?.[1] ?? "");
  const clock = match?.[2] === undefined ? 0n : parseCivilClock(match[2]);
  return days === undefined || clock === undefined ? undefined : inRange(days * MICROS_PER_DAY + clock);
}

/** Microseconds since 1970 of a TIMESTAMP's text, UTC where it names no zone; undefined where it is none. */
export function parseTimestamp(text: string): bigint | undefined {
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const days = parseDate(match[1] ?? "");
  const clock = match[2] === undefined ? 0n : parseClock(match[2]);
  if (days === undefined || clock === undefined) return undefined;
  const local = days * MICROS_PER_DAY + clock;
  const offset = match[4] === undefined ? parseOffset(match[3] ?? "Z") : zoneOffset(match[4], local);
  if (offset === undefined) return undefined;
  return inRange(local - offset);
}

/** Microseconds since 1970 of a number of seconds, as the loaders take it; undefined where it is none. */
export function parseEpochSeconds(text: string): bigint | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text);
  if (match === null || `${match[2]}${match[3] ?? ""}` === "") return undefined;
  const digits = `${match[2]}${match[3] ?? ""}`;
  const scale = (match[3] ?? "").length - Number(match[4] ?? "0");
  const shift = 6 - scale;
  if (shift > 60 || digits.length > 60) return undefined;
  const micros =
    shift >= 0
      ? BigInt(digits) * 10n ** BigInt(shift)
      : BigInt(digits) / 10n ** BigInt(Math.min(-shift, 100));
  return inRange(match[1] === "-" ? -micros : micros);
}

/** The µs that a text of this temporal type says; undefined where it says none. DATE gives days. */
export function parseTemporal(kind: ScalarKind, text: string): bigint | undefined {
  switch (kind) {
    case "DATE":
      return parseDate(text);
    case "TIME":
      return parseTime(text);
    case "DATETIME":
      return parseDateTime(text);
    case "TIMESTAMP":
      return parseTimestamp(text);
    default:
      return undefined;
  }
}

function inRange(micros: bigint): bigint | undefined {
  return micros < MIN_MICROS || micros > MAX_MICROS ? undefined : micros;
}

function parseOffset(text: string): bigint | undefined {
  const match = /^(?:Z|UTC)?(?:([+-])(\d{1,2}):?(\d{2})?)?$/i.exec(text);
  if (match === null) return undefined;
  const [hours, minutes] = [Number(match[2] ?? "0"), Number(match[3] ?? "0")];
  if (hours > 14 || minutes > 59) return undefined;
  const micros = BigInt(hours * 60 + minutes) * 60n * MICROS_PER_SECOND;
  return match[1] === "-" ? -micros : micros;
}

/** How far a named zone is ahead of UTC at a local time. */
function zoneOffset(zone: string, localMicros: bigint): bigint | undefined {
  const local = Number(floorDivide(localMicros, 1000n));
  let offset: number | undefined = 0;
  // The offset depends on the instant, which depends on the offset: the second round is exact outside of the hour a clock skips.
  for (let round = 0; round < 2 && offset !== undefined; round += 1) offset = offsetAt(zone, local - offset);
  return offset === undefined ? undefined : BigInt(offset) * 1000n;
}

function offsetAt(zone: string, instant: number): number | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      timeZoneName: "longOffset",
      year: "numeric",
    });
  } catch {
    return undefined;
  }
  const name =
    format.formatToParts(new Date(instant)).find((part) => part.type === "timeZoneName")?.value ?? "";
  const match = /^GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(name);
  if (match === null) return undefined;
  const seconds = Number(match[2] ?? 0) * 3600 + Number(match[3] ?? 0) * 60 + Number(match[4] ?? 0);
  return (match[1] === "-" ? -seconds : seconds) * 1000;
}
