import { kindOf, sqlOf } from "./arguments.ts";
import {
  checkedDate,
  dateOfDay,
  dayNumber,
  instantOf,
  localPoint,
  localTime,
  MAX_DAY,
  MAX_MICROS,
  MIN_DAY,
  MIN_MICROS,
  pointOfMicros,
} from "./calendar.ts";
import { timeOfMicros, times } from "./datetime.ts";
import type { ScalarMapping } from "./types.ts";

const now: ScalarMapping = (call) => `make_timestamptz(${call.context.now}::BIGINT)`;

function current(make: (local: string) => string): ScalarMapping {
  return (call) => make(localTime(call, `make_timestamptz(${call.context.now}::BIGINT)`, call.args[0]));
}

/** DATE(…) from parts, a DATETIME, a TIMESTAMP or a STRING is a constructor; so are the three others. */
const date: ScalarMapping = (call) => {
  const kind = kindOf(call, 0);
  if (kind === "INT64")
    return dateOfDay(
      `${call.context.own("make_date")}(${sqlOf(call, 0)}, ${sqlOf(call, 1)}, ${sqlOf(call, 2)})`,
    );
  if (kind === "TIMESTAMP") return `CAST(${localPoint(call, sqlOf(call, 0), call.args[1])} AS DATE)`;
  return `CAST(${sqlOf(call, 0)} AS DATE)`;
};

const datetime: ScalarMapping = (call) => {
  const kind = kindOf(call, 0);
  const all = call.args.map((each) => each.sql).join(", ");
  if (kind === "INT64") return `make_timestamp(${call.context.own("make_datetime")}(${all}))`;
  if (kind === "TIMESTAMP") return localPoint(call, sqlOf(call, 0), call.args[1]);
  if (kind === "DATE" && call.args.length > 1) return `(${sqlOf(call, 0)} + ${sqlOf(call, 1)})`;
  return `CAST(${sqlOf(call, 0)} AS TIMESTAMP)`;
};

const time: ScalarMapping = (call) => {
  const kind = kindOf(call, 0);
  if (kind === "INT64")
    return timeOfMicros(`${call.context.own("make_time")}(${call.args.map((each) => each.sql).join(", ")})`);
  if (kind === "TIMESTAMP") return `CAST(${localTime(call, sqlOf(call, 0), call.args[1])} AS TIME)`;
  return `CAST(${sqlOf(call, 0)} AS TIME)`;
};

const timestamp: ScalarMapping = (call) => {
  const kind = kindOf(call, 0);
  if (kind === "STRING") {
    const zone = call.args[1]?.sql ?? "'UTC'";
    return `make_timestamptz(${call.context.own("parse_timestamp_literal")}(${sqlOf(call, 0)}, ${zone}, ${call.args[1] !== undefined}))`;
  }
  if (kind === "TIMESTAMP") return sqlOf(call, 0);
  return call.context.once(`CAST(${sqlOf(call, 0)} AS TIMESTAMP)`, (d) => instantOf(call, d, call.args[1]));
};

/** TIMESTAMP_SECONDS and its kin. */
function fromUnix(factor: bigint): ScalarMapping {
  return (call) => {
    if (kindOf(call, 0) === "TIMESTAMP") return sqlOf(call, 0);
    return call.context.once(sqlOf(call, 0), (n) =>
      call.context.failWhen(
        `${n} NOT BETWEEN ${MIN_MICROS / factor}::BIGINT AND ${MAX_MICROS / factor}::BIGINT`,
        { kind: "TIMESTAMP" },
        [
          "Input value ",
          { sql: `CAST(${n} AS VARCHAR)` },
          ` cannot be converted into a TIMESTAMP, because it would be out of the allowed range between ${MIN_MICROS} to ${MAX_MICROS} (microseconds)`,
        ],
        pointOfMicros("TIMESTAMP", times(n, factor)),
      ),
    );
  };
}

/** UNIX_SECONDS and its kin round down. */
function toUnix(factor: bigint): ScalarMapping {
  const shiftUp = 62135596800000000n / factor;
  return (call) =>
    factor === 1n
      ? `epoch_us(${sqlOf(call, 0)})`
      : `((epoch_us(${sqlOf(call, 0)}) + 62135596800000000::BIGINT) // ${factor}::BIGINT - ${shiftUp}::BIGINT)`;
}

/** Functions that make a DATE, DATETIME, TIME or TIMESTAMP of other values, of now, or a number of one. */
export const datetimeValueFunctions: Readonly<Record<string, ScalarMapping>> = {
  date,
  datetime,
  time,
  timestamp,
  current_timestamp: now,
  current_date: current((local) => `CAST(${local} AS DATE)`),
  current_datetime: current((local) => local),
  current_time: current((local) => `CAST(${local} AS TIME)`),
  timestamp_seconds: fromUnix(1_000_000n),
  timestamp_millis: fromUnix(1000n),
  timestamp_micros: fromUnix(1n),
  unix_seconds: toUnix(1_000_000n),
  unix_millis: toUnix(1000n),
  unix_micros: toUnix(1n),
  unix_date: (call) => dayNumber(sqlOf(call, 0)),
  date_from_unix_date: (call) =>
    call.context.once(sqlOf(call, 0), (days) =>
      checkedDate(call, days, `DATE_FROM_UNIX_DATE range is ${MIN_DAY} to ${MAX_DAY} but saw `, {
        sql: `CAST(${days} AS VARCHAR)`,
      }),
    ),
};
