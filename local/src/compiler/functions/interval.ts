import { arg, partArgument, refuse, sqlOf } from "./arguments.ts";
import { checkedDate, checkedPoint } from "./calendar.ts";
import { PART_MICROS } from "./datetime.ts";
import type { ScalarMapping } from "./types.ts";

const INTERVAL = { kind: "INTERVAL" } as const;

const make: ScalarMapping = (call) => {
  const part = partArgument(call, 1);
  const amount = sqlOf(call, 0);
  const [maker, factor, limit] =
    part === "YEAR"
      ? ["to_months", 12, 10_000]
      : part === "QUARTER"
        ? ["to_months", 3, 40_000]
        : part === "MONTH"
          ? ["to_months", 1, 120_000]
          : part === "WEEK"
            ? ["to_days", 7, 522_857]
            : part === "DAY"
              ? ["to_days", 1, 3_660_000]
              : ["to_microseconds", PART_MICROS[part], 316_224_000_000_000_000n / (PART_MICROS[part] ?? 1n)];
  if (factor === undefined) return refuse(call, `with ${part}`);
  return call.context.once(amount, (n) =>
    call.context.failWhen(
      `${n} NOT BETWEEN -${limit} AND ${limit}`,
      INTERVAL,
      ["Interval field ", part, " '", { sql: `CAST(${n} AS VARCHAR)` }, "' is out of range"],
      `${maker}(${maker === "to_microseconds" ? `${n} * ${factor}::BIGINT` : `CAST(${n} * ${factor} AS INTEGER)`})`,
    ),
  );
};

function justify(days: boolean, hours: boolean): ScalarMapping {
  return (call) => `${call.context.own("interval_justify")}(${sqlOf(call, 0)}, ${days}, ${hours})`;
}

/** DATE_BUCKET and its kin; without an origin the buckets are counted from 1950. */
const bucket: ScalarMapping = (call) => {
  const { type, sql } = arg(call, 0);
  const origin = call.args[2] === undefined ? "-631152000000000::BIGINT" : `epoch_us(${call.args[2].sql})`;
  const start = `${call.context.own("bucket")}(epoch_us(${sql}), ${sqlOf(call, 1)}, ${origin}, '${type.kind}')`;
  if (type.kind === "DATE")
    return checkedDate(call, `(${start} // 86400000000)`, "DATE_BUCKET is out of range");
  return checkedPoint(call, type, start, `${type.kind}_BUCKET is out of range`);
};

/** Functions that make and change INTERVAL, and those of buckets as wide as one. */
export const intervalFunctions: Readonly<Record<string, ScalarMapping>> = {
  $interval: make,
  make_interval: (call) =>
    `${call.context.own("interval_make")}(${call.args.map(({ sql }) => sql).join(", ")})`,
  date_bucket: bucket,
  datetime_bucket: bucket,
  timestamp_bucket: bucket,
  justify_days: justify(true, false),
  justify_hours: justify(false, true),
  justify_interval: justify(true, true),
};
