import type { IntervalValue } from "../../../values.ts";
import { EvaluationError, int, interval, text, type Udf, udf } from "./define.ts";

const DAY = 86_400_000_000n;

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}

/** A time moved by months, its day no later than the month has. */
export function addMonths(micros: bigint, months: number): bigint {
  const days = floorDivide(micros, DAY);
  const date = new Date(Number(days) * 86_400_000);
  const last = new Date(0);
  last.setUTCFullYear(date.getUTCFullYear(), date.getUTCMonth() + months + 1, 0);
  last.setUTCDate(Math.min(date.getUTCDate(), last.getUTCDate()));
  return BigInt(last.getTime() / 86_400_000) * DAY + (micros - days * DAY);
}

/** The start of the bucket that a time lies in; buckets are as wide as the interval and one starts at the origin. */
function bucketStart(micros: bigint, width: IntervalValue, origin: bigint, kind: string): bigint {
  const name = `${kind}_BUCKET`;
  const parts = [width.months !== 0, width.days !== 0, width.micros !== 0n].filter(Boolean).length;
  const negative = width.months < 0 || width.days < 0 || width.micros < 0n;
  const isMonths = width.months !== 0;
  if (negative || parts === 0)
    throw new EvaluationError(`${name} doesn't support zero or negative bucket width INTERVAL`);
  if (parts > 1) {
    throw new EvaluationError(`${name} doesn't support bucket width INTERVAL with mixed parts`);
  }
  if (kind === "TIMESTAMP" && isMonths) {
    throw new EvaluationError(`${name} doesn't support bucket width INTERVAL with non-zero MONTH part`);
  }
  if (kind === "DATE" && width.micros !== 0n)
    throw new EvaluationError(`${name} only supports bucket width INTERVAL with either MONTH or DAY parts`);
  if (!isMonths) {
    const size = BigInt(width.days) * DAY + width.micros;
    return origin + floorDivide(micros - origin, size) * size;
  }
  const monthOf = (point: bigint): number => {
    const date = new Date(Number(floorDivide(point, DAY)) * 86_400_000);
    return date.getUTCFullYear() * 12 + date.getUTCMonth();
  };
  let steps = Math.floor((monthOf(micros) - monthOf(origin)) / width.months);
  // The origin's day may lie after the month's day.
  while (addMonths(origin, steps * width.months) > micros) steps--;
  return addMonths(origin, steps * width.months);
}

/** DATE_BUCKET, DATETIME_BUCKET and TIMESTAMP_BUCKET. */
export const bucketUdfs: readonly Udf[] = [udf("bucket", [int, interval, int, text], int, bucketStart)];
