import type { SqlType } from "../../types.ts";
import { duckType } from "../../values.ts";
import { arg, INT64, kindOf, onceAll, onceEach, partArgument, refuse, sqlOf } from "./arguments.ts";
import { dateOfDay, dayNumber } from "./calendar.ts";
import { PART_MICROS } from "./datetime.ts";
import type { CompiledExpr, FunctionCall, ScalarMapping } from "./types.ts";

/** `a[OFFSET(i)]`, `a[ORDINAL(i)]` and the two SAFE_ forms. */
function element(first: 0 | 1, safe: boolean): ScalarMapping {
  return (call) => {
    const index = arg(call, 1);
    const position = first === 1 ? index.sql : `(${index.sql} + 1)`;
    if (safe && typeof index.literal === "bigint") {
      const known = index.literal + BigInt(1 - first);
      return known < 1n || known > 1_000_000_000_000n
        ? `NULL::${duckType(call.resultType)}`
        : `(${sqlOf(call, 0)})[${known}]`;
    }
    return onceAll(call, (array, i) => {
      const at = `${array}[${first === 1 ? i : `${i} + 1`}]`;
      if (safe) return `(CASE WHEN ${i} >= ${first} AND ${i} < len(${array}) + ${first} THEN ${at} END)`;
      const side = `CASE WHEN ${i} < ${first} THEN 'under' ELSE 'over' END`;
      const message = [
        "Array index ",
        { sql: `CAST(${i} AS VARCHAR)` },
        " is out of bounds (",
        { sql: side },
        "flow)",
      ];
      const outside = `${array} IS NOT NULL AND (${i} < ${first} OR ${i} >= len(${array}) + ${first})`;
      return position === "" ? refuse(call) : call.context.failWhen(outside, call.resultType, message, at);
    });
  };
}

const joinText: ScalarMapping = (call) => {
  const isConstant = typeof arg(call, 1).literal === "string";
  const [array, delimiter, nullText] = [sqlOf(call, 0), sqlOf(call, 1), call.args[2]?.sql];
  const e = call.context.parameter("e");
  if (nullText !== undefined) {
    const filled = `list_transform(${array}, lambda ${e}: coalesce(${e}, ${nullText}))`;
    return `(CASE WHEN ${nullText} IS NOT NULL THEN ${joinList(call, filled, delimiter, isConstant)} END)`;
  }
  return joinList(call, array, delimiter, isConstant);
};

function joinList(call: FunctionCall, array: string, delimiter: string, isConstant: boolean): string {
  if (call.resultType.kind === "BYTES") return `${call.context.own("join_bytes")}(${array}, ${delimiter})`;
  // DuckDB's own aggregate wants a constant, and gives NULL where there is nothing to join.
  if (!isConstant) return `${call.context.own("join")}(${array}, ${delimiter})`;
  return call.context.once(
    array,
    (list) =>
      `(CASE WHEN ${list} IS NOT NULL THEN coalesce(list_aggregate(${list}, 'string_agg', ${delimiter}), '') END)`,
  );
}

const generateArray: ScalarMapping = (call) => {
  const kind = kindOf(call, 0);
  if (kind !== "INT64") {
    const step = call.args[2]?.sql ?? (kind === "FLOAT64" ? "1::DOUBLE" : "1");
    if (kind === "FLOAT64")
      return `${call.context.own("generate_array_float")}(${sqlOf(call, 0)}, ${sqlOf(call, 1)}, ${step})`;
    if (kind === "NUMERIC")
      return `${call.context.own("generate_array_numeric")}(${sqlOf(call, 0)}, ${sqlOf(call, 1)}, ${step})`;
    return refuse(call, `on ${kind}`);
  }
  return onceEach(
    call,
    [sqlOf(call, 0), sqlOf(call, 1), call.args[2]?.sql ?? "1::BIGINT"],
    (start, end, step) => {
      const values = `generate_series(${start}, ${end}, ${step})`;
      return series(call, start, end, step, bounded(call, start, end, step, values));
    },
  );
};

/** DuckDB's series with GoogleSQL's errors; a NULL bound gives NULL. */
function series(call: FunctionCall, start: string, end: string, step: string, sql: string): string {
  const anyNull = [start, end, step].map((bound) => `${bound} IS NULL`).join(" OR ");
  const zero = call.context.failWhen(`${step} = 0`, call.resultType, ["Sequence step cannot be 0."], sql);
  return `(CASE WHEN ${anyNull} THEN NULL ELSE ${zero} END)`;
}

/** An array without a bound would take the memory of the whole process. */
function bounded(call: FunctionCall, start: string, end: string, step: string, sql: string): string {
  const message = "Cannot generate arrays with more than 1000000 elements.";
  const steps = `(${end}::DOUBLE - ${start}::DOUBLE) / ${step}`;
  return call.context.failWhen(`${steps} >= 1000000`, call.resultType, [message], sql);
}

