import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { runInNewContext } from "node:vm";
import { Cron } from "croner";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { renderUsualRuns } from "../../../generator/src/generate/usual-runs.ts";
import { readSchedule } from "../../../generator/src/schedule/description.ts";
import { describeWanted } from "../../../generator/src/schedule/wanted.ts";
import { runHere } from "../../e2e/in-process.ts";
import { type StandIn, startStandIn } from "./stand-in.ts";

const BIN = fileURLToPath(new URL("../../../generator/bin/user-info-updater.js", import.meta.url));
const RUN_JS = readFileSync(new URL("../../../generator/scaffold/includes/run.js", import.meta.url), "utf8");
const DESCRIPTION = {
  region: "europe-west1",
  git: { url: "https://github.com/acme/customers.git", tokenSecret: "git-token" },
  serviceAccount: "user-info-updater@acme.iam.gserviceaccount.com",
};
const SETTINGS = { projectId: "acme", dataset: "crm", assertionDataset: "crm", location: "EU" };
const ENTITY = { name: "user", schema: "user.json", key: ["id"], ingestTimestamp: "at" };
const ENVIRONMENTS = { dev: { schemaSuffix: "dev" }, staging: { defaultDatabase: "acme-staging" } };
const PARENT = "projects/acme/locations/europe-west1/repositories/user-info-updater";

const withRunsOnly = (...names: readonly string[]) => ({
  runs: names.map((name) => ({ name, cron: "7 * * * *" })),
});
const withRuns = (...names: readonly string[]) => ({ ...DESCRIPTION, ...withRunsOnly(...names) });

/** What the project's own check of run variables says against them. */
function refusalOf(vars: Readonly<Record<string, string>>): { refusal: string } | undefined {
  try {
    runInNewContext(RUN_JS, { module: {}, dataform: { projectConfig: { vars } } });
    return undefined;
  } catch (error) {
    return { refusal: (error as Error).message.replace("--vars: ", "") };
  }
}

const read = (
  description: unknown,
  entities: readonly object[] = [ENTITY],
  tags = ["audit", "erase"],
  environments: object = ENVIRONMENTS,
  asked?: string,
) =>
  readSchedule(
    async (file) =>
      JSON.stringify(file === "schedule.json" ? description : { environments, entities }, null, 2),
    {
      variables: async () => ["source"],
      // No run has the audit that nobody asked for.
      compile: async (vars) =>
        refusalOf(vars) ?? { tags, runs: tags.filter((tag) => tag !== "audit" || vars.audit === "true") },
    },
    asked,
  );

