/** A column of one of the product's own tables; those of the watermark and the log stand in includes/progress.js. */
export interface OwnColumn {
  readonly name: string;
  /** Its type as GoogleSQL writes it. */
  readonly type: "STRING" | "TIMESTAMP";
  readonly description: string;
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

/** What the product's tables are said to be, where more than one place says it. */
export const DESCRIPTIONS = {
  updates: (entity: string) => `Updates of ${entity}, append only; NULL says nothing.`,
  source: (entity: string) => `Updates of ${entity}, of others: only read here; NULL says nothing.`,
  final: (entity: string) => `One row per user: each attribute of ${entity} at its latest known value.`,
  watermark: (entity: string) =>
    `How far the updates of ${entity} are merged: one row, which every run writes first.`,
  runs: (entity: string) => `One row per run of ${entity}: what it read and what it changed.`,
  tombstones: (entity: string) => `The deleted users of ${entity}, so that no replay brings them back.`,
  eraseGuard: (entity: string) =>
    `Made only by a run of everything, just before ${entity}_erase, which then stands aside.`,
} as const;
