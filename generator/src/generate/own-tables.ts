/** A column of one of the product's own tables. */
export interface OwnColumn {
  readonly name: string;
  /** Its type as GoogleSQL writes it. */
  readonly type: "STRING" | "TIMESTAMP" | "INT64" | "NUMERIC" | readonly OwnColumn[];
  readonly description: string;
  /** What it holds before the first run, as SQL; NULL where absent. */
  readonly initial?: string;
}

/** What an action of an entity is called, by what it does; the rest of the entity's tables are named in entities.json. */
export const ACTION_SUFFIXES = {
  tables: "_tables",
  watermark: "_watermark",
  view: "",
  versions: "_versions",
  runs: "_runs",
  keyAssertion: "_key_is_unique",
  badRows: "_bad_rows",
  auditFindings: "_audit_findings",
  audit: "_audit",
  test: "_test",
} as const;

/** The same of the actions that only an entity with deletes has (R10). */
export const DELETE_SUFFIXES = {
  tombstones: "_tombstones",
  eraseGuard: "_erase_guard",
  erase: "_erase",
} as const;

/** A row of the run log: who writes or reads a run takes its columns from here. */
export const RUN_COLUMNS = [
  { name: "run_id", type: "STRING", description: "Identifies the run." },
  {
    name: "kind",
    type: "STRING",
    description: "update, replay (from replayFrom on) or rebuild.",
  },
  {
    name: "read_from",
    type: "TIMESTAMP",
    description: "The run read updates from this ingest timestamp on.",
  },
  { name: "read_at", type: "TIMESTAMP", description: "When it read them." },
  { name: "merged_at", type: "TIMESTAMP", description: "When it merged them." },
  { name: "watermark_before", type: "TIMESTAMP", description: "The watermark before the run." },
  { name: "watermark_after", type: "TIMESTAMP", description: "The watermark after the run." },
  {
    name: "rows_read",
    type: "INT64",
    description: "Updates read, the overlap with earlier runs included.",
  },
  { name: "users_read", type: "INT64", description: "Users with updates among them." },
  {
    name: "rows_changed",
    type: "INT64",
    description: "Rows of final that were inserted, rewritten or removed.",
  },
  {
    name: "bad_rows",
    type: "INT64",
    description: "Updates kept out for a missing key or a missing or impossible timestamp.",
  },
  {
    name: "future_rows",
    type: "INT64",
    description:
      "Updates stamped later than the time they were read: merged, and read again until their time has come.",
  },
] as const satisfies readonly OwnColumn[];

/** A row that a run kept out, or that is stamped far ahead (R12). */
export const BAD_ROW_COLUMNS = [
  { name: "reason", type: "STRING", description: "Why it was kept out." },
  { name: "ingest_timestamp", type: "TIMESTAMP", description: "Its ingest timestamp." },
  { name: "details", type: "STRING", description: "Its key and timestamps, as JSON." },
] as const satisfies readonly OwnColumn[];

/** The one row of progress (R5), with the log of the last runs, which the incremental table of runs takes from here. */
export const WATERMARK_COLUMNS = [
  {
    name: "watermark",
    type: "TIMESTAMP",
    description: "The greatest ingest timestamp merged so far; 1900-01-01 before the first run.",
    initial: "TIMESTAMP '1900-01-01 00:00:00+00'",
  },
  { name: "previous_watermark", type: "TIMESTAMP", description: "The watermark before the last run." },
  { name: "read_at", type: "TIMESTAMP", description: "When the last merged batch was read." },
  {
    name: "merged_at",
    type: "TIMESTAMP",
    description: "When the last batch that was not empty was merged.",
  },
  { name: "users", type: "INT64", description: "Rows of final after the last run.", initial: "0" },
  { name: "recent_runs", type: RUN_COLUMNS, description: "The last 50 runs, newest first." },
  {
    name: "last_bad_rows",
    type: BAD_ROW_COLUMNS,
    description:
      "Updates that the last run kept out, or that are stamped more than a day ahead; the first 1000.",
  },
] as const satisfies readonly OwnColumn[];

/**
 * What the watermark's row has gained since tables were first made without it: by it a run knows whether the updates that it
 * reads again are those that were merged, and nothing else (R7).
 */
export const SEEN_COLUMNS = [
  {
    name: "seen_from",
    type: "TIMESTAMP",
    description: "The updates from this ingest timestamp on, as they were merged, are what follows tells of.",
  },
  { name: "seen_rows", type: "INT64", description: "How many they were." },
  { name: "seen_digest", type: "NUMERIC", description: "The sum of their fingerprints." },
] as const satisfies readonly OwnColumn[];

/** All columns of the watermark's table. */
export const PROGRESS_COLUMNS: readonly OwnColumn[] = [...WATERMARK_COLUMNS, ...SEEN_COLUMNS];

/** What is left of deleted users (R10). */
export const TOMBSTONE_COLUMNS = [
  { name: "key_hash", type: "STRING", description: "SHA-256 of the key of the user, in hexadecimal." },
  {
    name: "version",
    type: "TIMESTAMP",
    description: "Everything the user had up to and including this version is deleted.",
  },
  { name: "ingest_timestamp", type: "TIMESTAMP", description: "The newest ingest timestamp of the user." },
] as const satisfies readonly OwnColumn[];

/** The column of the view of versions that mirrors the schema with a TIMESTAMP for each leaf; final had it before. */
export const VERSIONS_COLUMN = {
  name: "_versions",
  description: "For each attribute, the version of the update that set it.",
} as const;

/** The same as temp and final store it: the version of most attributes once, and the others' own. */
export const BASE_COLUMN = {
  name: "_base_version",
  description: "The version of every attribute that has a value and no version of its own.",
} as const;

/** A STRUCT that mirrors the schema with a TIMESTAMP for each leaf whose version is not the base. */
export const OWN_COLUMN = {
  name: "_own_versions",
  description: "The version of each attribute whose version is not the base version.",
} as const;

/** What final holds beside the schema's columns. */
export const FINAL_COLUMNS = [BASE_COLUMN, OWN_COLUMN];

/** What the view of versions holds beside the schema's columns. */
export const VERSIONS_COLUMNS = [VERSIONS_COLUMN];

/** What the batch holds beside the schema's columns, so that people find their way in it. */
export const TEMP_COLUMNS = [
  ...FINAL_COLUMNS,
  { name: "_batch", description: "Where and when the batch was read; per user, how many updates it holds." },
];

/** What a table holds that has the schema's columns and no other. */
export const NO_COLUMNS: readonly OwnColumn[] = [];

/** What the product's tables are said to be, where more than one place says it. */
export const DESCRIPTIONS = {
  updates: (entity: string) => `Updates of ${entity}, append only; NULL says nothing.`,
  final: (entity: string) => `One row per user: each attribute of ${entity} at its latest known value.`,
  watermark: (entity: string) =>
    `How far the updates of ${entity} are merged: one row, which every run writes first.`,
  tombstones: (entity: string) => `The deleted users of ${entity}, so that no replay brings them back.`,
  eraseGuard: (entity: string) =>
    `Made only by a run of everything, just before ${entity}_erase, which then stands aside.`,
} as const;
