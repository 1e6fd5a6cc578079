import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { runDataform } from "../../../generator/src/dataform/cli.ts";
import { compileProject } from "../../../generator/src/dataform/compiler.ts";
import { writeTemporaryProject } from "../../../generator/src/dataform/project-copy.ts";
import { InputError } from "../../../generator/src/project/problems.ts";
import { projectOf, ROOT } from "../../golden/golden-case.ts";

describe("the compiler", () => {
  const roots: string[] = [];
  afterEach(async () => {
    for (const root of roots.splice(0)) await rm(root, { recursive: true });
  });

  /** A generated project with files of its own beside it. */
  async function write(files: Readonly<Record<string, string>>): Promise<string> {
    const all = new Map([...(await projectOf("flat")), ...Object.entries(files)]);
    const root = await writeTemporaryProject(all, ROOT);
    roots.push(root);
    return root;
  }

  test("gives the CLI's own graph of this project", async () => {
    const { stdout } = await runDataform({ root: ROOT }, ["compile", ROOT, "--json"]);
    // As text: order and spelling count.
    expect(JSON.stringify(await compileProject(ROOT), null, 4)).toBe(stdout.trim());
  });

  test("gives the CLI's own graph with all that can be set, where a project's JavaScript does all that it may", async () => {
    const root = await write({
      "lib/own.js": 'exports.env = [typeof process.env.PATH, require("path").posix.join("a", "b")];',
      "definitions/own.js": `
        const { env } = require("lib/own");
        const { env: again } = require("../lib/own.js");
        publish("own_view", { type: "view" }).query(() => "SELECT '" + [...env, ...again] + "' AS env");
        operate("own_operation", (ctx) => ["SELECT 1", "SELECT * FROM " + ctx.ref("own_view")]);`,
      "definitions/own.sql": "SELECT 1 AS one",
      "definitions/actions.yaml": "actions:\n  - table:\n      name: own\n      filename: own.sql\n",
    });
    const graph = await compileProject(root, {
      vars: { replayFrom: "2024-01-01T00:00:00Z", audit: "true" },
      schemaSuffix: "dev",
      tablePrefix: "p",
      databaseSuffix: "x",
      assertionSchema: "checks",
      disableAssertions: true,
      defaultReservation: "r",
    });
    const { stdout } = await runDataform({ root }, [
      ...["compile", root, "--json", "--vars=replayFrom=2024-01-01T00:00:00Z,audit=true"],
      ...["--schema-suffix=dev", "--table-prefix=p", "--database-suffix=x"],
      ...["--assertion-schema=checks", "--disable-assertions", "--default-reservation=r"],
    ]);
    expect(JSON.stringify(graph, null, 4)).toBe(stdout.trim());
  });

  test("names what does not compile, by file: what the CLI does not compile", async () => {
    const wrong = {
      "includes/none.js": "const = 1;",
      "includes/module.js": 'module.exports = require("fs");',
      "includes/own_global.js": "module.exports = structuredClone({});",
      "definitions/missing.js": 'require("includes/nowhere");',
      "definitions/throws.sqlx": 'config { type: "table" }\njs { nobody.knows; }\nSELECT 1 AS one',
    };
    const root = await write(wrong);
    const [here, byCli] = await Promise.all([
      compileProject(root).catch((error: unknown) => error),
      runDataform({ root }, ["compile", root, "--json"]),
    ]);
    expect(here).toBeInstanceOf(InputError);
    for (const file of Object.keys(wrong)) {
      expect(String(here)).toContain(`${file}: `);
      expect(byCli.stdout + byCli.stderr).toContain(file);
    }
    expect(byCli.exitCode).toBe(1);
  });

  test("says what is missing where a project has no core", async () => {
    const root = await write({});
    await rm(join(root, "node_modules"), { recursive: true });
    const told = "dataform compile: @dataform/core is not installed in the project; run `npm";
    const thrown = async () => (await compileProject(root).catch((error: unknown) => error)) as Error;
    expect((await thrown()).message).toBe(`${told} install --include=dev\``);
    await writeFile(join(root, "package-lock.json"), "{}");
    expect((await thrown()).message).toBe(`${told} ci --include=dev\``);
  });
});
