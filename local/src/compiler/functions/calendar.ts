import type { MessagePart } from "../../raise.ts";
import type { SqlType } from "../../types.ts";
import { literalText, onceEach } from "./arguments.ts";
import type { CompiledExpr, FunctionCall } from "./types.ts";

/** 0001-01-01 and 9999-12-31 as days since 1970. */
export const MIN_DAY = -719162;
export const MAX_DAY = 2932896;
/** The same as microseconds, to the end of the last day. */
export const MIN_MICROS = -62135596800000000n;
export const MAX_MICROS = 253402300799999999n;

/** Whatever a mapping needs to write an operand twice. */
export type Scope = Pick<FunctionCall, "context">;

/** A DATE as days since 1970, BIGINT. */
export function dayNumber(date: string): string {
  return `(${date} - DATE '1970-01-01')`;
}

/** The DATE of a day number, which must be in range. */
export function dateOfDay(days: string): string {
  return `(DATE '1970-01-01' + CAST(${days} AS INTEGER))`;
}

/** The TIMESTAMP or DATETIME of microseconds since 1970, which must be in range. */
export function pointOfMicros(kind: SqlType["kind"], micros: string): string {
  return kind === "TIMESTAMP" ? `make_timestamptz(${micros})` : `make_timestamp(${micros})`;
}

/** A DATE from a day number, or an error where BigQuery has no such date. */
export function checkedDate(scope: Scope, days: string, ...what: readonly MessagePart[]): string {
  return scope.context.once(days, (d) =>
    scope.context.failWhen(
      `${d} NOT BETWEEN ${MIN_DAY} AND ${MAX_DAY}`,
      { kind: "DATE" },
      what,
      dateOfDay(d),
    ),
  );
}

/** A TIMESTAMP or DATETIME from microseconds, or an error where BigQuery has no such time. */
export function checkedPoint(
  scope: Scope,
  type: SqlType,
  micros: string,
  ...what: readonly MessagePart[]
): string {
  return scope.context.once(micros, (v) =>
    scope.context.failWhen(
      `${v} NOT BETWEEN ${MIN_MICROS}::BIGINT AND ${MAX_MICROS}::BIGINT`,
      type,
      what,
      pointOfMicros(type.kind, v),
    ),
  );
}

/** What BigQuery says of a time that cannot be moved so far. */
export function overflow(kind: string, point: string, amount: string, part: string): readonly MessagePart[] {
  const shown = [
    { sql: `CAST(${amount} AS VARCHAR)` },
    ` ${part} to ${kind} `,
    { sql: `CAST(${point} AS VARCHAR)` },
  ];
  return ["Adding ", ...shown, " causes overflow"];
}

/** A DATE moved by days. */
export function addDays(
  scope: Scope,
  date: string,
  days: string,
  what: readonly MessagePart[] = overflow("date", date, days, "DAY"),
): string {
  return checkedDate(scope, `(${dayNumber(date)} + ${days})`, ...what);
}

/** A DATE or DATETIME moved by months; the day is clamped to the month's last one. */
export function addMonths(
  scope: Scope,
  point: string,
  type: SqlType,
  months: string,
  what: readonly MessagePart[] = overflow(type.kind.toLowerCase(), point, months, "MONTH"),
): string {
  return onceEach(scope, [point, months], (p, m) => {
    // The year after the move decides, before DuckDB builds a value that may not exist.
    const month = `(year(${p}) * 12::BIGINT + month(${p}) - 1 + ${m})`;
    const moved = `CAST(${p} + to_months(CAST(${m} AS INTEGER)) AS ${type.kind === "DATE" ? "DATE" : "TIMESTAMP"})`;
    const checked = scope.context.failWhen(
      `${m} NOT BETWEEN -120000 AND 120000 OR ${month} NOT BETWEEN 12 AND 119999`,
      type,
      what,
      moved,
    );
    return `(CASE WHEN ${p} IS NOT NULL AND ${m} IS NOT NULL THEN ${checked} END)`;
  });
}

/** Months of an INTERVAL. */
export function intervalMonths(interval: string): string {
  return `(date_part('year', ${interval}) * 12 + date_part('month', ${interval}))`;
}

/** Days of an INTERVAL. */
export function intervalDays(interval: string): string {
  return `date_part('day', ${interval})`;
}

/** Microseconds of an INTERVAL, beside its months and days. */
export function intervalMicros(interval: string): string {
  return `(date_part('hour', ${interval}) * 3600000000 + date_part('minute', ${interval}) * 60000000 + date_part('microsecond', ${interval}))`;
}

