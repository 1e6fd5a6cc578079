import { EvaluationError, float, text, type Udf, udf } from "./define.ts";

/**
 * CAST of a number AS STRING FORMAT (https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements#format_numeric_type_as_string):
 * digits, decimal point, sign, currency, group separator and the other elements.
 */

/** Elements, longest first; all of them in either case. */
const ELEMENT = /EEEE|FM|MI|PR|RN|[09X.,DGVSBLC$]/iy;

const CURRENCIES: Readonly<Record<string, string>> = { $: "$", L: "$", l: "$", C: "USD", c: "usd" };

/** Where the sign of a number stands: at once before it where nothing is said of it. */
type Sign = "none" | "S" | "S after" | "MI" | "PR";

/** A format, taken apart. */
interface NumberFormat {
  /** Digits and group separators up to the decimal point, as written; of a hexadecimal number all of it. */
  readonly whole: readonly string[];
  /** How many digits come after the decimal point or after V. */
  readonly decimals: number;
  /** Nothing where there are none, or after V. */
  readonly point: "." | "";
  readonly exponent: string | undefined;
  readonly sign: Sign;
  readonly currency: string;
  readonly isBlank: boolean;
  readonly isCompact: boolean;
  readonly isHex: boolean;
}

function wrong(message: string): EvaluationError {
  return new EvaluationError(`Error in format string: ${message}`);
}

function elementsOf(format: string): readonly string[] {
  const elements: string[] = [];
  for (let at = 0; at < format.length; ) {
    ELEMENT.lastIndex = at;
    const found = ELEMENT.exec(format)?.[0];
    if (found === undefined) throw wrong(`Invalid format element '${format[at]}'`);
    elements.push(found);
    at += found.length;
  }
  return elements;
}

/** Groups of elements of which a format has one at most. */
const ONCE: readonly (readonly [RegExp, string])[] = [
  [/^[.DV]$/i, "There can be at most one of '.', 'D', or 'V'"],
  [/^(S|MI|PR)$/i, "There can be at most one of 'S', 'MI', or 'PR'"],
  [/^[$CL]$/i, "There can be at most one of '$', 'C' or 'L'"],
  [/^B$/i, "There can be at most one 'B'"],
  [/^FM$/i, "'FM' cannot be repeated"],
  [/^EEEE$/i, "'EEEE' cannot appear after 'EEEE'"],
];

const isDigit = (element: string): boolean => /^[09X]$/i.test(element);

function parse(format: string): NumberFormat {
  const elements = elementsOf(format);
  if (elements.some((element) => /^RN$/i.test(element)))
    throw wrong("'RN' cannot appear together with elements other than 'FM'");
  for (const [pattern, message] of ONCE)
    if (elements.filter((element) => pattern.test(element)).length > 1) throw wrong(message);
  const find = (pattern: RegExp): number => elements.findIndex((element) => pattern.test(element));
  const digits = elements.filter(isDigit);
  if (digits.length === 0) throw wrong("Format string must contain at least one of 'X', '0' or '9'");

  const isHex = find(/^X$/i) >= 0;
  const alien = isHex ? elements.find((element) => !/^(X|0|S|MI|PR|FM)$/i.test(element)) : undefined;
  if (alien !== undefined) throw wrong(`'X' cannot appear together with '${alien}'`);
  if (isHex && digits.length > 16) throw wrong("Max number of 'X' is 16");

  const point = find(/^[.DV]$/i);
  const exponent = find(/^EEEE$/i);
  const firstDigit = elements.findIndex(isDigit);
  const lastDigit = Math.max(elements.findLastIndex(isDigit), exponent);
  const sign = find(/^(S|MI|PR)$/i);
  const signIs = elements[sign]?.toUpperCase() as "S" | "MI" | "PR" | undefined;
  for (const [at, element] of elements.entries()) {
    if (/^[,G]$/i.test(element)) {
      if (point >= 0 && at > point) throw wrong("',' or 'G' cannot appear after '.', 'D' or 'V'");
      if (exponent >= 0) throw wrong("',' or 'G' cannot appear together with 'EEEE'");
      if (at < firstDigit && (signIs !== "S" || sign > at)) throw wrong(`Unexpected '${element}'`);
    }
    if (exponent >= 0 && at > exponent && /^[09.,DGV]$/i.test(element))
      throw wrong(`'${element}' cannot appear after 'EEEE'`);
  }
  if (exponent >= 0 && exponent < firstDigit) throw wrong("Unexpected 'EEEE'");
  if ((signIs === "MI" || signIs === "PR") && sign < lastDigit)
    throw wrong(`'${signIs}' can only appear after all digits and 'EEEE'`);
  if (signIs === "S" && sign > firstDigit && sign < lastDigit)
    throw wrong("'S' can only appear before or after all digits and 'EEEE'");

  const parts = elements.map((element, at) => ({ element, isAfter: point >= 0 && at > point }));
  return {
    whole: parts
      .filter((part) => !part.isAfter && /^[09X,G]$/i.test(part.element))
      .map((part) => part.element),
    decimals: parts.filter((part) => part.isAfter && isDigit(part.element)).length,
    point: point >= 0 && elements[point]?.toUpperCase() !== "V" ? "." : "",
    exponent: elements[exponent],
    sign: signIs === "S" && sign > firstDigit ? "S after" : (signIs ?? "none"),
    currency: CURRENCIES[elements[find(/^[$CL]$/i)] ?? ""] ?? "",
    isBlank: find(/^B$/i) >= 0,
    isCompact: find(/^FM$/i) >= 0,
    isHex,
  };
}

