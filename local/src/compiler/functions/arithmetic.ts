import type { MessagePart } from "../../raise.ts";
import type { SqlType } from "../../types.ts";
import { FLOAT64, kindOf, onceAll, sqlOf } from "./arguments.ts";
import { addDays, shiftByInterval } from "./calendar.ts";
import { floatInMessage, numericText } from "./number-text.ts";
import { withoutOwnErrors } from "./safe.ts";
import type { FunctionCall, ScalarMapping } from "./types.ts";

/** How a number reads in an error message. */
function numberInMessage({ context }: FunctionCall, type: SqlType, sql: string): MessagePart {
  if (type.kind === "FLOAT64") return { sql: floatInMessage(sql) };
  if (type.kind === "NUMERIC") return { sql: numericText(sql) };
  if (type.kind === "BIGNUMERIC") return { sql: `${context.own("bignumeric_text")}(${sql})` };
  return { sql: `CAST(${sql} AS VARCHAR)` };
}

/** The result of a FLOAT64 operation, which fails where finite operands give an infinity. */
function finite(call: FunctionCall, symbol: string): string {
  return onceAll(call, (a, b) => {
    const result = `(${a} ${symbol} ${b})`;
    const message = [
      "double overflow: ",
      { sql: floatInMessage(a) },
      ` ${symbol} `,
      { sql: floatInMessage(b) },
    ];
    return call.context.failWhen(
      `isinf${result} AND isfinite(${a}) AND isfinite(${b})`,
      FLOAT64,
      message,
      result,
    );
  });
}

function bigNumeric(call: FunctionCall, operation: string): string {
  return `${call.context.own(`bignumeric_${operation}`)}(${sqlOf(call, 0)}, ${sqlOf(call, 1)})`;
}

const add: ScalarMapping = (call) => {
  const [a, b] = [kindOf(call, 0), kindOf(call, 1)];
  if (b === "INTERVAL" && a !== "INTERVAL")
    return shiftByInterval(call, sqlOf(call, 0), call.argTypes[0] as SqlType, sqlOf(call, 1), 1);
  if (a === "INTERVAL" && b !== "INTERVAL")
    return shiftByInterval(call, sqlOf(call, 1), call.argTypes[1] as SqlType, sqlOf(call, 0), 1);
  if (a === "DATE") return addDays(call, sqlOf(call, 0), sqlOf(call, 1));
  if (b === "DATE") return addDays(call, sqlOf(call, 1), sqlOf(call, 0));
  if (a === "FLOAT64") return finite(call, "+");
  if (a === "BIGNUMERIC") return bigNumeric(call, "add");
  if (a === "INTERVAL") return `${call.context.own("interval_add")}(${sqlOf(call, 0)}, ${sqlOf(call, 1)})`;
  // INT64 and NUMERIC: DuckDB checks the range itself.
  return `(${sqlOf(call, 0)} + ${sqlOf(call, 1)})`;
};

const subtract: ScalarMapping = (call) => {
  const [a, b] = [kindOf(call, 0), kindOf(call, 1)];
  if (a === "INTERVAL")
    return `${call.context.own("interval_subtract")}(${sqlOf(call, 0)}, ${sqlOf(call, 1)})`;
  if (b === "INTERVAL")
    return shiftByInterval(call, sqlOf(call, 0), call.argTypes[0] as SqlType, sqlOf(call, 1), -1);
  if (call.resultType.kind === "INTERVAL") {
    return a === "DATE"
      ? `to_days(CAST(${sqlOf(call, 0)} - ${sqlOf(call, 1)} AS INTEGER))`
      : difference(call, a === "DATETIME");
  }
  if (a === "DATE")
    return onceAll(call, (date, days) =>
      addDays(call, date, `(CASE WHEN ${date} IS NOT NULL THEN 0 - ${days} END)`),
    );
  if (a === "FLOAT64") return finite(call, "-");
  if (a === "BIGNUMERIC") return bigNumeric(call, "subtract");
  return `(${sqlOf(call, 0)} - ${sqlOf(call, 1)})`;
};

/** DATETIMEs differ by days and a rest, TIMESTAMPs by microseconds alone. */
function difference(call: FunctionCall, inDays: boolean): string {
  const micros = `(${microsOf(call, 0)} - ${microsOf(call, 1)})`;
  if (!inDays) return `to_microseconds(${micros})`;
  const day = "86400000000::BIGINT";
  return call.context.once(
    micros,
    (us) => `(to_days(CAST(${us} // ${day} AS INTEGER)) + to_microseconds(${us} % ${day}))`,
  );
}

function microsOf(call: FunctionCall, index: number): string {
  return `epoch_us(${sqlOf(call, index)})`;
}

