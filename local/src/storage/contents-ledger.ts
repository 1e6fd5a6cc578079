import { type DuckDBConnection, DuckDBListValue } from "@duckdb/node-api";
import { quoteText } from "../values.ts";
import type { TableEntry } from "./entries.ts";
import { type ContentsChange, contentsSql, readContents, TableContents } from "./table-contents.ts";

/** What commits did to the contents of tables, by the tables' names in DuckDB. */
export type ContentsChanges = ReadonlyMap<string, readonly ContentsChange[]>;

/**
 * What each table holds, kept up to date by what commits say that they have added and taken away: no table is ever counted
 * again, and a first statement finds the figures there. In a data file each commit's part is a row of `meta.contents`, in the transaction
 * of the commit.
 */
export class ContentsLedger {
  readonly #tables = new Map<string, TableContents>();
  readonly #isDurable: boolean;

  constructor(isDurable: boolean) {
    this.#isDurable = isDurable;
  }

  /** Reads the contents of a data file's tables, and counts those that were written before contents were kept. */
  async load(connection: DuckDBConnection, entries: readonly TableEntry[]): Promise<void> {
    await connection.run(`CREATE TABLE IF NOT EXISTS ${TABLE}`);
    const reader = await connection.runAndReadAll("SELECT physical, key, held, bytes FROM meta.contents");
    const known = new Map<string, ContentsChange[]>();
    for (const [physical, key, held, bytes] of reader.getRows()) {
      const changes = known.get(physical as string) ?? [];
      const sizes = bytes instanceof DuckDBListValue ? bytes.items.map(Number) : [];
      changes.push({ key: key as bigint | null, rows: Number(held), bytes: sizes });
      known.set(physical as string, changes);
    }
    for (const entry of entries) {
      const { physical } = entry;
      if (physical === undefined) continue;
      const contents = new TableContents(entry);
      contents.add(known.get(physical) ?? (await readContents(connection, contentsSql(entry, physical))));
      this.#tables.set(physical, contents);
    }
    if (!this.#isDurable) return;
    await connection.run(`CREATE OR REPLACE TABLE ${TABLE}`);
    await this.save(connection, new Map([...this.#tables].map(([name, held]) => [name, held.changes()])));
  }

  /** Whether the table is one that is committed. */
  has(physical: string): boolean {
    return this.#tables.has(physical);
  }

  /** What a committed table holds; nothing where there is no such table. */
  contents(entry: TableEntry): TableContents {
    return this.#tables.get(entry.physical ?? "") ?? new TableContents(entry);
  }

  /** Writes the changes as part of the transaction that makes them. */
  async save(connection: DuckDBConnection, changes: ContentsChanges): Promise<void> {
    if (!this.#isDurable) return;
    const rows = [...changes].flatMap(([physical, parts]) => {
      // A table without rows is known to have none.
      const kept = parts.length === 0 ? [{ key: null, rows: 0, bytes: [] }] : parts;
      return kept.map(
        ({ key, rows: held, bytes }) =>
          `(${quoteText(physical)}, ${key ?? "NULL"}, ${held}, [${bytes.map(Math.round).join(", ")}])`,
      );
    });
    for (let start = 0; start < rows.length; start += 500)
      await connection.run(`INSERT INTO meta.contents VALUES ${rows.slice(start, start + 500).join(", ")}`);
  }

  /** Takes over the changes of a commit; `entries` are the tables that have changed, `dropped` those that are no more. */
  apply(
    changes: ContentsChanges,
    entries: ReadonlyMap<string, TableEntry>,
    dropped: readonly string[],
  ): void {
    for (const [physical, parts] of changes) {
      const entry = entries.get(physical);
      const contents = this.#tables.get(physical) ?? (entry && new TableContents(entry));
      if (contents === undefined) continue;
      contents.add(parts);
      this.#tables.set(physical, contents);
    }
    for (const physical of dropped) this.#tables.delete(physical);
  }
}

const TABLE = "meta.contents (physical VARCHAR, key BIGINT, held BIGINT, bytes BIGINT[])";
