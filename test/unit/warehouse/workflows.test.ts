import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { usualRuns } from "../../../generator/src/generate/usual-runs.ts";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Record<string, unknown>;
  readonly env?: Record<string, string>;
}

interface Workflow {
  readonly name: string;
  readonly on: Record<string, unknown>;
  readonly permissions: Record<string, string>;
  readonly concurrency: { group: string; "cancel-in-progress": boolean };
  readonly jobs: Record<string, { steps: readonly Step[]; permissions?: unknown }>;
}

async function readWorkflow(
  name: string,
): Promise<{ workflow: Workflow; text: string; steps: readonly Step[] }> {
  const text = await readFile(new URL(`../../../.github/workflows/${name}`, import.meta.url), "utf8");
  const workflow = parse(text) as Workflow;
  return { workflow, text, steps: Object.values(workflow.jobs).flatMap((job) => job.steps) };
}

for (const name of ["ci.yml", "review.yml", "deploy.yml", "update.yml"]) {
  describe(name, () => {
    it("pins every action by its major version", async () => {
      const { steps } = await readWorkflow(name);
      const actions = steps.flatMap((step) => step.uses ?? []);
      expect(actions.length).toBeGreaterThan(1);
      for (const action of actions) expect(action).toMatch(/^[\w-]+\/[\w-]+@v\d+$/);
    });

    it("runs Node 20, the project's floor, from a clean install", async () => {
      const { steps } = await readWorkflow(name);
      const node = steps.find((step) => step.uses?.startsWith("actions/setup-node@"));
      expect(node?.with?.["node-version"]).toBe(20);
      expect(steps.map((step) => step.run)).toContain("npm ci --include=dev");
    });

    it("leaves the checkout's token behind and pastes no expression into a script", async () => {
      const { steps } = await readWorkflow(name);
      const checkout = steps.find((step) => step.uses?.startsWith("actions/checkout@"));
      expect(checkout?.with?.["persist-credentials"]).toBe(false);
      for (const step of steps) expect(step.run ?? "").not.toContain("${{");
    });

    it("calls only commands that package.json has", async () => {
      const { steps } = await readWorkflow(name);
      const { scripts } = JSON.parse(
        await readFile(new URL("../../../package.json", import.meta.url), "utf8"),
      ) as { scripts: Record<string, string> };
      const called = steps.flatMap((step) =>
        [...(step.run ?? "").matchAll(/npm (?:run )?([a-z:]+)/g)].map((match) => match[1]),
      );
      for (const command of called.filter((command) => command !== "ci"))
        expect(scripts).toHaveProperty(command ?? "");
      expect(called.length).toBeGreaterThan(1);
    });
  });
}

describe("ci.yml", () => {
  it("tests every push and pull request with no right but to read", async () => {
    const { workflow, steps } = await readWorkflow("ci.yml");
    expect(Object.keys(workflow.on).sort()).toEqual(["pull_request", "push"]);
    expect(workflow.permissions).toEqual({ contents: "read" });
    expect(steps.map((step) => step.run)).toContain("npm test");
  });
});

describe("review.yml", () => {
  it("reviews pull requests into the job's summary, with the right to read and nothing else", async () => {
    const { workflow, steps, text } = await readWorkflow("review.yml");
    expect(Object.keys(workflow.on)).toEqual(["pull_request"]);
    expect(workflow.permissions).toEqual({ contents: "read" });
    expect(text).not.toMatch(/secrets\.|id-token/);
    expect(steps.find((step) => step.uses?.startsWith("actions/checkout@"))?.with?.["fetch-depth"]).toBe(0);
    const review = steps.find((step) => step.run?.includes("npm run review"));
    expect(review?.run).toContain('--base "$BASE" --format markdown --out review/review.md');
    expect(review?.run).toMatch(/^cat review\/review\.md >> "\$GITHUB_STEP_SUMMARY"$/m);
    expect(review?.env?.BASE).toMatch(/^origin\/\$\{\{ github\.base_ref \}\}$/);
  });
});

describe("review-comment.yml", () => {
  it("writes a comment with the default branch's code, and takes only review.yml's text from the request", async () => {
    const { workflow, steps, text } = await readWorkflow("review-comment.yml");
    const review = await readWorkflow("review.yml");
    expect(workflow.on).toEqual({
      workflow_run: { workflows: [review.workflow.name], types: ["completed"] },
    });
    expect(workflow.permissions).toEqual({ actions: "read", contents: "read", "pull-requests": "write" });
    for (const job of Object.values(workflow.jobs)) expect(job.permissions).toBeUndefined();
    expect(text).not.toMatch(/secrets\.|id-token/);

    const checkout = steps.find((step) => step.uses?.startsWith("actions/checkout@"));
    expect(checkout?.with).toEqual({ "persist-credentials": false, "sparse-checkout": "deploy" });
    expect(steps.flatMap((step) => step.run ?? [])).toEqual([
      "node deploy/review-comment.mjs review/review.md",
    ]);

    const artifact = (from: readonly Step[], action: string) => {
      const found = from.find((step) => step.uses?.startsWith(`actions/${action}-artifact@`))?.with;
      return { name: found?.name, path: found?.path };
    };
    expect(artifact(steps, "download")).toEqual({ name: "review", path: "review" });
    expect(artifact(review.steps, "upload")).toEqual(artifact(steps, "download"));
  });

  it("pins every action by its major version and pastes no expression into a script", async () => {
    const { steps } = await readWorkflow("review-comment.yml");
    for (const { uses, run } of steps) {
      if (uses !== undefined) expect(uses).toMatch(/^[\w-]+\/[\w-]+@v\d+$/);
      expect(run ?? "").not.toContain("${{");
    }
  });
});

