import type { CompiledExpr, FunctionCall, ScalarMapping } from "./types.ts";
import { withoutErrors } from "./without-errors.ts";

const PLAIN = /^[\w".]+$/;

/** Whether evaluating this text cannot fail, and holds no call of ours: a literal, a column, a field of it, an INT64 as FLOAT64. */
export function cannotFail(expr: CompiledExpr): boolean {
  if (expr.literal !== undefined) return !expr.sql.includes("bq");
  const [, inner = expr.sql] = /^CAST\((.*) AS DOUBLE\)$/.exec(expr.sql) ?? [];
  return PLAIN.test(inner.replace(/^\(([\w".]+)\)(?=\.f\d+$)/, "$1"));
}

/**
 * A call with NULL for an error of its own; an error of an argument remains one. The arguments that may fail are worked out
 * outside: DuckDB's TRY would catch their errors too, and takes no subquery.
 */
export function withoutOwnErrors(call: FunctionCall, mapping: ScalarMapping): string {
  if (call.args.every(cannotFail)) return withoutErrors(mapping(call));
  const name = call.context.fresh("v");
  const bound: string[] = [];
  // All of them, since DuckDB does not find a column of an outer query beside one of its own in a lambda's body.
  const args = call.args.map((expr) => {
    if (expr.literal !== undefined && cannotFail(expr)) return expr;
    bound.push(`f${bound.length} := ${expr.sql}`);
    return { ...expr, sql: `(${name}).f${bound.length - 1}` };
  });
  return `list_transform([struct_pack(${bound.join(", ")})], lambda ${name}: ${withoutErrors(mapping({ ...call, args }))})[1]`;
}
