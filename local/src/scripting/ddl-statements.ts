import type { CompiledStatement } from "../compiler/compiled.ts";
import type { TableRef } from "../types.ts";

/** The compiled statements that change objects rather than rows. */
export type Ddl = Exclude<CompiledStatement, { kind: "query" | "dml" | "assert" }>;

/** What a DDL statement did, as a job's statistics tell it. */
export interface DdlResult {
  readonly operation: "CREATE" | "SKIP" | "REPLACE" | "DROP" | "ALTER";
  readonly target?: TableRef;
}

/** Tells DDL from the rest. */
export function isDdl(compiled: CompiledStatement): compiled is Ddl {
  return !["query", "dml", "assert"].includes(compiled.kind);
}
