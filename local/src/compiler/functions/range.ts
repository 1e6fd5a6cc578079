import type { MessagePart } from "../../raise.ts";
import type { RangeType } from "../../types.ts";
import { duckType, rangeSql } from "../../values.ts";
import { arg, onceAll, onceEach, refuse, sqlOf } from "./arguments.ts";
import { checkedRange, heldBound, lowerBound, upperBound } from "./bounds.ts";
import { dateOfDay, pointOfMicros } from "./calendar.ts";
import { castSql } from "./cast.ts";
import type { FunctionCall, ScalarMapping } from "./types.ts";

function rangeArgument(call: FunctionCall): RangeType {
  const { type } = arg(call, 0);
  return type.kind === "RANGE" ? type : refuse(call);
}

const range: ScalarMapping = (call) => {
  const { resultType } = call;
  if (resultType.kind !== "RANGE") return refuse(call);
  return checkedRange(call, resultType, sqlOf(call, 0), sqlOf(call, 1));
};

function overlapSql(type: RangeType, a: string, b: string): string {
  const startsBefore = (x: string, y: string): string =>
    `${heldBound(type, x, "low")} < ${heldBound(type, y, "high")}`;
  return `(${startsBefore(a, b)} AND ${startsBefore(b, a)})`;
}

const overlaps: ScalarMapping = (call) => {
  const type = rangeArgument(call);
  return onceAll(call, (a, b) => overlapSql(type, a, b));
};

const contains: ScalarMapping = (call) => {
  const type = rangeArgument(call);
  return onceAll(call, (outer, inner) => {
    const [low, high] = [heldBound(type, outer, "low"), heldBound(type, outer, "high")];
    return arg(call, 1).type.kind === "RANGE"
      ? `(${low} <= ${heldBound(type, inner, "low")} AND ${heldBound(type, inner, "high")} <= ${high})`
      : `(${low} <= ${inner} AND ${inner} < ${high})`;
  });
};

const intersect: ScalarMapping = (call) => {
  const type = rangeArgument(call);
  return onceAll(call, (a, b) => {
    const shown = (sql: string): MessagePart => ({
      sql: castSql({
        arg: { sql, type },
        from: type,
        to: { kind: "STRING" },
        safe: false,
        context: call.context,
      }),
    });
    const message = [
      "Provided RANGE inputs: ",
      shown(a),
      " and ",
      shown(b),
      " do not overlap. Please check RANGE_OVERLAPS before calling RANGE_INTERSECT",
    ];
    const common = rangeSql(
      `greatest(${heldBound(type, a, "low")}, ${heldBound(type, b, "low")})`,
      `least(${heldBound(type, a, "high")}, ${heldBound(type, b, "high")})`,
    );
    const checked = call.context.failWhen(`NOT ${overlapSql(type, a, b)}`, type, message, common);
    return `(CASE WHEN ${a} IS NOT NULL AND ${b} IS NOT NULL THEN ${checked} END)`;
  });
};

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/range-functions#generate_range_array */
const generate: ScalarMapping = (call) => {
  const type = rangeArgument(call);
  const { element } = type;
  const { context } = call;
  const pointOf = (micros: string): string =>
    element.kind === "DATE" ? dateOfDay(`(${micros} // 86400000000)`) : pointOfMicros(element.kind, micros);
  const partial = call.args[2]?.sql ?? "true";
  return onceEach(call, [sqlOf(call, 0), sqlOf(call, 1), partial], (split, step, withPartial) => {
    const [low, high] = [heldBound(type, split, "low"), heldBound(type, split, "high")];
    const bounds = `${call.context.own("range_split")}(epoch_us(${low}), epoch_us(${high}), ${step}, ${withPartial}, '${element.kind}')`;
    const pair = context.parameter("e");
    const each = rangeSql(pointOf(`${pair}[1]`), pointOf(`${pair}[2]`));
    const ranges = context.once(
      bounds,
      (points) => `list_transform(list_zip(${points}[:-2], ${points}[2:]), lambda ${pair}: ${each})`,
    );
    const anyNull = [split, step, withPartial].map((operand) => `${operand} IS NULL`).join(" OR ");
    const checked = call.context.failWhen(
      `NOT isfinite(${low}) OR NOT isfinite(${high})`,
      call.resultType,
      ["input RANGE cannot have UNBOUNDED endpoints"],
      `${ranges}::${duckType(call.resultType)}`,
    );
    return `(CASE WHEN ${anyNull} THEN NULL ELSE ${checked} END)`;
  });
};

/** Functions on RANGE: https://cloud.google.com/bigquery/docs/reference/standard-sql/range-functions */
export const rangeFunctions: Readonly<Record<string, ScalarMapping>> = {
  range,
  range_start: (call) => lowerBound(rangeArgument(call), sqlOf(call, 0)),
  range_end: (call) => upperBound(rangeArgument(call), sqlOf(call, 0)),
  range_contains: contains,
  range_overlaps: overlaps,
  range_intersect: intersect,
  generate_range_array: generate,
};
