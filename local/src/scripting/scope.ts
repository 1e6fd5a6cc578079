import { BigQueryError } from "../errors.ts";
import type { SqlType } from "../types.ts";
import type { SqlValue } from "../values.ts";

/** A script variable. */
export interface Variable {
  readonly name: string;
  readonly type: SqlType;
  value: SqlValue;
}

/** The variables of a block and of the blocks around it; names ignore case. */
export class Scope {
  readonly #parent: Scope | undefined;
  readonly #variables = new Map<string, Variable>();

  constructor(parent?: Scope) {
    this.#parent = parent;
  }

  /** A variable of this block; a block around it must not have one of its name, as on BigQuery. */
  declare(name: string, type: SqlType, value: SqlValue): void {
    if (this.find(name) !== undefined) {
      throw new BigQueryError("invalidQuery", `Variable '${name}' redeclaration`, "query");
    }
    this.#variables.set(name.toLowerCase(), { name, type, value });
  }

  /** A variable by its name. */
  find(name: string): Variable | undefined {
    return this.#variables.get(name.toLowerCase()) ?? this.#parent?.find(name);
  }

  /** Sets a variable. */
  assign(name: string, value: SqlValue): void {
    this.need(name).value = value;
  }

  /** A variable by its name, or BigQuery's error that there is none. */
  need(name: string): Variable {
    const variable = this.find(name);
    if (variable === undefined)
      throw new BigQueryError("invalidQuery", `Undeclared variable: ${name}`, "query");
    return variable;
  }

  /** The types of all variables that can be seen from here. */
  types(): Map<string, SqlType> {
    const types = this.#parent?.types() ?? new Map<string, SqlType>();
    for (const { name, type } of this.#variables.values()) types.set(name, type);
    return types;
  }
}
