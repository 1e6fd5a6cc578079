import type { SqlType } from "../../types.ts";
import { arg, type DatePart, kindOf, onceEach, partArgument, refuse, sqlOf, weekStart } from "./arguments.ts";
import {
  addDays,
  addMonths,
  checkedDate,
  checkedPoint,
  dayNumber,
  instantOf,
  localPoint,
  localTime,
  overflow,
  pointOfMicros,
  type Scope,
} from "./calendar.ts";
import type { CompiledExpr, FunctionCall, ScalarMapping } from "./types.ts";

/** Microseconds of the parts that have a fixed length. */
export const PART_MICROS: Partial<Record<DatePart, bigint>> = {
  MICROSECOND: 1n,
  MILLISECOND: 1000n,
  SECOND: 1_000_000n,
  MINUTE: 60_000_000n,
  HOUR: 3_600_000_000n,
  DAY: 86_400_000_000n,
};

const PART_MONTHS: Partial<Record<DatePart, number>> = { MONTH: 1, QUARTER: 3, YEAR: 12 };

/** `n` times a constant, which DuckDB checks for overflow. */
export function times(n: string, factor: number | bigint): string {
  return factor === 1 || factor === 1n ? n : `(${n} * ${factor}::BIGINT)`;
}

/** DATE_ADD, DATETIME_ADD, TIMESTAMP_ADD, TIME_ADD and the four *_SUB. */
function shift(sign: 1 | -1): ScalarMapping {
  return (call) => {
    const type = arg(call, 0).type;
    const point = sqlOf(call, 0);
    const part = partArgument(call, 2);
    if (type.kind === "TIME") return shiftTime(call, point, sqlOf(call, 1), part, sign);
    const amount = amountToMove(arg(call, 1), point, sign);
    const what = overflow(type.kind.toLowerCase(), point, amount, part);
    const months = PART_MONTHS[part];
    if (months !== undefined) return addMonths(call, point, type, times(amount, months), what);
    const days = part === "WEEK" ? times(amount, 7) : part === "DAY" ? amount : undefined;
    if (type.kind === "DATE") {
      return days === undefined ? refuse(call, `with ${part}`) : addDays(call, point, days, what);
    }
    const micros = days === undefined ? PART_MICROS[part] : 86_400_000_000n;
    if (micros === undefined) return refuse(call, `with ${part}`);
    return checkedPoint(call, type, `(epoch_us(${point}) + ${times(days ?? amount, micros)})`, ...what);
  };
}

/** An amount that overflows when it is negated or scaled is an error, but not if there is nothing to move. */
function amountToMove({ sql, literal }: CompiledExpr, point: string, sign: 1 | -1): string {
  const signed = sign < 0 ? `(0 - ${sql})` : sql;
  const isSmall = typeof literal === "bigint" && literal > -1_000_000n && literal < 1_000_000n;
  return isSmall ? signed : `(CASE WHEN ${point} IS NOT NULL THEN ${signed} END)`;
}

function shiftTime(call: FunctionCall, time: string, amount: string, part: DatePart, sign: 1 | -1): string {
  const micros = PART_MICROS[part];
  if (micros === undefined) return refuse(call, `with ${part}`);
  const day = "86400000000::BIGINT";
  // The part is taken modulo a day first, so that no amount can overflow.
  const wrapped = `(${amount} % ${86_400_000_000n / micros}::BIGINT) * ${micros}::BIGINT`;
  return timeOfMicros(`((epoch_us(${time}) ${sign < 0 ? "-" : "+"} ${wrapped} + ${day}) % ${day})`);
}

/** The TIME of microseconds of the day. */
export function timeOfMicros(micros: string): string {
  return `CAST(make_timestamp(${micros}) AS TIME)`;
}

/** Days since 1970 of the first day of a week that contains a day. */
function weekOf(days: string, start: number): string {
  // 1970-01-01 was a Thursday; the offset keeps the remainder positive.
  return `(${days} - (${days} + ${719163 + 7 - start}) % 7)`;
}

/** A DATE or DATETIME cut to a part of at least a day, as a DATE. */
function truncDate(scope: Scope, point: string, part: DatePart, call: FunctionCall): string {
  const date = `CAST(${point} AS DATE)`;
  const start = weekStart(part) ?? (part === "ISOWEEK" ? 1 : undefined);
  if (start !== undefined) {
    return scope.context.once(dayNumber(date), (days) =>
      checkedDate(scope, weekOf(days, start), "Date truncation goes before 0001-01-01"),
    );
  }
  if (part === "DAY") return date;
  if (part === "ISOYEAR") {
    // The ISO year starts on the Monday of the week with 4 January.
    const fourth = `(make_date(CAST(isoyear(${date}) AS BIGINT), 1, 4) - DATE '1970-01-01')`;
    return scope.context.once(fourth, (days) =>
      checkedDate(scope, weekOf(days, 1), "Date truncation goes before 0001-01-01"),
    );
  }
  if (part in PART_MONTHS) return `CAST(date_trunc('${part.toLowerCase()}', ${date}) AS DATE)`;
  return refuse(call, `to ${part}`);
}

