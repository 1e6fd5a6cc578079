import { quoteName } from "../values.ts";

/**
 * The column of every DuckDB table that says which change appended a row: its number in `meta.commits`, or NULL once an UPDATE has changed
 * the row. BigQuery keeps names that begin so for itself.
 */
export const APPENDED = "_ROW_TIMESTAMP";
/** The column of a table of past rows that says which change removed the row. */
export const REMOVED = "_ROW_REMOVED";

/** The DuckDB variable that holds the number of a connection's present change. */
const PRESENT = "getvariable('bq_change')::BIGINT";

/** The definition of the column, which every INSERT leaves to its default. */
export const APPENDED_COLUMN = `${quoteName(APPENDED)} BIGINT DEFAULT getvariable('bq_change')`;

/** The same for a column that is there already, after `ALTER COLUMN`. */
export const APPENDED_DEFAULT = `${quoteName(APPENDED)} SET DEFAULT getvariable('bq_change')`;

/** When each change was committed; the first row is no change's. */
export const CREATE_COMMITS =
  "CREATE TABLE IF NOT EXISTS meta.commits AS SELECT 0::BIGINT AS change, to_timestamp(0) AS time";

/** Begins a DuckDB transaction whose rows belong to the change of this number. */
export function beginChange(change: bigint): string {
  return `BEGIN TRANSACTION; SET VARIABLE bq_change = ${change}`;
}

/** The table of a DuckDB table's past rows: as they were when they were removed, or first updated. */
export function pastTable(physical: string): string {
  return `${physical}_past`;
}

/** What a change does to the rows that it keeps a copy of. */
export type Loss = "removed" | "updated";

/**
 * The statements that keep the rows of a table for which the condition over `t` holds, before they are removed or updated. A row that
 * was updated before has a copy from then, and one that the change itself has appended was never there for others. `joined` is what is
 * joined to `t`.
 */
export function keepRows(physical: string, condition: string, loss: Loss, joined = ""): readonly string[] {
  const past = pastTable(physical);
  const appended = `t.${quoteName(APPENDED)}`;
  const isKept = loss === "updated" ? `${appended} <> ${PRESENT}` : `${appended} IS DISTINCT FROM ${PRESENT}`;
  return [
    `CREATE TABLE IF NOT EXISTS ${past} AS SELECT *, ${PRESENT} AS ${quoteName(REMOVED)} FROM ${physical} LIMIT 0`,
    `INSERT INTO ${past} SELECT t.*, ${PRESENT} FROM ${physical} AS t${joined} WHERE ${isKept} AND ${condition}`,
  ];
}

/** What an UPDATE sets the column to. */
export const AFTER_UPDATE = `CASE WHEN t.${quoteName(APPENDED)} = ${PRESENT} THEN t.${quoteName(APPENDED)} END`;

/** Drops a DuckDB table and its past rows. */
export function dropPhysical(physical: string): readonly string[] {
  return [`DROP TABLE ${physical}`, `DROP TABLE IF EXISTS ${pastTable(physical)}`];
}

/** What is known of a table's past. Times are milliseconds since the epoch. */
export interface TableHistory {
  /** The DuckDB table of past rows, where there is one. */
  readonly past?: string;
  /** When the table was made. */
  readonly created: number;
  /** When all of its rows were replaced, or 0: of those before nothing is kept. */
  readonly overwritten: number;
  /** When its columns were last changed, or 0. */
  readonly reshaped: number;
  /** When rows were last updated, or 0: how they were before is not kept. */
  readonly updated: number;
}
