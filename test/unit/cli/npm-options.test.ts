import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import type { Command, OptionSpec } from "../../../generator/src/cli/command.ts";
import { init } from "../../../generator/src/cli/commands/init.ts";
import { local } from "../../../generator/src/cli/commands/local.ts";
import { update } from "../../../generator/src/cli/commands/update.ts";
import { COMMANDS } from "../../../generator/src/cli/commands.ts";
import { refuseSwallowed } from "../../../generator/src/cli/npm-options.ts";
import { COMMON_OPTIONS } from "../../../generator/src/cli/program.ts";
import { useFolder } from "../warehouse/folder.ts";

const folder = useFolder();
const run = promisify(execFile);

/** What npm leaves of options without the `--` before them, in the environment of a script. */
async function environmentOf(options: readonly string[]): Promise<NodeJS.ProcessEnv> {
  const script = `node -e "console.log(JSON.stringify(process.env))"`;
  await folder.write("package.json", JSON.stringify({ scripts: { init: script } }));
  const { stdout } = await run("npm", ["run", "--silent", "init", ...options], { cwd: folder.path("") });
  return JSON.parse(stdout) as NodeJS.ProcessEnv;
}

function refusalOf(command: Command, environment: NodeJS.ProcessEnv, ...args: string[]): string | undefined {
  try {
    refuseSwallowed(command, [command.name, ...args], {
      ...environment,
      npm_lifecycle_event: command.name,
    });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe("an option that npm took for its own", () => {
  it("is refused in one line that says how to write it", () => {
    expect(refusalOf(init, { npm_config_project: "../crm" })).toBe(
      "init: npm took --project for its own; write npm run init -- --project=../crm",
    );
    // What npm makes of --Plan, letter by letter.
    const letters = { npm_config_save_prod: "true", npm_config_long: "true", npm_config_all: "true" };
    expect(refusalOf(init, letters)).toBe("init: npm took --plan for its own; write npm run init -- --plan");
    expect(refusalOf(init, { npm_config_env: "true" }, "dev")).toBe(
      "init: npm took --env for its own; write npm run init -- --env <name>",
    );
    expect(refusalOf(init, { npm_config_env: "true", npm_config_plan: "true" }, "dev")).toBe(
      "init: npm took --env for its own; write npm run init -- --env <name> --plan",
    );
  });

  it("is so whichever of ours npm is given itself", async () => {
    expect(refusalOf(init, await environmentOf(["--plan"]))).toBe(
      "init: npm took --plan for its own; write npm run init -- --plan",
    );
    const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
    const specs: readonly OptionSpec[] = commands.flatMap(({ options }) => Object.values(options));
    const flags = [...specs, COMMON_OPTIONS.project].map((spec) => spec.flags.split(" ")[0] ?? "");
    // Of these npm has its own, or one that begins so, and tells no script: they say how something looks, or `new` asks and says it.
    const untold = ["--location", "--key", "--format"];
    const others = [...new Set(flags)].filter((name) => name !== "--plan" && !untold.includes(name));
    const environment = await environmentOf([...others, "--no-plan"]);
    const { plan } = init.options;
    expect(refusalOf({ ...init, options: { plan } }, environment)).toBe(
      "init: npm took --no-plan, which is no option here, for its own; write npm run init -- --plan --project <folder>, or leave it out",
    );
    for (const name of others) {
      const command = { ...init, options: { one: { kind: "flag", flags: name, description: "" } } } as const;
      expect(refusalOf(command, environment)).toContain(`npm took ${name} for its own`);
    }
  });

  it("is Dataform's too, for update, and the endpoint's for local", () => {
    expect(refusalOf(update, { npm_config_tags: "true" }, "user_info")).toBe(
      "update: npm took --tags for its own; write npm run update -- --tags=<value>",
    );
    expect(refusalOf(update, { npm_config_dry_run: "true" })).toBe(
      "update: npm took --dry-run for its own; write npm run update -- --dry-run",
    );
    expect(refusalOf(local, { npm_config_data: "tables.duckdb" })).toBe(
      "local: npm took --data for its own; write npm run local -- --data=tables.duckdb",
    );
  });

  it("is none where another script runs, or npm was told nothing", () => {
    for (const env of [
      { npm_lifecycle_event: "test", npm_config_plan: "true" },
      { npm_lifecycle_event: "init", npm_config_yes: "" },
      { npm_lifecycle_event: "init", npm_config_loglevel: "verbose" },
      {},
    ])
      expect(() => refuseSwallowed(init, ["init"], env)).not.toThrow();
  });
});
