import type { TableField } from "@google-cloud/bigquery";
import { dataError, type Place } from "./text.ts";

/**
 * Which of the columns with a default value the rows of a load have. BigQuery gives the default to the rows of a statement or job that
 * leaves the column out, so to all of a load or to none; a row without a value among rows with one gets NULL
 * (https://cloud.google.com/bigquery/docs/default-values).
 */
export class GivenDefaults {
  readonly #seen = new Map<TableField, { readonly has: boolean; readonly place: Place }>();

  /** @throws CommandError at the first row or file that differs from those before it: some have the column and some have not. */
  add(field: TableField, has: boolean, place: Place): void {
    const before = this.#seen.get(field);
    if (before === undefined) this.#seen.set(field, { has, place });
    else if (before.has !== has) {
      const there = [before.place.file, before.place.line].filter((part) => part !== undefined).join(":");
      throw dataError(
        place,
        `${field.name}: ${has ? "a value here, but none in" : "no value here, but one in"} ${there}; all rows of a load have one, or none has and all get the column's default, ${field.defaultValueExpression}`,
      );
    }
  }

  /** The fields without those whose default every row gets. */
  loaded(fields: readonly TableField[]): TableField[] {
    return fields.filter((field) => this.#seen.get(field)?.has !== false);
  }
}

/** The columns that a row may leave out because they have a default value. */
export function defaulted(fields: readonly TableField[]): TableField[] {
  return fields.filter((field) => (field.defaultValueExpression ?? "") !== "");
}

/** The fields as a file's rows must fit them: a REQUIRED column with a default value may be left out. */
export function optionalDefaults(fields: readonly TableField[]): TableField[] {
  const optional = new Set(defaulted(fields));
  return fields.map((field) => (optional.has(field) ? { ...field, mode: "NULLABLE" } : field));
}
