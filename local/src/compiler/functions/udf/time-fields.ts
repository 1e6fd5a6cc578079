import { EvaluationError } from "./define.ts";
import { dayOf } from "./time-parse.ts";
import { civilSeconds } from "./zones.ts";

/** What has been read so far; later elements win over earlier ones. */
export interface Fields {
  /** A month or a day that was read after a day of the year or a week takes its place in the date these give. */
  monthLater?: boolean;
  dayLater?: boolean;
  /** Anything of a date but ISO parts, which then do not count. */
  plainDate?: boolean;
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  fraction: string;
  century?: number;
  yearInCentury?: number;
  hour12?: boolean;
  afternoon?: boolean;
  yearDay?: number;
  weekday?: number;
  sundayWeek?: number;
  mondayWeek?: number;
  isoYear?: number;
  isoWeek?: number;
  isoDay?: number;
  unixSeconds?: bigint;
  offset?: string;
}

/** A month that was read. */
export function readMonth(f: Fields, month: number): void {
  f.month = month;
  f.monthLater = true;
}

/** A day of the month that was read. */
export function readDay(f: Fields, day: number): void {
  f.day = day;
  f.dayLater = true;
}

/** A day of the year or a week: what was read of month and day before does not count. */
export function readYearPart(f: Fields, part: Pick<Fields, "yearDay" | "sundayWeek" | "mondayWeek">): void {
  Object.assign(f, part, { monthLater: false, dayLater: false });
}

function yearOf(f: Fields): number {
  if (f.yearInCentury !== undefined) {
    const century = f.century ?? (f.yearInCentury < 69 ? 20 : 19);
    return century * 100 + f.yearInCentury;
  }
  return f.century === undefined ? f.year : f.century * 100;
}

/**
 * The day that the parts of a date name, counted from 1970; undefined where there is none. What they mean together:
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements#format_elements_date_time
 */
export function dateOf(f: Fields): number | undefined {
  if (f.isoYear !== undefined && f.plainDate !== true) return isoDateOf(f.isoYear, f);
  const year = yearOf(f);
  const found = dayOfYearPart(year, f);
  if (found === undefined) return dayOf(year, f.month, f.day);
  if (f.monthLater !== true && f.dayLater !== true) return found;
  const date = new Date(found * 86_400_000);
  const month = f.monthLater === true ? f.month : date.getUTCMonth() + 1;
  return dayOf(date.getUTCFullYear(), month, f.dayLater === true ? f.day : date.getUTCDate());
}

function isoDateOf(year: number, f: Fields): number {
  const fourth = civilSeconds(year, 1, 4) / 86400;
  const monday = fourth - ((((fourth + 3) % 7) + 7) % 7);
  if (f.isoWeek === undefined) return monday;
  const day = f.isoDay ?? (f.weekday === undefined ? 1 : f.weekday || 7);
  return monday + (f.isoWeek - 1) * 7 + day - 1;
}

/** The day that a day of the year or a week gives, if one was read. */
function dayOfYearPart(year: number, f: Fields): number | undefined {
  const [first, last] = [dayOf(year, 1, 1), dayOf(year, 12, 31)];
  if (first === undefined || last === undefined) return undefined;
  if (f.yearDay !== undefined) {
    const days = last - first + 1;
    if (f.yearDay > days)
      throw new EvaluationError(
        `Year ${year} has ${days} days, but the specified day of year was ${f.yearDay}`,
      );
    return first + f.yearDay - 1;
  }
  const week = f.sundayWeek ?? f.mondayWeek;
  if (week === undefined) return undefined;
  const start = f.sundayWeek === undefined ? 1 : 0;
  const weekdayOfFirst = (((first + 4) % 7) + 7) % 7;
  const firstWeek = first + ((start - weekdayOfFirst + 7) % 7);
  if (firstWeek + (week - 1) * 7 > last)
    throw new EvaluationError(`Week number ${week} is invalid for year ${year}`);
  return firstWeek + (week - 1) * 7 + (((f.weekday ?? start) - start + 7) % 7);
}
