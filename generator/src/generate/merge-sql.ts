import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type * as Merge from "../../scaffold/includes/merge.js";
import type * as Progress from "../../scaffold/includes/progress.js";

const INCLUDES = new URL("../../scaffold/includes/", import.meta.url);

/** The leaf-level SQL, by the very functions that a project's includes/ hold a copy of. */
export const mergeSql = included("merge.js") as typeof Merge;

/** The columns of the watermark's row and of the log of runs, from where SQLX takes them too. */
export const progressSql = included("progress.js") as typeof Progress;

function included(file: string): unknown {
  return createRequire(import.meta.url)(fileURLToPath(new URL(file, INCLUDES)));
}

/** The names of the functions in merge.js and entity.js that gather a leaf. */
export type Gatherer = Extract<keyof typeof Merge, `gather${string}`>;
/** The same for those that decide between the batch and final. */
export type Decider = Extract<keyof typeof Merge, `take${string}`>;

const COPIES = ["entity.js", "merge.js", "progress.js", "run.js"] as const;

/** What a project's includes/ hold beside its entities: path to text, with the version of the tool in the first line. */
export function includedFiles(): ReadonlyMap<string, string> {
  const { name, version } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  ) as { name: string; version: string };
  const header = `// A copy by \`npm run generate\` from ${name} ${version}: edit nothing here.\n`;
  return new Map(
    COPIES.map((file) => [`includes/${file}`, header + readFileSync(new URL(file, INCLUDES), "utf8")]),
  );
}
