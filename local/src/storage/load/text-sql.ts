import type { FieldSchema } from "../../types.ts";
import { duckType, quoteName, quoteText } from "../../values.ts";
import { elementType } from "../schema.ts";
import { scalarKind } from "../text-values.ts";

/**
 * What the fast path says of a value that it does not know to be right: the statement fails with it, and the exact path looks at
 * each row.
 */
export const SLOW = "bigquery-local: exact path";

/** A DuckDB expression that fails the statement. */
function giveUp(type: string): string {
  return `error(${quoteText(SLOW)})::${type}`;
}

/** How a text becomes a value in DuckDB SQL. */
export interface Reading {
  /** The value; NULL stays NULL. Where `unsure` holds it may be anything, or fail the statement. */
  readonly value: string;
  /**
   * Conditions, each true where DuckDB may read the text otherwise than BigQuery, and never for NULL. `value`: SQL for the value,
   * the expression itself or a column that holds it.
   */
  readonly unsure: (value: string) => readonly string[];
}

/** A value of which DuckDB and BigQuery never make different things. */
export const NEVER_UNSURE: Reading["unsure"] = () => [];

/**
 * The query that gives a reader's rows, one column for each reading; it fails where one of them is unsure. Each text becomes a value
 * once, which is checked and given; one check of a row is faster than one of each value. `where`: which of the rows.
 */
export function sureRows(readings: readonly Reading[], reader: string, where?: string): string {
  const columns = readings.map((_, index) => quoteName(`${VALUE_COLUMN}${index}`));
  const values = readings.map(({ value }, index) => `${value} AS ${columns[index]}`).join(", ");
  const unsure = readings.flatMap((reading, index) => reading.unsure(columns[index] ?? ""));
  const rows = `SELECT *, ${values} FROM ${reader}${where === undefined ? "" : ` WHERE ${where}`}`;
  return `SELECT ${columns.join(", ")} FROM (${rows}) WHERE ${sureOf(unsure)}`;
}

/** No column of a table may have a name that begins so. */
const VALUE_COLUMN = "_FILE_value";

/** A condition for WHERE that fails the statement where one of these holds, and is true otherwise. */
function sureOf(unsure: readonly string[]): string {
  const arms: string[] = [];
  // DuckDB plans a chain of many thousand conditions slowly.
  for (let from = 0; from < unsure.length; from += 100) {
    arms.push(`WHEN ${anyOf(unsure.slice(from, from + 100))} THEN ${giveUp("BOOLEAN")}`);
  }
  return arms.length === 0 ? "true" : `CASE ${arms.join(" ")} ELSE true END`;
}

/** The value of a reading; it fails the statement where the reading is unsure. */
export function sureValue({ value, unsure }: Reading, type: string): string {
  const conditions = unsure(value);
  return conditions.length === 0
    ? value
    : `CASE WHEN ${anyOf(conditions)} THEN ${giveUp(type)} ELSE ${value} END`;
}

function anyOf(conditions: readonly string[]): string {
  return conditions.map((condition) => `(${condition})`).join(" OR ");
}

const CLOCK = String.raw`([01]?\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?`;
const DAY = String.raw`\d{4}-\d\d?-\d\d?`;

/**
 * DuckDB SQL that converts a text to a scalar field's value. It is sure only of forms on which DuckDB's cast and BigQuery's loader
 * agree.
 */
export function textReading(field: FieldSchema, sql: string): Reading {
  const type = duckType(elementType(field));
  const never: Reading = { value: `NULL::${type}`, unsure: () => [`${sql} IS NOT NULL`] };
  // A RANGE is two values in one text.
  if (field.type === "RANGE" || field.maxLength !== undefined || field.precision !== undefined) return never;
  const cast = `CAST(${sql} AS ${type})`;
  switch (scalarKind(field)) {
    case "STRING":
      return { value: sql, unsure: NEVER_UNSURE };
    case "INT64":
      return { value: cast, unsure: (value) => [`${value}::VARCHAR <> ${sql}`] };
    case "FLOAT64":
      // Between `-` and `9` a text starts with a digit, a sign or a point; DuckDB also takes digits with `_` between them. A number too
      // great for FLOAT64 is an error in BigQuery and infinity in DuckDB.
      return {
        value: cast,
        unsure: () => [`${sql} < '-'`, `${sql} >= ':'`, `contains(${sql}, '_')`, `NOT isfinite(TRY_${cast})`],
      };
    case "BOOL":
      // NOT IN takes longer.
      return { value: `${sql} = 'true'`, unsure: () => [`${sql} <> 'true' AND ${sql} <> 'false'`] };
    case "BYTES": {
      const form = "([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?";
      return { value: `from_base64(${sql})`, unsure: () => [`NOT ${match(sql, form)}`] };
    }
    case "NUMERIC":
      return { value: cast, unsure: () => [`NOT ${match(sql, String.raw`-?\d{1,29}(\.\d{1,9})?`)}`] };
    case "BIGNUMERIC":
      return {
        value: bigNumeric(sql),
        unsure: () => [`NOT ${match(sql, String.raw`-?\d{1,38}(\.\d{1,38})?`)}`],
      };
    case "DATE":
      return { value: cast, unsure: () => [`NOT ${match(sql, DAY)}`, `${sql} < '0001'`] };
    case "TIME":
      return { value: cast, unsure: () => [`NOT ${match(sql, CLOCK)}`] };
    case "DATETIME":
      return { value: cast, unsure: () => [`NOT ${match(sql, `${DAY}([T ]${CLOCK})?`)}`, `${sql} < '0001'`] };
    case "TIMESTAMP":
      return { value: cast, unsure: () => [`NOT (${timestampForm(sql)})`] };
    // These are kept in a canonical form that DuckDB cannot make.
    case "JSON":
    case "GEOGRAPHY":
    case "INTERVAL":
      return never;
  }
}

/**
 * True for a TIMESTAMP's text in the forms that DuckDB and BigQuery read alike. The years at both ends are left out: with a zone's offset
 * they may lie outside of BigQuery's range.
 */
export function timestampForm(sql: string): string {
  const form = String.raw`${DAY}[T ]${CLOCK}(Z|[-+](0\d|1[0-4])(:[0-5]\d)?| UTC)?`;
  return `${match(sql, form)} AND ${sql} BETWEEN '0002' AND '9999'`;
}

/** True where the whole text has the pattern. */
export function match(sql: string, pattern: string): string {
  return `regexp_full_match(${sql}, ${quoteText(pattern)})`;
}

function bigNumeric(sql: string): string {
  const whole = `split_part(${sql}, '.', 1)`;
  return `CAST(${whole} || rpad(split_part(${sql}, '.', 2), 38, '0') AS BIGNUM)`;
}
