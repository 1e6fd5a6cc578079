import { OPEN } from "../../raise.ts";

/**
 * The same expression with NULL for an error: TRY alone is right, but it evaluates row by row, and each row that fails
 * costs an exception. So what is known to fail is made to give NULL by itself: `raise`, and our own functions, each of
 * which has a twin that never fails. `sql` must hold no operand but names and literals.
 */
export function withoutErrors(sql: string): string {
  const quiet = sql
    .replaceAll(`CAST(concat('${OPEN}'`, `TRY_CAST(concat('${OPEN}'`)
    .replaceAll(/\bbq_(?!safe_)(?=\w+\()/g, "bq_safe_");
  // TRY takes no volatile function and would make a refusal NULL; what calls such a function of ours fails in no other way.
  return /\bbq_safe_(?:volatile|partial)_/.test(quiet) ? quiet : `TRY(${quiet})`;
}