/** The runs of a project where somebody can be deleted: those that every recipe must have. */
const RUNS = usualRuns([{ name: "user", deleted: "isDeleted" }]);
const cronOf = (wanted: string) => RUNS.find(({ name }) => name === wanted)?.cron;

describe("update.yml", () => {
  it("runs by cron, the audit and what erases too, and by hand, each kind one at a time", async () => {
    const { workflow, steps } = await readWorkflow("update.yml");
    expect(workflow.on.schedule).toEqual(RUNS.map(({ cron }) => ({ cron })));
    const dispatch = workflow.on.workflow_dispatch as { inputs: Record<string, { type: string }> };
    expect(Object.keys(dispatch.inputs).sort()).toEqual(["rebuild", "replayFrom", "tags"]);
    const tags = ["audit", "erase"].map((tag) => `(github.event.schedule == '${cronOf(tag)}' && '${tag}')`);
    const chosen = (otherwise: string) => `\${{ inputs.tags || ${tags.join(" || ")} || '${otherwise}' }}`;
    expect(steps.find(({ run }) => run?.includes("npm run update"))?.env?.TAGS).toBe(chosen(""));
    // GitHub lets one run of a group wait and cancels the one before it: https://docs.github.com/en/actions/how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency
    expect(workflow.concurrency).toEqual({
      group: `update-${chosen("everything")}`,
      "cancel-in-progress": false,
    });
  });

  it("signs in with GitHub's own token: no key file, no secret", async () => {
    const { workflow, steps, text } = await readWorkflow("update.yml");
    expect(workflow.permissions).toEqual({ contents: "read", "id-token": "write" });
    const auth = steps.find((step) => step.uses?.startsWith("google-github-actions/auth@"));
    expect(Object.keys(auth?.with ?? {}).sort()).toEqual(["service_account", "workload_identity_provider"]);
    expect(text).not.toMatch(/credentials_json|secrets\./);
  });
});

describe("deploy.yml", () => {
  it("reviews, makes tables, then runs, in a group where no update pushes it out", async () => {
    const { workflow, steps } = await readWorkflow("deploy.yml");
    expect(workflow.concurrency).toEqual({ group: "deploy", "cancel-in-progress": false });
    const commands = steps.flatMap(({ run }) => [...(run ?? "").matchAll(/npm run (\w+)/g)]);
    expect(commands.map(([, name]) => name)).toEqual([
      "generate",
      "compile",
      "review",
      "init",
      "init",
      "update",
      "status",
    ]);
    const review = steps.find(({ run }) => run?.includes("npm run review"));
    expect(review?.env?.BASE).toMatch(/^\$\{\{ github\.event\.before \|\| 'HEAD~1' \}\}$/);
    expect(review?.run).toContain('--base "$BASE"');
    const checkout = steps.find((step) => step.uses?.startsWith("actions/checkout@"));
    expect(checkout?.with?.["fetch-depth"]).toBe(0);
  });
});

describe(".gitlab-ci.yml", () => {
  it("names a schedule for each run, and each kind waits for its own", async () => {
    const text = await readFile(new URL("../../../.gitlab-ci.yml", import.meta.url), "utf8");
    const schedules = text.matchAll(
      /^# {3}glab schedule create --ref main --description (\w+) --cron "(.*?)"(?: --variable TAGS:(\w+))?$/gm,
    );
    expect([...schedules].map(([, name, cron, tag]) => [name, cron, tag ?? ""])).toEqual(
      RUNS.map(({ name, cron, tags }) => [name, cron, tags.join()]),
    );
    const jobs = parse(text.replaceAll("!reference", "")) as Record<
      string,
      { resource_group?: string; script?: readonly string[] }
    >;
    expect(jobs.update?.script).toEqual([`npm run update -- \${TAGS:+--tags="$TAGS"}`]);
    expect([jobs.deploy?.resource_group, jobs.update?.resource_group]).toEqual(["deploy", "update-$TAGS"]);
    expect(jobs.deploy?.script?.join("\n")).toMatch(/npm run review .*npm run init.*npm run update/s);
  });
});