const generateDateArray: ScalarMapping = (call) => {
  const amount = call.args[2]?.sql ?? "1::BIGINT";
  const part = call.args.length > 3 ? partArgument(call, 3) : "DAY";
  const months = { MONTH: 1, QUARTER: 3, YEAR: 12 }[part as string];
  const days = { DAY: 1, WEEK: 7 }[part as string];
  const e = call.context.parameter("e");
  return onceEach(call, [dayNumber(sqlOf(call, 0)), dayNumber(sqlOf(call, 1)), amount], (start, end, n) => {
    if (months === undefined && days === undefined) return refuse(call, `with ${part}`);
    const numbers =
      months === undefined
        ? `generate_series(${start}, ${end}, ${n} * ${days})`
        : `${call.context.own("generate_months")}(${start}, ${end}, ${n} * ${months})`;
    return series(call, start, end, n, `list_transform(${numbers}, lambda ${e}: ${dateOfDay(e)})`);
  });
};

const generateTimestampArray: ScalarMapping = (call) => {
  const part = partArgument(call, 3);
  const micros = PART_MICROS[part];
  if (micros === undefined) return refuse(call, `with ${part}`);
  const e = call.context.parameter("e");
  return onceEach(call, [sqlOf(call, 0), sqlOf(call, 1), sqlOf(call, 2)], (start, end, n) => {
    const [from, to, step] = [`epoch_us(${start})`, `epoch_us(${end})`, `(${n} * ${micros}::BIGINT)`];
    const values = `list_transform(generate_series(${from}, ${to}, ${step}), lambda ${e}: make_timestamptz(${e}))`;
    return series(call, start, end, n, bounded(call, from, to, step, values));
  });
};

/** Not list_reverse: that is a macro, and DuckDB loses the name of a STRUCT's field that one makes in a correlated subquery. */
const reverse: ScalarMapping = (call) => `(${sqlOf(call, 0)})[:-:-1]`;

/** ARRAY_FIRST and ARRAY_LAST fail on an empty array. */
function end(index: "1" | "-1"): ScalarMapping {
  return (call) =>
    call.context.once(sqlOf(call, 0), (array) =>
      call.context.failWhen(
        `len(${array}) = 0`,
        call.resultType,
        [
          `${call.name.toUpperCase()} cannot get the ${index === "1" ? "first" : "last"} element of an empty array`,
        ],
        `${array}[${index}]`,
      ),
    );
}

const slice: ScalarMapping = (call) =>
  onceAll(call, (array, from, to) => {
    const at = (i: string): string =>
      `(CASE WHEN ${i} < 0 THEN len(${array}) + ${i} ELSE least(${i}, len(${array})) END)`;
    const anyNull = [array, from, to].map((each) => `${each} IS NULL`).join(" OR ");
    return `(CASE WHEN ${anyNull} THEN NULL ELSE list_slice(${array}, greatest(${at(from)}, 0) + 1, greatest(${at(to)} + 1, 0)) END)`;
  });

/** An aggregate over the elements; NULLs are passed over. */
function overElements(name: string): ScalarMapping {
  return (call) => {
    const type: SqlType = arg(call, 0).type;
    if (type.kind === "ARRAY" && type.element.kind !== "INT64" && name !== "max" && name !== "min")
      return refuse(call);
    if (type.kind === "ARRAY" && type.element.kind === "FLOAT64") return refuse(call, "on FLOAT64");
    const result = `list_aggregate(${sqlOf(call, 0)}, '${name}')`;
    return `CAST(${result} AS ${duckType(call.resultType)})`;
  };
}

/** RANGE_BUCKET: how many bounds are not above the point. */
const rangeBucket: ScalarMapping = (call) =>
  onceAll(call, (point, bounds) => {
    const e = call.context.parameter("e");
    const below = `len(list_filter(${bounds}, lambda ${e}: ${e} <= ${point}))`;
    const ordered = call.context.failWhen(
      `${bounds} <> list_sort(${bounds})`,
      INT64,
      ["Elements in input array to RANGE_BUCKET must be in ascending order"],
      below,
    );
    const counted = call.context.failWhen(
      `list_count(${bounds}) < len(${bounds})`,
      INT64,
      ["Elements in input array to RANGE_BUCKET cannot be null"],
      ordered,
    );
    const nan = kindOf(call, 0) === "FLOAT64" ? ` OR isnan(${point})` : "";
    return `(CASE WHEN ${point} IS NULL OR ${bounds} IS NULL${nan} THEN NULL ELSE ${counted} END)`;
  });

const makeArray: ScalarMapping = (call) => {
  const items = call.args.map((each: CompiledExpr) => each.sql);
  return `CAST([${items.join(", ")}] AS ${duckType(call.resultType)})`;
};

/** Arrays one after another; NULL where one of them is. */
export const concatArrays: ScalarMapping = (call) => `(${call.args.map(({ sql }) => sql).join(" || ")})`;

/** Functions on ARRAY. */
export const arrayFunctions: Readonly<Record<string, ScalarMapping>> = {
  $make_array: makeArray,
  $array_at_offset: element(0, false),
  $array_at_ordinal: element(1, false),
  $safe_array_at_offset: element(0, true),
  $safe_array_at_ordinal: element(1, true),
  array_length: (call) => `len(${sqlOf(call, 0)})`,
  array_concat: concatArrays,
  array_reverse: reverse,
  array_to_string: joinText,
  array_first: end("1"),
  array_last: end("-1"),
  array_slice: slice,
  array_max: overElements("max"),
  array_min: overElements("min"),
  array_sum: overElements("sum"),
  generate_array: generateArray,
  generate_date_array: generateDateArray,
  generate_timestamp_array: generateTimestampArray,
  range_bucket: rangeBucket,
};