const trunc: ScalarMapping = (call) => {
  const type = arg(call, 0).type;
  const part = partArgument(call, 1);
  if (type.kind === "DATE") return call.context.once(sqlOf(call, 0), (d) => truncDate(call, d, part, call));
  const micros = PART_MICROS[part];
  if (type.kind === "TIME") {
    if (micros === undefined) return refuse(call, `to ${part}`);
    return call.context.once(`epoch_us(${sqlOf(call, 0)})`, (us) =>
      timeOfMicros(`(${us} - ${us} % ${micros}::BIGINT)`),
    );
  }
  const zone = call.args[2];
  if (micros !== undefined && zone === undefined) {
    // From 1 BC no time is negative, so the remainder is one.
    return call.context.once(`epoch_us(${sqlOf(call, 0)})`, (us) =>
      pointOfMicros(type.kind, `(${us} - (${us} + 62135596800000000::BIGINT) % ${micros}::BIGINT)`),
    );
  }
  if (type.kind === "DATETIME") {
    return call.context.once(sqlOf(call, 0), (d) => `CAST(${truncDate(call, d, part, call)} AS TIMESTAMP)`);
  }
  const local = localTime(call, sqlOf(call, 0), zone);
  if (micros !== undefined && part !== "DAY") {
    // The part in the zone starts at the same offset as the time itself, so an hour that repeats stays apart.
    return onceEach(call, [`epoch_us(${sqlOf(call, 0)})`, `epoch_us(${local})`], (us, clock) =>
      pointOfMicros("TIMESTAMP", `(${us} - (${clock} + 62135596800000000::BIGINT) % ${micros}::BIGINT)`),
    );
  }
  return call.context.once(local, (clock) =>
    backToInstant(call, `CAST(${truncDate(call, clock, part, call)} AS TIMESTAMP)`, zone),
  );
};

function backToInstant(call: FunctionCall, datetime: string, zone: CompiledExpr | undefined): string {
  return zone === undefined ? `make_timestamptz(epoch_us(${datetime}))` : instantOf(call, datetime, zone);
}

/** Week number: how often the week's first day has come since the year began. */
function weekNumber(point: string, start: number): string {
  return `((dayofyear(${point}) + 6 - (dayofweek(${point}) + ${7 - start}) % 7) // 7)`;
}

/** An EXTRACT from a DATE, DATETIME or TIME. */
function extractPart(call: FunctionCall, kind: SqlType["kind"], point: string, part: DatePart): string {
  if (part === "DATE") return `CAST(${point} AS DATE)`;
  if (part === "TIME") return `CAST(${point} AS TIME)`;
  if (part === "DATETIME") return `CAST(${point} AS TIMESTAMP)`;
  if (kind === "INTERVAL") return extractInterval(call, point, part);
  const start = weekStart(part);
  if (start !== undefined) return call.context.once(point, (p) => weekNumber(p, start));
  if (part === "MILLISECOND") return `((epoch_us(${point}) + 62135596800000000::BIGINT) // 1000 % 1000)`;
  if (part === "MICROSECOND") return `((epoch_us(${point}) + 62135596800000000::BIGINT) % 1000000)`;
  if (part === "NANOSECOND") return refuse(call, "with NANOSECOND");
  if (part === "DAYOFWEEK") return `(dayofweek(${point}) + 1)`;
  const name = part === "ISOWEEK" ? "weekofyear" : part.toLowerCase();
  return `${name}(${point})`;
}

function extractInterval(call: FunctionCall, value: string, part: DatePart): string {
  if (part === "YEAR" || part === "MONTH" || part === "DAY" || part === "HOUR" || part === "MINUTE") {
    return `date_part('${part.toLowerCase()}', ${value})`;
  }
  if (part === "SECOND") return `(date_part('microsecond', ${value}) // 1000000)`;
  if (part === "MILLISECOND") return `(date_part('microsecond', ${value}) // 1000 % 1000)`;
  if (part === "MICROSECOND") return `(date_part('microsecond', ${value}) % 1000000)`;
  return refuse(call, `with ${part}`);
}

