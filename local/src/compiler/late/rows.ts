/** Calls of a function of ours, as its thread is sent them. */
export interface LateRows {
  /** Its name in DuckDB. */
  readonly name: string;
  /** The arguments of each row. */
  readonly values: readonly (readonly unknown[])[];
}
