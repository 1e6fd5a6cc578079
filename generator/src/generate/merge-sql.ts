import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type * as Basis from "../../scaffold/includes/basis.js";
import type * as Merge from "../../scaffold/includes/merge.js";
import type * as Progress from "../../scaffold/includes/progress.js";
import { COPY_HEADER } from "../project/tool-version.ts";

const INCLUDES = new URL("../../scaffold/includes/", import.meta.url);

const load = (file: string): unknown =>
  createRequire(import.meta.url)(fileURLToPath(new URL(file, INCLUDES)));

/** The leaf-level SQL, by the very functions that a project's includes/ hold a copy of. */
export const mergeSql = load("merge.js") as typeof Merge;
/** The columns of the watermark's row (PROGRESS) and what it begins as, of a run in the log (RUN) and of the batch's own row, as a project's includes/ have them. */
export const { PROGRESS, RUN, BATCH, typeOf, initialRow } = load("progress.js") as typeof Progress;

/** What decides the meaning of final, as a watermark's row keeps it (R14). */
export const basisSql = load("basis.js") as typeof Basis;
/** What is kept of that for some paths. */
export type Fact = ReturnType<typeof Basis.factsOf>[number];

/** The names of the functions in merge.js and entity.js that gather a leaf. */
export type Gatherer = Extract<keyof typeof Merge, `gather${string}`>;
/** The same for those that decide between the batch and final. */
export type Decider = Extract<keyof typeof Merge, `take${string}`>;

const COPIES = [
  "basis.js",
  "commits.js",
  "entity.js",
  "merge.js",
  "progress.js",
  "run.js",
  "sql/batch.js",
  "sql/columns.js",
  "sql/descriptions.js",
  "sql/floors.js",
  "sql/history.js",
  "sql/text.js",
] as const;

/** What a project's includes/ hold beside its entities: path to text, with the version of the tool in the first line. */
export function includedFiles(): ReadonlyMap<string, string> {
  return new Map(
    COPIES.map((file) => [`includes/${file}`, COPY_HEADER + readFileSync(new URL(file, INCLUDES), "utf8")]),
  );
}
