import type { TreeNode } from "../../googlesql/tree.ts";
import type { MessagePart } from "../../raise.ts";
import type { SqlType } from "../../types.ts";
import type { SqlValue } from "../../values.ts";

/** What is known of an expression beside its text, set where the expression is made; what is absent does not hold. */
export interface Facts {
  /** Evaluated twice, it gives two values. */
  readonly isVolatile?: boolean;
  /** Evaluating it may end in an error. */
  readonly mayFail?: boolean;
  /** It holds a subquery of DuckDB's. */
  readonly hasSubquery?: boolean;
  /** It refers to columns of a FROM item. */
  readonly hasColumns?: boolean;
}

/** DuckDB SQL that stands wherever an operand may, atomic or in parentheses, and what is known of it. */
export interface Operand extends Facts {
  readonly sql: string;
}

/** A GoogleSQL expression as DuckDB SQL. */
export interface CompiledExpr extends Operand {
  readonly type: SqlType;
  /** The value, where it is known when the statement is compiled: literals, parameters, script variables. */
  readonly literal?: SqlValue;
  /** The fields, where it is a STRUCT made in place of what neither fails nor changes: they stand for it as well as its own text. */
  readonly fields?: readonly CompiledExpr[];
}

/** What a mapping may ask of the statement it is compiled in. */
export interface FunctionContext {
  /** CURRENT_TIMESTAMP of the statement, µs since 1970. */
  readonly now: bigint;
  /** A name for the parameter of a lambda that the mapping makes; nothing else in the statement uses it. */
  parameter(prefix: string): string;
  /** Whether what is being written may hold a subquery, which DuckDB does not take everywhere. */
  readonly mayHoldSubquery: boolean;
  /**
   * Gives `use` a DuckDB expression that may be written several times: `sql` itself where that is short and cheap, else
   * a name it is bound to.
   */
  once(sql: string, use: (operand: string) => string): string;
  /** The DuckDB name of a function of ours (`udf`). */
  own(name: string): string;
  /** DuckDB SQL that fails with this message whenever it is evaluated. */
  raise(type: SqlType, ...message: readonly MessagePart[]): string;
  /** `sql`, unless `condition` holds: then it fails with the message. */
  failWhen(condition: string, type: SqlType, message: readonly MessagePart[], sql: string): string;
  /** The expression that `write` gives, with NULL for each error of it. What it is made of must not fail by itself. */
  quietly(write: () => string): string;
}

/** A call as a mapping sees it. */
export interface FunctionCall {
  /** In lower case, without "ZetaSQL:": `$add`, `concat`, `net.host`. */
  readonly name: string;
  readonly args: readonly CompiledExpr[];
  readonly argTypes: readonly SqlType[];
  readonly resultType: SqlType;
  /** SAFE.name(…): an error gives NULL. */
  readonly safe: boolean;
  /** The node of the resolved tree, for what the fields above leave out. */
  readonly node: TreeNode;
  readonly context: FunctionContext;
}

/** Gives the DuckDB expression of a call, atomic or in parentheses. */
export type ScalarMapping = (call: FunctionCall) => string;

/** One key of an ORDER BY. */
export interface OrderItem {
  readonly expr: CompiledExpr;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
  /** The complete DuckDB ORDER BY item(s) for this key, with GoogleSQL's place for NULL and NaN. */
  readonly sql: string;
}

/** A call of an aggregate function. */
export interface AggregateCall extends FunctionCall {
  readonly distinct: boolean;
  readonly nulls: "default" | "ignore" | "respect";
  readonly orderBy: readonly OrderItem[];
  readonly limit?: CompiledExpr;
  /** `x HAVING MAX y` or `HAVING MIN y`. */
  readonly having?: { readonly kind: "max" | "min"; readonly expr: CompiledExpr };
  /** The DuckDB condition for the rows that it is over; absent: all of them. */
  readonly only?: string;
}

/** Gives the DuckDB aggregate expression of a call. */
export type AggregateMapping = (call: AggregateCall) => string;

/** A call of a window function. */
export interface AnalyticCall extends FunctionCall {
  readonly distinct: boolean;
  readonly nulls: "default" | "ignore" | "respect";
  /** `PARTITION BY …`, or "". */
  readonly partition: string;
  readonly orderBy: readonly OrderItem[];
  /** `ROWS BETWEEN … AND …`, or "". */
  readonly frame: string;
  /** The three together, in parentheses, to stand after OVER. */
  readonly over: string;
  /** The column that holds a window expression worked out before, for the call to use in another. */
  prepare(sql: string): string;
}

/** Gives the DuckDB window expression of a call, with its OVER. */
export type AnalyticMapping = (call: AnalyticCall) => string;

/** Of STRING(n), BYTES(n), NUMERIC(p, s): length, or precision and scale; of an ARRAY or STRUCT those of its parts. */
export interface TypeParameters {
  readonly maxLength?: bigint;
  readonly precision?: bigint;
  readonly scale?: bigint;
  readonly children?: readonly (TypeParameters | undefined)[];
}

/** A CAST as the table of conversions sees it. */
export interface CastCall {
  readonly arg: CompiledExpr;
  readonly from: SqlType;
  readonly to: SqlType;
  /** SAFE_CAST: an error gives NULL. */
  readonly safe: boolean;
  readonly format?: CompiledExpr;
  readonly timeZone?: CompiledExpr;
  readonly parameters?: TypeParameters;
  readonly context: FunctionContext;
}
