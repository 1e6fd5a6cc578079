import { kindOf, onceAll, sqlOf } from "./arguments.ts";
import type { ScalarMapping } from "./types.ts";

/** An operator on INT64, or our function for BYTES. */
function operator(name: string, sql: (a: string, b: string) => string): ScalarMapping {
  return (call) =>
    kindOf(call, 0) === "BYTES"
      ? `${call.context.own(`bit_${name}_bytes`)}(${call.args.map((each) => each.sql).join(", ")})`
      : sql(sqlOf(call, 0), sqlOf(call, 1));
}

function shift(name: "left" | "right"): ScalarMapping {
  return (call) => {
    if (kindOf(call, 0) === "BYTES")
      return `${call.context.own(`bit_shift_${name}_bytes`)}(${sqlOf(call, 0)}, ${sqlOf(call, 1)})`;
    return onceAll(call, (x, n) => {
      // DuckDB fails where bits leave on the left, and shifts right with the sign; GoogleSQL does neither.
      const shifted =
        name === "left"
          ? `${call.context.own("shift_left")}(${x}, ${n})`
          : `(CASE WHEN ${x} IS NULL THEN NULL WHEN ${x} < 0 THEN ${call.context.own("shift_right")}(${x}, ${n}) WHEN ${n} > 63 THEN 0 ELSE ${x} >> ${n} END)`;
      return call.context.failWhen(
        `${n} < 0 AND ${x} IS NOT NULL`,
        call.resultType,
        ["Bitwise shift by negative offset."],
        shifted,
      );
    });
  };
}

/** Bitwise operators. */
export const bitwiseFunctions: Readonly<Record<string, ScalarMapping>> = {
  $bitwise_and: operator("and", (a, b) => `(${a} & ${b})`),
  $bitwise_or: operator("or", (a, b) => `(${a} | ${b})`),
  $bitwise_xor: operator("xor", (a, b) => `xor(${a}, ${b})`),
  $bitwise_not: (call) =>
    kindOf(call, 0) === "BYTES"
      ? `${call.context.own("bit_not_bytes")}(${sqlOf(call, 0)})`
      : `(~(${sqlOf(call, 0)}))`,
  $bitwise_left_shift: shift("left"),
  $bitwise_right_shift: shift("right"),
  bit_count: (call) =>
    kindOf(call, 0) === "BYTES"
      ? `${call.context.own("bit_count_bytes")}(${sqlOf(call, 0)})`
      : `CAST(bit_count(${sqlOf(call, 0)}) AS BIGINT)`,
};
