import { isUnbounded } from "../../../storage/ranges.ts";
import type { IntervalValue } from "../../../values.ts";
import { addMonths } from "./buckets.ts";
import { bool, EvaluationError, int, interval, list, text, type Udf, udf } from "./define.ts";

const FORMAT = "Failed to parse range: range must be formatted exactly as [START, END)";
const DAY = 86_400_000_000n;
/** As for GENERATE_ARRAY: an array without a bound would take the memory of the whole process. */
const MAX_STEPS = 1_000_000;

/** The texts of a RANGE's two bounds, null where there is none: https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#range_literals */
function splitRange(range: string): (string | null)[] {
  if (!range.startsWith("[") || !range.endsWith(")")) throw new EvaluationError(`${FORMAT} (found ${range})`);
  const [start = "", end = "", ...more] = range.slice(1, -1).split(",");
  if (more.length > 0 || !end.startsWith(" ")) {
    throw new EvaluationError(`${FORMAT} with two parts, START and END, divided with ", "`);
  }
  const isBare = (bound: string): boolean => /^(?![ \t-\r])(?:.*[^ \t-\r])?$/s.test(bound);
  const spaces = "having no leading or trailing spaces, but found:";
  if (!isBare(start)) throw new EvaluationError(`${FORMAT} with START ${spaces} "${start}"`);
  if (!isBare(end.slice(1))) throw new EvaluationError(`${FORMAT} with END ${spaces} "${end}"`);
  return [start, end.slice(1)].map((bound) => (isUnbounded(bound) ? null : bound));
}

function checkStep({ months, days, micros }: IntervalValue, kind: string): void {
  if (kind === "DATE" && micros !== 0n) {
    throw new EvaluationError("step with non-zero (H:M:S[.F]) part is not supported");
  }
  if (kind === "TIMESTAMP" && months !== 0) {
    throw new EvaluationError("step with non-zero MONTH or YEAR part is not supported");
  }
  if (months !== 0 && (days !== 0 || micros !== 0n)) {
    const other = kind === "DATE" ? "DAY" : "D (H:M:S[.F])";
    throw new EvaluationError(`step should either have the Y-M part or the ${other} part`);
  }
  if (months < 0 || days < 0 || micros < 0n) throw new EvaluationError("step cannot be negative");
  if (months === 0 && days === 0 && micros === 0n) throw new EvaluationError("step cannot be 0");
}

/**
 * The bounds of GENERATE_RANGE_ARRAY's subranges, one more than there are subranges, in microseconds since 1970. Each is
 * counted from the first one, so that months that end early do not shorten the later ones.
 */
function splitPoints(
  start: bigint,
  end: bigint,
  step: IntervalValue,
  withPartial: boolean,
  kind: string,
): readonly bigint[] {
  checkStep(step, kind);
  const size = BigInt(step.days) * DAY + step.micros;
  const points = [start];
  // Of months there are not so many.
  if (step.months === 0 && end - start > size * BigInt(MAX_STEPS)) {
    throw new EvaluationError(`Cannot generate arrays with more than ${MAX_STEPS} elements.`);
  }
  for (let count = 1; ; count++) {
    const next = step.months === 0 ? start + size * BigInt(count) : addMonths(start, step.months * count);
    if (next < end) points.push(next);
    else {
      if (next === end || withPartial) points.push(end);
      return points;
    }
  }
}

/** Functions on RANGE: bounds are texts, or microseconds since 1970. */
export const rangeUdfs: readonly Udf[] = [
  udf("range_bounds", [text], list(text), splitRange),
  udf("range_split", [int, int, interval, bool, text], list(int), splitPoints),
];
