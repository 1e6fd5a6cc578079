import type { SqlType } from "../../types.ts";
import { duckType } from "../../values.ts";
import type { CompiledExpr } from "./types.ts";

/**
 * What gives one of its argument's values as it is, or the argument's values as a list. DuckDB keeps a nested result as a
 * sort key, which turns -0.0 into 0.0: floats in it go through as bits.
 */
export function exactArgument(
  { sql, type }: CompiledExpr,
  aggregate: (sql: string) => string,
  resultType: SqlType = type,
): string {
  if (resultType.kind !== "STRUCT" && resultType.kind !== "ARRAY") return aggregate(sql);
  const kept = duckType(resultType);
  const asBits = (duck: string): string => duck.replaceAll("DOUBLE", "BIT");
  if (asBits(kept) === kept) return aggregate(sql);
  return `(${aggregate(`(${sql})::${asBits(duckType(type))}`)})::${kept}`;
}
