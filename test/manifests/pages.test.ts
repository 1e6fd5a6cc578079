import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { documentedCommands, pageTexts } from "../docs/commands.ts";
import { ROOT, runTool } from "./tools.ts";

// What the pages show of other people's tools, by those tools where this machine has them: nothing of it reaches a cloud or a cluster.

const read = (file: string) => readFileSync(path.join(ROOT, file), "utf8");
const isHere = async (tool: string) => (await runTool("sh", ["-c", `command -v ${tool}`])).exitCode === 0;
const GCLOUD = await isHere("gcloud");
const KUBECTL = await isHere("kubectl");
const needs = (tool: string, isThere: boolean) => (isThere ? "" : ` (skipped: no ${tool} on this machine)`);

const folder = mkdtempSync(path.join(tmpdir(), "pages-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!GCLOUD)(`gcloud, on the pages${needs("gcloud", GCLOUD)}`, () => {
  it("has each command that they show, with its options", async () => {
    const comment = read("deploy/workflows/update.yaml").replaceAll(/\\\n#\s*|^#\s*/gm, "");
    const shown = [
      ...documentedCommands().map((command) => command.replace(/^.*\| (?=gcloud )/, "")),
      ...pageTexts().flatMap((text) => [...text.matchAll(/`(gcloud [^`$]*)`/g)].map(([, one = ""]) => one)),
      ...comment.split("\n").map((line) => line.trim()),
    ].filter((command) => command.startsWith("gcloud "));
    const commands = [...new Set(shown)].map((command) => command.replace(/\$(\w+)/g, "x"));
    expect(commands.length).toBeGreaterThan(9);
    const wrong = "gcloud secrets create x --projekt x";
    const file = path.join(folder, "commands.json");
    writeFileSync(file, JSON.stringify([...commands, wrong].map((one) => ({ command_string: one }))));
    const { output } = await runTool("gcloud", ["meta", "lint-gcloud-commands", `--commands-file=${file}`]);
    const answers = JSON.parse(output.slice(output.indexOf("[{"))) as {
      command_string: string;
      error_message: string | null;
      success: boolean;
    }[];
    const faults = answers.flatMap(({ success, command_string: command, error_message: message }) =>
      success ? [] : [`${command}: ${message}`],
    );
    expect(answers).toHaveLength(commands.length + 1);
    expect(faults).toEqual([expect.stringContaining("unrecognized arguments: --projekt")]);
  });
});

describe.skipIf(!KUBECTL)(`kubectl, on the pages${needs("kubectl", KUBECTL)}`, () => {
  it("makes of the folder what a run at once is made from", async () => {
    const { exitCode, output } = await runTool("kubectl", ["kustomize", "deploy/kubernetes"]);
    expect(exitCode, output).toBe(0);
    const made = parseAllDocuments(output).map((one) => one.toJS());
    const [command = ""] = documentedCommands().filter((one) => one.startsWith("kubectl -n "));
    const [, namespace, name] = /^kubectl -n (\S+) create job --from=cronjob\/(\S+) \S+$/.exec(command) ?? [];
    expect(made).toContainEqual(
      expect.objectContaining({ kind: "CronJob", metadata: expect.objectContaining({ namespace, name }) }),
    );
  });
});

describe("terraform, on the pages", () => {
  const files = ["main", "variables", "github", "gitlab", "dataform", "monitoring", "started-by-others"];
  const text = files.map((file) => read(`deploy/terraform/${file}.tf`)).join("\n");

  it("is given variables and resources that it has", () => {
    const commands = [...documentedCommands(), ...pageTexts()].join("\n");
    const given = [...commands.matchAll(/-var '?(\w+)=/g)].map(([, name]) => `variable "${name}"`);
    const imported = [...commands.matchAll(/\bimport (google_\w+)\.(\w+) /g)].map(
      ([, type, name]) => `resource "${type}" "${name}"`,
    );
    expect(new Set(given).size).toBeGreaterThan(7);
    expect(imported.length).toBeGreaterThan(0);
    for (const name of [...given, ...imported]) expect(text).toContain(`${name} {`);
  });
});
