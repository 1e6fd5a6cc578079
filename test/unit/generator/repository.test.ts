import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

test.each(["generate", "compile"])("what npm run %s writes is committed as it is", async (command) => {
  const args = [join(ROOT, "generator/bin/user-info-updater.js"), command, "--check"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  expect(stdout).toMatch(/^\d+ files are up to date\n$/);
});

test("no checkout changes the line ends of files that are compared byte by byte", async () => {
  const files = ["definitions/user_info/user_info.sqlx", "compiled/user_info/user_info.sql", "README.md"];
  const { stdout } = await promisify(execFile)("git", ["check-attr", "eol", ...files], { cwd: ROOT });
  for (const file of files) expect(stdout).toContain(`${file}: eol: lf\n`);
});
