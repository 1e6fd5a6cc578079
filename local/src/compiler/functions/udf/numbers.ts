import { EvaluationError, float, int, list, numeric, text, type Udf, udf } from "./define.ts";

const SPACE = "[ \\t\\n\\v\\f\\r]*";
const INTEGER = new RegExp(`^${SPACE}([+-]?)(0[xX][0-9a-fA-F]+|\\d+)${SPACE}$`);
const DECIMAL = new RegExp(`^${SPACE}[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?${SPACE}$`);
const SPECIAL = new RegExp(`^${SPACE}([+-]?)(inf|infinity|nan)${SPACE}$`, "i");
const HEX = new RegExp(`^${SPACE}([+-]?)(0[xX][0-9a-fA-F]+)${SPACE}$`);

function parseInteger(s: string): bigint {
  const [, sign, digits] = INTEGER.exec(s) ?? [];
  const value = digits === undefined ? undefined : sign === "-" ? -BigInt(digits) : BigInt(digits);
  if (value === undefined || BigInt.asIntN(64, value) !== value)
    throw new EvaluationError(`Bad int64 value: ${s}`);
  return value;
}

function parseFloat64(s: string): number {
  if (DECIMAL.test(s)) {
    const value = Number(s);
    if (!Number.isFinite(value)) throw new EvaluationError(`Bad double value: ${s}`);
    return value;
  }
  const [, sign, word] = SPECIAL.exec(s) ?? [];
  if (word !== undefined) {
    if (word.toLowerCase() === "nan") return Number.NaN;
    return sign === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  const [, hexSign, hex] = HEX.exec(s) ?? [];
  if (hex === undefined) throw new EvaluationError(`Bad double value: ${s}`);
  return hexSign === "-" ? -Number(hex) : Number(hex);
}

const LARGEST_ARRAY = 1_000_000;

function* series<T extends number | bigint>(at: (n: number) => T, end: T, up: boolean): Generator<T> {
  for (let n = 0; n < LARGEST_ARRAY; n++) {
    const value = at(n);
    if (up ? value > end : value < end) return;
    yield value;
  }
  throw new EvaluationError("Cannot generate arrays with more than 1000000 elements.");
}

function floats(start: number, end: number, step: number): number[] {
  if (step === 0) throw new EvaluationError("Sequence step cannot be 0.");
  if ([start, end, step].some(Number.isNaN))
    throw new EvaluationError("Sequence start, end, and step cannot be NaN.");
  if (!Number.isFinite(step)) throw new EvaluationError("Sequence step cannot be +/-inf.");
  if (step > 0 ? start > end : start < end) return [];
  if (start === end) return [start];
  if (![start, end, step].every(Number.isFinite))
    throw new EvaluationError("Sequence bounds must be finite.");
  return [...series((n) => start + n * step, end, step > 0)];
}

/** Days from start to end, each some months after the one before it; a day that a month lacks is its last, and stays so. */
function* monthly(start: bigint, end: bigint, months: number): Generator<bigint> {
  if (months === 0) throw new EvaluationError("Sequence step cannot be 0.");
  for (let day = start; months > 0 ? day <= end : day >= end; ) {
    yield day;
    const date = new Date(Number(day) * 86_400_000);
    const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + months];
    const last = new Date(Date.UTC(2000, 0, 1));
    last.setUTCFullYear(year, month + 1, 0);
    last.setUTCDate(Math.min(date.getUTCDate(), last.getUTCDate()));
    day = BigInt(last.getTime() / 86_400_000);
  }
}

/** Functions that DuckDB lacks. */
const CIRCULAR: Readonly<Record<string, (x: number) => number>> = {
  cot: (x) => 1 / Math.tan(x),
  coth: (x) => 1 / Math.tanh(x),
  csc: (x) => 1 / Math.sin(x),
  csch: (x) => 1 / Math.sinh(x),
  sec: (x) => 1 / Math.cos(x),
  sech: (x) => 1 / Math.cosh(x),
};

/** Functions on numbers. */
export const numberUdfs: readonly Udf[] = [
  udf("parse_int", [text], int, parseInteger),
  udf("parse_float", [text], float, parseFloat64),
  udf("generate_array_float", [float, float, float], list(float), floats),
  udf("generate_array_numeric", [numeric, numeric, numeric], list(numeric), (start, end, step) => {
    if (step === 0n) throw new EvaluationError("Sequence step cannot be 0.");
    return [...series((n) => start + BigInt(n) * step, end, step > 0n)];
  }),
  udf("generate_months", [int, int, int], list(int), (start, end, step) => [
    ...monthly(start, end, Number(step)),
  ]),
  ...Object.entries(CIRCULAR).map(([name, compute]) =>
    udf(name, [float], float, (x) => {
      const value = compute(x);
      if (!Number.isFinite(value) && Number.isFinite(x)) {
        throw new EvaluationError(`Floating point error in function: ${name.toUpperCase()}(${x})`);
      }
      return value;
    }),
  ),
];
