import type { SqlType } from "../../types.ts";
import type { FunctionContext } from "./types.ts";

/** Clock text with no, three or six decimals of a second, as many as the value needs. */
function withFraction(context: FunctionContext, point: string, format: string): string {
  return context.once(
    point,
    (p) =>
      `(CASE WHEN epoch_us(${p}) % 1000000 = 0 THEN strftime(${p}, '${format}') WHEN epoch_us(${p}) % 1000 = 0 THEN strftime(${p}, '${format}.%g') ELSE strftime(${p}, '${format}.%f') END)`,
  );
}

/** DATE, DATETIME, TIME or TIMESTAMP as CAST(… AS STRING) prints it; `separator` is a T in JSON. */
export function pointText(context: FunctionContext, type: SqlType, sql: string, separator = " "): string {
  switch (type.kind) {
    case "DATE":
      return `strftime(${sql}, '%Y-%m-%d')`;
    case "TIME":
      return withFraction(context, `make_timestamp(epoch_us(${sql}))`, "%H:%M:%S");
    case "TIMESTAMP":
      return withFraction(context, `make_timestamp(epoch_us(${sql}))`, `%Y-%m-%d${separator}%H:%M:%S`);
    default:
      return withFraction(context, sql, `%Y-%m-%d${separator}%H:%M:%S`);
  }
}
