import type { FunctionContext } from "./types.ts";

/** FLOAT64 as CAST(… AS STRING) prints it: 15 significant digits where they read back the same, else 17. */
export function floatText(context: FunctionContext, sql: string): string {
  return context.once(sql, (x) => `(CASE ${specialFloats(x, "nan", "inf", "-inf")} ELSE ${digits(x)} END)`);
}

/** FLOAT64 as TO_JSON_STRING prints it. */
export function floatJson(context: FunctionContext, sql: string): string {
  return context.once(
    sql,
    (x) => `(CASE ${specialFloats(x, '"NaN"', '"Infinity"', '"-Infinity"')} ELSE ${digits(x)} END)`,
  );
}

function specialFloats(x: string, nan: string, inf: string, minusInf: string): string {
  return `WHEN isnan(${x}) THEN '${nan}' WHEN isinf(${x}) THEN CASE WHEN ${x} > 0 THEN '${inf}' ELSE '${minusInf}' END WHEN ${x} = 0 THEN '0'`;
}

function digits(x: string): string {
  const short = `format('{:.15g}', ${x})`;
  return `CASE WHEN CAST(${short} AS DOUBLE) = ${x} THEN ${short} ELSE format('{:.17g}', ${x}) END`;
}

/** FLOAT64 inside an error message; short, because it is never on the hot path. */
export function floatInMessage(sql: string): string {
  return `CASE WHEN isinf(${sql}) OR isnan(${sql}) THEN CAST(${sql} AS VARCHAR) ELSE format('{:.15g}', ${sql}) END`;
}

/** NUMERIC without trailing zeros: DuckDB always prints nine decimals. */
export function numericText(sql: string): string {
  return `rtrim(rtrim(CAST(${sql} AS VARCHAR), '0'), '.')`;
}
