import { writeFile } from "node:fs/promises";
import { codeOf, wrongUsage } from "../project/errors.ts";
import { type Context, callerPath } from "./command.ts";

/** Writes a file that an option names, relative to where the command was called; `option` says whose it is, for the error. */
export async function writeForCaller(
  context: Context,
  option: string,
  file: string,
  content: string,
): Promise<void> {
  await writeFile(callerPath(context, file), content).catch((error: unknown) => {
    throw wrongUsage(
      `${option} ${file}: cannot be written (${codeOf(error)}); name a file in a folder that is there`,
    );
  });
}
