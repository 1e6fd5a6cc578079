import { unsupported } from "../../errors.ts";
import type { SqlType } from "../../types.ts";
import { floatText, numericText } from "./number-text.ts";
import { pointText } from "./time-text.ts";
import type { FunctionContext } from "./types.ts";

/** How FORMAT prints a value: `%t` as a person reads it, `%T` as GoogleSQL writes it. */
export type DisplayStyle = "t" | "T";

/** A value of any type as `%t` or `%T` prints it; NULL is the text NULL. */
export function displayText(
  context: FunctionContext,
  type: SqlType,
  sql: string,
  style: DisplayStyle,
): string {
  return context.once(sql, (x) => `coalesce(${presentText(context, type, x, style, true)}, 'NULL')`);
}

/** The same; NULL where the value is NULL. */
function presentText(
  context: FunctionContext,
  type: SqlType,
  x: string,
  style: DisplayStyle,
  top: boolean,
): string {
  switch (type.kind) {
    case "ARRAY": {
      const e = context.parameter("e");
      const items = `list_transform(${x}, lambda ${e}: ${displayText(context, type.element, e, style)})`;
      return `('[' || array_to_string(${items}, ', ') || ']')`;
    }
    case "STRUCT": {
      const fields = type.fields.map((field, index) =>
        displayText(context, field.type, `(${x}).f${index}`, style),
      );
      // Of one field alone %T needs the word, or it would be a value in parentheses.
      const open = style === "T" && fields.length < 2 ? "STRUCT(" : "(";
      const inner = fields.length === 0 ? "''" : fields.join(" || ', ' || ");
      return `(CASE WHEN ${x} IS NOT NULL THEN '${open}' || ${inner} || ')' END)`;
    }
    default:
      return style === "t" ? plainText(context, type, x, top) : sourceText(context, type, x);
  }
}

function plainText(context: FunctionContext, type: SqlType, x: string, top: boolean): string {
  switch (type.kind) {
    case "STRING":
      // Inside an ARRAY or STRUCT the text would run into its neighbours; it is printed as is all the same.
      return top ? x : x;
    case "BYTES":
      return `${context.own("bytes_display")}(${x})`;
    case "FLOAT64":
      return floatDisplay(context, x);
    case "JSON":
      return `CAST(${x} AS VARCHAR)`;
    default:
      return scalarText(context, type, x);
  }
}

/** FLOAT64 in FORMAT keeps a decimal point. */
function floatDisplay(context: FunctionContext, x: string): string {
  const text = floatText(context, x);
  return context.once(
    text,
    (t) =>
      `(CASE WHEN regexp_matches(${t}, '[.ein]') THEN ${t} WHEN ${x} = 0 AND CAST(${x} AS VARCHAR)[1] = '-' THEN '-0.0' ELSE ${t} || '.0' END)`,
  );
}

function scalarText(context: FunctionContext, type: SqlType, x: string): string {
  switch (type.kind) {
    case "INT64":
    case "BOOL":
    case "GEOGRAPHY":
      return `CAST(${x} AS VARCHAR)`;
    case "NUMERIC":
      return numericText(x);
    case "BIGNUMERIC":
      return `${context.own("bignumeric_text")}(${x})`;
    case "INTERVAL":
      return `${context.own("interval_text")}(${x})`;
    case "TIMESTAMP":
      return `(${pointText(context, type, x)} || '+00')`;
    case "DATE":
    case "DATETIME":
    case "TIME":
      return pointText(context, type, x);
    default:
      throw unsupported(`FORMAT of ${type.kind}`);
  }
}

function sourceText(context: FunctionContext, type: SqlType, x: string): string {
  switch (type.kind) {
    case "STRING":
      return `${context.own("string_literal")}(${x})`;
    case "BYTES":
      return `${context.own("bytes_literal")}(${x})`;
    case "JSON":
      return `('JSON ' || ${context.own("string_literal")}(CAST(${x} AS VARCHAR)))`;
    case "FLOAT64":
      return context.once(
        x,
        (v) =>
          `(CASE WHEN isnan(${v}) OR isinf(${v}) THEN 'CAST("' || ${floatText(context, v)} || '" AS FLOAT64)' ELSE ${floatDisplay(context, v)} END)`,
      );
    case "INT64":
    case "BOOL":
      return `CAST(${x} AS VARCHAR)`;
    case "INTERVAL":
      return `('INTERVAL "' || ${context.own("interval_text")}(${x}) || '" YEAR TO SECOND')`;
    default:
      return `('${type.kind} "' || ${scalarText(context, type, x)} || '"')`;
  }
}
