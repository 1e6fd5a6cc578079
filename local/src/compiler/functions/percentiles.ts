import type { SqlType } from "../../types.ts";
import { orderSql } from "../order-sql.ts";
import { onceEach, refuse } from "./arguments.ts";
import type { AnalyticCall, AnalyticMapping, CompiledExpr, FunctionContext } from "./types.ts";

/** How a place among the sorted values is worked out in the type of the percentile. */
interface Arithmetic {
  /** The percentile times a count. */
  times(percentile: string, count: string): string;
  floor(place: string): string;
  ceil(place: string): string;
  /** The whole number at or above the exact product of the percentile and a count. */
  ceilOfTimes(percentile: CompiledExpr, count: string): string;
  toInteger(whole: string): string;
  /** What a place has beyond its floor. */
  fraction(place: string): string;
  /** The value a fraction of the way from one to another. */
  between(low: string, high: string, fraction: string): string;
}

function decimal(name: "numeric" | "bignumeric", context: FunctionContext): Arithmetic {
  const fromInteger = (n: string): string =>
    name === "numeric" ? `CAST(${n} AS DECIMAL(38,9))` : `${context.own("bignumeric_from_int")}(${n})`;
  return {
    times: (p, n) => `${context.own(`${name}_multiply`)}(${p}, ${fromInteger(n)})`,
    floor: (place) => `${context.own(`${name}_floor`)}(${place})`,
    ceil: (place) => `${context.own(`${name}_ceil`)}(${place})`,
    ceilOfTimes: ({ sql }, n) =>
      `${context.own(`${name}_ceil`)}(${context.own(`${name}_multiply`)}(${sql}, ${fromInteger(n)}))`,
    toInteger: (whole) =>
      name === "numeric" ? `CAST(${whole} AS BIGINT)` : `${context.own("bignumeric_to_int")}(${whole})`,
    fraction: (place) =>
      `${context.own(`${name}_subtract`)}(${place}, ${context.own(`${name}_floor`)}(${place}))`,
    between: (low, high, fraction) => `${context.own(`${name}_between`)}(${low}, ${high}, ${fraction})`,
  };
}

/** A product of floats may be rounded to a whole number from below: what the rounding took off, in two exact parts, tells. */
function ceilOfFloats({ sql, literal }: CompiledExpr, n: string): string {
  const product = `(${sql} * ${n})`;
  if (typeof literal !== "number") return `ceil(${product})`;
  const high = Math.fround(literal);
  const rest = `(('${high}'::DOUBLE * ${n} - ${product}) + '${literal - high}'::DOUBLE * ${n})`;
  return `(ceil(${product}) + CASE WHEN ${product} = floor(${product}) AND ${rest} > 0 THEN 1 ELSE 0 END)`;
}

const FLOATS: Arithmetic = {
  times: (p, n) => `(${p} * ${n})`,
  floor: (place) => `floor(${place})`,
  ceil: (place) => `ceil(${place})`,
  ceilOfTimes: ceilOfFloats,
  toInteger: (whole) => `CAST(${whole} AS BIGINT)`,
  fraction: (place) => `(${place} - floor(${place}))`,
  between: (low, high, fraction) => `(${low} * (1 - ${fraction}) + ${high} * ${fraction})`,
};

function arithmeticOf(type: SqlType | undefined, context: FunctionContext): Arithmetic | undefined {
  if (type?.kind === "FLOAT64") return FLOATS;
  if (type?.kind === "NUMERIC") return decimal("numeric", context);
  return type?.kind === "BIGNUMERIC" ? decimal("bignumeric", context) : undefined;
}

interface Percentile {
  readonly x: CompiledExpr;
  readonly p: CompiledExpr;
  readonly arithmetic: Arithmetic;
  /** The column that holds how many values there are. */
  readonly count: string;
  /** The value at a place, counted from 1. */
  at(place: string): string;
}

/** The values of a partition in order; NULL, where it is not passed over, and then NaN are the smallest. */
function percentileOf(call: AnalyticCall): Percentile {
  const [x, p] = call.args;
  const arithmetic = arithmeticOf(p?.type, call.context);
  if (x === undefined || p === undefined || arithmetic === undefined) return refuse(call, "on this type");
  const keepsNulls = call.nulls === "respect";
  const count = call.prepare(`count(${keepsNulls ? "*" : x.sql}) OVER (${call.partition})`);
  const order = `ORDER BY ${orderSql(x.sql, x.type, false, keepsNulls)}`;
  const frame = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING";
  const over = [call.partition, order, frame].filter((part) => part !== "").join(" ");
  return { x, p, arithmetic, count, at: (place) => `nth_value(${x.sql}, ${place}) OVER (${over})` };
}

const percentileCont: AnalyticMapping = (call) => {
  const { x, p, arithmetic, count, at } = percentileOf(call);
  if (x.type.kind !== p.type.kind) return refuse(call, "of these types");
  const place = arithmetic.times(p.sql, `greatest(${count} - 1, 0)`);
  const index = (whole: string): string => `${arithmetic.toInteger(whole)} + 1`;
  const ends = [at(index(arithmetic.floor(place))), at(index(arithmetic.ceil(place)))];
  return onceEach(call, ends, (low = "", high = "") => {
    // Between NULL and a number lies the number.
    const between = arithmetic.between(low, high, arithmetic.fraction(place));
    return `(CASE WHEN ${place} = ${arithmetic.floor(place)} THEN ${low} WHEN ${low} IS NULL THEN ${high} ELSE ${between} END)`;
  });
};

const percentileDisc: AnalyticMapping = (call) => {
  const { p, arithmetic, count, at } = percentileOf(call);
  const place = arithmetic.toInteger(arithmetic.ceilOfTimes(p, count));
  return at(`greatest(${place}, 1)`);
};

/**
 * PERCENTILE_CONT and PERCENTILE_DISC:
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/navigation_functions#percentile_cont
 */
export const percentiles: Readonly<Record<string, AnalyticMapping>> = {
  percentile_cont: percentileCont,
  percentile_disc: percentileDisc,
};
