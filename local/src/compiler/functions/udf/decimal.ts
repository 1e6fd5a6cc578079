import { decimalText } from "../../../values.ts";
import { bigNumeric, EvaluationError, float, int, numeric, text, type Udf, udf } from "./define.ts";

/** A decimal type: how many digits follow the point, and the greatest and smallest scaled value. */
interface Decimal {
  readonly name: string;
  readonly scale: number;
  readonly max: bigint;
  readonly min: bigint;
}

const NUMERIC: Decimal = { name: "numeric", scale: 9, max: 10n ** 38n - 1n, min: -(10n ** 38n - 1n) };
const BIGNUMERIC: Decimal = { name: "bignumeric", scale: 38, max: 2n ** 255n - 1n, min: -(2n ** 255n) };

const ten = (power: number): bigint => 10n ** BigInt(power);
const magnitude = (x: bigint): bigint => (x < 0n ? -x : x);

/** Division that rounds half away from zero. */
function divideRounded(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  const rest = magnitude(a % b) * 2n;
  if (rest < magnitude(b)) return quotient;
  return a < 0n === b < 0n ? quotient + 1n : quotient - 1n;
}

function inRange(type: Decimal, value: bigint, what: () => string): bigint {
  if (value > type.max || value < type.min)
    throw new EvaluationError(`${type === NUMERIC ? "numeric" : "BIGNUMERIC"} overflow: ${what()}`);
  return value;
}

const TEXT = /^[ \t\n\v\f\r]*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?[ \t\n\v\f\r]*$/;

function parseDecimal(type: Decimal, value: string): bigint {
  const invalid = (): EvaluationError =>
    new EvaluationError(`Invalid ${type.name.toUpperCase()} value: ${value}`);
  const [, sign, whole = "", fraction = "", exponent = "0"] = TEXT.exec(value) ?? [];
  if (sign === undefined || whole + fraction === "") throw invalid();
  const power = Number(exponent) - fraction.length + type.scale;
  const digits = BigInt(whole + fraction);
  if (digits !== 0n && power + digits.toString().length > 80) throw invalid();
  const scaled =
    digits === 0n || power < -400
      ? 0n
      : power >= 0
        ? digits * ten(power)
        : divideRounded(digits, ten(-power));
  const signed = sign === "-" ? -scaled : scaled;
  if (signed > type.max || signed < type.min) throw invalid();
  return signed;
}

/** PARSE_NUMERIC also takes separators and a sign at the end. */
function parseLoose(type: Decimal, value: string): bigint {
  const bare = value.trim();
  const moved = /^([^+-].*?)\s*([+-])$/.exec(bare);
  const signed = moved === null ? bare.replace(/^([+-])\s+/, "$1") : `${moved[2]}${moved[1]}`;
  const [mantissa = "", ...rest] = signed.split(/(?=[eE])/);
  const [whole = "", ...fraction] = mantissa.split(/(?=\.)/);
  try {
    return parseDecimal(type, [whole.replaceAll(",", ""), ...fraction, ...rest].join(""));
  } catch {
    throw new EvaluationError(`Invalid input to PARSE_${type.name.toUpperCase()}: "${value}"`);
  }
}

/** The exact value of a double, rounded once. */
function fromFloat(type: Decimal, value: number): bigint {
  if (!Number.isFinite(value)) {
    throw new EvaluationError(
      `Illegal conversion of non-finite floating point number to ${type.name}: ${Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf"}`,
    );
  }
  const { mantissa, exponent } = takeApart(value);
  const scaled = mantissa * ten(type.scale);
  const found = exponent >= 0 ? scaled << BigInt(exponent) : divideRounded(scaled, 1n << BigInt(-exponent));
  const signed = value < 0 ? -found : found;
  if (signed > type.max || signed < type.min) {
    throw new EvaluationError(`${type.name} out of range: ${value}`);
  }
  return signed;
}

/** ROUND to a number of decimals, which may be negative. */
function round(type: Decimal, value: bigint, digits: bigint, how: "away" | "trunc" | "even"): bigint {
  if (digits >= BigInt(type.scale)) return value;
  const unit = ten(type.scale - Number(digits < -100n ? -100n : digits));
  const quotient = value / unit;
  if (how === "trunc") return quotient * unit;
  const twice = magnitude(value % unit) * 2n;
  const up = twice > unit || (twice === unit && (how === "away" || quotient % 2n !== 0n));
  const rounded = (up ? quotient + (value < 0n ? -1n : 1n) : quotient) * unit;
  return inRange(type, rounded, () => `ROUND(${decimalText(value, type.scale)}, ${digits})`);
}

