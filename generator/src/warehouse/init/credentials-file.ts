import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { credentialsText } from "../../dataform/credentials.ts";
import { unusableFile } from "../../project/problems.ts";
import type { Warehouse } from "../client.ts";
import type { Step } from "./step.ts";

/** `npx dataform run` reads project and location from this file; it holds no secret and is not committed. */
export async function planCredentialsFile(warehouse: Warehouse): Promise<Step> {
  const name = ".df-credentials.json";
  const file = path.join(warehouse.project.root, name);
  const wanted = credentialsText(warehouse.project);
  const actual = await readFile(file, "utf8").catch(() => undefined);
  if (actual === wanted || (actual !== undefined && !isOurs(actual))) {
    return { kind: "file", name, action: "none", changes: [], notes: [] };
  }
  return {
    kind: "file",
    name,
    action: actual === undefined ? "create" : "extend",
    changes: ["project and location for `npx dataform run`, no secret"],
    notes: [],
    apply: () =>
      writeFile(file, wanted).catch((error: unknown) => {
        throw unusableFile(name, "written", error);
      }),
  };
}

/** True for a file as we write it; one that somebody made by hand may say more, and is left alone. */
function isOurs(text: string): boolean {
  try {
    const parsed: unknown = JSON.parse(text);
    const keys = typeof parsed === "object" && parsed !== null ? Object.keys(parsed) : [];
    return keys.sort().join() === "location,projectId";
  } catch {
    return false;
  }
}