/** A finite number: unscaled / 10^scale. Of two halves FLOAT64 takes the even one, the exact types the one away from zero. */
interface Decimal {
  readonly isNegative: boolean;
  readonly unscaled: bigint;
  readonly scale: number;
  readonly halves: "even" | "away";
}

function ofText(value: string): Decimal {
  const [, sign, whole = "", decimals = ""] = /^(-?)(\d*)\.?(\d*)$/.exec(value) ?? [];
  return {
    isNegative: sign === "-",
    unscaled: BigInt(whole + decimals),
    scale: decimals.length,
    halves: "away",
  };
}

/** A FLOAT64 with all the decimals that its binary fraction has. */
function ofFloat(value: number): Decimal {
  let exponent = 0;
  let mantissa = Math.abs(value);
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    exponent++;
  }
  const unscaled = BigInt(mantissa) * 5n ** BigInt(exponent);
  return { isNegative: value < 0, unscaled, scale: exponent, halves: "even" };
}

/** The number times 10^decimals as a whole one. */
function roundTo({ unscaled, scale, halves }: Decimal, decimals: number): bigint {
  if (decimals >= scale) return unscaled * 10n ** BigInt(decimals - scale);
  const unit = 10n ** BigInt(scale - decimals);
  const [quotient, twice] = [unscaled / unit, (unscaled % unit) * 2n];
  const isUp = twice > unit || (twice === unit && (halves === "away" || quotient % 2n === 1n));
  return isUp ? quotient + 1n : quotient;
}

/** Digits of the whole part in their places; undefined where they do not fit. */
function place(digits: string, { whole }: NumberFormat): string | undefined {
  const places = whole.filter(isDigit).length;
  if (digits.length > places) return undefined;
  let missing = places - digits.length;
  let next = 0;
  let hasBegun = false;
  let placed = "";
  for (const [at, element] of whole.entries()) {
    if (!isDigit(element)) placed += hasBegun ? "," : "";
    else {
      const digit = missing-- > 0 ? "0" : (digits[next++] ?? "");
      hasBegun ||= element === "0" || missing < 0;
      if (hasBegun) placed += isLower(whole, at) ? digit.toLowerCase() : digit;
    }
  }
  return placed;
}

/** A hexadecimal digit has the case of its element, a 0 that of the next X. */
function isLower(whole: readonly string[], at: number): boolean {
  return whole.slice(at).find((element) => /^x$/i.test(element)) === "x";
}

/** A number without sign, currency and padding; undefined where it does not fit. */
function body(value: Decimal, format: NumberFormat): string | undefined {
  if (format.isHex)
    return place(
      roundTo({ ...value, halves: "away" }, 0)
        .toString(16)
        .toUpperCase(),
      format,
    );
  if (format.exponent !== undefined) return scientific(value, format);
  const { decimals, point, isCompact } = format;
  const digits = roundTo(value, decimals)
    .toString()
    .padStart(decimals + 1, "0");
  const at = digits.length - decimals;
  const fraction = isCompact ? digits.slice(at).replace(/0+$/, "") : digits.slice(at);
  // A zero before the decimal point is left out where decimals follow.
  const isOnlyZero = digits.slice(0, at) === "0" && fraction !== "";
  const whole = place(isOnlyZero ? "" : digits.slice(0, at), format);
  if (whole !== undefined) return `${whole}${point}${fraction}`;
  return format.whole.some(isDigit) || digits.slice(0, at) !== "0" ? undefined : `${point}${fraction}`;
}

