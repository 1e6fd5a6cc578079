import { bigNumeric, float, list, type Udf, udf } from "./define.ts";

const SCALE = 10n ** 38n;

/** Sums over pairs of decimals, each n² times what the statistic wants of it, in units of the decimals' own squares. */
interface Moments {
  readonly n: number;
  readonly xx: bigint;
  readonly xy: bigint;
  readonly yy: bigint;
}

function momentsOf(xs: readonly (bigint | null)[], ys: readonly (bigint | null)[]): Moments {
  const count = BigInt(xs.length);
  let [x, y, xx, xy, yy] = [0n, 0n, 0n, 0n, 0n];
  for (const [index, value] of xs.entries()) {
    const [a, b] = [value ?? 0n, ys[index] ?? 0n];
    x += a;
    y += b;
    xx += a * a;
    xy += a * b;
    yy += b * b;
  }
  return { n: xs.length, xx: count * xx - x * x, xy: count * xy - x * y, yy: count * yy - y * y };
}

/** A fraction as the nearest float, or its neighbour. */
function ratio(numerator: bigint, denominator: bigint): number {
  const negative = numerator < 0n !== denominator < 0n;
  const [top, bottom] = [numerator, denominator].map((each) => (each < 0n ? -each : each)) as [
    bigint,
    bigint,
  ];
  if (top === 0n) return 0;
  const shift = 64 - (top.toString(2).length - bottom.toString(2).length);
  const quotient = shift >= 0 ? (top << BigInt(shift)) / bottom : top / (bottom << BigInt(-shift));
  const value = Number(quotient) * 2 ** -shift;
  return negative ? -value : value;
}

function covariance(sum: bigint, n: number, divisor: number): number | null {
  return divisor < 1 ? null : ratio(sum, BigInt(n) * BigInt(divisor) * SCALE * SCALE);
}

function root(value: number | null): number | null {
  return value === null ? null : Math.sqrt(value);
}

const decimals = list(bigNumeric);

function ofOne(name: string, compute: (moments: Moments) => number | null): Udf {
  return udf(`decimal_${name}`, [decimals], float, (xs) => compute(momentsOf(xs, xs)));
}

function ofPairs(name: string, compute: (moments: Moments) => number | null): Udf {
  return udf(`decimal_${name}`, [decimals, decimals], float, (xs, ys) => compute(momentsOf(xs, ys)));
}

/** Statistics of NUMERIC and BIGNUMERIC, given as lists without NULL. */
export const statisticsUdfs: readonly Udf[] = [
  ofOne("var_pop", ({ n, xx }) => covariance(xx, n, n)),
  ofOne("var_samp", ({ n, xx }) => covariance(xx, n, n - 1)),
  ofOne("stddev_pop", ({ n, xx }) => root(covariance(xx, n, n))),
  ofOne("stddev_samp", ({ n, xx }) => root(covariance(xx, n, n - 1))),
  ofPairs("covar_pop", ({ n, xy }) => covariance(xy, n, n)),
  ofPairs("covar_samp", ({ n, xy }) => covariance(xy, n, n - 1)),
  ofPairs("corr", ({ n, xx, xy, yy }) =>
    n < 2 ? null : ratio(xy, SCALE) / (Math.sqrt(ratio(xx, SCALE)) * Math.sqrt(ratio(yy, SCALE))),
  ),
];
