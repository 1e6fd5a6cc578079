import { isUtf8 } from "node:buffer";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { InputError, unusableFile } from "./problems.ts";

/** Reads a file of a project by its path in it; undefined where there is none. */
export type ReadProjectFile = (path: string) => Promise<string | undefined>;

/** Reads the files of a project from a folder on disk. */
export function readFolder(root: string): ReadProjectFile {
  return async (file) => {
    const bytes = await readFile(path.join(root, file)).catch((error: unknown) => {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "ENOENT" || code === "EISDIR" || code === "ENOTDIR") return undefined;
      throw unusableFile(file, "read", error);
    });
    if (bytes === undefined) return undefined;
    if (isUtf8(bytes)) return bytes.toString();
    throw new InputError([{ file, path: "", wrong: "not UTF-8", right: "save the file as UTF-8" }]);
  };
}

/** Reads a file that every project has. */
export async function readInput(read: ReadProjectFile, file: string): Promise<string> {
  const text = await read(file);
  if (text !== undefined) return text;
  throw new InputError([
    {
      file,
      path: "",
      wrong: "no such file here",
      right: "run this in the project's folder, or name it by --project",
    },
  ]);
}
