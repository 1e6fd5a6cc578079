import type { Facts } from "./functions/types.ts";

/** What holds of an expression made of these. */
export function factsOf(parts: readonly Facts[]): Facts {
  return {
    isVolatile: parts.some(({ isVolatile }) => isVolatile),
    mayFail: parts.some(({ mayFail }) => mayFail),
    hasSubquery: parts.some(({ hasSubquery }) => hasSubquery),
    hasColumns: parts.some(({ hasColumns }) => hasColumns),
  };
}

/** Whether an expression depends on nothing that is read, and is the same whenever it is evaluated. */
export function isConstant({ isVolatile, hasSubquery, hasColumns }: Facts): boolean {
  return isVolatile !== true && hasSubquery !== true && hasColumns !== true;
}
