import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The Dataform files a golden case expects, by their path in a project; nothing when the case expects refused input. */
export function goldenFiles(directory: string): ReadonlyMap<string, string> | undefined {
  const folders = [join(directory, "expected"), directory].filter((folder) =>
    existsSync(join(folder, "definitions")),
  );
  const [root] = folders;
  if (root === undefined) return undefined;
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) =>
    /\.(sqlx|js)$/.test(path),
  );
  return new Map(files.map((path) => [path, readFileSync(join(root, path), "utf8")]));
}