const multiply: ScalarMapping = (call) => {
  const [a, b] = [kindOf(call, 0), kindOf(call, 1)];
  if (a === "FLOAT64") return finite(call, "*");
  if (a === "BIGNUMERIC") return bigNumeric(call, "multiply");
  if (a === "INTERVAL")
    return `${call.context.own("interval_multiply")}(${sqlOf(call, 0)}, ${sqlOf(call, 1)})`;
  if (b === "INTERVAL")
    return `${call.context.own("interval_multiply")}(${sqlOf(call, 1)}, ${sqlOf(call, 0)})`;
  // DuckDB multiplies DECIMALs exactly but rounds the product more slowly than a call of ours takes.
  if (a === "NUMERIC") return `${call.context.own("numeric_multiply")}(${sqlOf(call, 0)}, ${sqlOf(call, 1)})`;
  return `(${sqlOf(call, 0)} * ${sqlOf(call, 1)})`;
};

const divide: ScalarMapping = (call) => {
  const kind = kindOf(call, 0);
  if (kind === "INTERVAL")
    return `${call.context.own("interval_divide")}(${sqlOf(call, 0)}, ${sqlOf(call, 1)})`;
  if (kind === "NUMERIC")
    return `${call.context.own("numeric_divide")}(${sqlOf(call, 0)}, ${sqlOf(call, 1)})`;
  if (kind === "BIGNUMERIC") return bigNumeric(call, "divide");
  return onceAll(call, (a, b) => {
    const [left, right] = [{ sql: floatInMessage(a) }, { sql: floatInMessage(b) }];
    const checked = call.context.failWhen(
      `isinf(${a} / ${b}) AND isfinite(${a})`,
      FLOAT64,
      ["double overflow: ", left, " / ", right],
      `(${a} / ${b})`,
    );
    return call.context.failWhen(
      `${b} = 0 AND ${a} IS NOT NULL`,
      FLOAT64,
      ["division by zero: ", left, " / ", right],
      checked,
    );
  });
};

const div: ScalarMapping = (call) => {
  const kind = kindOf(call, 0);
  if (kind === "NUMERIC") return `${call.context.own("numeric_div")}(${sqlOf(call, 0)}, ${sqlOf(call, 1)})`;
  if (kind === "BIGNUMERIC") return bigNumeric(call, "div");
  return onceAll(call, (a, b) =>
    call.context.failWhen(
      `${b} = 0 AND ${a} IS NOT NULL`,
      call.resultType,
      ["division by zero: ", { sql: a }, " / ", { sql: b }],
      `(${a} // ${b})`,
    ),
  );
};

const mod: ScalarMapping = (call) => {
  if (kindOf(call, 0) === "BIGNUMERIC") return bigNumeric(call, "mod");
  return onceAll(call, (a, b) => {
    const type = call.resultType;
    const message = [
      "division by zero: MOD(",
      numberInMessage(call, type, a),
      ", ",
      numberInMessage(call, type, b),
      ")",
    ];
    // DuckDB overflows on the smallest INT64 modulo -1.
    const result =
      type.kind === "INT64"
        ? `(CASE WHEN ${b} = -1 AND ${a} IS NOT NULL THEN 0 ELSE ${a} % ${b} END)`
        : `(${a} % ${b})`;
    return call.context.failWhen(`${b} = 0 AND ${a} IS NOT NULL`, type, message, result);
  });
};

const unaryMinus: ScalarMapping = (call) => {
  const kind = kindOf(call, 0);
  if (kind === "BIGNUMERIC") return `${call.context.own("bignumeric_negate")}(${sqlOf(call, 0)})`;
  // -0.0 stays -0.0, and the smallest INT64 fails in DuckDB's own words.
  return kind === "INT64" ? `(0::BIGINT - ${sqlOf(call, 0)})` : `(-(${sqlOf(call, 0)}))`;
};

/** SAFE_ADD and its kin: the operator, with NULL for an error. */
function safely(mapping: ScalarMapping): ScalarMapping {
  return (call) => withoutOwnErrors(call, mapping);
}

const ieeeDivide: ScalarMapping = (call) =>
  // DuckDB gives NULL for a division by zero.
  onceAll(
    call,
    (a, b) =>
      `(CASE WHEN ${b} <> 0 OR ${a} IS NULL THEN ${a} / ${b} WHEN ${b} IS NULL THEN NULL WHEN ${a} = 0 OR isnan(${a}) THEN 'nan'::DOUBLE WHEN (${a} > 0) = (CAST(${b} AS VARCHAR)[1] <> '-') THEN 'infinity'::DOUBLE ELSE '-infinity'::DOUBLE END)`,
  );

/** `+ - * /` and the functions that are the same operation. */
export const arithmeticFunctions: Readonly<Record<string, ScalarMapping>> = {
  $add: add,
  $subtract: subtract,
  $multiply: multiply,
  $divide: divide,
  $unary_minus: unaryMinus,
  div,
  mod,
  safe_add: safely(add),
  safe_subtract: safely(subtract),
  safe_multiply: safely(multiply),
  safe_divide: safely(divide),
  safe_negate: safely(unaryMinus),
  ieee_divide: ieeeDivide,
};
