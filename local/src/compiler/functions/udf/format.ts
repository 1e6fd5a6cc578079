import { exactDecimal } from "./decimal.ts";
import { EvaluationError, list, text, type Udf, udf } from "./define.ts";
import { prettyJson, printJson } from "./json-print.ts";
import { parseJson } from "./json-value.ts";

/** An argument of FORMAT: its type and its renderings. */
interface Argument {
  readonly kind: string;
  readonly raw: string | null;
  readonly plain: string;
  readonly source: string;
}

interface Spec {
  readonly flags: string;
  readonly width?: number;
  readonly precision?: number;
  readonly letter: string;
}

const SPEC = /%([-+ #0']*)(\*|\d+)?(?:\.(\*|\d+)?)?([a-zA-Z%])|%/g;

function padText(body: string, spec: Spec): string {
  const width = spec.width ?? 0;
  const length = [...body].length;
  if (length >= width) return body;
  const space = " ".repeat(width - length);
  return spec.flags.includes("-") ? body + space : space + body;
}

/** A number's sign and digits, padded with zeros or blanks. */
function padNumber(sign: string, prefix: string, digits: string, spec: Spec, zeros: boolean): string {
  const width = spec.width ?? 0;
  const length = sign.length + prefix.length + digits.length;
  if (zeros && spec.flags.includes("0") && !spec.flags.includes("-") && length < width) {
    return sign + prefix + "0".repeat(width - length) + digits;
  }
  return padText(sign + prefix + digits, spec);
}

function signOf(negative: boolean, flags: string): string {
  return negative ? "-" : flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
}

function grouped(digits: string, size: number): string {
  const [whole = "", ...rest] = digits.split(".");
  const pattern = new RegExp(`\\B(?=(?:[0-9a-fA-F]{${size}})+$)`, "g");
  return [whole.replace(pattern, ","), ...rest].join(".");
}

function integer(value: bigint, spec: Spec): string {
  const { letter, flags, precision } = spec;
  const base = letter === "x" || letter === "X" ? 16 : letter === "o" ? 8 : 10;
  const magnitude = value < 0n ? -value : value;
  let digits = magnitude.toString(base);
  if (letter === "X") digits = digits.toUpperCase();
  if (precision !== undefined)
    digits = precision === 0 && value === 0n ? "" : digits.padStart(precision, "0");
  if (flags.includes("'")) digits = grouped(digits, base === 10 ? 3 : 4);
  const prefix =
    flags.includes("#") && value !== 0n ? (base === 16 ? `0${letter}` : base === 8 ? "0" : "") : "";
  return padNumber(signOf(value < 0n, flags), prefix, digits, spec, precision === undefined);
}

/** Rounds a decimal's digits half away from zero to so many decimals. */
function roundDecimal(unsigned: string, decimals: number): string {
  const [whole = "0", fraction = ""] = unsigned.split(".");
  const scale = Math.max(fraction.length, decimals);
  const scaled = BigInt(whole + fraction.padEnd(scale, "0"));
  const unit = 10n ** BigInt(scale - decimals);
  const rounded = (scaled + unit / 2n) / unit;
  const digits = rounded.toString().padStart(decimals + 1, "0");
  return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** `d.ddde±dd` of a non-negative decimal's exact digits. */
function exponential(unsigned: string, decimals: number): { mantissa: string; exponent: number } {
  const [whole = "0", fraction = ""] = unsigned.split(".");
  const digits = (whole + fraction).replace(/^0+/, "");
  if (digits === "") return { mantissa: decimals === 0 ? "0" : `0.${"0".repeat(decimals)}`, exponent: 0 };
  let exponent = whole.replace(/^0+/, "").length - 1;
  if (/^0*$/.test(whole)) exponent = -(/^0*/.exec(fraction)?.[0].length ?? 0) - 1;
  let mantissa = roundHalfEven(digits, decimals);
  if (mantissa.length > decimals + 1) {
    mantissa = mantissa.slice(0, -1);
    exponent++;
  }
  return { mantissa: decimals === 0 ? mantissa : `${mantissa.slice(0, 1)}.${mantissa.slice(1)}`, exponent };
}

function roundHalfEven(digits: string, decimals: number): string {
  const kept = digits.slice(0, decimals + 1).padEnd(decimals + 1, "0");
  const rest = digits.slice(decimals + 1);
  const half =
    rest === "" ? -1 : rest[0] === "5" && /^0*$/.test(rest.slice(1)) ? 0 : Number(rest[0]) >= 5 ? 1 : -1;
  const up = half > 0 || (half === 0 && Number(kept.at(-1)) % 2 === 1);
  return up ? (BigInt(kept) + 1n).toString().padStart(kept.length, "0") : kept;
}

function exponentText(exponent: number): string {
  return `${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** %f, %e and %g of a non-negative decimal. */
function realDigits(unsigned: string, spec: Spec, isFloat: boolean): string {
  const letter = spec.letter.toLowerCase();
  const precision = spec.precision ?? 6;
  if (letter === "f") return isFloat ? roundFixed(unsigned, precision) : roundDecimal(unsigned, precision);
  if (letter === "e") {
    const { mantissa, exponent } = exponential(unsigned, precision);
    return `${mantissa}e${exponentText(exponent)}`;
  }
  const significant = precision === 0 ? 1 : precision;
  const { mantissa, exponent } = exponential(unsigned, significant - 1);
  const keep = spec.flags.includes("#");
  const strip = (s: string): string => (keep || !s.includes(".") ? s : s.replace(/\.?0+$/, ""));
  if (exponent < -4 || exponent >= significant) return `${strip(mantissa)}e${exponentText(exponent)}`;
  return strip(roundFixed(unsigned, Math.max(significant - 1 - exponent, 0)));
}

/** Rounds half to even, as C does with the exact digits of a double. */
function roundFixed(unsigned: string, decimals: number): string {
  const [whole = "0", fraction = ""] = unsigned.split(".");
  const digits = whole + fraction;
  const rounded = roundHalfEven(digits, whole.length + decimals - 1).replace(/^0+(?=\d)/, "");
  const padded = rounded.padStart(decimals + 1, "0");
  return decimals === 0 ? padded : `${padded.slice(0, -decimals)}.${padded.slice(-decimals)}`;
}

function real(argument: Argument, spec: Spec): string {
  const source = argument.raw ?? "";
  const upper = spec.letter === spec.letter.toUpperCase();
  const cased = (s: string): string => (upper ? s.toUpperCase() : s);
  if (argument.kind === "FLOAT64") {
    const value = /nan/i.test(source)
      ? Number.NaN
      : /inf/i.test(source)
        ? source.startsWith("-")
          ? -Infinity
          : Infinity
        : Number(source);
    if (!Number.isFinite(value)) {
      const word = Number.isNaN(value) ? "nan" : "inf";
      return padText(cased(signOf(value < 0, spec.flags) + word), spec);
    }
    const digits = realDigits(exactDecimal(value), spec, true);
    return finish(digits, value < 0 || Object.is(value, -0), spec, cased);
  }
  return finish(realDigits(source.replace(/^-/, ""), spec, false), source.startsWith("-"), spec, cased);
}

function finish(digits: string, negative: boolean, spec: Spec, cased: (s: string) => string): string {
  const shown = spec.flags.includes("'") ? grouped(digits, 3) : digits;
  return padNumber(signOf(negative, spec.flags), "", cased(shown), spec, true);
}

function truncated(value: string, spec: Spec): string {
  return padText(spec.precision === undefined ? value : [...value].slice(0, spec.precision).join(""), spec);
}

/** The longest that FORMAT makes anything, and the most digits of a FLOAT64. */
const MAX_LENGTH = 1_048_576;
const MAX_DIGITS = 1074;

/** GoogleSQL's errors, in its words, where a width or a precision would take the machine's memory. */
function checkSize({ width = 0, precision = 0, letter }: Spec): void {
  if (width > MAX_LENGTH)
    throw new EvaluationError(`Output string too long while evaluating FORMAT; limit ${MAX_LENGTH}`);
  const most = "fFeEgG".includes(letter) ? MAX_DIGITS : MAX_LENGTH;
  if (precision > most) throw new EvaluationError(`Precision value is too big${most}`);
}

function render(argument: Argument, spec: Spec): string | null {
  const { letter } = spec;
  checkSize(spec);
  if (letter === "t") return truncated(argument.plain, spec);
  if (letter === "T") return truncated(argument.source, spec);
  if (argument.raw === null) return letter === "p" || letter === "P" ? padText("NULL", spec) : null;
  if ("diuoxX".includes(letter)) return integer(BigInt(argument.raw), spec);
  if ("fFeEgG".includes(letter)) return real(argument, spec);
  if (letter === "s") return truncated(argument.raw, spec);
  if (letter === "p") return truncated(printJson(parseJson(argument.raw)), spec);
  if (letter === "P") return truncated(prettyJson(parseJson(argument.raw)), spec);
  throw new EvaluationError(`Invalid format specifier character "${letter}" in FORMAT string`);
}

function format(pattern: string, args: readonly Argument[]): string | null {
  let next = 0;
  let isNull = false;
  const take = (): Argument => {
    const found = args[next++];
    if (found === undefined)
      throw new EvaluationError(`Too few arguments to FORMAT for pattern "${pattern}"`);
    return found;
  };
  const star = (given: string | undefined): number | undefined => {
    if (given !== "*") return given === undefined ? undefined : Number(given);
    const { raw } = take();
    if (raw === null) isNull = true;
    return Number(raw ?? 0);
  };
  const result = pattern.replace(
    SPEC,
    (token, flags: string | undefined, width, precision, letter: string | undefined) => {
      if (letter === "%") return "%";
      if (letter === undefined || flags === undefined) {
        throw new EvaluationError(`Invalid FORMAT string "${pattern}"`);
      }
      const wide = star(width);
      const precise = star(precision) ?? (token.includes(".") ? 0 : undefined);
      const spec: Spec = {
        flags: wide !== undefined && wide < 0 ? `${flags}-` : flags,
        width: wide === undefined ? undefined : Math.abs(wide),
        precision: precise !== undefined && precise < 0 ? undefined : precise,
        letter,
      };
      const shown = render(take(), spec);
      if (shown === null) isNull = true;
      return shown ?? "";
    },
  );
  if (next < args.length) throw new EvaluationError(`Too many arguments to FORMAT for pattern "${pattern}"`);
  return isNull ? null : result;
}

/** FORMAT: for each argument its kind, its exact text, and how %t and %T print it. */
export const formatUdfs: readonly Udf[] = [
  udf(
    "format",
    [text, list(text), list(text), list(text), list(text)],
    text,
    (pattern, kinds, raw, plain, source) =>
      format(
        pattern,
        kinds.map((kind, index) => ({
          kind: kind ?? "",
          raw: raw[index] ?? null,
          plain: plain[index] ?? "NULL",
          source: source[index] ?? "NULL",
        })),
      ),
  ),
];
