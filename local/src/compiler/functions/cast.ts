import { unsupported } from "../../errors.ts";
import type { RangeType, ScalarKind, ScalarType, SqlType } from "../../types.ts";
import { duckType } from "../../values.ts";
import { INT64, onceEach, STRING } from "./arguments.ts";
import { checkedRange, lowerBound, upperBound } from "./bounds.ts";
import { instantOf, localTime } from "./calendar.ts";
import { castWithFormat } from "./cast-format.ts";
import { floatInMessage, floatText, numericText } from "./number-text.ts";
import { isQuiet } from "./safe.ts";
import { pointText } from "./time-text.ts";
import type { CastCall, CompiledExpr, FunctionContext, TypeParameters } from "./types.ts";

/** One conversion; the operand may be written once only, unless it goes through `context.once`. */
type Conversion = (sql: string, context: FunctionContext, zone: CompiledExpr | undefined) => string;

const same: Conversion = (sql) => sql;
const plain =
  (type: string): Conversion =>
  (sql) =>
    `CAST(${sql} AS ${type})`;
const own =
  (name: string): Conversion =>
  (sql, context) =>
    `${context.own(name)}(${sql})`;

/** DuckDB's own conversion where the text has its plainest form, ours with all the forms and the error elsewhere. */
function fastOr(
  pattern: string,
  type: string,
  ours: (s: string, context: FunctionContext) => string,
): Conversion {
  return (sql, context) =>
    context.once(
      sql,
      (s) =>
        `coalesce(TRY_CAST(CASE WHEN regexp_full_match(${s}, '${pattern}') THEN ${s} END AS ${type}), ${ours(s, context)})`,
    );
}

const CLOCK = "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,6})?";
const DAY = "(000[1-9]|00[1-9]\\d|0[1-9]\\d\\d|[1-9]\\d{3})-\\d\\d-\\d\\d";

const stringToBool: Conversion = (sql, context) =>
  context.once(
    sql,
    (s) =>
      `(CASE lower(${s}) WHEN 'true' THEN true WHEN 'false' THEN false ELSE CASE WHEN ${s} IS NOT NULL THEN ${context.raise({ kind: "BOOL" }, "Bad bool value: ", { sql: s })} END END)`,
  );

const floatToInt: Conversion = (sql, context) =>
  context.once(sql, (x) => {
    const inRange = `${x} >= -9223372036854775808.5 AND ${x} < 9223372036854775807.5`;
    const far = context.failWhen(
      `NOT (${inRange})`,
      INT64,
      ["int64 out of range: ", { sql: floatInMessage(x) }],
      `CAST(round(${x}) AS BIGINT)`,
    );
    const message = [
      "Illegal conversion of non-finite floating point number to an integer: ",
      { sql: floatText(context, x) },
    ];
    return context.failWhen(`NOT isfinite(${x})`, INT64, message, far);
  });

const bytesToString: Conversion = (sql, context) =>
  context.once(sql, (b) => {
    // TRY takes no subquery.
    const e = context.mayHoldSubquery ? context.parameter("e") : undefined;
    const text =
      e === undefined ? `TRY(decode(${b}))` : `list_transform([${b}], lambda ${e}: TRY(decode(${e})))[1]`;
    return context.failWhen(
      `${text} IS NULL AND ${b} IS NOT NULL`,
      STRING,
      ["Invalid cast of bytes to UTF8 string"],
      text,
    );
  });

const boolToString: Conversion = plain("VARCHAR");

const stringToTimestamp: Conversion = (sql, context, zone) => {
  const zoneSql = zone === undefined ? "'UTC'" : zone.sql;
  const ours = (s: string): string =>
    `make_timestamptz(${context.own("parse_timestamp_literal")}(${s}, ${zoneSql}, false))`;
  if (zone !== undefined) return ours(sql);
  return fastOr(`${DAY}([ T]${CLOCK}(Z|[+]00|[+]00:00)?)?`, "TIMESTAMPTZ", ours)(sql, context, zone);
};

