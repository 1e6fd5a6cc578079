/** The same promises with the real Dataform CLI: what it runs is what these suites run, and it may be killed and may overlap. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DataformRun, startDataform } from "../../generator/src/dataform/cli.ts";
import { compileProject } from "../../generator/src/dataform/compiler.ts";
import type { Target } from "../../generator/src/dataform/graph.ts";
import { writeTemporaryProject } from "../../generator/src/dataform/project-copy.ts";
import { type Server, startServer } from "../../local/src/server.ts";
import { nameOf, planActions } from "./dataform.ts";
import { Endpoint } from "./endpoint.ts";
import {
  compileFixture,
  differencesFromAll,
  FIXTURE,
  filledWarehouse,
  goodUpdates,
  runUntilDone,
} from "./fixture.ts";
import { type CompiledEntity, PROJECT, projectFiles, REPOSITORY } from "./project.ts";
import { drawCases, SETTINGS } from "./property.ts";
import { now, Warehouse } from "./runner.ts";
import type { Row } from "./values.ts";

const NAME = "command_line";
/** Half as many as in failures.test.ts, which kills what sends the same jobs: most of the CLI's time goes by before its first one. */
const KILLS = Math.ceil(SETTINGS.kills / 2);

let server: Server;
let endpoint: Endpoint;
let compiled: CompiledEntity;
let project: string;
beforeAll(async () => {
  server = await startServer();
  endpoint = new Endpoint(server.url, PROJECT);
  compiled = await compileFixture(NAME);
  project = await writeTemporaryProject(await projectFiles(new Map([[NAME, FIXTURE]])), REPOSITORY);
  await writeFile(join(project, "credentials.json"), JSON.stringify({ projectId: PROJECT, location: "US" }));
});
afterAll(async () => {
  await server?.close();
  await rm(project, { recursive: true });
});

/** Starts `dataform run`; the tables of the project are in the dataset that the compiled project names. */
function startRun(...flags: string[]): DataformRun {
  const args = ["run", `--credentials=${join(project, "credentials.json")}`, ...flags];
  const env = { BIGQUERY_EMULATOR_HOST: server.url, METADATA_SERVER_DETECTION: "none" };
  return startDataform(project, args, { env });
}

interface DryRun {
  readonly actions: readonly {
    readonly target: Target;
    readonly tasks?: readonly { readonly statement: string }[];
  }[];
}

test("the jobs of these suites are those that `dataform run` would start", async () => {
  const { ended } = startRun("--dry-run", "--json");
  const { stdout } = await ended;
  const { actions } = JSON.parse(stdout.slice(stdout.indexOf("{"))) as DryRun;
  const squeeze = (sql: string): string =>
    sql.replace(/\s+/g, " ").replace(/ ?; ?/g, ";").replace(/;$/, "").trim();
  const theirs = new Map(
    actions
      .filter(({ tasks = [] }) => tasks.length > 0)
      .map(({ target, tasks = [] }) => [nameOf(target), tasks.map((task) => squeeze(task.statement))]),
  );
  const ours = planActions(await compileProject(project));
  expect(ours.length).toBe(theirs.size);
  for (const { target, jobs } of ours) expect(jobs.map(squeeze)).toEqual(theirs.get(nameOf(target)));
});

let wave = 100;

describe("dataform run", () => {
  let warehouse: Warehouse;
  beforeAll(async () => {
    warehouse = await filledWarehouse(endpoint, compiled, NAME);
  });

  test(`killed at ${KILLS} random moments`, async () => {
    const started = Date.now();
    expect((await startRun().ended).exitCode).toBe(0);
    const longest = Date.now() - started;
    let killed = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      await warehouse.load(goodUpdates(wave++));
      const { child, ended } = startRun();
      // Its compiler alone takes the first half of the time and touches no table.
      const timer = setTimeout(() => child.kill("SIGKILL"), longest * (0.3 + 0.7 * Math.random()));
      if ((await ended).exitCode !== 0) killed++;
      clearTimeout(timer);
      warehouse.oracle.run({ kind: "plain" }, now());
      await runUntilDone(warehouse, "plain");
      expect(await warehouse.differences(), `kill ${kill}`).toEqual([]);
    }
    expect(killed).toBeGreaterThan(0);
  }, 600_000);

  /** Updates as they come in now: a quiet run finds all of them, whatever ran while they were loaded. */
  const freshUpdates = (): Row[] => goodUpdates(wave++).map((row) => ({ ...row, ingested: now() }));

  test.each(
    drawCases(
      [
        ["on an empty final", false],
        ["on a filled final", true],
      ] as const,
      2,
    ),
  )(
    "8 at once %s, while updates are loaded, then one that has it quiet",
    async (_, isFilled) => {
      await warehouse.drop();
      warehouse = new Warehouse(endpoint, compiled, NAME);
      await warehouse.create();
      await warehouse.load(goodUpdates(wave++));
      if (isFilled) expect((await startRun().ended).exitCode).toBe(0);
      const runs = Array.from({ length: 8 }, () => startRun("--action-retry-limit=3").ended);
      const loads = (async () => {
        for (let load = 0; load < 5; load++) await warehouse.load(freshUpdates());
      })();
      // On a busy machine each of them may lose to another, as often as it tries: the quiet one must make up for all.
      await Promise.all([...runs, loads]);
      const quiet = await startRun().ended;
      expect(quiet.exitCode, quiet.stdout + quiet.stderr).toBe(0);
      expect(await differencesFromAll(warehouse)).toEqual([]);
    },
    300_000,
  );
});
