import { parseJson } from "../project/json.ts";
import { findNear } from "../project/near.ts";
import { isObject } from "../project/problems.ts";
import { readProjectFiles } from "./project-copy.ts";

/** The run variables that includes/run.js reads. */
const VARIABLES = ["replayFrom", "rebuild", "force", "merge", "audit", "auditShare"];

/** `vars.name` and `vars["name"]` in a project's code, and `{ name } = … vars`. */
const READ = /\bvars\s*(?:\?\.|\.|(?:\?\.)?\[\s*["'`])\s*([\w-]+)/g;
const TAKEN_APART = /\{([^{}]*)\}\s*=[^;{}]*\bvars\b/g;

/**
 * The run variable that a name is a slip of; undefined where it is one, one of the project's own, or nothing like one. A variable that nobody
 * reads is ignored without a word, so a slip in one of ours must not pass for somebody else's.
 */
export function meantVariable(name: string, own: readonly string[]): string | undefined {
  return VARIABLES.includes(name) || own.includes(name) ? undefined : findNear(name, VARIABLES);
}

/** The variables that the project in this folder declares in its `dataform.json`, or reads in its code. */
export async function readOwnVariables(root: string): Promise<readonly string[]> {
  const files = await readProjectFiles(root, ["dataform.json", "definitions", "includes"]);
  return [...files].flatMap(([file, text]) => {
    if (file === "dataform.json") {
      const settings = parseJson(text, file);
      return isObject(settings) && isObject(settings.vars) ? Object.keys(settings.vars) : [];
    }
    const read = [...text.matchAll(READ)].map(([, name = ""]) => name);
    const parts = [...text.matchAll(TAKEN_APART)].flatMap(([, names = ""]) => names.split(","));
    return [...read, ...parts.map((part) => /^\s*([\w-]*)/.exec(part)?.[1] ?? "")];
  });
}
