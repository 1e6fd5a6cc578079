import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { REPOSITORY, runProgram } from "./harness.ts";

describe("npm run demo", () => {
  it("shows the worked example and the nested one, needs nothing, leaves nothing", async () => {
    const temporary = await mkdtemp(path.join(tmpdir(), "demo-test-"));
    const before = await leftovers(temporary);
    const demo = await runProgram("npm", ["run", "--silent", "demo"], {
      cwd: REPOSITORY,
      env: {
        BIGQUERY_EMULATOR_HOST: undefined,
        GOOGLE_APPLICATION_CREDENTIALS: undefined,
        TMPDIR: temporary,
        // The CLI as users run it; see vitest.config.mts.
        NODE_OPTIONS: undefined,
      },
    });
    expect(demo.exitCode, demo.stderr).toBe(0);
    const tables = demo.stdout.split("user_info_final is now\n").map(rowsOf);
    expect(tables[1]?.slice(0, 4)).toEqual([
      ["userId", "ingestTimestamp", "attribute1", "attribute2", "attribute3"],
      ["userA", "2024-01-01 00:00:01", "xyz", "abc", "qwerty"],
      ["userB", "2024-01-01 00:00:02", "poc", "mvp", "ytrewq"],
      ["userC", "2024-01-01 00:00:03", "zyx", "pvm", "qywter"],
    ]);
    expect(tables[2]?.slice(0, 4)).toEqual([
      ["userId", "ingestTimestamp", "attribute1", "attribute2", "attribute3"],
      ["userA", "2024-01-01 00:00:07", "xyz", "dat", "lot"],
      ["userB", "2024-01-01 00:00:06", "cor", "mvp", "ytrewq"],
      ["userC", "2024-01-01 00:00:03", "zyx", "pvm", "qywter"],
    ]);
    const nested = rowsOf(demo.stdout.split("user_profile_final is now\n").at(-1) ?? "");
    expect(nested).toContainEqual(["profile.address.street", "Harbour Road 9", "", "", ""]);
    expect(nested).toContainEqual(["profile.address.city", "Oslo", "Lima", "Paris", ""]);
    expect(rowsOf(demo.stdout.split("member_final is now\n").at(-1) ?? "").slice(1)).toEqual([
      ["userA", "2024-01-01 00:00:04", "xyz", "", "qwerty"],
      ["userC", "2024-01-01 00:00:07", "new", "", ""],
    ]);
    expect(demo.stdout).toMatch(/Next, with a schema of your own:/);
    expect(await leftovers(temporary)).toEqual(before);
    await rm(temporary, { recursive: true });
  });
});

/** The cells of the tables in a text, row by row. */
function rowsOf(text: string): string[][] {
  const lines = text.split("\n").filter((line) => line.startsWith("│"));
  return lines.map((line) =>
    line
      .split("│")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** What a run could leave: files in the repository's folder or in the temporary one. */
async function leftovers(temporary: string): Promise<string[]> {
  const made = (await readdir(temporary)).filter((name) => /^(demo|dataform|load)-/.test(name));
  return [...(await readdir(REPOSITORY)), ...made].sort();
}