const stringToDatetime = fastOr(
  `${DAY}([ T]${CLOCK})?`,
  "TIMESTAMP",
  (s, context) => `make_timestamp(${context.own("parse_datetime_literal")}(${s}))`,
);

const CONVERSIONS: Partial<Record<`${ScalarKind}>${ScalarKind}`, Conversion>> = {
  "INT64>FLOAT64": plain("DOUBLE"),
  "INT64>NUMERIC": plain("DECIMAL(38,9)"),
  "INT64>BIGNUMERIC": (sql, context) => `${context.own("bignumeric_from_int")}(${sql})`,
  "INT64>BOOL": (sql) => `(${sql} <> 0)`,
  "INT64>STRING": plain("VARCHAR"),
  "BOOL>INT64": plain("BIGINT"),
  "BOOL>STRING": boolToString,
  "FLOAT64>INT64": floatToInt,
  "FLOAT64>NUMERIC": own("numeric_from_float"),
  "FLOAT64>BIGNUMERIC": own("bignumeric_from_float"),
  "FLOAT64>STRING": (sql, context) => floatText(context, sql),
  // DuckDB's direct conversion divides two doubles and may be off by a bit; reading the text is exact.
  "NUMERIC>FLOAT64": (sql) => `CAST(CAST(${sql} AS VARCHAR) AS DOUBLE)`,
  "NUMERIC>INT64": plain("BIGINT"),
  "NUMERIC>BIGNUMERIC": own("bignumeric_from_numeric"),
  "NUMERIC>STRING": numericText,
  "BIGNUMERIC>FLOAT64": (sql, context) => `CAST(${context.own("bignumeric_text")}(${sql}) AS DOUBLE)`,
  "BIGNUMERIC>INT64": own("bignumeric_to_int"),
  "BIGNUMERIC>NUMERIC": own("numeric_from_bignumeric"),
  "BIGNUMERIC>STRING": own("bignumeric_text"),
  "STRING>INT64": fastOr("[+-]?\\d{1,19}", "BIGINT", (s, context) => `${context.own("parse_int")}(${s})`),
  "STRING>FLOAT64": fastOr(
    "[+-]?\\d{1,15}(\\.\\d{1,15})?",
    "DOUBLE",
    (s, context) => `${context.own("parse_float")}(${s})`,
  ),
  "STRING>NUMERIC": fastOr(
    "[+-]?\\d{1,20}(\\.\\d{1,9})?",
    "DECIMAL(38,9)",
    (s, context) => `${context.own("parse_numeric")}(${s})`,
  ),
  "STRING>BIGNUMERIC": own("parse_bignumeric"),
  "STRING>BOOL": stringToBool,
  "STRING>BYTES": (sql) => `encode(${sql})`,
  "STRING>DATE": fastOr(
    DAY,
    "DATE",
    (s, context) => `(DATE '1970-01-01' + CAST(${context.own("parse_date_literal")}(${s}) AS INTEGER))`,
  ),
  "STRING>DATETIME": stringToDatetime,
  "STRING>TIME": fastOr(
    CLOCK,
    "TIME",
    (s, context) => `CAST(make_timestamp(${context.own("parse_time_literal")}(${s})) AS TIME)`,
  ),
  "STRING>TIMESTAMP": stringToTimestamp,
  "STRING>INTERVAL": own("parse_interval"),
  "BYTES>STRING": bytesToString,
  "DATE>STRING": (sql, context) => pointText(context, { kind: "DATE" }, sql),
  "DATE>DATETIME": plain("TIMESTAMP"),
  "DATE>TIMESTAMP": (sql, context, zone) => instantOf({ context }, `CAST(${sql} AS TIMESTAMP)`, zone),
  "DATETIME>STRING": (sql, context) => pointText(context, { kind: "DATETIME" }, sql),
  "DATETIME>DATE": plain("DATE"),
  "DATETIME>TIME": plain("TIME"),
  "DATETIME>TIMESTAMP": (sql, context, zone) => instantOf({ context }, sql, zone),
  "TIME>STRING": (sql, context) => pointText(context, { kind: "TIME" }, sql),
  "TIMESTAMP>DATE": (sql, context, zone) => `CAST(${localTime({ context }, sql, zone)} AS DATE)`,
  "TIMESTAMP>DATETIME": (sql, context, zone) => localTime({ context }, sql, zone),
  "TIMESTAMP>TIME": (sql, context, zone) => `CAST(${localTime({ context }, sql, zone)} AS TIME)`,
  "TIMESTAMP>STRING": (sql, context, zone) =>
    zone === undefined
      ? `(${pointText(context, { kind: "TIMESTAMP" }, sql)} || '+00')`
      : `${context.own("timestamp_text")}(epoch_us(${sql}), ${zone.sql})`,
  "INTERVAL>STRING": own("interval_text"),
};