/** `point + interval` or, with sign -1, `point - interval`, on DATE (gives DATETIME), DATETIME and TIMESTAMP. */
export function shiftByInterval(
  scope: Scope,
  point: string,
  type: SqlType,
  interval: string,
  sign: 1 | -1,
): string {
  const minus = sign < 0 ? "-" : "";
  return onceEach(scope, [point, interval], (p, i) => {
    const micros = `(${minus}(${intervalDays(i)} * 86400000000 + ${intervalMicros(i)}))`;
    if (type.kind === "TIMESTAMP") {
      const moved = checkedPoint(
        scope,
        type,
        `(epoch_us(${p}) + ${micros})`,
        "Timestamp operation caused overflow",
      );
      return scope.context.failWhen(
        `${intervalMonths(i)} <> 0 AND ${p} IS NOT NULL`,
        type,
        ["TIMESTAMP +/- INTERVAL is not supported for intervals with non-zero MONTH or YEAR part."],
        moved,
      );
    }
    const datetime: SqlType = { kind: "DATETIME" };
    const byMonths = addMonths(scope, `CAST(${p} AS TIMESTAMP)`, datetime, `(${minus}${intervalMonths(i)})`);
    return checkedPoint(
      scope,
      datetime,
      `(epoch_us(${byMonths}) + ${micros})`,
      "Datetime operation caused overflow",
    );
  });
}

const OFFSET_ZONE = /^([+-])(\d{1,2})(?::(\d\d))?$/;
/** The same after UTC, where the minutes may follow the hours at once. */
const UTC_ZONE = /^UTC([+-])(\d{1,2})(?::?(\d\d))?$/;

/** Minutes east of UTC that a zone like `+05:30` means; undefined for a zone that is a name. */
export function zoneOffsetMinutes(zone: string): number | undefined {
  const [, sign, hours, minutes] = OFFSET_ZONE.exec(zone) ?? UTC_ZONE.exec(zone) ?? [];
  if (hours === undefined) return undefined;
  const total = Number(hours) * 60 + Number(minutes ?? 0);
  return total > 14 * 60 || Number(minutes ?? 0) > 59 ? undefined : sign === "-" ? -total : total;
}

/** Whether a zone has a name that the tz database knows. */
export function isNamedZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return /^[A-Za-z]/.test(zone);
  } catch {
    return false;
  }
}

/** The DATETIME that clocks in a zone show at a TIMESTAMP. No zone: UTC. */
export function localTime(scope: Scope, timestamp: string, zone?: CompiledExpr): string {
  const name = zone === undefined ? "UTC" : literalText(zone);
  if (name === "UTC") return `make_timestamp(epoch_us(${timestamp}))`;
  if (name === undefined)
    return `make_timestamp(${scope.context.own("local_micros")}(epoch_us(${timestamp}), ${zone?.sql}))`;
  const offset = zoneOffsetMinutes(name);
  if (offset !== undefined) return `make_timestamp(epoch_us(${timestamp}) + ${offset * 60_000_000}::BIGINT)`;
  if (isNamedZone(name)) return `timezone('${name}', ${timestamp})`;
  return `(CASE WHEN ${timestamp} IS NOT NULL THEN ${scope.context.raise({ kind: "DATETIME" }, `Invalid time zone: ${name}`)} END)`;
}

/** The same where the DATETIME is the result or its date is: some that clocks show BigQuery does not have. */
export function localPoint(scope: Scope, timestamp: string, zone?: CompiledExpr): string {
  const local = localTime(scope, timestamp, zone);
  if (zone === undefined) return local;
  const what = [{ sql: `CAST(${timestamp} AS VARCHAR)` }, ` has no date in the time zone`];
  return checkedPoint(scope, { kind: "DATETIME" }, `epoch_us(${local})`, "Invalid datetime: ", ...what);
}

/** The TIMESTAMP at which clocks in a zone show a DATETIME. No zone: UTC. */
export function instantOf(scope: Scope, datetime: string, zone?: CompiledExpr): string {
  const name = zone === undefined ? "UTC" : literalText(zone);
  if (name === "UTC") return `make_timestamptz(epoch_us(${datetime}))`;
  return checkedPoint(
    scope,
    { kind: "TIMESTAMP" },
    zonedMicros(scope, datetime, name, zone),
    "Timestamp is out of range",
  );
}

function zonedMicros(
  scope: Scope,
  datetime: string,
  name: string | undefined,
  zone: CompiledExpr | undefined,
): string {
  if (name === undefined)
    return `${scope.context.own("instant_micros")}(epoch_us(${datetime}), ${zone?.sql})`;
  const offset = zoneOffsetMinutes(name);
  if (offset !== undefined) return `(epoch_us(${datetime}) - ${offset * 60_000_000}::BIGINT)`;
  if (!isNamedZone(name)) {
    return `(CASE WHEN ${datetime} IS NOT NULL THEN ${scope.context.raise({ kind: "INT64" }, `Invalid time zone: ${name}`)} END)`;
  }
  return onceEach(scope, [datetime, `timezone('${name}', ${datetime})`], (local, found) => {
    // Of a time that comes twice DuckDB gives the second, GoogleSQL the first: the one by the offset of the day before.
    const dayBefore = `make_timestamptz(epoch_us(${found}) - 86400000000)`;
    const earlier = `(epoch_us(${local}) - (epoch_us(timezone('${name}', ${dayBefore})) - epoch_us(${dayBefore})))`;
    return `(CASE WHEN timezone('${name}', make_timestamptz(${earlier})) = ${local} THEN ${earlier} ELSE epoch_us(${found}) END)`;
  });
}
