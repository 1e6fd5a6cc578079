import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runDataform } from "../../../generator/src/dataform/cli.ts";
import { Compiler, type CompileSettings } from "../../../generator/src/dataform/compiler.ts";
import { writeTemporaryProject } from "../../../generator/src/dataform/project-copy.ts";
import { InputError } from "../../../generator/src/project/problems.ts";
import { projectOf, ROOT } from "../../golden/golden-case.ts";

/** What the CLI prints, as text: order and spelling count. */
async function compileByCli(root: string, flags: readonly string[]): Promise<string> {
  const { stdout } = await runDataform({ root }, ["compile", root, "--json", ...flags]);
  return stdout.trim();
}

describe("the warm compiler", () => {
  const compiler = new Compiler();
  let broken = "";
  beforeAll(async () => {
    const files = (await projectOf("flat")).set("includes/wrong.js", "const = 1;");
    broken = await writeTemporaryProject(files, ROOT);
  });
  afterAll(async () => {
    compiler.close();
    await rm(broken, { recursive: true });
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
