import { readFile } from "node:fs/promises";
import { codeOf } from "../project/errors.ts";

/** The text of a file, or undefined where there is none. */
export async function readTextIfFile(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  });
}
