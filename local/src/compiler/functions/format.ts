import { quoteText } from "../../values.ts";
import { arg, kindOf, literalText, STRING, sqlOf } from "./arguments.ts";
import { dateOfDay, localTime } from "./calendar.ts";
import { convertSql } from "./cast.ts";
import { timeOfMicros } from "./datetime.ts";
import { displayText } from "./display.ts";
import type { CompiledExpr, FunctionCall, FunctionContext, ScalarMapping } from "./types.ts";

/** Elements that DuckDB's strftime prints as GoogleSQL does, by the part of a time they show. */
const NATIVE_DATE = new Set("YmdBbAaj");
const NATIVE_TIME = new Set("HMSp");
const COMPOSED: Readonly<Record<string, string>> = { "%F": "%Y-%m-%d", "%T": "%H:%M:%S", "%R": "%H:%M" };

/** A format for DuckDB's strftime, if the format is known and has nothing in which the two differ. */
function nativeFormat(format: string | undefined, kind: string): string | undefined {
  if (format === undefined || format === "" || format.includes("\0")) return undefined;
  const expanded = format.replace(/%[FTR]/g, (token) => COMPOSED[token] ?? token);
  const elements = [...expanded.matchAll(/%(.?)/gs)].map(([, letter = ""]) => letter);
  const known = (letter: string): boolean =>
    (kind !== "TIME" && NATIVE_DATE.has(letter)) || (kind !== "DATE" && NATIVE_TIME.has(letter));
  return elements.every(known) ? expanded : undefined;
}

/** FORMAT_DATE, FORMAT_DATETIME, FORMAT_TIME and FORMAT_TIMESTAMP. */
const formatPoint: ScalarMapping = (call) => {
  const kind = kindOf(call, 1);
  const zone = call.args[2];
  const point = sqlOf(call, 1);
  if (arg(call, 0).literal === null) return "NULL::VARCHAR";
  const native = nativeFormat(literalText(arg(call, 0)), kind);
  if (native !== undefined) return formatNatively(call, kind, native);
  if (kind === "TIMESTAMP") {
    return call.context.once(point, (p) => {
      const local = zone === undefined ? `epoch_us(${p})` : `epoch_us(${localTime(call, p, zone)})`;
      const text = `${call.context.own("format_time")}(${sqlOf(call, 0)}, 'TIMESTAMP', ${local}, epoch_us(${p}))`;
      // A zone that does not exist is no error if there is no format.
      return zone === undefined ? text : `(CASE WHEN ${sqlOf(call, 0)} IS NOT NULL THEN ${text} END)`;
    });
  }
  return `${call.context.own("format_time")}(${sqlOf(call, 0)}, '${kind}', epoch_us(${point}), epoch_us(${point}))`;
};

function formatNatively(call: FunctionCall, kind: string, format: string): string {
  const point = sqlOf(call, 1);
  if (kind === "TIME") return `strftime(make_timestamp(epoch_us(${point})), ${quoteText(format)})`;
  const local = kind === "TIMESTAMP" ? localTime(call, point, call.args[2]) : point;
  return call.context.once(local, (p) => {
    const text = `strftime(${p}, ${quoteText(format)})`;
    // Of years before 1000 GoogleSQL prints fewer digits.
    const early = `${call.context.own("format_time")}(${quoteText(format)}, '${kind}', epoch_us(${p}), epoch_us(${p}))`;
    return format.includes("%Y") ? `(CASE WHEN year(${p}) < 1000 THEN ${early} ELSE ${text} END)` : text;
  });
}

/** PARSE_DATE, PARSE_DATETIME, PARSE_TIME and PARSE_TIMESTAMP. */
function parse(kind: "DATE" | "DATETIME" | "TIME" | "TIMESTAMP"): ScalarMapping {
  return (call) => {
    const zone = call.args[2]?.sql ?? "'UTC'";
    const micros = `${call.context.own("parse_time")}(${sqlOf(call, 0)}, ${sqlOf(call, 1)}, '${kind}', ${zone})`;
    if (kind === "DATE") return dateOfDay(`(${micros} // 86400000000)`);
    if (kind === "TIME") return timeOfMicros(micros);
    return kind === "TIMESTAMP" ? `make_timestamptz(${micros})` : `make_timestamp(${micros})`;
  };
}

