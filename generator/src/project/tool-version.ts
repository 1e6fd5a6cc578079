import { readFileSync } from "node:fs";
import { CommandError } from "./errors.ts";
import { type ReadProjectFile, readFolder } from "./read-file.ts";

/** This tool as its own package.json has it. */
export const TOOL = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  readonly name: string;
  readonly version: string;
};

/** The first line of every file in a project's includes/ that is a copy of ours; it alone says whose. */
export const COPY_HEADER = `// A copy by \`npm run generate\` from ${TOOL.name} ${TOOL.version}: edit nothing here.\n`;

/** Before 0.2 a project was a fork of the tool's repository: it had run variables and no merge.js, and no file said a version. */
const FORK = "0.1.0";

/** The version of the tool that last wrote a project's files, from the head of includes/merge.js; undefined where none has. */
export async function readProjectVersion(read: ReadProjectFile): Promise<string | undefined> {
  const merge = await read("includes/merge.js");
  if (merge === undefined) return (await read("includes/run.js")) === undefined ? undefined : FORK;
  return new RegExp(`^// A copy by .* from ${TOOL.name} (\\d+\\.\\d+\\.\\d+)`).exec(merge)?.[1];
}

/** Whether a version is older than another one; both as `1.2.3`. */
export function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, "en", { numeric: true }) < 0;
}

/** Throws where another version of the tool wrote the project's files: its SQL and its tables may be others than this one's. */
export async function refuseOtherVersion(root: string): Promise<void> {
  const version = await readProjectVersion(readFolder(root));
  if (version === undefined || version === TOOL.version) return;
  if (!isOlder(version, TOOL.version)) throw newerProject(version);
  throw new CommandError(
    `this project was written by ${TOOL.name} ${version}, and this is ${TOOL.version}; \`npx ${TOOL.name} upgrade --plan\` shows what becomes new, without --plan it is done`,
  );
}

/** An older tool would undo what a newer one made. */
export function newerProject(version: string): CommandError {
  return new CommandError(
    `this project was written by ${TOOL.name} ${version}, and this is ${TOOL.version}, which is older; \`npm ci --include=dev\` installs the version that package.json names`,
  );
}
