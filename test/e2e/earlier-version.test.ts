import { createHash } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readProjectFiles } from "../../generator/src/dataform/project-copy.ts";
import { TOOL } from "../../generator/src/project/tool-version.ts";
import { SCAFFOLD_PACKAGE, scaffoldFiles } from "../../generator/src/scaffold/new-project.ts";
import { listReleases } from "../../generator/src/scaffold/upgrade.ts";
import { REPOSITORY, type TestProject, useEndpoint } from "./harness.ts";
import { runHere } from "./in-process.ts";
import { RELEASES, type RecordedRelease, restore } from "./releases.ts";

const endpoint = useEndpoint();
const roots: string[] = [];
afterAll(async () => {
  for (const root of roots) await rm(root, { recursive: true, force: true });
});

async function open(release: RecordedRelease, ...entities: string[]): Promise<TestProject> {
  const project = await restore(release, endpoint.url, entities);
  roots.push(project.root);
  return project;
}
const releaseOf = (version: string): RecordedRelease => {
  const found = RELEASES.find((release) => release.version === version);
  if (found === undefined) throw new Error(`no release ${version}`);
  return found;
};

async function succeed(project: TestProject, command: string, ...args: string[]): Promise<string> {
  const { exitCode, stderr, stdout } = await runHere(project, command, ...args);
  expect(exitCode, stderr || stdout).toBe(0);
  return stdout;
}

/** Everything in a project but what npm installed. */
const textsOf = async (root: string) =>
  readProjectFiles(
    root,
    (await readdir(root)).filter((name) => name !== "node_modules"),
  );

const second = (column: string) => `EXTRACT(SECOND FROM ${column}) AS ${column.split(".").at(-1)}`;
const ATTRIBUTES = ["attribute1", "attribute2", "attribute3"];
const VERSIONS = `STRUCT(${ATTRIBUTES.map((name) => second(`_versions.${name}`)).join(", ")}) AS versions`;
const named = (values: readonly unknown[]) =>
  Object.fromEntries(ATTRIBUTES.map((name, index) => [name, values[index]]));
type PackageJson = Readonly<Record<string, Readonly<Record<string, string>>>>;

describe("every earlier release", () => {
  it("is kept as data, with what it wrote beside the generated files", async () => {
    expect(RELEASES.map(({ version }) => version)).toEqual(await listReleases());
    const changes = await readFile(path.join(REPOSITORY, "generator/CHANGELOG.md"), "utf8");
    const earlier = [...changes.matchAll(/^## (\S+)$/gm)].map(([, version]) => version).slice(1);
    expect(await listReleases()).toEqual(earlier.reverse());
    for (const { version, files } of RELEASES) {
      const file = path.join(REPOSITORY, `generator/src/scaffold/releases/${version}.json`);
      const known = JSON.parse(await readFile(file, "utf8")) as { files: Record<string, string> };
      for (const [name, hash] of Object.entries(known.files))
        expect(
          createHash("sha256")
            .update(files[name] ?? "")
            .digest("hex"),
          `${version} ${name}`,
        ).toBe(hash);
    }
  });

  it.each(RELEASES)("$version is refused by every command, and upgraded as a whole", async (release) => {
    const isFork = release.version === "0.1.0";
    const project = await open(release, "member", "user_info");
    await project.write(".gitlab-ci.yml", "# my own\n");
    for (const command of ["update", "generate", "status"])
      expect(await runHere(project, command)).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining(`written by user-info-updater ${release.version}`),
      });
    const before = await textsOf(project.root);
    const plan = await succeed(project, "upgrade", "--plan");
    expect(plan).toContain(`from ${release.version} to ${TOOL.version}`);
    expect(plan).toContain("package.json: becomes new");
    expect(await textsOf(project.root)).toEqual(before);

    await succeed(project, "upgrade", "--part", "files");
    const files = await textsOf(project.root);
    for (const [file, text] of await scaffoldFiles())
      expect(files.get(file), file).toBe(file === ".gitlab-ci.yml" ? "# my own\n" : text);
    const packageJson = JSON.parse(files.get("package.json") ?? "") as PackageJson;
    const wanted = JSON.parse(SCAFFOLD_PACKAGE) as PackageJson;
    for (const part of ["scripts", "dependencies", "overrides", "allowScripts"])
      expect(packageJson[part], part).toEqual(wanted[part]);
    expect(packageJson.devDependencies?.["user-info-updater"]).toBe(
      isFork ? `file:packages/user-info-updater-${TOOL.version}.tgz` : TOOL.version,
    );
    expect(await succeed(project, "upgrade", "--plan")).toContain(
      "its files are as this version writes them",
    );
    await succeed(project, "generate", "--check");
    if (isFork) await expectOldVersions(project);
    await succeed(project, "upgrade");
    if (isFork) await expectNewVersions(project);

    // Whoever was deleted stays so when all is read again, and the versions are those that were.
    await succeed(project, "update", "--vars=replayFrom=2000-01-01");
    const rows = (table: string) =>
      project.query(
        `SELECT userId, ${ATTRIBUTES.join(", ")}, ${VERSIONS} FROM DATASET.${table} ORDER BY userId`,
      );
    const user = (
      userId: string,
      values: readonly (string | null)[],
      seconds: readonly (number | null)[],
    ) => ({
      userId,
      ...named(values),
      versions: named(seconds),
    });
    expect(await rows("member_versions")).toEqual([
      user("userA", ["xyz", null, "qwerty"], [1, 4, 1]),
      user("userC", ["new", null, null], [7, null, null]),
    ]);
    expect(await rows("user_info_versions")).toEqual([
      user("userA", ["xyz", "dat", "lot"], [1, 7, 5]),
      user("userB", ["cor", "mvp", "ytrewq"], [6, 2, 2]),
      user("userC", ["zyx", "pvm", "qywter"], [3, 3, 3]),
    ]);
    await expectLoggedJob(project);
    await succeed(project, "update", "--tags", "audit", "--vars=auditShare=1");
    await expectUninstalled(project);
  });
});

