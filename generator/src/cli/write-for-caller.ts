import { writeFile } from "node:fs/promises";
import { codeOf, wrongUsage } from "../project/errors.ts";

/** Writes a file that an option names, relative to where the command was called; `option` says whose it is, for the error. */
export async function writeForCaller(option: string, file: string, content: string): Promise<void> {
  await writeFile(file, content).catch((error: unknown) => {
    throw wrongUsage(
      `${option} ${file}: cannot be written (${codeOf(error)}); name a file in a folder that is there`,
    );
  });
}
