import { CommandError } from "../project/errors.ts";
import { isObject } from "../project/problems.ts";
import type { FieldJson } from "./schema-json.ts";

const TIMESTAMP = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?( ?(Z|UTC|[+-]\d{2}(:?\d{2})?))$/i;
const DATETIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** What the values seen of one field were. */
class Seen {
  readonly types = new Set<string>();
  readonly members = new Map<string, Seen>();
  isRepeated = false;
  isSingle = false;

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
    if (!isObject(value)) {
      if (value !== null) this.types.add(typeOf(value));
      return;
    }
    this.types.add("RECORD");
    for (const [name, member] of Object.entries(value)) {
      const seen = this.members.get(name) ?? new Seen();
      this.members.set(name, seen);
      seen.add(member);
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
   * The fields in the order in which they were first seen, and the names of those that never had a value: these become STRING.
   * Throws a CommandError where a field is a RECORD in one row and a plain value in another.
   */
  result(): { readonly fields: readonly FieldJson[]; readonly empty: readonly string[] } {
    const empty: string[] = [];
    return { fields: this.#fieldsOf(this.#row, "", empty), empty };
  }

  #fieldsOf(record: Seen, parent: string, empty: string[]): FieldJson[] {
    return [...record.members].map(([name, seen]) => {
      const path = parent === "" ? name : `${parent}.${name}`;
      if (seen.types.size === 0) empty.push(path);
      const type = this.#typeOf(seen, path);
      return {
        name,
        type,
        ...(seen.isRepeated ? { mode: "REPEATED" } : {}),
        ...(type === "RECORD" ? { fields: this.#fieldsOf(seen, path, empty) } : {}),
      };
    });
  }

  #typeOf({ types, isRepeated, isSingle }: Seen, path: string): string {
    const isMixed = (types.has("RECORD") && types.size > 1) || (isRepeated && isSingle);
    if (isMixed)
      throw new CommandError(
        `${this.#file}: ${path}: a list or an object in one row and a plain value in another; write its schema and use --from-schema`,
      );
    return commonType(types);
  }
}

function typeOf(value: unknown): string {
  if (typeof value === "boolean") return "BOOLEAN";
  if (typeof value === "number") return Number.isInteger(value) ? "INTEGER" : "FLOAT";
  const text = String(value);
  if (TIMESTAMP.test(text)) return "TIMESTAMP";
  if (DATETIME.test(text)) return "DATETIME";
  if (DATE.test(text)) return "DATE";
  return "STRING";
}

/** The type that takes values of all these; texts take everything that has no type in common. */
function commonType(types: ReadonlySet<string>): string {
  const [only] = types;
  if (types.size === 1 && only !== undefined) return only;
  if (types.size === 2 && types.has("INTEGER") && types.has("FLOAT")) return "FLOAT";
  return "STRING";
}

/** A CSV cell as the JSON value that it looks like. Digits behind a leading zero are a text, as a postal code is. */
export function cellValue(text: string | null): unknown {
  if (text === null) return null;
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
  if (/^-?(0|[1-9]\d{0,17})$/.test(text) || /^-?(0|[1-9]\d*)?\.\d+([eE][+-]?\d+)?$/.test(text))
    return Number(text);
  return text;
}
