import { duckType } from "../../values.ts";
import type { CompiledExpr } from "./types.ts";

/**
 * An aggregate that gives one of its arguments' values as it is. DuckDB keeps a nested one as a sort key, which turns -0.0
 * into 0.0: floats in it go through as bits.
 */
export function exactArgument({ sql, type }: CompiledExpr, aggregate: (sql: string) => string): string {
  if (type.kind !== "STRUCT" && type.kind !== "ARRAY") return aggregate(sql);
  const kept = duckType(type);
  const asBits = kept.replaceAll("DOUBLE", "BIT");
  return asBits === kept ? aggregate(sql) : `(${aggregate(`(${sql})::${asBits}`)})::${kept}`;
}
