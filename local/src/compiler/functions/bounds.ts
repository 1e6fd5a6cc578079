import type { RangeType } from "../../types.ts";
import { duckType, infinity, rangeSql } from "../../values.ts";
import { onceEach } from "./arguments.ts";
import type { Scope } from "./calendar.ts";

/** A bound of a RANGE as DuckDB holds it: an infinity where it has none, so that two bounds always compare. */
export function heldBound({ element }: RangeType, range: string, which: "low" | "high"): string {
  // Of a constant NULL DuckDB would forget the type.
  return `CAST((${range}).${which} AS ${duckType(element)})`;
}

/** The lower bound of a RANGE; NULL where it has none. */
export function lowerBound(type: RangeType, range: string): string {
  return `nullif(${heldBound(type, range, "low")}, ${infinity(type.element, "-")})`;
}

/** The upper bound of a RANGE; NULL where it has none. */
export function upperBound(type: RangeType, range: string): string {
  return `nullif(${heldBound(type, range, "high")}, ${infinity(type.element, "")})`;
}

/** The RANGE of two bounds, either of which may be NULL, or BigQuery's error where it would hold nothing. */
export function checkedRange(scope: Scope, type: RangeType, lower: string, upper: string): string {
  return onceEach(scope, [lower, upper], (low, high) =>
    scope.context.failWhen(
      `${low} >= ${high}`,
      type,
      ["Range start element must be smaller than range end element"],
      rangeSql(
        `coalesce(${low}, ${infinity(type.element, "-")})`,
        `coalesce(${high}, ${infinity(type.element, "")})`,
      ),
    ),
  );
}
