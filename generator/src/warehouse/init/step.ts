/** One thing that `init` finds in order, or makes so. */
export interface Step {
  readonly kind: "dataset" | "table" | "file";
  readonly name: string;
  readonly action: "create" | "extend" | "none";
  /** What is created or changed, one line each. */
  readonly changes: readonly string[];
  /** What stays although the schema says otherwise. */
  readonly notes: readonly string[];
  /** Does it; absent where nothing is to be done. */
  readonly apply?: () => Promise<void>;
}
