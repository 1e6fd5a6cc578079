import { CommandError } from "../project/errors.ts";
import { isObject } from "../project/problems.ts";
import { findRowProblem } from "../warehouse/load/value.ts";
import type { FieldJson } from "./schema-json.ts";

const TIMESTAMP = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?( ?(Z|UTC|[+-]\d{2}(:?\d{2})?))$/i;
const DATETIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIMES = [
  ["TIMESTAMP", TIMESTAMP],
  ["DATETIME", DATETIME],
  ["DATE", DATE],
] as const;

/** What the values seen of one field were. */
class Seen {
  readonly types = new Set<string>();
  readonly members = new Map<string, Seen>();
  isRepeated = false;
  isSingle = false;
  isListOfLists = false;

  add(value: unknown): void {
    if (Array.isArray(value)) {
      this.isRepeated = true;
      for (const element of value) this.#addOne(element);
    } else if (value !== null && value !== undefined) {
      this.isSingle = true;
      this.#addOne(value);
    }
  }

  #addOne(value: unknown): void {
    if (Array.isArray(value)) this.isListOfLists = true;
    else if (!isObject(value)) {
      if (value !== null) this.types.add(typeOf(value));
    } else {
      this.types.add("RECORD");
      for (const [name, member] of Object.entries(value)) {
        const seen = this.members.get(name) ?? new Seen();
        this.members.set(name, seen);
        seen.add(member);
      }
    }
  }
}

/** Gathers rows and says which fields a table for them has. */
export class FieldInference {
  readonly #row = new Seen();
  readonly #file: string;

  /** `file` is the name by which an error speaks of the rows. */
  constructor(file: string) {
    this.#file = file;
  }

  add(row: object): void {
    this.#row.add(row);
  }

  /**
   * The fields in the order in which they were first seen, and what there is to say of those whose values do not say it all: without
   * a value they become STRING, with whole numbers beyond INTEGER what holds these. Throws a CommandError where a field is a RECORD in
   * one row and a plain value in another, or has a list in a list.
   */
  result(): { readonly fields: readonly FieldJson[]; readonly said: readonly string[] } {
    const [empty, large]: [string[], string[]] = [[], []];
    const fields = this.#fieldsOf(this.#row, "", empty, large);
    const said =
      empty.length === 0
        ? []
        : [`${empty.join(", ")}: no value in these rows, so STRING; correct the schema`];
    return { fields, said: [...said, ...large] };
  }

  #fieldsOf(record: Seen, parent: string, empty: string[], large: string[]): FieldJson[] {
    return [...record.members].map(([name, seen]) => {
      const path = parent === "" ? name : `${parent}.${name}`;
      if (seen.types.size === 0) empty.push(path);
      const type = this.#typeOf(seen, path);
      if (LARGE.some((wide) => seen.types.has(wide)))
        large.push(
          `${path}: whole numbers beyond what INTEGER holds, so ${type}${type === "FLOAT" ? LOSS : ""}`,
        );
      return {
        name,
        type,
        ...(seen.isRepeated ? { mode: "REPEATED" } : {}),
        ...(type === "RECORD" ? { fields: this.#fieldsOf(seen, path, empty, large) } : {}),
      };
    });
  }

  #typeOf({ types, isRepeated, isSingle, isListOfLists }: Seen, path: string): string {
    if (isListOfLists)
      throw new CommandError(
        `${this.#file}: ${path}: a list in a list, which BigQuery does not have; make the inner ones objects, or write a schema in which ${path} is JSON, and use --from-schema`,
      );
    const isMixed = (types.has("RECORD") && types.size > 1) || (isRepeated && isSingle);
    if (isMixed)
      throw new CommandError(
        `${this.#file}: ${path}: a list or an object in one row and a plain value in another; write its schema and use --from-schema`,
      );
    return commonType(types);
  }
}

/** Types of whole numbers, each wider than the one before; the last holds any digits. */
const WHOLE = ["INTEGER", "NUMERIC", "BIGNUMERIC", "DIGITS"];
const LARGE = WHOLE.slice(1);
const LOSS = ", as there are fractions too; it keeps 15 digits of each";

function typeOf(value: unknown): string {
  if (typeof value === "boolean") return "BOOLEAN";
  if (typeof value === "bigint") return WHOLE.find((type) => fits(String(value), type)) ?? "DIGITS";
  if (typeof value === "number") return fits(value, "INTEGER") ? "INTEGER" : "FLOAT";
  const text = String(value);
  for (const [type, form] of TIMES) if (form.test(text) && fits(text, type)) return type;
  return "STRING";
}

/** Whether a load would take it; `DIGITS` is no type of BigQuery's. */
function fits(value: unknown, type: string): boolean {
  return type !== "DIGITS" && findRowProblem({ value }, [{ name: "value", type }]) === undefined;
}

/** The type that takes values of all these; texts take everything that has no type in common. */
function commonType(types: ReadonlySet<string>): string {
  const [only] = types;
  if (types.size === 1 && only !== undefined && only !== "DIGITS") return only;
  const others = [...types].filter((type) => !WHOLE.includes(type));
  if (others.length === 0 && types.size > 0) return nameOf(WHOLE.findLast((type) => types.has(type)));
  if (others.every((type) => type === "FLOAT") && types.size > 0) return "FLOAT";
  return "STRING";
}

function nameOf(type: string | undefined): string {
  return type === undefined || type === "DIGITS" ? "STRING" : type;
}

/** A CSV cell as the JSON value that it looks like. Digits behind a leading zero are a text, as a postal code is. */
export function cellValue(text: string | null): unknown {
  if (text === null) return null;
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
  if (/^-?(0|[1-9]\d{0,17})$/.test(text) || /^-?(0|[1-9]\d*)?\.\d+([eE][+-]?\d+)?$/.test(text))
    return Number(text);
  return text;
}
