import type { Reading } from "./text-sql.ts";

// Checks that cost least: a regular expression takes several times as long, and what these let through DuckDB's casts refuse.

/** A DATE as `2020-01-02`: what DuckDB writes just as it was written. */
export function usualDate(sql: string): Reading {
  const value = `CAST(${sql} AS DATE)`;
  return { value, unsure: [`strlen(${sql}) <> 10`, `${value}::VARCHAR <> ${sql}`] };
}

/** A TIMESTAMP as `2020-01-02T03:04:05Z`, with up to six more digits. */
export function usualTimestamp(sql: string): Reading {
  // DuckDB takes blanks before the hour, and hour 24.
  const hours = ["T0", "T1", "T2"].map((start) => `NOT contains(${sql}, '${start}')`);
  return {
    value: `CAST(${sql} AS TIMESTAMPTZ)`,
    unsure: [
      `${sql} NOT LIKE '____-__-__T__:__:__%Z'`,
      `strlen(${sql}) > 27`,
      hours.join(" AND "),
      `contains(${sql}, 'T24')`,
      `${sql} < '0001'`,
    ],
  };
}

/** A FLOAT64 as a JSON number; one that is too great for FLOAT64 is an error in BigQuery and infinity in DuckDB. */
export function usualFloat(sql: string): Reading {
  const text = `${sql}::VARCHAR`;
  const value = `CAST(${text} AS DOUBLE)`;
  // Between `-` and `9` a text starts with a digit, a sign or a point.
  return { value, unsure: [`${text} < '-'`, `${text} >= ':'`, `isinf(${value})`] };
}
