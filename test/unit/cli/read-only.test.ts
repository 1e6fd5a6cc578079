import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { PROJECT } from "./error-cases.ts";

const BIN = fileURLToPath(new URL("../../../generator/bin/user-info-updater.js", import.meta.url));
/** Root writes where it may not, unless it gives up the right to: https://man7.org/linux/man-pages/man7/capabilities.7.html */
const UNPRIVILEGED =
  process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] : [];
const isPossible =
  process.platform !== "win32" &&
  (UNPRIVILEGED.length === 0 || spawnSync("setpriv", [...UNPRIVILEGED.slice(1), "true"]).status === 0);
const WHY = isPossible ? "" : " (skipped: this machine's root cannot give up its right to write)";

describe.skipIf(!isPossible)(`in a folder that may not be written to${WHY}`, async () => {
  const root = await mkdtemp(path.join(tmpdir(), "read-only-"));
  for (const [file, text] of Object.entries(PROJECT)) {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), text);
  }
  await mkdir(path.join(root, "definitions"));
  const folders = [root, path.join(root, "definitions")];
  for (const folder of folders) await chmod(folder, 0o555);
  afterAll(async () => {
    for (const folder of folders) await chmod(folder, 0o755);
    await rm(root, { recursive: true });
  });

  it.each([
    [
      ["generate"],
      1,
      "definitions/customer/customer.sqlx: cannot be written (EACCES); see to the permissions and the space of its folder",
    ],
    [
      ["new", "crm", "--yes"],
      1,
      "crm: cannot be written (EACCES); see to the permissions and the space of its folder",
    ],
  ])("%j says which file, and why, and leaves nothing behind", async (argv, code, line) => {
    const before = await readdir(root, { recursive: true });
    const [program = "", ...args] = [...UNPRIVILEGED, process.execPath, BIN, ...argv];
    const { status, stderr } = spawnSync(program, args, { cwd: root, encoding: "utf8" });
    expect(stderr).toBe(`${line}\n`);
    expect(status).toBe(code);
    expect(await readdir(root, { recursive: true })).toEqual(before);
  });
});