describe("schedule.json", () => {
  it("says nothing of runs where the usual ones do: all each hour, the audit each week", async () => {
    const { runs, compile, timeZone } = await read(DESCRIPTION);
    expect(runs.map(({ name, tags }) => [name, tags])).toEqual([
      ["update", []],
      ["audit", ["audit"]],
    ]);
    expect([compile, timeZone]).toEqual(["0 * * * *", "Etc/UTC"]);
  });

  it.each([
    "61 25 * * banana",
    "60 * * * *",
    "5-2 * * * *",
    "* * L * *",
    "* * * * 5#2",
    "@daily",
    "0 0 31 2 *",
  ])("takes no cron schedule that is none: %s", async (cron) => {
    const wrong = read({ ...DESCRIPTION, runs: [{ name: "a", cron }] });
    await expect(wrong).rejects.toThrow(/^schedule\.json:\d+:\d+: a: runs\[0\]\.cron: "[^;]*; write /);
  });

  it.each(["*/15 * * * *", "0 2,14 1-5 JAN-MAR MON-FRI", "0 0 * * 7", "0 0 29 2 *"])(
    "takes %s",
    async (cron) => {
      const { runs, compile } = await read({ ...DESCRIPTION, compile: cron, runs: [{ name: "a", cron }] });
      expect([compile, runs[0]?.cron]).toEqual([cron, cron]);
    },
  );

  it.each(["Europe/Berlin", "Etc/UTC", "UTC", "Asia/Kolkata"])("takes the zone %s", async (timeZone) => {
    expect(await read({ ...DESCRIPTION, timeZone })).toMatchObject({ timeZone });
  });

  it("takes tags that the project's actions have, and no others, wherever runs stand", async () => {
    // `source` is two letters from `force`, and the project's own.
    const runs = [{ name: "a", cron: "7 * * * *", tags: ["user", "erase"], vars: { source: "x" } }];
    const environments = { dev: { runs: [{ name: "b", cron: "7 * * * *", tags: ["usr"] }] } };
    await expect(read({ ...DESCRIPTION, runs }, [ENTITY], ["user", "audit", "erase"])).resolves.toBeDefined();
    await expect(read({ ...DESCRIPTION, runs }, [ENTITY], ["user", "audit"])).rejects.toThrow(
      /^schedule\.json:\d+:\d+: a: runs\[0\]\.tags\[1\]: no action of the project has the tag "erase"; there are audit, user$/,
    );
    await expect(read({ ...DESCRIPTION, environments }, [ENTITY], ["user", "audit"])).rejects.toThrow(
      /environments\.dev\.runs\[0\]\.tags\[0\]: no action .* "usr"; did you mean user\?/,
    );
  });

  it.each([
    [
      { ...DESCRIPTION, region: "Europe" },
      /schedule\.json:\d+:\d+: region: "Europe" does not fit; write a region/,
    ],
    [
      { ...DESCRIPTION, runs: [{ name: "a", cron: "hourly" }] },
      /runs\[0\]\.cron: "hourly" does not fit; write five fields/,
    ],
    [
      {
        ...DESCRIPTION,
        runs: [
          { name: "a", cron: "7 * * * *" },
          { name: "a", cron: "9 * * * *" },
        ],
      },
      /two runs have the same name/,
    ],
    [
      { ...DESCRIPTION, runs: [{ name: "a", cron: "7 24 * * *" }] },
      /"7 24 \* \* \*" has "24" as its hour; write \* or 0 to 23;/,
    ],
    [{ ...DESCRIPTION, compile: "61 * * * *" }, /compile: "61 \* \* \* \*" has "61" as its minute;/],
    [{ ...DESCRIPTION, timeZone: "Mars/Olympus" }, /timeZone: "Mars\/Olympus" is no time zone; write a name/],
    [{ ...DESCRIPTION, timeZone: "Europe/Berln" }, /did you mean Europe\/Berlin\?/],
    [{ ...DESCRIPTION, timeZone: "europe/berlin" }, /"europe\/berlin" is no time zone;/],
    [{ ...DESCRIPTION, timeZone: "+01:00" }, /"\+01:00" is no time zone;/],
    [{ ...DESCRIPTION, startedBy: "cron" }, /startedBy: "cron" does not fit; write "dataform" or "others"/],
    [{ ...DESCRIPTION, sheduel: "x" }, /sheduel: unknown option/],
    [{ region: "europe-west1" }, /git: missing/],
    [{ ...DESCRIPTION, runs: null }, /: runs: null does not fit; write runs, such as \[/],
    [
      { ...DESCRIPTION, runs: [{ name: "a", cron: "7 * * * *", tags: null, vars: null }] },
      /tags: null does not fit; write tags, .*\n.*vars: null does not fit; write run variables, such as/,
    ],
    [{ ...DESCRIPTION, $schema: null }, /\$schema: null does not fit; write a path/],
    [withRuns("my_run"), /runs\[0\]\.name: "my_run" does not fit; write a name of at most 53 small letters/],
    [withRuns("r".repeat(54)), /runs\[0\]\.name: "r+" does not fit;/],
    [
      { ...DESCRIPTION, runs: [{ name: "a", cron: "7 * * * *", vars: { replayform: "x", mine: "y" } }] },
      /^[^\n]*runs\[0\]\.vars\.replayform: "replayform" is no run variable; did you mean replayFrom\?$/,
    ],
    [
      { ...DESCRIPTION, runs: [{ name: "a", cron: "7 * * * *", vars: { merge: true } }] },
      /runs\[0\]\.vars\.merge: true does not fit; write a text, such as "true"/,
    ],
    [
      { ...DESCRIPTION, runs: [{ name: "a", cron: "7 * * * *", vars: { auditShare: "2" } }] },
      /^schedule\.json:\d+:\d+: a: runs\[0\]\.vars\.auditShare: auditShare is "2"; write a share [^\n]*$/,
    ],
    [
      {
        ...DESCRIPTION,
        environments: {
          dev: {
            runs: [{ name: "a", cron: "7 * * * *", vars: { rebuild: "true", replayFrom: "2026-01-01" } }],
          },
        },
      },
      /: a: environments\.dev\.runs\[0\]\.vars: rebuild and replayFrom are both set; a rebuild reads all/,
    ],
    [
      { ...DESCRIPTION, runs: [{ name: "a", cron: "7 * * * *", tags: ["audit"] }] },
      /tags\[0\]: each action with the tag "audit" is disabled in such a run; write "vars": {"audit": "true"}/,
    ],
    [
      { ...DESCRIPTION, environments: { def: {} } },
      /schedule\.json:\d+:\d+: environments\.def: entities\.json has no environment "def"; did you mean dev\?/,
    ],
    [
      { ...withRuns("dev-update", "update"), environments: { dev: {} } },
      /runs\[1\]: run update of environment dev would have the workflow dev-update, as run dev-update has; give/,
    ],
    [
      { ...withRuns("update"), environments: { dev: withRunsOnly("r".repeat(53), "s".repeat(60)) } },
      /environments\.dev\.runs\[1\]\.name: "s+" does not fit/,
    ],
    [
      {
        ...DESCRIPTION,
        runs: [
          { name: "a", cron: "7 * * * *", vars: { a: "b-c" } },
          { name: "b", cron: "9 * * * *", vars: { "a-b": "c" } },
          { name: "c", cron: "9 * * * *", vars: { "a-b": "C" } },
        ],
      },
      /runs\[1\]: run b would have the release production-a-b-c, as run a has; let vars .*\n.*runs\[2\]: run c /,
    ],
    [
      { ...DESCRIPTION, runs: [{ name: "a", cron: "7 * * * *", vars: { mine: "x".repeat(60) } }] },
      /runs\[0\]: the release of run a would have a name of 76 letters; make it shorter: 63 at most/,
    ],
  ])("%#: says what is wrong, where, and what would be right", async (description, message) => {
    await expect(read(description)).rejects.toThrow(message);
  });

  it.each(["production", "Production", "DEV"])(
    "takes no environment %s beside dev, where it names it or it is asked for",
    async (name) => {
      const release = name.toLowerCase();
      const both = { dev: { schemaSuffix: "dev" }, [name]: {} };
      const refusal = new RegExp(
        `^entities\\.json:\\d+:\\d+: environments\\.${name}: releases of .* would be called ${release}, as th.* are; give`,
      );
      const dev = { ...DESCRIPTION, environments: { dev: {} } };
      const named = { ...DESCRIPTION, environments: { dev: {}, [name]: {} } };
      await expect(read(named, [ENTITY], [], both)).rejects.toThrow(refusal);
      await expect(read(dev, [ENTITY], [], both, name)).rejects.toThrow(refusal);
      await expect(read(dev, [ENTITY], [], both)).resolves.toBeDefined();
    },
  );

  it("says what to write where there is none", async () => {
    await expect(readSchedule(async () => undefined)).rejects.toThrow(
      /schedule\.json: no such file here; write one: \{"region"/,
    );
  });
});

describe("the usual runs", () => {
  const of = async (...more: readonly object[]) =>
    (
      await read(
        DESCRIPTION,
        more.map((one, index) => ({ ...ENTITY, name: `user${index}`, ...one })),
      )
    ).runs;
  const deleted = { deleted: "isDeleted" };

  it("erase each night where somebody can be deleted", async () => {
    expect((await of({}, deleted)).at(-1)).toEqual({
      name: "erase",
      cron: "37 5 * * *",
      tags: ["erase"],
      vars: {},
    });
    expect((await of({})).map(({ name }) => name)).not.toContain("erase");
  });

  it("merge by the period of mergeEvery, all entities of one period together", async () => {
    const runs = await of(
      { mergeEvery: "1 day" },
      {},
      { mergeEvery: "6 hours" },
      { mergeEvery: "24 hours" },
      { mergeEvery: "7 days" },
      { mergeEvery: "60 minutes" },
    );
    const merge = (name: string, cron: string, ...tags: string[]) => ({
      name,
      cron,
      tags,
      vars: { merge: "true" },
    });
    expect(runs.filter(({ name }) => name.startsWith("merge"))).toEqual([
      merge("merge-1h", "22 * * * *", "user5"),
      merge("merge-6h", "22 */6 * * *", "user2"),
      merge("merge-24h", "22 4 * * *", "user0", "user3"),
      merge("merge-168h", "22 4 * * 0", "user4"),
    ]);
  });

  it("leave to the update what no cron schedule says", async () => {
    for (const mergeEvery of ["5 hours", "90 minutes", "10 minutes", "3 days"])
      expect((await of({ mergeEvery })).map(({ name }) => name)).toEqual(["update", "audit"]);
  });

  it("never meet: a quarter of an hour lies between any two, and half an hour after what comes once a day", async () => {
    const runs = await of(
      deleted,
      ...["1 hour", "2 hours", "3 hours", "4 hours", "6 hours", "8 hours", "12 hours", "1 day", "7 days"].map(
        (mergeEvery) => ({ mergeEvery }),
      ),
    );
    const sunday = new Date("2026-11-29T00:00:00Z");
    const starts = runs
      // Merges are of entities of their own: two of them may meet.
      .map((run) => ({ ...run, name: run.name.replace(/-.*/, "") }))
      .flatMap(({ name, cron }) =>
        new Cron(cron, { timezone: "Etc/UTC" })
          .nextRuns(24 * 8, sunday)
          .map((time) => ({ name, minute: (time.getTime() - sunday.getTime()) / 60_000 })),
      )
      .filter(({ minute }) => minute < 7 * 24 * 60)
      .sort((left, right) => left.minute - right.minute);
    expect(new Set(starts.map(({ name }) => name)).size).toBe(4);
    for (const [index, { name, minute }] of starts.entries()) {
      const next = starts.slice(index).find((other) => other.name !== name);
      const least = ["audit", "erase"].includes(name) ? 30 : 15;
      if (next !== undefined)
        expect(next.minute - minute, `${name} and ${next.name}`).toBeGreaterThanOrEqual(least);
    }
  });

  it("are what generate writes for Terraform", async () => {
    const runs = await of(deleted, { mergeEvery: "1 day" });
    const entities = [
      { name: "user0", deleted: "isDeleted" },
      { name: "user1", mergeEvery: { count: 1, unit: "DAY" as const } },
    ];
    expect(JSON.parse(renderUsualRuns(entities))).toEqual({ $comment: expect.any(String), runs });
  });
});

describe("what is wanted of managed Dataform", () => {
  it("starts nothing by itself where others do, and keeps the runs", async () => {
    const { workflows } = describeWanted(await read({ ...DESCRIPTION, startedBy: "others" }), SETTINGS);
    expect(workflows.map(({ name, cronSchedule }) => [name.split("/").at(-1), cronSchedule])).toEqual([
      ["update", ""],
      ["audit", ""],
    ]);
  });

  it("is a release for each set of run variables, and a workflow for each run", async () => {
    const runs = [
      { name: "update", cron: "7 * * * *" },
      { name: "refresh", cron: "*/10 * * * *" },
      { name: "merge", cron: "0 2 * * *", vars: { merge: "true" } },
      { name: "audit", cron: "0 3 * * 0", tags: ["audit"], vars: { audit: "true" } },
      { name: "erase", cron: "0 4 * * *", tags: ["erase"] },
    ];
    const { releases, workflows } = describeWanted(await read({ ...DESCRIPTION, runs }), SETTINGS);
    expect(
      releases.map(({ name, codeCompilationConfig }) => [
        name.replace(`${PARENT}/`, ""),
        codeCompilationConfig.vars,
      ]),
    ).toEqual([
      ["releaseConfigs/production", {}],
      ["releaseConfigs/production-merge-true", { merge: "true" }],
      ["releaseConfigs/production-audit-true", { audit: "true" }],
    ]);
    expect(
      workflows.map(({ name, releaseConfig }) => [name, releaseConfig].map((one) => one.split("/").at(-1))),
    ).toEqual([
      ["update", "production"],
      ["refresh", "production"],
      ["merge", "production-merge-true"],
      ["audit", "production-audit-true"],
      ["erase", "production"],
    ]);
  });
});

describe("what an environment wants of managed Dataform", () => {
  const runs = [
    { name: "update", cron: "7 * * * *" },
    { name: "erase", cron: "0 4 * * *", tags: ["erase"] },
  ];
  const described = { ...DESCRIPTION, runs, environments: { dev: { branch: "dev" } } };

  it("is releases and workflows of its own, with its overrides, and no erasing of updates that it only reads", async () => {
    const dev = describeWanted(await read(described), SETTINGS, { name: "dev", schemaSuffix: "dev" });
    expect(dev.repository.name).toBe(PARENT);
    expect(dev.releases).toMatchObject([
      {
        name: `${PARENT}/releaseConfigs/dev`,
        gitCommitish: "dev",
        codeCompilationConfig: { defaultDatabase: "acme", schemaSuffix: "dev" },
      },
    ]);
    expect(dev.workflows.map(({ name }) => name)).toEqual([`${PARENT}/workflowConfigs/dev-update`]);
  });

  it("with a project of its own erases there, from the branch of all", async () => {
    const environment = { name: "staging", defaultDatabase: "acme-staging" };
    const { releases, workflows } = describeWanted(await read(described), SETTINGS, environment);
    expect(releases).toMatchObject([
      { gitCommitish: "main", codeCompilationConfig: { defaultDatabase: "acme-staging" } },
    ]);
    expect(workflows.map(({ name }) => name.split("/").at(-1))).toEqual(["staging-update", "staging-erase"]);
  });
});

describe("npm run schedule, against a stand-in for the API", () => {
  let api: StandIn;
  const root = mkdtempSync(path.join(tmpdir(), "schedule-"));
  beforeAll(async () => {
    api = await startStandIn();
    writeFileSync(
      path.join(root, "dataform.json"),
      JSON.stringify({ defaultDatabase: "acme", defaultSchema: "crm", defaultLocation: "EU" }),
    );
    writeEntities({ entities: [{ ...ENTITY, deleted: "isDeleted", mergeEvery: "1 day" }] });
    describeIt(DESCRIPTION);
  });
  afterAll(async () => {
    await api.close();
    rmSync(root, { recursive: true, force: true });
  });
  const writeEntities = (text: unknown) =>
    writeFileSync(path.join(root, "entities.json"), JSON.stringify(text));
  const describeIt = (description: unknown) =>
    writeFileSync(path.join(root, "schedule.json"), JSON.stringify(description));
  const run = (args: readonly string[], env: NodeJS.ProcessEnv) =>
    promisify(execFile)(process.execPath, [BIN, "schedule", ...args], {
      cwd: root,
      env: { ...process.env, METADATA_SERVER_DETECTION: "none", ...env },
    });
  const schedule = async (...args: string[]): Promise<string> => {
    vi.stubEnv("DATAFORM_API_ENDPOINT", api.url);
    vi.stubEnv("METADATA_SERVER_DETECTION", "none");
    const { exitCode, stdout, stderr } = await runHere({ root, url: "" }, "schedule", ...args);
    expect(exitCode, stderr).toBe(0);
    return stdout;
  };

  it("plans on paper without credentials, and makes nothing without", async () => {
    const none = { DATAFORM_API_ENDPOINT: "", GOOGLE_APPLICATION_CREDENTIALS: "", HOME: root };
    const [{ stdout, stderr }, refused] = await Promise.all([
      run(["--plan"], none),
      run(["--yes"], none).catch((error: unknown) => String(error)),
    ]);
    expect(stdout).toMatch(/workflow audit +│ create +│ .*37 3 \* \* 0/s);
    expect(stdout).toMatch(/│ codeCompilationConfig\.vars\.audit: true +│/);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThan(150);
    expect(stderr).toContain("compared with nothing");
    expect(refused).toMatch(/Could not load the default credentials/);
    expect(api.writes).toEqual([]);
  });

  it("plans without writing, makes all, and then has nothing to do", async () => {
    expect(await schedule("--plan")).toMatch(/repository user-info-updater +│ create/);
    expect(api.writes).toEqual([]);
    expect(await schedule()).toContain("8 of 8 created or updated");
    expect([...api.resources.keys()]).toEqual([
      PARENT,
      `${PARENT}/releaseConfigs/production`,
      `${PARENT}/releaseConfigs/production-merge-true`,
      `${PARENT}/releaseConfigs/production-audit-true`,
      `${PARENT}/workflowConfigs/update`,
      `${PARENT}/workflowConfigs/merge-24h`,
      `${PARENT}/workflowConfigs/audit`,
      `${PARENT}/workflowConfigs/erase`,
    ]);
    expect(api.resources.get(`${PARENT}/workflowConfigs/audit`)).toMatchObject({
      cronSchedule: "37 3 * * 0",
      releaseConfig: `${PARENT}/releaseConfigs/production-audit-true`,
      invocationConfig: { includedTags: ["audit"], serviceAccount: DESCRIPTION.serviceAccount },
    });
    expect(await schedule()).toContain("nothing to do");
  });

  it("makes an environment's beside them, and says its target first", async () => {
    writeEntities({ environments: { dev: { schemaSuffix: "dev" } }, entities: [ENTITY] });
    const before = [...api.resources.keys()];
    const [target] = (await schedule("--env", "dev")).split("\n");
    expect(target).toBe(`${PARENT}, environment dev at ${api.url}`);
    const made = [...api.resources.keys()].filter((name) => !before.includes(name));
    expect(made.map((name) => name.replace(`${PARENT}/`, ""))).toEqual([
      "releaseConfigs/dev",
      "releaseConfigs/dev-audit-true",
      "workflowConfigs/dev-update",
      "workflowConfigs/dev-audit",
    ]);
    expect(api.resources.get(`${PARENT}/releaseConfigs/dev`)).toMatchObject({
      codeCompilationConfig: { defaultDatabase: "acme", schemaSuffix: "dev" },
    });
  });

  it("writes only what differs, and leaves what others made", async () => {
    const own = { name: `${PARENT}/workflowConfigs/by-hand`, cronSchedule: "1 1 1 1 1" };
    api.resources.set(own.name, own);
    const before = api.writes.length;
    describeIt({ ...DESCRIPTION, runs: [{ name: "update", cron: "*/15 * * * *" }] });
    expect(await schedule("--plan")).toMatch(/cronSchedule: 7 \* \* \* \* -> \*\/15 \* \* \* \*/);
    await schedule();
    expect(api.writes.slice(before).map(({ method, path: asked }) => [method, asked])).toEqual([
      ["PATCH", expect.stringMatching(/workflowConfigs\/update\?.*updateMask=cron_?[sS]chedule/)],
    ]);
    expect(api.resources.get(own.name)).toBe(own);
  });

  it("takes a workflow's cron schedule away where others are to start it", async () => {
    const before = api.writes.length;
    describeIt({ ...DESCRIPTION, startedBy: "others", runs: [{ name: "update", cron: "*/15 * * * *" }] });
    expect(await schedule()).toMatch(/cronSchedule: \*\/15 \* \* \* \* -> none/);
    expect(api.writes.slice(before)).toMatchObject([{ method: "PATCH", body: { cronSchedule: "" } }]);
    expect(await schedule("--plan")).toMatch(/workflow update +│ as it should be/);
  });
});