/** A scalar conversion, or undefined where CAST has none. */
function scalarConversion(from: ScalarKind, to: ScalarKind): Conversion | undefined {
  return from === to ? same : CONVERSIONS[`${from}>${to}`];
}

/** Converts a value of any type; ARRAY and STRUCT element by element. */
function convert(
  sql: string,
  from: SqlType,
  to: SqlType,
  context: FunctionContext,
  zone: CompiledExpr | undefined,
): string {
  if (from.kind === "ARRAY" && to.kind === "ARRAY") {
    if (duckType(from) === duckType(to) && sameKinds(from, to)) return sql;
    const element = context.parameter("e");
    return `list_transform(${sql}, lambda ${element}: ${convert(element, from.element, to.element, context, zone)})`;
  }
  if (from.kind === "STRUCT" && to.kind === "STRUCT") {
    if (sameKinds(from, to)) return sql;
    return context.once(sql, (s) => {
      const fields = to.fields.map((field, index) => {
        const source = from.fields[index]?.type ?? field.type;
        return `f${index} := ${convert(`(${s}).f${index}`, source, field.type, context, zone)}`;
      });
      return `(CASE WHEN ${s} IS NOT NULL THEN struct_pack(${fields.join(", ")}) END)`;
    });
  }
  if (from.kind === "RANGE" && sameKinds(from, to)) return sql;
  if (from.kind === "RANGE" && to.kind === "STRING") return rangeToString(sql, from, context);
  if (from.kind === "STRING" && to.kind === "RANGE") return stringToRange(sql, to, context);
  const conversion = isScalar(from) && isScalar(to) ? scalarConversion(from.kind, to.kind) : undefined;
  if (conversion === undefined) throw unsupported(`CAST from ${from.kind} to ${to.kind}`);
  return conversion(sql, context, zone);
}

function isScalar(type: SqlType): type is ScalarType {
  return type.kind !== "ARRAY" && type.kind !== "STRUCT" && type.kind !== "RANGE";
}

/** `[2020-01-01, UNBOUNDED)`: https://cloud.google.com/bigquery/docs/reference/standard-sql/conversion_functions#cast_as_string */
function rangeToString(sql: string, type: RangeType, context: FunctionContext): string {
  return context.once(sql, (range) => {
    const bound = (value: string): string =>
      `coalesce(${convert(value, type.element, STRING, context, undefined)}, 'UNBOUNDED')`;
    return `(CASE WHEN ${range} IS NOT NULL THEN '[' || ${bound(lowerBound(type, range))} || ', ' || ${bound(upperBound(type, range))} || ')' END)`;
  });
}

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/conversion_functions#cast-as-range */
function stringToRange(sql: string, type: RangeType, context: FunctionContext): string {
  return context.once(`${context.own("range_bounds")}(${sql})`, (bounds) => {
    const texts = [`${bounds}[1]`, `${bounds}[2]`];
    const values = texts.map((text) => convert(text, STRING, type.element, context, undefined));
    return onceEach({ context }, values, (low, high) => {
      // SAFE_CAST makes NULL of a bound that cannot be read, which is not one that is not there.
      const unread = [low, high].map((value, index) => `(${texts[index]} IS NOT NULL AND ${value} IS NULL)`);
      const range = checkedRange({ context }, type, low, high);
      return `(CASE WHEN ${bounds} IS NOT NULL AND NOT (${unread.join(" OR ")}) THEN ${range} END)`;
    });
  });
}

