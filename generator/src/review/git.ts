import { execFile } from "node:child_process";
import { CommandError, wrongUsage } from "../project/errors.ts";

/** The commit that a review compares with. */
export interface Base {
  /** The ref as the user named it. */
  readonly ref: string;
  readonly commit: string;
  /** True where the commit is not the ref's own, but the one where the branch left it. */
  readonly isForkPoint: boolean;
}

/** A commit's files below the project's folder: path to text. */
export type CommitFiles = ReadonlyMap<string, string>;

/**
 * The commit where HEAD left `ref`, as a pull request is compared: what others have merged since then is not its change.
 * Without one in common (another root, a shallow clone) it is the ref's own commit. Throws on a ref that does not exist.
 */
export async function findBase(root: string, ref: string): Promise<Base> {
  if ((await git(root, ["rev-parse", "--is-inside-work-tree"])).code !== 0)
    throw new CommandError("review: not in a git repository; run it in a clone of the project");
  const tip = await git(root, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`]);
  if (tip.code !== 0)
    throw wrongUsage(
      `review: --base ${ref}: git knows no such commit; fetch it first, or name another branch`,
    );
  const own = tip.stdout.toString().trim();
  const fork = await git(root, ["merge-base", own, "HEAD"]);
  const commit = fork.code === 0 ? fork.stdout.toString().trim() : own;
  return { ref, commit, isForkPoint: commit !== own };
}

/** Reads files of a commit, or whole folders of it, without touching the working tree; what it does not have is left out. */
export async function readCommit(
  root: string,
  commit: string,
  paths: readonly string[],
): Promise<CommitFiles> {
  const tree = await git(root, ["ls-tree", "-r", "-z", commit, "--", ...paths]);
  if (tree.code !== 0) throw new CommandError(`review: git ls-tree: ${tree.stderr.trim()}`);
  const entries = tree.stdout
    .toString()
    .split("\0")
    .flatMap((line) => {
      const [, object, path] = /^100\d+ blob ([0-9a-f]+)\t(.+)$/s.exec(line) ?? [];
      return object === undefined || path === undefined ? [] : [{ object, path }];
    });
  const blobs = await git(
    root,
    ["cat-file", "--batch"],
    `${entries.map(({ object }) => object).join("\n")}\n`,
  );
  if (blobs.code !== 0) throw new CommandError(`review: git cat-file: ${blobs.stderr.trim()}`);
  const files = new Map<string, string>();
  let offset = 0;
  for (const { path } of entries) {
    const end = blobs.stdout.indexOf("\n", offset);
    const size = Number(/ (\d+)$/.exec(blobs.stdout.toString("utf8", offset, end))?.[1]);
    if (!Number.isInteger(size)) throw new CommandError(`review: git cannot read ${path} of ${commit}`);
    files.set(path, blobs.stdout.toString("utf8", end + 1, end + 1 + size));
    offset = end + size + 2;
  }
  return files;
}

interface GitResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

function git(root: string, args: readonly string[], input = ""): Promise<GitResult> {
  return new Promise((resolve, reject) => {
    const options = { cwd: root, encoding: "buffer" as const, maxBuffer: 1 << 30 };
    const child = execFile("git", [...args], options, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== "number")
        reject(new CommandError(`review: cannot run git: ${error.message.trim()}`, { cause: error }));
      else resolve({ code: Number(error?.code ?? 0), stdout, stderr: stderr.toString() });
    });
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}
