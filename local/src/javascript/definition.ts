import type { SqlType } from "../types.ts";

/** A scalar function in JavaScript, as its CREATE FUNCTION statement gives it. */
export interface JavaScriptFunction {
  readonly argumentNames: readonly string[];
  readonly argumentTypes: readonly SqlType[];
  readonly returnType: SqlType;
  /** The body of a JavaScript function whose parameters are the arguments. */
  readonly code: string;
}
