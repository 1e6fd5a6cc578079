import { rmSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import path from "node:path";
import { unusableFile } from "../project/problems.ts";

/** Makes a folder whole or not at all: `fill` writes into another one beside it, which takes its name in the end, also where an empty one has it. `shownAs` is its name in an error. */
export async function makeWhole<Result>(
  folder: string,
  shownAs: string,
  fill: (draft: string) => Promise<Result>,
): Promise<Result> {
  const parent = await mkdir(path.dirname(folder), { recursive: true })
    .then(() => mkdtemp(path.join(path.dirname(folder), ".new-")))
    .catch((error: unknown) => {
      throw unusableFile(shownAs, "written", error);
    });
  const remove = (): void => rmSync(parent, { recursive: true, force: true });
  // An interrupt ends the process here and now.
  process.once("exit", remove);
  try {
    // Only its owner may look into a temporary folder; this one has the rights that folders have here.
    const draft = path.join(parent, "draft");
    await mkdir(draft);
    const result = await fill(draft);
    await rm(folder, { recursive: true, force: true });
    await rename(draft, folder);
    return result;
  } finally {
    process.off("exit", remove);
    remove();
  }
}
