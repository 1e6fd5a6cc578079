import type { FieldSchema, Partitioning, TableRef } from "../types.ts";

/** What every object of the catalog carries. */
export interface Described {
  readonly description?: string;
  readonly friendlyName?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly creationTime: number;
  /** Milliseconds since the epoch. */
  readonly lastModifiedTime: number;
}

/** A dataset. */
export interface DatasetEntry extends Described {
  readonly projectId: string;
  readonly datasetId: string;
  readonly location: string;
  readonly defaultTableExpirationMs?: string;
  readonly defaultPartitionExpirationMs?: string;
  /** REST fields that the endpoint keeps and returns but does not act on, such as `access`. */
  readonly kept: Readonly<Record<string, unknown>>;
}

/** What a table is. */
export type TableKind = "TABLE" | "SNAPSHOT" | "VIEW" | "MATERIALIZED_VIEW";

/** The table that a clone or a snapshot was made of. */
interface BaseTable {
  readonly table: TableRef;
  /** When it was made, in milliseconds since the epoch. */
  readonly time: number;
}

/** A table or view. Entries are never changed in place: a change puts a new one. */
export interface TableEntry extends Described {
  readonly ref: TableRef;
  readonly kind: TableKind;
  /** Changes whenever anything that an analysis or a compiled statement relies on does. */
  readonly version: string;
  /** The DuckDB table that holds the rows, as SQL text; views have none. */
  readonly physical?: string;
  /** When all rows were replaced, in milliseconds since the epoch: of those before nothing is kept. */
  readonly rowsSince?: number;
  /** When columns were last added, dropped, renamed or changed, in milliseconds since the epoch. */
  readonly columnsSince?: number;
  readonly schema: readonly FieldSchema[];
  readonly partitioning: Partitioning;
  readonly requirePartitionFilter?: boolean;
  readonly clustering: readonly string[];
  /** The GoogleSQL text of a view. */
  readonly viewQuery?: string;
  /** Of a clone or a snapshot. */
  readonly base?: BaseTable;
  readonly location: string;
  /** Milliseconds since the epoch; the table is gone after it. */
  readonly expirationTime?: number;
  /** REST fields that the endpoint keeps and returns but does not act on, such as `tableConstraints`. */
  readonly kept: Readonly<Record<string, unknown>>;
}

/** A routine: its definition is kept as REST has it; `text` is the CREATE statement where SQL made it. */
export interface RoutineEntry extends Described {
  readonly projectId: string;
  readonly datasetId: string;
  readonly routineId: string;
  readonly version: string;
  readonly routineType: "SCALAR_FUNCTION" | "PROCEDURE" | "TABLE_VALUED_FUNCTION" | "AGGREGATE_FUNCTION";
  readonly text?: string;
  readonly kept: Readonly<Record<string, unknown>>;
}

/** How BigQuery writes a table's name in messages. */
export function tableName(ref: TableRef): string {
  return `${ref.projectId}:${ref.datasetId}.${ref.tableId}`;
}
