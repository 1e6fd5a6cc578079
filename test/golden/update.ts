/** Writes what the golden cases make now as what they should make. Run by hand (`npm run golden:update`), read the diff. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { GOLDEN, listCases, produce } from "./golden-case.ts";

if (process.env.CI) throw new Error("golden files are reviewed before they are committed; this does not run in CI");
const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : await listCases()) {
  const files = await produce(name);
  const folder = join(GOLDEN, name, "expected");
  await rm(folder, { recursive: true, force: true });
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  console.log(`${name}: ${files.size} files`);
}
