import { unsupported } from "../../errors.ts";
import type { SqlType } from "../../types.ts";
import { quoteText } from "../../values.ts";
import { lowerBound, upperBound } from "./bounds.ts";
import { floatJson, numericText } from "./number-text.ts";
import { pointText } from "./time-text.ts";
import type { CompiledExpr, FunctionContext } from "./types.ts";

/** TO_JSON_STRING prints; TO_JSON makes a JSON value, which keeps numbers as numbers. */
export type JsonStyle = "print" | "value" | "wide";

/** Characters that JSON must escape, and the two line separators that BigQuery escapes too. */
const ESCAPED = '["\\\\\\x00-\\x1f\\x{2028}\\x{2029}]';

/** A STRING as a JSON string. */
function quotedJson(context: FunctionContext, sql: string): string {
  return context.once(
    sql,
    (s) =>
      `(CASE WHEN regexp_matches(${s}, '${ESCAPED}') THEN ${context.own("json_quote")}(${s}) ELSE '"' || ${s} || '"' END)`,
  );
}

/**
 * A value of any type as the JSON text of TO_JSON_STRING
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#json_encodings); NULL is the text null.
 */
export function jsonText(context: FunctionContext, type: SqlType, sql: string, style: JsonStyle): string {
  return context.once(sql, (x) => `coalesce(${presentJson(context, type, x, style)}, 'null')`);
}

/** The same of an expression: of a STRUCT that is made in place its fields, with no STRUCT made of them first. */
export function jsonTextOf(
  context: FunctionContext,
  { type, sql, fields }: CompiledExpr,
  style: JsonStyle,
): string {
  if (type.kind !== "STRUCT" || fields === undefined) return jsonText(context, type, sql, style);
  return `(${membersText(type, (_, index) => jsonTextOf(context, fields[index] as CompiledExpr, style))})`;
}

/** A STRUCT that is not NULL, from the text of each field. */
function membersText(
  { fields }: Extract<SqlType, { kind: "STRUCT" }>,
  textOf: (type: SqlType, index: number) => string,
): string {
  const members = fields.map(({ name, type }, index) => {
    const key = quoteText(`${index === 0 ? "" : ","}${JSON.stringify(name)}:`);
    return `${key} || ${textOf(type, index)}`;
  });
  return `'{' || ${members.length === 0 ? "''" : members.join(" || ")} || '}'`;
}

function presentJson(context: FunctionContext, type: SqlType, x: string, style: JsonStyle): string {
  switch (type.kind) {
    case "ARRAY": {
      const e = context.parameter("e");
      const items = `list_transform(${x}, lambda ${e}: ${jsonText(context, type.element, e, style)})`;
      return `('[' || array_to_string(${items}, ',') || ']')`;
    }
    case "STRUCT": {
      const text = membersText(type, (field, index) => jsonText(context, field, `(${x}).f${index}`, style));
      return `(CASE WHEN ${x} IS NOT NULL THEN ${text} END)`;
    }
    case "RANGE":
      return `(CASE WHEN ${x} IS NOT NULL THEN '{"start":' || ${jsonText(context, type.element, lowerBound(type, x), style)} || ',"end":' || ${jsonText(context, type.element, upperBound(type, x), style)} || '}' END)`;
    case "STRING":
    case "GEOGRAPHY":
      return type.kind === "STRING"
        ? quotedJson(context, x)
        : `${context.own("partial_geojson_quoted")}(${x})`;
    case "BYTES":
      return `('"' || to_base64(${x}) || '"')`;
    case "BOOL":
      return `CAST(${x} AS VARCHAR)`;
    case "JSON":
      return `CAST(${x} AS VARCHAR)`;
    case "INT64":
      // Beyond 2^53 a reader with doubles would lose digits; TO_JSON keeps the number unless asked.
      return style === "value"
        ? `CAST(${x} AS VARCHAR)`
        : `(CASE WHEN ${x} BETWEEN -9007199254740992 AND 9007199254740992 THEN CAST(${x} AS VARCHAR) ELSE '"' || CAST(${x} AS VARCHAR) || '"' END)`;
    case "FLOAT64":
      // A JSON value has no negative zero; text keeps its sign.
      return style === "print"
        ? floatJson(context, x)
        : `${context.own("json_float")}(CASE WHEN ${x} = 0 THEN 0.0 ELSE ${x} END)`;
    case "NUMERIC":
      return decimal(context, numericText(x), style, type.kind);
    case "BIGNUMERIC":
      return decimal(context, `${context.own("bignumeric_text")}(${x})`, style, type.kind);
    case "DATE":
      return `('"' || ${pointText(context, type, x)} || '"')`;
    case "TIMESTAMP":
      return `('"' || ${pointText(context, type, x, "T")} || 'Z"')`;
    case "DATETIME":
    case "TIME":
      return `('"' || ${pointText(context, type, x, "T")} || '"')`;
    case "INTERVAL":
      return `('"' || ${context.own("interval_iso")}(${x}) || '"')`;
    default:
      throw unsupported(`TO_JSON_STRING of ${type}`);
  }
}

/** A decimal is a JSON number where a double holds it, else a string. */
function decimal(context: FunctionContext, text: string, style: JsonStyle, type: string): string {
  return context.once(text, (t) => `${context.own("json_decimal")}(${t}, '${style}', '${type}')`);
}
