import { BigQueryError } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { CompiledExpr } from "./functions/types.ts";
import { functionName, nodeOf, nodesOf, textOf } from "./tree-access.ts";

/** Where an INT64, NUMERIC or BIGNUMERIC has its point. */
const SCALE: Readonly<Record<string, number>> = { INT64: 0, NUMERIC: 9, BIGNUMERIC: 38 };

function invalid(message: string): BigQueryError {
  return new BigQueryError("invalidQuery", message, "query");
}

/** Whether a number is at least or at most an integer; NaN is neither. */
function keeps({ literal, type }: CompiledExpr, limit: string, side: "least" | "most"): boolean {
  const [value, bound] =
    typeof literal === "bigint"
      ? [literal, BigInt(limit) * 10n ** BigInt(SCALE[type.kind] ?? 0)]
      : [literal as number, Number(limit)];
  return side === "least" ? value >= bound : value <= bound;
}

/**
 * Refuses the values of parameters and variables that the analyzer refuses of literals: it knows no other values, and says in a
 * function's signature which it wants.
 */
export function checkLiterals(node: TreeNode, args: readonly CompiledExpr[]): void {
  const signature = nodesOf(nodeOf(node, "signature") ?? {}, "argument");
  for (const [index, arg] of args.entries()) {
    if (arg.literal === undefined) continue;
    const options = nodeOf(signature[index] ?? {}, "options") ?? {};
    const name = functionName(node).name.toUpperCase();
    const what = args.length === 1 ? `The argument to ${name}` : `Argument ${index + 1} to ${name}`;
    const [least, most] = [textOf(options, "minValue"), textOf(options, "maxValue")];
    if (arg.literal === null) {
      if (options.mustBeNonNull === true) throw invalid(`${what} must be non-NULL`);
    } else if (least !== "" && most !== "") {
      if (!keeps(arg, least, "least") || !keeps(arg, most, "most"))
        throw invalid(`${what} must be between ${least} and ${most}`);
    } else if (least !== "" && !keeps(arg, least, "least")) {
      throw invalid(`${what} must be at least ${least}`);
    }
  }
}

function isNegative({ literal }: CompiledExpr): boolean {
  if (typeof literal === "number") return !(literal >= 0);
  return typeof literal === "bigint" && literal < 0n;
}

/** The offset of a window frame's bound, which is neither NULL nor negative. */
export function checkedOffset(offset: CompiledExpr): CompiledExpr {
  const what = "Window framing expression cannot";
  if (offset.literal === null) throw invalid(`${what} be NULL`);
  if (isNegative(offset)) throw invalid(`${what} evaluate to a negative value`);
  return offset;
}

/** The number of a LIMIT or OFFSET, which is neither NULL nor negative. */
export function checkedLimit(limit: CompiledExpr): CompiledExpr {
  if (limit.literal === null) throw invalid("Limit requires non-null count and offset");
  if (isNegative(limit)) throw invalid("Limit requires non-negative count and offset");
  return limit;
}