function squareRoot(n: bigint): bigint {
  if (n < 2n) return n;
  let x = 1n << BigInt(Math.ceil(n.toString(2).length / 2));
  for (;;) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

function sqrt(type: Decimal, value: bigint): bigint {
  if (value < 0n)
    throw new EvaluationError(`Argument to SQRT cannot be negative: ${decimalText(value, type.scale)}`);
  // One digit more than wanted decides the rounding.
  return divideRounded(squareRoot(value * ten(type.scale + 2)), 10n);
}

function pow(type: Decimal, base: bigint, exponent: bigint): bigint {
  const one = ten(type.scale);
  const shown = (): string => `POW(${decimalText(base, type.scale)}, ${decimalText(exponent, type.scale)})`;
  if (exponent % one !== 0n || exponent < 0n || exponent > one * 1000n) {
    throw new EvaluationError(
      `Not supported by the local BigQuery endpoint: ${shown()} with a fractional, negative or great exponent`,
    );
  }
  const n = exponent / one;
  const exact = base ** n;
  return inRange(type, n === 0n ? one : divideRounded(exact, one ** (n - 1n)), shown);
}

/** The exact decimal expansion of a finite double's magnitude. */
export function exactDecimal(value: number): string {
  const { mantissa, exponent } = takeApart(value);
  if (exponent >= 0) return (mantissa << BigInt(exponent)).toString();
  return decimalText(mantissa * 5n ** BigInt(-exponent), -exponent);
}

/** A finite double's magnitude as mantissa * 2^exponent. */
function takeApart(value: number): { mantissa: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(value));
  const bits = view.getBigUint64(0);
  const field = Number(bits >> 52n);
  const mantissa = (bits & (2n ** 52n - 1n)) | (field === 0 ? 0n : 2n ** 52n);
  return { mantissa, exponent: Math.max(field, 1) - 1075 };
}

/** FLOAT64 rounded or cut to decimals, on the value's exact decimal expansion: 2.675 is less than it looks. */
function roundFloat(value: number, digits: bigint, how: "round" | "trunc"): number {
  if (!Number.isFinite(value) || value === 0 || digits > 330n) return value;
  if (digits < -330n) return value < 0 ? -0 : 0;
  const { mantissa, exponent } = takeApart(value);
  const places = Number(digits);
  const numerator = mantissa * (exponent > 0 ? 1n << BigInt(exponent) : 1n) * (places > 0 ? ten(places) : 1n);
  const denominator = (exponent < 0 ? 1n << BigInt(-exponent) : 1n) * (places < 0 ? ten(-places) : 1n);
  const quotient = how === "trunc" ? numerator / denominator : divideRounded(numerator, denominator);
  const rounded = Number(`${quotient}e${-places}`);
  if (!Number.isFinite(rounded))
    throw new EvaluationError(`Floating point error in function: ROUND(${value}, ${digits})`);
  return value < 0 ? -rounded : rounded;
}