/** STRING(timestamp[, zone]) and STRING(date); of JSON it is another function. */
const stringOf: ScalarMapping = (call) => {
  const kind = kindOf(call, 0);
  if (kind === "JSON") return `${call.context.own("json_string")}(CAST(${sqlOf(call, 0)} AS VARCHAR))`;
  const zone = call.args[1];
  if (zone !== undefined)
    return `${call.context.own("timestamp_text")}(epoch_us(${sqlOf(call, 0)}), ${zone.sql})`;
  return convertSql(arg(call, 0), STRING, call.context);
};

/** A format of nothing but `%t`, `%T` and `%s` (of STRING) and `%d` without flags is a plain concatenation. */
function simpleFormat(call: FunctionCall, format: string): string | undefined {
  const pieces: string[] = [];
  let next = 1;
  for (const [token] of format.matchAll(/%[tTsd%]|[^%]+|%/g)) {
    if (!token.startsWith("%")) pieces.push(quoteText(token));
    else if (token === "%%") pieces.push("'%'");
    else {
      const expr = call.args[next++];
      const piece = expr === undefined ? undefined : simplePiece(call, token, expr);
      if (piece === undefined) return undefined;
      pieces.push(piece);
    }
  }
  return next === call.args.length ? `(${pieces.length === 0 ? "''" : pieces.join(" || ")})` : undefined;
}

function simplePiece(call: FunctionCall, token: string, expr: CompiledExpr): string | undefined {
  if (token === "%t" || token === "%T")
    return displayText(call.context, expr.type, expr.sql, token === "%t" ? "t" : "T");
  // NULL makes the whole result NULL here, as concatenation does.
  if (token === "%s" && expr.type.kind === "STRING") return expr.sql;
  if (token === "%d" && expr.type.kind === "INT64") return `CAST(${expr.sql} AS VARCHAR)`;
  return undefined;
}

const format: ScalarMapping = (call) => {
  const literal = literalText(arg(call, 0));
  const simple = literal === undefined || literal.includes("\0") ? undefined : simpleFormat(call, literal);
  if (simple !== undefined) return simple;
  const values = call.args.slice(1);
  const { context } = call;
  const text = (style: "t" | "T") =>
    values.map((each) => displayText(context, each.type, each.sql, style)).join(", ");
  const raw = values.map((each) => rawText(context, each)).join(", ");
  const kinds = values.map((each) => `'${each.type.kind}'`).join(", ");
  const list = (items: string): string => `CAST([${items}] AS VARCHAR[])`;
  return `${call.context.own("format")}(${sqlOf(call, 0)}, ${list(kinds)}, ${list(raw)}, ${list(text("t"))}, ${list(text("T"))})`;
};

/** The value as text that our formatter reads back: exact for numbers. */
function rawText(context: FunctionContext, { sql, type }: CompiledExpr): string {
  if (type.kind === "BIGNUMERIC") return `${context.own("bignumeric_text")}(${sql})`;
  if (type.kind === "ARRAY" || type.kind === "STRUCT") return `CASE WHEN ${sql} IS NOT NULL THEN '' END`;
  if (type.kind === "BYTES") return `hex(${sql})`;
  return `CAST(${sql} AS VARCHAR)`;
}

/** Formatting and parsing. */
export const formatFunctions: Readonly<Record<string, ScalarMapping>> = {
  format,
  string: stringOf,
  format_date: formatPoint,
  format_datetime: formatPoint,
  format_time: formatPoint,
  format_timestamp: formatPoint,
  parse_date: parse("DATE"),
  parse_datetime: parse("DATETIME"),
  parse_time: parse("TIME"),
  parse_timestamp: parse("TIMESTAMP"),
  parse_numeric: (call) => `${call.context.own("parse_numeric_loose")}(${sqlOf(call, 0)})`,
  parse_bignumeric: (call) => `${call.context.own("parse_bignumeric_loose")}(${sqlOf(call, 0)})`,
};
