import type { FieldSchema } from "../../types.ts";
import { quoteText } from "../../values.ts";
import { scalarKind } from "../text-values.ts";

/**
 * What the fast path says of a value that it does not know to be right: the statement fails with it, and the exact path looks at
 * each row.
 */
export const SLOW = "bigquery-local: exact path";

/** A DuckDB expression that fails the statement. */
export function giveUp(type: string): string {
  return `error(${quoteText(SLOW)})::${type}`;
}

const CLOCK = String.raw`([01]?\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?`;
const DAY = String.raw`\d{4}-\d\d?-\d\d?`;

/**
 * DuckDB SQL that converts a text to a scalar field's value. It takes only forms on which DuckDB's cast and BigQuery's loader agree;
 * for any other it fails the statement. NULL stays NULL.
 */
export function textToValue(field: FieldSchema, sql: string): string {
  if (field.maxLength !== undefined || field.precision !== undefined)
    return when(sql, "false", "NULL", "VARCHAR");
  switch (scalarKind(field)) {
    case "STRING":
      return sql;
    case "INT64":
      return when(
        sql,
        `try_cast(${sql} AS BIGINT)::VARCHAR = ${sql}`,
        `try_cast(${sql} AS BIGINT)`,
        "BIGINT",
      );
    case "FLOAT64":
      // Between `-` and `9` a text starts with a digit, a sign or a point; DuckDB also takes digits with `_` between them.
      return when(sql, `${sql} >= '-' AND ${sql} < ':' AND NOT contains(${sql}, '_')`, finite(sql), "DOUBLE");
    case "BOOL":
      return when(sql, `${sql} IN ('true', 'false')`, `${sql} = 'true'`, "BOOLEAN");
    case "BYTES":
      return when(
        sql,
        match(sql, "([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"),
        `from_base64(${sql})`,
        "BLOB",
      );
    case "NUMERIC":
      return when(
        sql,
        match(sql, String.raw`-?\d{1,29}(\.\d{1,9})?`),
        `CAST(${sql} AS DECIMAL(38,9))`,
        "DECIMAL(38,9)",
      );
    case "BIGNUMERIC":
      return when(sql, match(sql, String.raw`-?\d{1,38}(\.\d{1,38})?`), bigNumeric(sql), "BIGNUM");
    case "DATE":
      return when(sql, dateForm(sql), `CAST(${sql} AS DATE)`, "DATE");
    case "TIME":
      return when(sql, match(sql, CLOCK), `CAST(${sql} AS TIME)`, "TIME");
    case "DATETIME":
      return when(
        sql,
        `${match(sql, `${DAY}([T ]${CLOCK})?`)} AND ${sql} >= '0001'`,
        `CAST(${sql} AS TIMESTAMP)`,
        "TIMESTAMP",
      );
    case "TIMESTAMP":
      return when(sql, timestampForm(sql), `CAST(${sql} AS TIMESTAMPTZ)`, "TIMESTAMPTZ");
    // These are kept in a canonical form that DuckDB cannot make.
    case "JSON":
    case "GEOGRAPHY":
      return when(sql, "false", "NULL", "VARCHAR");
    case "INTERVAL":
      return when(sql, "false", "NULL", "INTERVAL");
  }
}

/** LIKE is several times faster than a regular expression, and what it lets through DuckDB's cast refuses. */
function dateForm(sql: string): string {
  const usual = `${sql} LIKE '____-__-__' AND right(${sql}, 1) BETWEEN '0' AND '9'`;
  return `(${usual} OR ${match(sql, DAY)}) AND ${sql} BETWEEN '0001' AND '9999z'`;
}

/** True for a TIMESTAMP's text in the forms that DuckDB and BigQuery read alike. */
export function timestampForm(sql: string): string {
  const usual = `${sql} LIKE '____-__-__T__:__:__%Z' AND strlen(${sql}) <= 27 AND NOT contains(${sql}, 'T24') AND NOT contains(${sql}, 'T ')`;
  const other = match(sql, String.raw`${DAY}[T ]${CLOCK}(Z|[-+](0\d|1[0-4])(:[0-5]\d)?| UTC)?`);
  // The years at both ends are left out: with a zone's offset they may lie outside of BigQuery's range.
  return `(${usual} OR ${other}) AND ${sql} BETWEEN '0002' AND '9999'`;
}

/** The value where the condition holds, NULL where the text is NULL; else the statement fails. */
export function when(sql: string, condition: string, value: string, type: string): string {
  return `CASE WHEN ${sql} IS NULL THEN NULL WHEN ${condition} THEN ${value} ELSE ${giveUp(type)} END`;
}

/** True where the whole text has the pattern. */
export function match(sql: string, pattern: string): string {
  return `regexp_full_match(${sql}, ${quoteText(pattern)})`;
}

function finite(sql: string): string {
  // A number too great for FLOAT64 is an error in BigQuery and infinity in DuckDB.
  return `CASE WHEN isfinite(CAST(${sql} AS DOUBLE)) THEN CAST(${sql} AS DOUBLE) ELSE ${giveUp("DOUBLE")} END`;
}

function bigNumeric(sql: string): string {
  const whole = `split_part(${sql}, '.', 1)`;
  return `CAST(${whole} || rpad(split_part(${sql}, '.', 2), 38, '0') AS BIGNUM)`;
}
