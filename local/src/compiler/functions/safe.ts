import type { CompiledExpr, FunctionCall, ScalarMapping } from "./types.ts";
import { withoutErrors } from "./without-errors.ts";

/** Whether an operand may stand where errors are made NULL: it makes none, and holds no text that would be taken for a call. */
export function isQuiet(expr: CompiledExpr): boolean {
  if (expr.literal !== undefined) return !expr.sql.includes("bq_");
  return expr.mayFail !== true && expr.hasSubquery !== true && expr.isVolatile !== true;
}

/**
 * A call with NULL for an error of its own; an error of an argument remains one. The arguments that may fail are worked out
 * outside: DuckDB's TRY would catch their errors too, and takes no subquery.
 */
export function withoutOwnErrors(call: FunctionCall, mapping: ScalarMapping): string {
  if (call.args.every(isQuiet)) return withoutErrors(mapping(call));
  const name = call.context.parameter("v");
  const bound: string[] = [];
  // All of them, since DuckDB does not find a column of an outer query beside one of its own in a lambda's body.
  const args = call.args.map((expr) => {
    if (expr.literal !== undefined && isQuiet(expr)) return expr;
    bound.push(`f${bound.length} := ${expr.sql}`);
    return { ...expr, sql: `(${name}).f${bound.length - 1}` };
  });
  return `list_transform([struct_pack(${bound.join(", ")})], lambda ${name}: ${withoutErrors(mapping({ ...call, args }))})[1]`;
}
