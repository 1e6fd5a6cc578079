import type { BigQuery } from "@google-cloud/bigquery";
import type { DataSize } from "./data.ts";

/** Where a contender works. */
export interface Ground {
  readonly client: BigQuery;
  /** The endpoint's address. */
  readonly url: string;
  /** A dataset of the contender's own. */
  readonly dataset: string;
  readonly size: DataSize;
}

/** A way to keep one row per user up to date. */
export interface Contender {
  readonly name: string;
  /** The dataset's table of updates, to which batches are appended. */
  readonly updates: string;
  /** The table or view with one row per user, and the stored table behind it. */
  readonly result: string;
  readonly final: string;
  /** Makes the tables. */
  prepare(): Promise<void>;
  /** Takes in what has been appended since the last run; with `merge` into final too, whatever is due (R13). */
  run(merge?: boolean): Promise<void>;
  /** Frees what it holds outside of the warehouse. */
  close?(): Promise<void>;
}
