import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Compiler, type CompileSettings } from "../../../generator/src/dataform/compiler.ts";
import { InputError } from "../../../generator/src/project/problems.ts";
import { createProject, removeProject } from "../../golden/golden-case.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const CLI = createRequire(import.meta.url).resolve("@dataform/cli/bundle.js");

/** What the CLI prints, as text: order and spelling count. */
async function compileByCli(root: string, flags: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, "compile", root, "--json", ...flags]);
  return stdout.trim();
}

describe("the warm compiler", () => {
  const compiler = new Compiler();
  let broken = "";
  beforeAll(async () => {
    broken = await createProject("flat");
  });
  afterAll(async () => {
    compiler.close();
    await removeProject(broken);
  });

  const cases: [name: string, settings: CompileSettings, flags: readonly string[]][] = [
    ["as it is", {}, []],
    [
      "with variables",
      { vars: { replayFrom: "2024-01-01T00:00:00Z", audit: "true" } },
      ["--vars=replayFrom=2024-01-01T00:00:00Z,audit=true"],
    ],
    [
      "in another environment",
      { schemaSuffix: "dev", tablePrefix: "p", databaseSuffix: "x" },
      ["--schema-suffix=dev", "--table-prefix=p", "--database-suffix=x"],
    ],
    [
      "with what a run can set",
      { assertionSchema: "checks", disableAssertions: true, defaultReservation: "r" },
      ["--assertion-schema=checks", "--disable-assertions", "--default-reservation=r"],
    ],
  ];
  test.each(cases)("gives the CLI's own graph of this project, %s", async (_, settings, flags) => {
    const graph = await compiler.compile(ROOT, settings);
    expect(JSON.stringify(graph, null, 4)).toBe(await compileByCli(ROOT, flags));
  });

  test("names what does not compile, by file, and goes on with the next project", async () => {
    await writeFile(join(broken, "includes/wrong.js"), "const = 1;");
    const [failed, fine] = await Promise.allSettled([compiler.compile(broken), compiler.compile(ROOT)]);
    expect(failed).toMatchObject({
      reason: expect.any(InputError),
      status: "rejected",
    });
    expect(String((failed as PromiseRejectedResult).reason)).toMatch(/includes\/wrong\.js: /);
    expect(fine.status).toBe("fulfilled");
  });

  test("says what is missing where a project has no core", async () => {
    await rm(join(broken, "node_modules"), { recursive: true });
    await expect(compiler.compile(broken)).rejects.toThrow(
      /^dataform compile: Could not find a recent installed version of @dataform\/core/,
    );
  });
});