function ofType(type: Decimal): readonly Udf[] {
  const codec = type === NUMERIC ? numeric : bigNumeric;
  const one = ten(type.scale);
  const wider = ten(BIGNUMERIC.scale - type.scale);
  const shown = (x: bigint): string => decimalText(x, type.scale);
  const operation = (name: string, symbol: string, operate: (a: bigint, b: bigint) => bigint): Udf =>
    udf(`${type.name}_${name}`, [codec, codec], codec, (a, b) =>
      inRange(type, operate(a, b), () => `${shown(a)} ${symbol} ${shown(b)}`),
    );
  const nonZero = (a: bigint, b: bigint, what = `${shown(a)} / ${shown(b)}`): bigint => {
    if (b === 0n) throw new EvaluationError(`division by zero: ${what}`);
    return b;
  };
  return [
    operation("add", "+", (a, b) => a + b),
    operation("subtract", "-", (a, b) => a - b),
    operation("multiply", "*", (a, b) => divideRounded(a * b, one)),
    operation("divide", "/", (a, b) => divideRounded(a * one, nonZero(a, b))),
    operation("div", "/", (a, b) => (a / nonZero(a, b)) * one),
    operation("mod", "%", (a, b) => a % nonZero(a, b, `MOD(${shown(a)}, ${shown(b)})`)),
    udf(`${type.name}_negate`, [codec], codec, (a) => inRange(type, -a, () => `-${shown(a)}`)),
    udf(`${type.name}_abs`, [codec], codec, (a) => inRange(type, magnitude(a), () => `ABS(${shown(a)})`)),
    udf(`${type.name}_sign`, [codec], codec, (a) => (a === 0n ? 0n : a < 0n ? -one : one)),
    // Sums of NUMERIC come as BIGNUMERIC, which leaves them room.
    udf(`${type.name}_from_sum`, [bigNumeric], codec, (sum) => inRange(type, sum / wider, () => "SUM")),
    udf(`${type.name}_mean`, [bigNumeric, int], codec, (sum, n) => divideRounded(sum, n * wider)),
    udf(`${type.name}_between`, [codec, codec, codec], codec, (low, high, fraction) =>
      divideRounded(low * (one - fraction) + high * fraction, one),
    ),
    udf(`${type.name}_text`, [codec], text, shown),
    udf(`${type.name}_sqrt`, [codec], codec, (a) => sqrt(type, a)),
    udf(`${type.name}_pow`, [codec, codec], codec, (a, b) => pow(type, a, b)),
    udf(`${type.name}_round`, [codec, int], codec, (a, digits) => round(type, a, digits, "away")),
    udf(`${type.name}_round_even`, [codec, int], codec, (a, digits) => round(type, a, digits, "even")),
    udf(`${type.name}_trunc`, [codec, int], codec, (a, digits) => round(type, a, digits, "trunc")),
    udf(`${type.name}_ceil`, [codec], codec, (a) => {
      const rest = ((a % one) + one) % one;
      return inRange(type, rest === 0n ? a : a - rest + one, () => `CEIL(${shown(a)})`);
    }),
    udf(`${type.name}_floor`, [codec], codec, (a) =>
      inRange(type, a - (((a % one) + one) % one), () => `FLOOR(${shown(a)})`),
    ),
    udf(`${type.name}_limit`, [codec, int, int], codec, (a, precision, scale) => {
      const limited = round(type, a, scale, "away");
      if (magnitude(limited) >= ten(Number(precision - scale) + type.scale)) {
        const named = `${type.name.toUpperCase()}(${precision}${scale === 0n ? "" : `, ${scale}`})`;
        const limit = decimalText(
          ten(Number(precision - scale) + type.scale) - ten(type.scale - Number(scale)),
          type.scale,
        );
        throw new EvaluationError(
          `${named} has precision ${precision} and scale ${scale} but got a value that is not in range of [-${limit}, ${limit}]`,
        );
      }
      return limited;
    }),
    udf(`${type.name}_from_float`, [float], codec, (x) => fromFloat(type, x)),
    udf(`parse_${type.name}`, [text], codec, (s) => parseDecimal(type, s)),
    udf(`parse_${type.name}_loose`, [text], codec, (s) => parseLoose(type, s)),
  ];
}

const WIDER = ten(BIGNUMERIC.scale - NUMERIC.scale);

/** Arithmetic on NUMERIC where DuckDB's is not exact, and all of BIGNUMERIC's. */
export const decimalUdfs: readonly Udf[] = [
  ...ofType(NUMERIC),
  ...ofType(BIGNUMERIC),
  udf("bignumeric_from_int", [int], bigNumeric, (x) => x * ten(BIGNUMERIC.scale)),
  udf("bignumeric_from_numeric", [numeric], bigNumeric, (x) => x * WIDER),
  udf("numeric_from_bignumeric", [bigNumeric], numeric, (x) => {
    const found = divideRounded(x, WIDER);
    if (found > NUMERIC.max || found < NUMERIC.min) {
      throw new EvaluationError(`numeric out of range: ${decimalText(x, BIGNUMERIC.scale)}`);
    }
    return found;
  }),
  udf("bignumeric_to_int", [bigNumeric], int, (x) => {
    const found = divideRounded(x, ten(BIGNUMERIC.scale));
    if (BigInt.asIntN(64, found) !== found) {
      throw new EvaluationError(`int64 out of range: ${decimalText(x, BIGNUMERIC.scale)}`);
    }
    return found;
  }),
  udf("float_round", [float, int], float, (x, digits) => roundFloat(x, digits, "round")),
  udf("float_trunc", [float, int], float, (x, digits) => roundFloat(x, digits, "trunc")),
];
