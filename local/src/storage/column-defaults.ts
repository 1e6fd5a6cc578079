import type { FieldSchema } from "../types.ts";

/**
 * DuckDB expressions for the default values of those fields that have one, by name in lower case. Each is evaluated for every row that
 * gets it (https://cloud.google.com/bigquery/docs/default-values).
 */
export type ColumnDefaults = (fields: readonly FieldSchema[]) => Promise<ReadonlyMap<string, string>>;

/** The fields of a table that have a default value and are not among those that are given. */
export function omittedDefaults(
  table: readonly FieldSchema[],
  given: readonly FieldSchema[],
): readonly FieldSchema[] {
  const names = new Set(given.map((field) => field.name.toLowerCase()));
  return table.filter(
    (field) => field.defaultValueExpression !== undefined && !names.has(field.name.toLowerCase()),
  );
}

/** The rows of a query with the default values of further fields behind its own columns. */
export async function withDefaults(
  defaults: ColumnDefaults,
  omitted: readonly FieldSchema[],
  query: string,
): Promise<string> {
  if (omitted.length === 0) return query;
  const values = await defaults(omitted);
  return `SELECT given.*, ${omitted.map((field) => values.get(field.name.toLowerCase()) ?? "NULL").join(", ")} FROM (${query}) AS given`;
}