/** EXTRACT in its four resolved forms. */
function extract(fixed?: DatePart): ScalarMapping {
  return (call) => {
    const kind = kindOf(call, 0);
    const part = fixed ?? partArgument(call, 1);
    const zone = call.args[fixed === undefined ? 2 : 1];
    const local = part === "DATE" || part === "DATETIME" ? localPoint : localTime;
    const point = kind === "TIMESTAMP" ? local(call, sqlOf(call, 0), zone) : sqlOf(call, 0);
    return extractPart(call, kind, point, part);
  };
}

/** Boundaries of a part of at least a day between two dates. */
function dateDiff(call: FunctionCall, a: string, b: string, part: DatePart): string {
  const [x, y] = [`CAST(${a} AS DATE)`, `CAST(${b} AS DATE)`];
  if (part === "DAY") return `(${x} - ${y})`;
  const start = weekStart(part) ?? (part === "ISOWEEK" ? 1 : undefined);
  if (start !== undefined) {
    return onceEach(
      call,
      [dayNumber(x), dayNumber(y)],
      (m, n) => `((${weekOf(m, start)} - ${weekOf(n, start)}) // 7)`,
    );
  }
  if (part === "ISOYEAR") return `(isoyear(${x}) - isoyear(${y}))`;
  if (part === "YEAR") return `(year(${x}) - year(${y}))`;
  if (part === "QUARTER") return `((year(${x}) - year(${y})) * 4 + quarter(${x}) - quarter(${y}))`;
  if (part === "MONTH") return `((year(${x}) - year(${y})) * 12 + month(${x}) - month(${y}))`;
  return refuse(call, `in ${part}`);
}

const diff: ScalarMapping = (call) => {
  const kind = kindOf(call, 0);
  const part = partArgument(call, 2);
  const micros = PART_MICROS[part];
  return onceEach(call, [sqlOf(call, 0), sqlOf(call, 1)], (a, b) => {
    if (kind === "DATE") return dateDiff(call, a, b, part);
    if (kind === "DATETIME" && (micros === undefined || part === "DAY")) return dateDiff(call, a, b, part);
    if (micros === undefined) return refuse(call, `in ${part}`);
    if (kind === "TIMESTAMP") return `((epoch_us(${a}) - epoch_us(${b})) // ${micros}::BIGINT)`;
    // DATETIME and TIME count boundaries: both sides are cut to the part first.
    const cut = (x: string): string => `(epoch_us(${x}) + 62135596800000000::BIGINT) // ${micros}::BIGINT`;
    return `(${cut(a)} - ${cut(b)})`;
  });
};

const lastDay: ScalarMapping = (call) => {
  const part = call.args.length > 1 ? partArgument(call, 1) : "MONTH";
  return call.context.once(`CAST(${sqlOf(call, 0)} AS DATE)`, (d) => {
    if (part === "MONTH") return `last_day(${d})`;
    const start = weekStart(part) ?? (part === "ISOWEEK" ? 1 : undefined);
    if (start !== undefined) {
      return call.context.once(dayNumber(d), (days) =>
        checkedDate(call, `(${weekOf(days, start)} + 6)`, "Last day is out of range"),
      );
    }
    if (part === "YEAR") return `make_date(year(${d}), 12, 31)`;
    if (part === "QUARTER") return `last_day(make_date(year(${d}), quarter(${d}) * 3, 1))`;
    if (part !== "ISOYEAR") return refuse(call, `with ${part}`);
    const next = `(make_date(CAST(isoyear(${d}) + 1 AS BIGINT), 1, 4) - DATE '1970-01-01')`;
    return call.context.once(next, (days) =>
      checkedDate(call, `(${weekOf(days, 1)} - 1)`, "Last day is out of range"),
    );
  });
};

/** Arithmetic on DATE, DATETIME, TIME and TIMESTAMP, and their parts. */
export const datetimeFunctions: Readonly<Record<string, ScalarMapping>> = {
  date_add: shift(1),
  datetime_add: shift(1),
  timestamp_add: shift(1),
  time_add: shift(1),
  date_sub: shift(-1),
  datetime_sub: shift(-1),
  timestamp_sub: shift(-1),
  time_sub: shift(-1),
  date_trunc: trunc,
  datetime_trunc: trunc,
  timestamp_trunc: trunc,
  time_trunc: trunc,
  date_diff: diff,
  datetime_diff: diff,
  timestamp_diff: diff,
  time_diff: diff,
  last_day: lastDay,
  $extract: extract(),
  $extract_date: extract("DATE"),
  $extract_time: extract("TIME"),
  $extract_datetime: extract("DATETIME"),
};