/** No run goes on with versions as 0.1 stored them. */
async function expectOldVersions(project: TestProject): Promise<void> {
  expect(await runHere(project, "update")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("run `npm run init` first"),
  });
  expect(await succeed(project, "init", "--plan")).toContain("stores of _versions only what differs");
}

/** One version of three is the base; where each is another one, the oldest is. */
async function expectNewVersions(project: TestProject): Promise<void> {
  const final =
    "SELECT userId, CAST(_base_version AS STRING) AS base, _own_versions FROM DATASET.user_info_final";
  expect(await project.query(`${final} ORDER BY userId`)).toMatchObject([
    { userId: "userA", base: "2024-01-01 00:00:01+00", _own_versions: { attribute1: null } },
    { userId: "userB", base: "2024-01-01 00:00:02+00", _own_versions: named([null, null, null]) },
    { userId: "userC", base: "2024-01-01 00:00:03+00" },
  ]);
}

/** The log has gained what a run costs, which its job knows. */
async function expectLoggedJob(project: TestProject): Promise<void> {
  const columns = "users, batch_bytes_billed, merge_bytes_billed, read_to_merge_ms, job_id";
  const [run] = (await project.query(
    `SELECT ${columns} FROM DATASET.user_info_runs WHERE kind = 'replay'`,
  )) as Record<string, number | string>[];
  expect(run?.users).toBe(3);
  expect(run?.read_to_merge_ms).toBeGreaterThan(0);
  const [job] = await project.client.job(String(run?.job_id)).getMetadata();
  expect(job.configuration.query.query).toContain("MERGE");
  expect(run?.merge_bytes_billed).toBeGreaterThan(0);
  expect(run?.merge_bytes_billed).toBeLessThanOrEqual(Number(job.statistics.query.totalBytesBilled));
  const [batch] = await project.query(`SELECT total_bytes_billed FROM \`region-us\`.INFORMATION_SCHEMA.JOBS
    WHERE statement_type = 'SCRIPT' AND query LIKE '%create or replace table%temp_user_info_updates%'
    ORDER BY creation_time DESC LIMIT 1`);
  expect(batch).toEqual({ total_bytes_billed: run?.batch_bytes_billed });
  expect(run?.batch_bytes_billed).toBeGreaterThan(10e6);
}

/** The statements of `uninstall --plan` drop everything but what cannot be made again. */
async function expectUninstalled(project: TestProject): Promise<void> {
  const plan = await succeed(project, "uninstall", "--plan");
  const drops = plan.split("\n").filter((line) => line.startsWith("DROP"));
  expect(drops.some((drop) => /^DROP VIEW `.*\.user_info`;$/.test(drop))).toBe(true);
  expect(plan).toMatch(/^-- DROP TABLE `.*\.member_tombstones`;$/m);
  for (const drop of drops) await project.query(drop);
  const [tables] = await project.client.dataset(project.dataset).getTables();
  const left = ["member_tombstones", "member_updates", "user_info_updates"];
  expect(tables.map(({ id }) => id).sort()).toEqual(left);
}

it("an older tool refuses a newer project", async () => {
  const project = await open(releaseOf("0.2.0"));
  const header = "// A copy by `npm run generate` from user-info-updater 9.0.0: edit nothing here.\n";
  await project.write("includes/merge.js", header);
  for (const command of ["status", "generate", "upgrade"])
    expect(await runHere(project, command)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("by user-info-updater 9.0.0, and this is"),
    });
});
