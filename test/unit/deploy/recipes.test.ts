import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readSchedule } from "../../../generator/src/schedule/description.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const read = (file: string) => readFileSync(path.join(ROOT, file), "utf8");
const python = spawnSync("python3", ["--version"]).error === undefined;

/** The workflows that `npm run schedule` makes where nobody says otherwise. */
const schedule = await readSchedule(async () =>
  JSON.stringify({
    region: "europe-west1",
    git: { url: "https://example.com/a.git", tokenSecret: "token" },
    serviceAccount: "a@b.iam.gserviceaccount.com",
  }),
);
const made = schedule.runs.map(({ name }) => name);

describe("deploy/airflow", () => {
  const file = "deploy/airflow/user_info_updater.py";

  it.skipIf(!python)(
    "is Python, and has one DAG whose one task starts a workflow that schedule makes",
    () => {
      const script = [
        "import ast, json, sys",
        "tree = ast.parse(sys.stdin.read())",
        "calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]",
        "named = lambda call: getattr(call.func, 'id', getattr(call.func, 'attr', ''))",
        "print(json.dumps([[named(call), sorted(word.arg for word in call.keywords)] for call in calls]))",
      ].join("\n");
      const { stdout, stderr, status } = spawnSync("python3", ["-c", script], {
        input: read(file),
        encoding: "utf8",
      });
      expect(status, stderr).toBe(0);
      const calls = new Map(JSON.parse(stdout) as [string, string[]][]);
      expect(calls.get("DAG")).toEqual(
        expect.arrayContaining(["catchup", "dag_id", "max_active_runs", "schedule", "start_date"]),
      );
      // https://airflow.apache.org/docs/apache-airflow-providers-google/stable/operators/cloud/dataform.html
      expect(calls.get("DataformCreateWorkflowInvocationOperator")).toEqual([
        "project_id",
        "region",
        "repository_id",
        "task_id",
        "workflow_invocation",
      ]);
      expect(made).toContain(/workflowConfigs\/(\w+)/.exec(read(file))?.[1]);
    },
  );
});

describe("deploy/workflows", () => {
  type Step = Record<
    string,
    { call?: string; next?: string; switch?: { next?: string }[]; args?: Record<string, unknown> }
  >;
  const text = read("deploy/workflows/update.yaml");
  const { main } = parse(text) as { main: { params: string[]; steps: Step[] } };

  it("goes only to steps that it has, and calls what Cloud Workflows has", () => {
    const names = main.steps.flatMap((step) => Object.keys(step));
    const bodies = main.steps.flatMap((step) => Object.values(step));
    const next = bodies.flatMap(({ next: one, switch: cases = [] }) => [
      one,
      ...cases.map((each) => each.next),
    ]);
    for (const name of next.filter((one) => one !== undefined)) expect(names).toContain(name);
    // https://cloud.google.com/workflows/docs/reference/stdlib/overview
    for (const { call } of bodies) expect([undefined, "http.post", "http.get", "sys.sleep"]).toContain(call);
    expect(
      names.every((name) => main.steps.every((step) => Object.keys(step).length === 1 && name !== "")),
    ).toBe(true);
  });

  it("starts a workflow that schedule makes", () => {
    expect(made).toContain(/"workflow": "(\w+)"/.exec(text)?.[1]);
  });
});

describe("deploy/cloud-run", () => {
  it("runs the image that the Dockerfile makes, as the account that Terraform makes", () => {
    const job = parse(read("deploy/cloud-run/job.yaml")) as {
      kind: string;
      spec: { template: { spec: { taskCount: number; template: { spec: Record<string, unknown> } } } };
    };
    const task = job.spec.template.spec;
    // https://cloud.google.com/run/docs/reference/rest/v1/namespaces.jobs#TaskSpec
    expect(job.kind).toBe("Job");
    expect(task.taskCount).toBe(1);
    expect(Object.keys(task.template.spec).sort()).toEqual([
      "containers",
      "maxRetries",
      "serviceAccountName",
      "timeoutSeconds",
    ]);
    const [, account] = /account_id\s+= "(.+)"/.exec(read("deploy/terraform/main.tf")) ?? [];
    expect(task.template.spec).toMatchObject({
      serviceAccountName: `${account}@PROJECT.iam.gserviceaccount.com`,
      containers: [{ image: /-t (\S+)/.exec(read("docs/schedule.md"))?.[1] }],
    });
  });
});

describe("deploy/grafana", () => {
  const dashboard = JSON.parse(read("deploy/grafana/dashboard.json")) as {
    templating: { list: { name: string }[] };
    panels: { id: number; title: string; targets: { rawSql: string; datasource: { type: string } }[] }[];
  };

  it("uses the variables that it has, over the log of runs, each panel for itself", () => {
    const known = dashboard.templating.list.map(({ name }) => name).sort();
    const used = [...JSON.stringify(dashboard).matchAll(/\$\{(\w+)\}/g)].map(([, name = ""]) => name);
    expect([...new Set(used)].sort()).toEqual(known);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    for (const { title, targets } of dashboard.panels)
      for (const { rawSql, datasource } of targets) {
        expect(rawSql, title).toContain("$__timeFilter(merged_at)");
        expect(datasource.type).toBe("grafana-bigquery-datasource");
      }
  });
});
