import { type TableEntry, tableName } from "./entries.ts";
import { APPENDED } from "./history.ts";

/** For how long rows of insertAll stay as they were written: https://cloud.google.com/bigquery/docs/data-manipulation-language#limitations */
const STREAMED_MINUTES = 30;

/** The DuckDB variable that holds the numbers of the changes that streamed rows into a statement's target. */
const STREAMED = "bq_streamed";

/** What the table's DuckDB rows, as `t`, are that no statement may change yet; `setStreamed` says which changes count. */
export const IS_STREAMED = `list_contains(getvariable('${STREAMED}')::BIGINT[], t.${APPENDED})`;

/** The DuckDB statement that says which changes streamed rows lately. */
export function setStreamed(changes: readonly bigint[]): string {
  return `SET VARIABLE ${STREAMED} = [${changes.join(", ")}]::BIGINT[]`;
}

/** BigQuery's refusal of a statement that would change such rows. */
export function streamedMessage(table: string): string {
  return `UPDATE or DELETE statement over table ${table} would affect rows in the streaming buffer, which is not supported`;
}

interface Streamed {
  readonly change: bigint;
  readonly rows: number;
  readonly time: number;
}

/** Which rows of which tables came by insertAll lately. A server that starts anew has none: what it finds in its data file may be changed. */
export class StreamingBuffer {
  readonly #tables = new Map<string, Streamed[]>();
  readonly #minutes: () => number;

  constructor(minutes: () => number = () => STREAMED_MINUTES) {
    this.#minutes = minutes;
  }

  /** Notes that a change streams rows into a table. */
  add({ ref }: Pick<TableEntry, "ref">, change: bigint, rows: number): void {
    const recent = this.#recent(tableName(ref));
    recent.push({ change, rows, time: Date.now() });
    this.#tables.set(tableName(ref), recent);
  }

  /** The changes that streamed rows into the table lately. */
  changes(ref: TableEntry["ref"]): readonly bigint[] {
    return this.#recent(tableName(ref)).map(({ change }) => change);
  }

  /** How many rows they were, and when the oldest came, in milliseconds since the epoch; undefined where there is none. */
  state(ref: TableEntry["ref"]): { readonly rows: number; readonly oldest: number } | undefined {
    const recent = this.#recent(tableName(ref));
    const [first] = recent;
    if (first === undefined) return undefined;
    return { rows: recent.reduce((sum, { rows }) => sum + rows, 0), oldest: first.time };
  }

  #recent(table: string): Streamed[] {
    const all = this.#tables.get(table) ?? [];
    const since = Date.now() - this.#minutes() * 60_000;
    const gone = all.findIndex(({ time }) => time > since);
    if (gone === 0) return all;
    if (gone === -1) this.#tables.delete(table);
    return gone === -1 ? [] : all.slice(gone);
  }
}
