import { enumArgument, FLOAT64, kindOf, onceAll, refuse, sqlOf } from "./arguments.ts";
import { floatInMessage } from "./number-text.ts";
import type { FunctionCall, ScalarMapping } from "./types.ts";

/** A FLOAT64 function that fails outside its domain, and where finite arguments have no finite result. */
function float(native: string, name: string, outside?: (...args: string[]) => string): ScalarMapping {
  return (call) => {
    if (kindOf(call, 0) !== "FLOAT64") return decimalByFloat(call);
    return onceAll(call, (...operands) => {
      const result = `${native}(${operands.join(", ")})`;
      const shown = operands.flatMap((each, index) =>
        index === 0 ? [{ sql: floatInMessage(each) }] : [", ", { sql: floatInMessage(each) }],
      );
      const message = [`Floating point error in function: ${name}(`, ...shown, ")"];
      const finite = operands.map((each) => `isfinite(${each})`).join(" AND ");
      const checked = call.context.failWhen(
        `NOT isfinite(${result}) AND ${finite}`,
        FLOAT64,
        message,
        result,
      );
      if (outside === undefined) return checked;
      // An infinity outside the domain has no value, but it is no error either; DuckDB makes one of it.
      const domain = outside(...operands);
      const inDomain = call.context.failWhen(domain, FLOAT64, message, checked);
      return `(CASE WHEN (${domain}) AND NOT (${finite}) THEN 'nan'::DOUBLE ELSE ${inDomain} END)`;
    });
  };
}

/** NUMERIC and BIGNUMERIC variants of transcendental functions have no exact counterpart. */
function decimalByFloat(call: FunctionCall): string {
  return refuse(call, `on ${kindOf(call, 0)}`);
}

const sqrt: ScalarMapping = (call) => {
  const kind = kindOf(call, 0);
  if (kind !== "FLOAT64") return `${call.context.own(`${kind.toLowerCase()}_sqrt`)}(${sqlOf(call, 0)})`;
  return onceAll(call, (x) =>
    call.context.failWhen(
      `${x} < 0`,
      FLOAT64,
      ["Argument to SQRT cannot be negative: ", { sql: floatInMessage(x) }],
      `sqrt(${x})`,
    ),
  );
};

const pow: ScalarMapping = (call) => {
  if (kindOf(call, 0) !== "FLOAT64")
    return `${call.context.own(`${kindOf(call, 0).toLowerCase()}_pow`)}(${sqlOf(call, 0)}, ${sqlOf(call, 1)})`;
  return float("pow", "POW")(call);
};

const log: ScalarMapping = (call) => {
  if (kindOf(call, 0) !== "FLOAT64") return decimalByFloat(call);
  if (call.args.length === 1) return float("ln", "LN", (x) => `${x} <= 0`)(call);
  return onceAll(call, (x, base) => {
    const message = [
      "Floating point error in function: LOG(",
      { sql: floatInMessage(x) },
      ", ",
      { sql: floatInMessage(base) },
      ")",
    ];
    const inDomain = call.context.failWhen(
      `${x} <= 0 OR ${base} <= 0 OR ${base} = 1`,
      FLOAT64,
      message,
      `(ln(${x}) / ln(${base}))`,
    );
    // Of an infinity there is no error, whatever the other argument is.
    const far = `${x} = 'infinity'::DOUBLE AND ${base} > 0 AND isfinite(${base})`;
    const infinite = `CASE WHEN ${base} < 1 THEN '-infinity'::DOUBLE ELSE 'infinity'::DOUBLE END`;
    return `(CASE WHEN isfinite(${x}) AND isfinite(${base}) THEN ${inDomain} WHEN ${x} IS NULL OR ${base} IS NULL THEN NULL WHEN ${far} THEN ${infinite} ELSE 'nan'::DOUBLE END)`;
  });
};

/** ROUND and TRUNC: half away from zero, or to even where the third argument says so. */
function round(name: "round" | "trunc"): ScalarMapping {
  return (call) => {
    const kind = kindOf(call, 0);
    const digits = call.args[1]?.sql ?? "0::BIGINT";
    const mode = call.args.length > 2 && enumArgument(call, 2) === 2 ? "_even" : "";
    if (kind === "INT64")
      return call.args.length === 1 ? sqlOf(call, 0) : refuse(call, "on INT64 with digits");
    if (kind !== "FLOAT64")
      return `${call.context.own(`${kind.toLowerCase()}_${name}${mode}`)}(${sqlOf(call, 0)}, ${digits})`;
    if (mode !== "") return refuse(call, "with a rounding mode on FLOAT64");
    return call.args.length === 1
      ? `${name}(${sqlOf(call, 0)})`
      : `${call.context.own(`float_${name}`)}(${sqlOf(call, 0)}, ${digits})`;
  };
}

