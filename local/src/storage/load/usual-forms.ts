import type { Reading } from "./text-sql.ts";

// Checks that cost least: a regular expression takes several times as long, and what these let through DuckDB's casts refuse.

/** A DATE as `2020-01-02`: what DuckDB writes just as it was written. */
export function usualDate(sql: string): Reading {
  return {
    value: `CAST(${sql} AS DATE)`,
    unsure: (value) => [
      `${value}::VARCHAR <> ${sql}`,
      `${value} > DATE '9999-12-31'`,
      `${value} < DATE '0001-01-01'`,
    ],
  };
}

/** A TIMESTAMP as `2020-01-02T03:04:05Z`, with up to six more digits. */
export function usualTimestamp(sql: string): Reading {
  // DuckDB takes blanks before the hour, and hour 24.
  const hours = ["T0", "T1", "T2"].map((start) => `NOT contains(${sql}, '${start}')`);
  return {
    value: `CAST(${sql} AS TIMESTAMPTZ)`,
    unsure: (value) => [
      // Together as one pattern they take longer.
      `${sql} NOT LIKE '____-__-__T__:__:__%'`,
      `${sql} NOT LIKE '%Z'`,
      `strlen(${sql}) > 27`,
      hours.join(" AND "),
      `contains(${sql}, 'T24')`,
      `${value} < TIMESTAMPTZ '0001-01-01 00:00:00+00'`,
    ],
  };
}

/**
 * A FLOAT64 as a JSON number, which is all that DuckDB can cast of a JSON value's text, but for the names of what is not finite. A number
 * that is too great is an error in BigQuery and infinity in DuckDB.
 */
export function usualFloat(sql: string): Reading {
  return {
    value: `CAST(${sql}::VARCHAR AS DOUBLE)`,
    unsure: (value) => [`${value} > 1.7976931348623157e308`, `${value} < -1.7976931348623157e308`],
  };
}
