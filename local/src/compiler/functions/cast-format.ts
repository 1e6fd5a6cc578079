import { unsupported } from "../../errors.ts";
import { literalText } from "./arguments.ts";
import { localTime } from "./calendar.ts";
import type { CastCall } from "./types.ts";

const POINTS: readonly string[] = ["DATE", "DATETIME", "TIME", "TIMESTAMP"];

const EXACT: readonly string[] = ["INT64", "NUMERIC", "BIGNUMERIC"];

/** CAST … FORMAT between BYTES and STRING, between dates or times and STRING, and of numbers AS STRING. */
export function castWithFormat(call: CastCall): string {
  const { from, to, arg, format, timeZone, context } = call;
  if (format === undefined) throw new Error("CAST without FORMAT");
  if (from.kind === "BYTES" && to.kind === "STRING")
    return `${call.context.own("encode_bytes")}(${arg.sql}, ${format.sql})`;
  if (from.kind === "STRING" && to.kind === "BYTES")
    return `${call.context.own("decode_bytes")}(${arg.sql}, ${format.sql})`;
  if (to.kind === "STRING" && POINTS.includes(from.kind)) {
    if (from.kind !== "TIMESTAMP") {
      return context.once(
        `epoch_us(${arg.sql})`,
        (us) => `${call.context.own("cast_format")}(${us}, ${us}, ${format.sql}, '${from.kind}')`,
      );
    }
    return context.once(arg.sql, (ts) => {
      const local = `epoch_us(${localTime({ context }, ts, timeZone)})`;
      return `${call.context.own("cast_format")}(${local}, epoch_us(${ts}), ${format.sql}, 'TIMESTAMP')`;
    });
  }
  if (from.kind === "STRING" && POINTS.includes(to.kind)) {
    const zone = timeZone?.sql ?? "'UTC'";
    const day = `DATE '${new Date(Number(context.now / 1000n)).toISOString().slice(0, 10)}'`;
    const micros = `${call.context.own("cast_parse")}(${arg.sql}, ${format.sql}, '${to.kind}', ${zone}, epoch_us(${day}))`;
    if (to.kind === "DATE") return `CAST(make_timestamp(${micros}) AS DATE)`;
    if (to.kind === "TIME") return `CAST(make_timestamp(${micros}) AS TIME)`;
    return to.kind === "TIMESTAMP" ? `make_timestamptz(${micros})` : `make_timestamp(${micros})`;
  }
  if (to.kind === "STRING" && from.kind === "FLOAT64")
    return `${context.own("float_format")}(${arg.sql}, ${format.sql})`;
  if (to.kind === "STRING" && EXACT.includes(from.kind)) {
    const value =
      from.kind === "BIGNUMERIC"
        ? `${context.own("bignumeric_text")}(${arg.sql})`
        : `CAST(${arg.sql} AS VARCHAR)`;
    return `${context.own("number_format")}(${value}, ${format.sql})`;
  }
  const shown = literalText(format) === undefined ? "" : ` '${literalText(format)}'`;
  throw unsupported(`CAST from ${from.kind} to ${to.kind} with FORMAT${shown}`);
}
