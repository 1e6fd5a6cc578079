import type { TableField } from "@google-cloud/bigquery";

/** A value in the form of its type that is none of the type's: what would be right; undefined where it is, or only BigQuery can tell. */
export type FindLimit = (text: string, field: TableField) => string | undefined;

/** What a type's values keep to beyond how they are written: https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types */
export const LIMITS: Readonly<Record<string, FindLimit | undefined>> = {
  STRING: longestText,
  INT64: wholeNumber,
  NUMERIC: decimalOf(29, 9),
  BIGNUMERIC: decimalOf(39, 38),
  DATE: dayOfCalendar,
  DATETIME: dayOfCalendar,
  TIMESTAMP: dayOfCalendar,
};

const [LEAST, GREATEST] = [-(2n ** 63n), 2n ** 63n - 1n];
const GREATEST_DIGITS = `${GREATEST}`.length;

function wholeNumber(text: string): string | undefined {
  // Nearly every value ends here, and a load has many.
  if (text.length < GREATEST_DIGITS && !/[e.]/i.test(text)) return undefined;
  const value = integerOf(text.trim());
  if (value >= LEAST && value <= GREATEST) return undefined;
  return `a whole number from ${LEAST} to ${GREATEST}`;
}

/** Exact where it is written in digits; what has a fraction or an exponent is as near as a double has it. */
function integerOf(text: string): bigint | number {
  const [, sign = "", digits = ""] = /^([+-]?)(0x[0-9a-f]+|\d+)$/i.exec(text) ?? [];
  if (digits === "") return Number(text);
  return sign === "-" ? -BigInt(digits) : BigInt(digits);
}

/** Digits behind the point are rounded, those before it must fit, also of `NUMERIC(precision, scale)`. */
function decimalOf(usualDigits: number, usualScale: number): FindLimit {
  return (text, { precision, scale }) => {
    const digits = precision === undefined ? usualDigits : Number(precision) - Number(scale ?? 0);
    if (digitsBeforePoint(text) <= digits) return undefined;
    const type = precision === undefined ? "" : `, as precision ${precision} and scale ${scale ?? 0} have it`;
    return `at most ${digits} digits before the point and ${precision === undefined ? usualScale : (scale ?? 0)} behind it${type}`;
  };
}

function digitsBeforePoint(text: string): number {
  const [, whole = "", fraction = "", exponent = "0"] =
    /^\s*[+-]?(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?\s*$/i.exec(text) ?? [];
  const first = `${whole}${fraction}`.search(/[1-9]/);
  return first === -1 ? 0 : Math.max(0, whole.length + Number(exponent) - first);
}

const DAY = /^\s*(\d{1,4})[-/](\d{1,2})[-/](\d{1,2})(?!\d)/;
const SHORTEST_MONTH = 28;

/** Every month has its own last day, and a year begins with 0001. */
function dayOfCalendar(text: string): string | undefined {
  const found = DAY.exec(text);
  if (found === null) return undefined;
  const [year, month, day] = [Number(found[1]), Number(found[2]), Number(found[3])];
  if (year >= 1 && day <= SHORTEST_MONTH) return undefined;
  // A year below 100 is one of the 1900s to Date.UTC; 400 years on, the days are the same.
  const last = new Date(Date.UTC(year + 400, month, 0)).getUTCDate();
  return year >= 1 && day <= last ? undefined : "a day that the calendar has, from 0001-01-01 to 9999-12-31";
}

function longestText(text: string, { maxLength }: TableField): string | undefined {
  if (maxLength === undefined || text.length <= Number(maxLength)) return undefined;
  return [...text].length <= Number(maxLength) ? undefined : `at most ${maxLength} characters`;
}
