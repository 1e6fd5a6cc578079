import { failWhen, type MessagePart, raise } from "../raise.ts";
import type { SqlType } from "../types.ts";
import { duckType } from "../values.ts";
import { factsOf } from "./facts.ts";
import type { FunctionContext, Operand } from "./functions/types.ts";
import { mayRefuse, ownName } from "./functions/udf/define.ts";

/** The longest text that is written twice rather than bound to a name. */
const REPEATED_TEXT = 160;
/** Past this the text itself would be the cost. */
const LONGEST_REPEATED = 20_000;

/** What a scope asks of the place in the tree where the expression stands. */
interface Place {
  readonly now: bigint;
  /** Inside a subquery that refers to columns of an outer query. */
  readonly correlated: boolean;
  /** A DuckDB name that nothing else in the statement uses. */
  fresh(prefix: string): string;
}

/**
 * What a mapping is given to write an expression with, over operands of which the facts are known; it notes what the mapping puts
 * into the expression.
 */
export class CallScope implements FunctionContext {
  readonly #unit: Place;
  /** The operands that may still stand in what is being written: all but those that are bound to a name. */
  #open: readonly Operand[];
  #hasLambda = false;
  #hasSubquery = false;
  /** Errors of what is being written are to give NULL. */
  #isQuiet = false;
  #mayRefuse = false;

  constructor(unit: Place, operands: readonly Operand[]) {
    this.#unit = unit;
    this.#open = operands;
  }

  get now(): bigint {
    return this.#unit.now;
  }

  /** Whether the mapping has made a lambda, and whether a subquery. */
  get made(): { readonly lambda: boolean; readonly subquery: boolean } {
    return { lambda: this.#hasLambda, subquery: this.#hasSubquery };
  }

  get mayHoldSubquery(): boolean {
    return this.#hasSubquery || factsOf(this.#open).hasSubquery === true;
  }

  parameter(prefix: string): string {
    this.#hasLambda = true;
    return this.#unit.fresh(prefix);
  }

  once(sql: string, use: (operand: string) => string): string {
    const operand = this.#open.find((each) => each.sql === sql);
    // Of what is made of operands no more is known than of all of them.
    const isVolatile = (operand ?? factsOf(this.#open)).isVolatile === true;
    if (sql.length <= REPEATED_TEXT && !isVolatile) return use(sql);
    // A name that a subquery may have to bind is a column to the expressions inside.
    const isColumn = isVolatile && this.#unit.correlated;
    const name = this.#unit.fresh(isColumn ? "o" : "v");
    const [open, hadSubquery] = [this.#open, this.#hasSubquery];
    const others = open.filter((each) => each !== operand);
    this.#open = isColumn ? [...others, { sql: name, hasColumns: true }] : others;
    this.#hasSubquery = false;
    const body = use(name);
    const inside = factsOf(others);
    const hasSubquery = this.#hasSubquery || inside.hasSubquery === true;
    this.#open = open;
    this.#hasSubquery ||= hadSubquery;
    // DuckDB allows no subquery in a lambda's body and, inside a correlated subquery, no column there beside one of an
    // outer query. A name bound by a subquery works everywhere but is slower.
    if (!hasSubquery && !(this.#unit.correlated && inside.hasColumns === true)) {
      this.#hasLambda = true;
      return `list_transform([${sql}], lambda ${name}: ${body})[1]`;
    }
    if (!isVolatile && sql.length <= LONGEST_REPEATED) return use(sql);
    this.#hasSubquery = true;
    return `(SELECT ${body} FROM (SELECT ${sql} AS ${name}))`;
  }

  own(name: string): string {
    this.#mayRefuse ||= mayRefuse(name);
    return ownName(name, this.#isQuiet);
  }

  raise(type: SqlType, ...message: readonly MessagePart[]): string {
    return this.#isQuiet ? `NULL::${duckType(type)}` : raise(type, ...message);
  }

  failWhen(condition: string, type: SqlType, message: readonly MessagePart[], sql: string): string {
    return this.#isQuiet
      ? `(CASE WHEN ${condition} THEN NULL ELSE ${sql} END)`
      : failWhen(condition, type, message, sql);
  }

  /**
   * TRY alone is right, but it evaluates row by row, and each row that fails costs an exception. So what is known to fail is made to
   * give NULL by itself: `raise`, and our own functions, each of which has a twin that never fails.
   */
  quietly(write: () => string): string {
    const [wasQuiet, mightRefuse] = [this.#isQuiet, this.#mayRefuse];
    this.#isQuiet = true;
    this.#mayRefuse = false;
    try {
      const sql = write();
      // TRY takes no volatile function and would make a refusal NULL; what calls such a function of ours fails in no other way.
      return this.#mayRefuse ? sql : `TRY(${sql})`;
    } finally {
      this.#isQuiet = wasQuiet;
      this.#mayRefuse ||= mightRefuse;
    }
  }
}