function integral(name: "ceil" | "floor"): ScalarMapping {
  return (call) => {
    const kind = kindOf(call, 0);
    if (kind === "INT64") return sqlOf(call, 0);
    if (kind === "FLOAT64") return `${name}(${sqlOf(call, 0)})`;
    return `${call.context.own(`${kind.toLowerCase()}_${name}`)}(${sqlOf(call, 0)})`;
  };
}

const abs: ScalarMapping = (call) =>
  kindOf(call, 0) === "BIGNUMERIC"
    ? `${call.context.own("bignumeric_abs")}(${sqlOf(call, 0)})`
    : `abs(${sqlOf(call, 0)})`;

const sign: ScalarMapping = (call) => {
  const kind = kindOf(call, 0);
  if (kind === "BIGNUMERIC") return `${call.context.own("bignumeric_sign")}(${sqlOf(call, 0)})`;
  if (kind === "INT64") return `CAST(sign(${sqlOf(call, 0)}) AS BIGINT)`;
  if (kind === "NUMERIC") return `CAST(sign(${sqlOf(call, 0)}) AS DECIMAL(38,9))`;
  return onceAll(call, (x) => `(CASE WHEN isnan(${x}) THEN ${x} ELSE CAST(sign(${x}) AS DOUBLE) END)`);
};

/** DuckDB refuses an infinity, of which GoogleSQL makes NaN. */
function circular(name: "cos" | "sin" | "tan"): ScalarMapping {
  return (call) => onceAll(call, (x) => `(CASE WHEN isinf(${x}) THEN 'nan'::DOUBLE ELSE ${name}(${x}) END)`);
}

function ours(name: string): ScalarMapping {
  return (call) =>
    kindOf(call, 0) === "FLOAT64" ? `${call.context.own(name)}(${sqlOf(call, 0)})` : decimalByFloat(call);
}

/** DuckDB's root is off by a bit even where it is a whole number. */
const cbrt: ScalarMapping = (call) => {
  if (kindOf(call, 0) !== "FLOAT64") return decimalByFloat(call);
  return onceAll(call, (x) => {
    const whole = `round(cbrt(${x}))`;
    return `(CASE WHEN ${whole} * ${whole} * ${whole} = ${x} THEN ${whole} ELSE cbrt(${x}) END)`;
  });
};

const UNIT = (x: string): string => `${x} < -1 OR ${x} > 1`;

/** Mathematical functions. */
export const mathFunctions: Readonly<Record<string, ScalarMapping>> = {
  abs,
  sign,
  is_nan: (call) => `isnan(${sqlOf(call, 0)})`,
  is_inf: (call) => `isinf(${sqlOf(call, 0)})`,
  sqrt,
  pow,
  exp: float("exp", "EXP"),
  ln: float("ln", "LN", (x) => `${x} <= 0`),
  log,
  log10: float("log10", "LOG10", (x) => `${x} <= 0`),
  cbrt,
  round: round("round"),
  trunc: round("trunc"),
  ceil: integral("ceil"),
  floor: integral("floor"),
  cos: circular("cos"),
  sin: circular("sin"),
  tan: circular("tan"),
  acos: float("acos", "ACOS", UNIT),
  asin: float("asin", "ASIN", UNIT),
  atan: float("atan", "ATAN"),
  atan2: (call) => `atan2(${sqlOf(call, 0)}, ${sqlOf(call, 1)})`,
  cosh: float("cosh", "COSH"),
  sinh: float("sinh", "SINH"),
  tanh: float("tanh", "TANH"),
  acosh: float("acosh", "ACOSH", (x) => `${x} < 1`),
  asinh: float("asinh", "ASINH"),
  atanh: float("atanh", "ATANH", (x) => `${x} <= -1 OR ${x} >= 1`),
  cot: ours("cot"),
  coth: ours("coth"),
  csc: ours("csc"),
  csch: ours("csch"),
  sec: ours("sec"),
  sech: ours("sech"),
  rand: () => "random()",
  pi: () => "pi()",
};
