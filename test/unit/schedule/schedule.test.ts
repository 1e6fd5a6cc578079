import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readSchedule } from "../../../generator/src/schedule/description.ts";
import { describeWanted } from "../../../generator/src/schedule/wanted.ts";
import { type StandIn, startStandIn } from "./stand-in.ts";

const BIN = fileURLToPath(new URL("../../../generator/bin/user-info-updater.js", import.meta.url));
const DESCRIPTION = {
  region: "europe-west1",
  git: { url: "https://github.com/acme/customers.git", tokenSecret: "git-token" },
  serviceAccount: "user-info-updater@acme.iam.gserviceaccount.com",
};
const SETTINGS = { projectId: "acme", dataset: "crm", assertionDataset: "crm", location: "EU" };
const ENTITY = { name: "user", schema: "user.json", key: ["id"], ingestTimestamp: "at" };
const PARENT = "projects/acme/locations/europe-west1/repositories/user-info-updater";

const read = (description: unknown) => readSchedule(async () => JSON.stringify(description, null, 2));

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
    [{ ...DESCRIPTION, sheduel: "x" }, /sheduel: unknown option/],
    [{ region: "europe-west1" }, /git: missing/],
  ])("%#: says what is wrong, where, and what would be right", async (description, message) => {
    await expect(read(description)).rejects.toThrow(message);
  });

  it("says what to write where there is none", async () => {
    await expect(readSchedule(async () => undefined)).rejects.toThrow(
      /schedule\.json: no such file here; write one: \{"region"/,
    );
  });
});

describe("what is wanted of managed Dataform", () => {
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
    describeIt(DESCRIPTION);
  });
  afterAll(async () => {
    await api.close();
    rmSync(root, { recursive: true, force: true });
  });
  const describeIt = (description: unknown) =>
    writeFileSync(path.join(root, "schedule.json"), JSON.stringify(description));
  const run = (args: readonly string[], env: NodeJS.ProcessEnv) =>
    promisify(execFile)(process.execPath, [BIN, "schedule", ...args], {
      cwd: root,
      env: { ...process.env, METADATA_SERVER_DETECTION: "none", ...env },
    });
  const schedule = async (...args: string[]): Promise<string> => {
    const { stdout } = await run(args, { DATAFORM_API_ENDPOINT: api.url });
    return stdout;
  };

  it("plans on paper without credentials, and makes nothing without", async () => {
    const none = { DATAFORM_API_ENDPOINT: "", GOOGLE_APPLICATION_CREDENTIALS: "", HOME: root };
    const { stdout, stderr } = await run(["--plan"], none);
    expect(stdout).toMatch(/workflow audit +│ create +│ .*37 3 \* \* 0/s);
    expect(stderr).toContain("compared with nothing");
    await expect(run(["--yes"], none)).rejects.toThrow(/Could not load the default credentials/);
    expect(api.writes).toEqual([]);
  });

  it("plans without writing, makes all, and then has nothing to do", async () => {
    expect(await schedule("--plan")).toMatch(/repository user-info-updater +│ create/);
    expect(api.writes).toEqual([]);
    expect(await schedule()).toContain("5 of 5 created or updated");
    expect([...api.resources.keys()]).toEqual([
      PARENT,
      `${PARENT}/releaseConfigs/production`,
      `${PARENT}/releaseConfigs/production-audit-true`,
      `${PARENT}/workflowConfigs/update`,
      `${PARENT}/workflowConfigs/audit`,
    ]);
    expect(api.resources.get(`${PARENT}/workflowConfigs/audit`)).toMatchObject({
      cronSchedule: "37 3 * * 0",
      releaseConfig: `${PARENT}/releaseConfigs/production-audit-true`,
      invocationConfig: { includedTags: ["audit"], serviceAccount: DESCRIPTION.serviceAccount },
    });
    expect(await schedule()).toContain("nothing to do");
  });

  it("makes an environment's beside them, and says its target first", async () => {
    const environments = { dev: { schemaSuffix: "dev" } };
    writeFileSync(path.join(root, "entities.json"), JSON.stringify({ environments, entities: [ENTITY] }));
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
});
