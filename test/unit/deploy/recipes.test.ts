import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { renderUsualRuns, usualRuns } from "../../../generator/src/generate/usual-runs.ts";
import type { Schedule } from "../../../generator/src/schedule/description.ts";
import { describeWanted } from "../../../generator/src/schedule/wanted.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const read = (file: string) => readFileSync(path.join(ROOT, file), "utf8");
const python = spawnSync("python3", ["--version"]).error === undefined;

/** The runs that `npm run schedule` makes workflows of where nobody says otherwise, and the file that says so. */
const entities = [{ name: "user", deleted: "isDeleted", mergeEvery: { count: 1, unit: "DAY" as const } }];
const runs = usualRuns(entities);
const environments = { dev: { schemaSuffix: "dev" }, staging: { defaultDatabase: "acme-staging" } };
const schedule: Schedule = {
  region: "europe-west1",
  repository: "updater",
  git: { url: "https://example.com/acme/customers.git", branch: "main", tokenSecret: "git-token" },
  serviceAccount: "updater@acme.iam.gserviceaccount.com",
  timeZone: "Europe/Berlin",
  compile: "0 * * * *",
  startedBy: "dataform",
  runs,
  environments: { dev: {}, staging: { runs: [{ name: "sample", cron: "9 9 * * *", tags: [], vars: {} }] } },
};

describe("deploy/airflow", () => {
  const file = "deploy/airflow/user_info_updater.py";

  it.skipIf(!python)(
    "has a DAG for each run, at its time, that starts the workflow which schedule makes",
    () => {
      const folder = mkdtempSync(path.join(tmpdir(), "airflow-"));
      try {
        cpSync(path.join(ROOT, file), path.join(folder, "dags.py"));
        writeFileSync(path.join(folder, "usual-runs.json"), renderUsualRuns(entities));
        writeFileSync(path.join(folder, "entities.json"), JSON.stringify({ environments }));
        writeFileSync(path.join(folder, "schedule.json"), JSON.stringify({ ...schedule, runs: undefined }));
        // Of Airflow only what it is called with: https://airflow.apache.org/docs/apache-airflow-providers-google/stable/operators/cloud/dataform.html
        const script = [
          "import json, sys, types",
          "made = []",
          "class DAG:",
          "    def __init__(self, *, dag_id, schedule, start_date, catchup, max_active_runs, default_args):",
          "        self.dag_id, self.given = dag_id, [schedule, start_date, catchup, max_active_runs, default_args['retries']]",
          "    def __enter__(self): made.append([self.dag_id, self.given]); return self",
          "    def __exit__(self, *_): pass",
          "def start(*, task_id, project_id, region, repository_id, workflow_invocation):",
          "    made[-1].append([task_id, workflow_invocation['workflow_config'].split('/')[-2:]])",
          "names = 'airflow.providers.google.cloud.operators.dataform'.split('.')",
          "for end in range(1, len(names) + 1): sys.modules['.'.join(names[:end])] = types.ModuleType(names[end - 1])",
          "sys.modules['airflow'].DAG = DAG",
          "sys.modules['pendulum'] = types.SimpleNamespace(datetime=lambda year, month, day, tz: tz)",
          "sys.modules['.'.join(names)].DataformCreateWorkflowInvocationOperator = start",
          "sys.path.insert(0, sys.argv[1])",
          "import dags",
          "found = sorted(value.dag_id for value in vars(dags).values() if isinstance(value, DAG))",
          "print(json.dumps([made, sorted(set(found))]))",
        ].join("\n");
        const load = () => spawnSync("python3", ["-B", "-c", script, folder], { encoding: "utf8" });
        const { stdout, stderr, status } = load();
        expect(status, stderr).toBe(0);
        const places = [undefined, ...Object.entries(environments).map(([name, own]) => ({ name, ...own }))];
        const wanted = places.flatMap(
          (place) => describeWanted(schedule, { projectId: "acme", location: "EU" }, place).workflows,
        );
        const named = wanted.map(({ name, ...one }) => ({ ...one, name: path.basename(name) }));
        expect(named.map(({ name }) => name)).toContain("staging-sample");
        expect(JSON.parse(stdout)).toEqual([
          named.map(({ name, cronSchedule, timeZone }) => [
            `user_info_${name}`,
            [cronSchedule, timeZone, false, 1, 2],
            [name, ["workflowConfigs", name]],
          ]),
          named.map(({ name }) => `user_info_${name}`).sort(),
        ]);
        writeFileSync(path.join(folder, "entities.json"), JSON.stringify({ environments: { dev: {} } }));
        expect(load().stderr.trim().split("\n").at(-1)).toBe(
          "ValueError: schedule.json: entities.json has no environment staging; there are dev",
        );
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});

describe("deploy/workflows", () => {
  type Call = { call?: string; next?: string; switch?: { next?: string }[]; args?: Record<string, unknown> };
  type Step = Record<string, Call & { try?: Call; retry?: string }>;
  const text = read("deploy/workflows/update.yaml");
  const { main } = parse(text) as { main: { params: string[]; steps: Step[] } };

  it("goes only to steps that it has, and calls what Cloud Workflows has", () => {
    const names = main.steps.flatMap((step) => Object.keys(step));
    const bodies = main.steps.flatMap((step) =>
      Object.values(step).map(({ try: tried, ...body }) => ({ ...body, ...tried })),
    );
    const next = bodies.flatMap(({ next: one, switch: cases = [] }) => [
      one,
      ...cases.map((each) => each.next),
    ]);
    for (const name of next.filter((one) => one !== undefined)) expect(names).toContain(name);
    // https://cloud.google.com/workflows/docs/reference/stdlib/overview
    for (const { call, retry } of bodies) {
      expect([undefined, "http.post", "http.get", "sys.sleep"]).toContain(call);
      // A look that fails must not fail the run; a start that may have started must not start again.
      expect(retry?.slice(2, -1), call).toBe(call === "http.get" ? "http.default_retry" : undefined);
    }
    expect(
      names.every((name) => main.steps.every((step) => Object.keys(step).length === 1 && name !== "")),
    ).toBe(true);
  });

  it("starts a workflow that schedule makes", () => {
    expect(runs.map(({ name }) => name)).toContain(/"workflow": "(\w+)"/.exec(text)?.[1]);
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
