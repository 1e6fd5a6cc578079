/** Where updates of one entity go. */
export interface LoadTarget {
  readonly dataset: string;
  readonly table: string;
  /** The column by whose times a load's rows can be told from others. */
  readonly ingestTimestamp?: string;
}
