import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

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

for (const name of ["ci.yml", "review.yml", "update.yml"]) {
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

describe("update.yml", () => {
  it("runs by cron and by hand, one at a time", async () => {
    const { workflow } = await readWorkflow("update.yml");
    expect(workflow.on.schedule).toEqual([{ cron: expect.stringMatching(/^(\S+ ){4}\S+$/) }]);
    const dispatch = workflow.on.workflow_dispatch as { inputs: Record<string, { type: string }> };
    expect(Object.keys(dispatch.inputs).sort()).toEqual(["rebuild", "replayFrom", "tags"]);
    expect(workflow.concurrency).toEqual({ group: "update", "cancel-in-progress": false });
  });

  it("signs in with GitHub's own token: no key file, no secret", async () => {
    const { workflow, steps, text } = await readWorkflow("update.yml");
    expect(workflow.permissions).toEqual({ contents: "read", "id-token": "write" });
    const auth = steps.find((step) => step.uses?.startsWith("google-github-actions/auth@"));
    expect(Object.keys(auth?.with ?? {}).sort()).toEqual(["service_account", "workload_identity_provider"]);
    expect(text).not.toMatch(/credentials_json|secrets\./);
  });
});
