import { type Difference, formatDifferences, writeFiles } from "../generate/write.ts";
import type { Context } from "./command.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";

/** How things stand while files are written. */
export const HALF_WRITTEN = "each file is as it was or as it should be; run it again";

/** Makes the disk as it should be and lists what that took, or with `isCheck` only shows how it differs. */
export async function writeOrCheck(
  { root, output, stands }: Context,
  command: string,
  isCheck: boolean,
  total: number,
  differences: readonly Difference[],
): Promise<ExitCode> {
  if (!isCheck) {
    stands(HALF_WRITTEN);
    await writeFiles(root, differences);
    for (const { path, kind } of differences)
      output.say(`${kind === "orphaned" ? "removed" : "wrote"} ${path}`);
    const removed = differences.filter(({ kind }) => kind === "orphaned").length;
    output.line(
      `${total} files, ${differences.length - removed} of them new or changed${removed === 0 ? "" : `; ${removed} removed`}`,
    );
    return EXIT.done;
  }
  if (differences.length === 0) {
    output.line(`${total} files are up to date`);
    return EXIT.done;
  }
  output.line(formatDifferences(differences));
  output.note(`${differences.length} files are stale; run \`npm run ${command}\` and commit what it writes`);
  return EXIT.failed;
}
