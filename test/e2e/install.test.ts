import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runDataform } from "../../generator/src/dataform/cli.ts";
import { REPOSITORY, runProgram } from "./harness.ts";

/**
 * Managed Dataform has the repository's files and installs package.json's `dependencies`, nothing else
 * (https://cloud.google.com/dataform/docs/manage-repository#dataform-packages).
 */
describe("a clean install of the dependencies alone", () => {
  let root = "";
  beforeAll(async () => {
    root = await mkdtemp(path.join(tmpdir(), "managed-"));
    for (const part of ["dataform.json", "package.json", "package-lock.json", "definitions", "includes"]) {
      await cp(path.join(REPOSITORY, part), path.join(root, part), { recursive: true });
    }
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  it("compiles the project", async () => {
    const install = await runProgram("npm", ["ci", "--omit=dev", "--no-audit", "--no-fund"], { cwd: root });
    expect(install.exitCode, install.stderr).toBe(0);
    expect((await readdir(path.join(root, "node_modules"))).filter((name) => !name.startsWith("."))).toEqual([
      "@dataform",
    ]);
    expect(await readdir(path.join(root, "node_modules", "@dataform"))).toEqual(["core"]);

    const compile = await runDataform({ root }, ["compile", "--json"]);
    expect(compile.exitCode, compile.stderr).toBe(0);
    const graph = JSON.parse(compile.stdout) as {
      tables: unknown[];
      operations: { target: { name: string } }[];
    };
    expect(graph).not.toHaveProperty("graphErrors.compilationErrors.0");
    expect(graph.operations.map((action) => action.target.name)).toContain("user_info_final");
  });
});
