import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readProjectFiles, writeTemporaryProject } from "../../../generator/src/dataform/project-copy.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const CLI = join(ROOT, "generator/bin/user-info-updater.js");
const FINAL = "definitions/user_info/user_info_final.sqlx";

let project: string;
beforeEach(async () => {
  const parts = ["dataform.json", "entities.json", "schemas", "includes"];
  project = await writeTemporaryProject(await readProjectFiles(ROOT, parts), ROOT);
});
afterEach(() => rm(project, { recursive: true }));

function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const command = [CLI, ...args, "--project", project];
  return new Promise((resolve) => {
    execFile(process.execPath, command, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe("npm run generate", () => {
  test("writes, and then has nothing left to write", async () => {
    expect(await run("generate")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`wrote ${FINAL}`),
    });
    expect(await run("generate", "--check")).toMatchObject({ code: 0, stdout: "41 files are up to date\n" });
    expect((await run("generate")).stdout).toBe("41 files, 0 of them new or changed\n");
  });

  test("--check shows missing, changed and orphaned files, and writes nothing", async () => {
    await run("generate");
    const view = "definitions/user_info/user_info.sqlx";
    const orphan = "definitions/gone/gone.sqlx";
    const own = "definitions/user_info/report.sqlx";
    await rm(join(project, view));
    await writeFile(
      join(project, FINAL),
      (await readFile(join(project, FINAL), "utf8")).replace("MERGE ", "MERGE INTO "),
    );
    await mkdir(join(project, "definitions/gone"));
    await cp(join(project, "definitions/user_profile/user_profile.sqlx"), join(project, orphan));
    await writeFile(join(project, own), 'config { type: "view" }\nSELECT 1');

    const { code, stdout, stderr } = await run("generate", "--check");
    expect(code).toBe(1);
    expect(stdout).toContain(`missing: ${view}`);
    expect(stdout).toContain(`changed: ${FINAL}`);
    expect(stdout).toContain("\n-MERGE INTO $");
    expect(stdout).toContain("\n+MERGE $");
    expect(stdout).toContain(`orphaned: ${orphan}`);
    expect(stdout).not.toContain(own);
    expect(stderr).toBe("3 files are stale; run `npm run generate` and commit what it writes\n");
    expect(await readFile(join(project, FINAL), "utf8")).toContain("MERGE INTO");

    expect((await run("generate")).stdout).toMatch(
      new RegExp(`^removed ${orphan}\n[^]*41 files, 2 of them new or changed; 1 removed\n$`),
    );
    expect(await readdir(join(project, "definitions"))).toEqual(["user_info", "user_profile"]);
    expect(await readFile(join(project, own), "utf8")).toContain("SELECT 1");
  });

  test("refuses bad input in one line, and leaves what was there", async () => {
    await run("generate");
    const before = await readFile(join(project, FINAL), "utf8");
    const schema = join(project, "schemas/user_profile.json");
    await writeFile(schema, (await readFile(schema, "utf8")).replace('"NUMERIC"', '"NUMBER"'));
    await writeFile(
      join(project, "schemas/user_info.json"),
      (await readFile(join(project, "schemas/user_info.json"), "utf8")).replace("attribute3", "attribute4"),
    );
    const { code, stdout, stderr } = await run("generate");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(
      /^schemas\/user_profile\.json:\d+:\d+: \w+\.\w+: \[3\]\.fields\[4\]\.type: "NUMBER" is not a BigQuery type; .*\n$/,
    );
    expect(await readFile(join(project, FINAL), "utf8")).toBe(before);
    expect((await run("generate", "--verbose")).stderr).toContain("at ");
  });

  test("names the file that is in its way", async () => {
    await mkdir(join(project, FINAL), { recursive: true });
    expect(await run("generate")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: `${FINAL}: cannot be read (EISDIR); a folder or file of that name is in the way: move it away\n`,
    });
    await rm(join(project, "definitions"), { recursive: true });
    await writeFile(join(project, "definitions"), "");
    expect((await run("generate")).stderr).toMatch(/^definitions\/.*: cannot be read \(ENOTDIR\); .*\n$/);
  });

  test("reads no file that is not UTF-8", async () => {
    await writeFile(
      join(project, "schemas/user_info.json"),
      Buffer.from('[{"name":"gr\xf6\xdfe"}]', "latin1"),
    );
    expect(await run("generate")).toMatchObject({
      code: 1,
      stderr: "schemas/user_info.json: not UTF-8; save the file as UTF-8\n",
    });
  });

  test.each([
    [["generate", "--chekc"], 2, /^generate: --chekc: no such option; did you mean --check\?\n$/],
    [["generat"], 2, /^generat: no such command; did you mean generate\?\n$/],
  ])("%j is wrong usage", async (args, code, stderr) => {
    expect(await run(...args)).toMatchObject({ code, stderr: expect.stringMatching(stderr) });
  });

  test.each([
    ["entities.json", /^entities\.json: no such file here; /],
    ["dataform.json", /^dataform\.json: no such file here; /],
    [
      "schemas/user_info.json",
      /^entities\.json:6:17: user_info: entities\[0\]\.schema: there is no file "schemas\/user_info\.json"; .*\n$/,
    ],
  ])("without %s", async (path, stderr) => {
    await rm(join(project, path));
    expect(await run("generate")).toMatchObject({ code: 1, stderr: expect.stringMatching(stderr) });
  });
});
