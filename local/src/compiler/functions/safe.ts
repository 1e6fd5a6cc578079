import type { CompiledExpr, FunctionCall, ScalarMapping } from "./types.ts";

/** Whether an operand may stand where errors are made NULL: it makes none itself. */
export function isQuiet(expr: CompiledExpr): boolean {
  if (expr.literal !== undefined) return true;
  return expr.mayFail !== true && expr.hasSubquery !== true && expr.isVolatile !== true;
}

/**
 * A call with NULL for an error of its own; an error of an argument remains one. The arguments that may fail are worked out
 * outside: DuckDB's TRY would catch their errors too, and takes no subquery.
 */
export function withoutOwnErrors(call: FunctionCall, mapping: ScalarMapping): string {
  if (call.args.every(isQuiet)) return call.context.quietly(() => mapping(call));
  const name = call.context.parameter("v");
  const bound: string[] = [];
  // All of them, since DuckDB does not find a column of an outer query beside one of its own in a lambda's body.
  const args = call.args.map((expr) => {
    if (expr.literal !== undefined) return expr;
    bound.push(`f${bound.length} := ${expr.sql}`);
    return { ...expr, sql: `(${name}).f${bound.length - 1}`, fields: undefined };
  });
  return `list_transform([struct_pack(${bound.join(", ")})], lambda ${name}: ${call.context.quietly(() => mapping({ ...call, args }))})[1]`;
}
