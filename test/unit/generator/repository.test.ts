import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

test.each(["generate", "compile"])("what npm run %s writes is committed as it is", async (command) => {
  const args = ["--import", import.meta.resolve("tsx"), join(ROOT, "generator/cli.ts"), command, "--check"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  expect(stdout).toMatch(/^\d+ files are up to date\n$/);
});