function scientific(value: Decimal, format: NumberFormat): string | undefined {
  const { decimals, exponent = "EEEE", point, isCompact } = format;
  if (!format.whole.some(isDigit)) return undefined;
  let power = value.unscaled === 0n ? 0 : value.unscaled.toString().length - 1 - value.scale;
  let digits = roundTo({ ...value, scale: value.scale + power }, decimals).toString();
  if (digits.length > decimals + 1) {
    power++;
    digits = digits.slice(0, -1);
  }
  digits = digits.padStart(decimals + 1, "0");
  const fraction = isCompact ? digits.slice(1).replace(/0+$/, "") : digits.slice(1);
  const shownPower = `${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  return `${digits[0]}${point}${fraction}${exponent[0]}${shownPower}`;
}

/** What stands for the digits of a number that has no room. */
function overflow({ whole, decimals, point, exponent }: NumberFormat): string {
  const places = exponent === undefined ? whole : whole.slice(0, 1);
  const left = places.map((element) => (isDigit(element) ? "#" : ",")).join("");
  return `${left}${point}${"#".repeat(decimals)}${exponent === undefined ? "" : "####"}`;
}

/** INF and NAN stand where the whole part does. */
function special(value: number, format: NumberFormat): string | undefined {
  const room = overflow({ ...format, exponent: undefined, decimals: 0, point: "" }).length;
  const shown = Number.isNaN(value) ? "NAN" : "INF";
  if (format.exponent !== undefined) return shown;
  if (format.isHex || room < shown.length) return undefined;
  const after = format.decimals + format.point.length;
  return format.isCompact ? shown : `${shown}${" ".repeat(after)}`;
}

function layOut(shown: string, isNegative: boolean, isNumber: boolean, format: NumberFormat): string {
  const { sign, currency, isCompact } = format;
  const plus = isNumber ? "+" : " ";
  const around: Readonly<Record<Sign, readonly [before: string, after: string]>> = {
    none: [isNegative ? "-" : " ", ""],
    S: [isNegative ? "-" : plus, ""],
    "S after": ["", isNegative ? "-" : plus],
    MI: ["", isNegative ? "-" : " "],
    PR: isNegative ? ["<", ">"] : [" ", " "],
  };
  const [before, after] = around[sign];
  const all = `${before}${currency}${shown}${after}`;
  if (isCompact) return all.replaceAll(" ", "");
  return all.padStart(widthOf(format), " ");
}

function widthOf(format: NumberFormat): number {
  return overflow(format).length + format.currency.length + (format.sign === "PR" ? 2 : 1);
}

const NUMERALS: readonly (readonly [number, string])[] = [
  [1000, "M"],
  [900, "CM"],
  [500, "D"],
  [400, "CD"],
  [100, "C"],
  [90, "XC"],
  [50, "L"],
  [40, "XL"],
  [10, "X"],
  [9, "IX"],
  [5, "V"],
  [4, "IV"],
  [1, "I"],
];

/** RN: Roman numerals from 1 to 3999, as wide as the longest. */
function roman(value: Decimal, isCompact: boolean): string {
  let rest = Number(roundTo(value, 0));
  if (value.isNegative || rest < 1 || rest > 3999)
    throw new EvaluationError("Roman numerals are for numbers from 1 to 3999");
  let numeral = "";
  for (const [worth, letters] of NUMERALS) {
    numeral += letters.repeat(Math.floor(rest / worth));
    rest %= worth;
  }
  return isCompact ? numeral : numeral.padStart(15);
}

function show(value: Decimal, pattern: string): string {
  if (/^(FM)?RN(FM)?$/i.test(pattern)) return roman(value, pattern.length > 2);
  const format = parse(pattern);
  const shown = body(value, format);
  const isZero =
    format.exponent === undefined
      ? roundTo(value, format.decimals) < 10n ** BigInt(format.decimals)
      : value.unscaled === 0n;
  if (format.isBlank && isZero && shown !== undefined)
    return format.isCompact ? "" : " ".repeat(widthOf(format));
  return layOut(shown ?? overflow(format), value.isNegative, true, format);
}

function showFloat(value: number, pattern: string): string {
  if (Number.isFinite(value)) return show(ofFloat(value), pattern);
  const format = parse(pattern);
  const shown = special(value, format);
  return layOut(shown ?? overflow(format), value < 0, !Number.isNaN(value) || format.isHex, format);
}

/** CAST of numbers AS STRING FORMAT: of the text of an exact one, and of a FLOAT64. */
export const numberFormatUdfs: readonly Udf[] = [
  udf("number_format", [text, text], text, (value, pattern) => show(ofText(value), pattern)),
  udf("float_format", [float, text], text, showFloat),
];
