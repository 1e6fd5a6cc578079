import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { COMMANDS } from "../../generator/src/cli/commands.ts";
import { finalPage, referencePage } from "./pages.ts";

/** The repository. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The pages of docs/ that are written by a script: path to text. */
export async function renderDocs(): Promise<ReadonlyMap<string, string>> {
  const read = (file: string) => readFileSync(path.join(ROOT, file), "utf8");
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  return new Map([
    ["docs/final.md", finalPage(read("compiled/user_info/user_info_final.sql"))],
    ["docs/reference.md", referencePage(commands, JSON.parse(read("generator/entities.schema.json")))],
  ]);
}