function sameKinds(a: SqlType, b: SqlType): boolean {
  if (a.kind === "ARRAY" && b.kind === "ARRAY") return sameKinds(a.element, b.element);
  if (a.kind === "RANGE" && b.kind === "RANGE") return sameKinds(a.element, b.element);
  if (a.kind === "STRUCT" && b.kind === "STRUCT") {
    return (
      a.fields.length === b.fields.length &&
      a.fields.every((field, index) => sameKinds(field.type, b.fields[index]?.type ?? STRING))
    );
  }
  return a.kind === b.kind;
}

/** The DuckDB expression of CAST and SAFE_CAST. */
export function castSql(call: CastCall): string {
  const { arg, context } = call;
  if (!call.safe) return convertArgument(call, arg.sql);
  // A part that cannot be converted makes the whole ARRAY or STRUCT NULL, not itself.
  const composite = call.to.kind === "ARRAY" || call.to.kind === "STRUCT";
  const converted = (sql: string): string =>
    composite ? `TRY(${convertArgument(call, sql)})` : context.quietly(() => convertArgument(call, sql));
  if (isQuiet(arg)) return converted(arg.sql);
  // Only errors of the conversion give NULL, not those of its operand.
  const name = context.parameter("v");
  return `list_transform([${arg.sql}], lambda ${name}: ${converted(name)})[1]`;
}

function convertArgument(call: CastCall, sql: string): string {
  const { arg, from, to, context } = call;
  const result =
    call.format === undefined
      ? arg.literal === null
        ? `NULL::${duckType(to)}`
        : convert(sql, from, to, context, call.timeZone)
      : castWithFormat({ ...call, arg: { ...arg, sql } });
  return limitTo(result, to, call.parameters, context);
}

/** STRING(n), BYTES(n), NUMERIC(p, s) and BIGNUMERIC(p, s) limit what the conversion gives. */
function limitTo(
  sql: string,
  to: SqlType,
  parameters: TypeParameters | undefined,
  context: FunctionContext,
): string {
  if (parameters === undefined) return sql;
  const { maxLength, precision, scale = 0n, children = [] } = parameters;
  if (to.kind === "ARRAY") {
    const element = context.parameter("e");
    return `list_transform(${sql}, lambda ${element}: ${limitTo(element, to.element, children[0], context)})`;
  }
  if (to.kind === "STRUCT") {
    return context.once(sql, (s) => {
      const fields = to.fields.map(
        (field, index) => `f${index} := ${limitTo(`(${s}).f${index}`, field.type, children[index], context)}`,
      );
      return `(CASE WHEN ${s} IS NOT NULL THEN struct_pack(${fields.join(", ")}) END)`;
    });
  }
  if (maxLength !== undefined) {
    return context.once(sql, (value) => {
      const length = to.kind === "BYTES" ? `octet_length(${value})` : `length(${value})`;
      const message = [
        `${to.kind}(${maxLength}) has maximum length ${maxLength} but got a value with length `,
        { sql: `CAST(${length} AS VARCHAR)` },
      ];
      return context.failWhen(`${length} > ${maxLength}`, to, message, value);
    });
  }
  if (precision === undefined) return sql;
  return `${context.own(`${to.kind === "NUMERIC" ? "numeric" : "bignumeric"}_limit`)}(${sql}, ${precision}::BIGINT, ${scale}::BIGINT)`;
}

/** Converts between types outside a CAST: an argument that a function takes in another type. */
export function convertSql(expr: CompiledExpr, to: SqlType, context: FunctionContext): string {
  return convert(expr.sql, expr.type, to, context, undefined);
}
