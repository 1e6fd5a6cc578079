import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Server, startServer } from "../../local/src/server.ts";
import { REPOSITORY, type TestProject, useProjects } from "./harness.ts";
import { runHere } from "./in-process.ts";

/** Failures can be planned only on an endpoint of one's own. */
const endpoint = { url: "" };
let server: Server;

beforeAll(async () => {
  server = await startServer({ faults: [] });
  endpoint.url = server.url;
});
afterAll(() => server.close());

const makeProject = useProjects(endpoint);

const USER_INFO = {
  name: "user_info",
  schema: "schemas/user_info.json",
  key: ["userId"],
  ingestTimestamp: "ingestTimestamp",
  lookback: "1 hour",
};

/** A project of the worked example alone, with its updates. */
async function loaded(): Promise<TestProject> {
  const project = await makeProject({ entities: [USER_INFO] });
  expect(await project.npm("generate")).toMatchObject({ exitCode: 0 });
  expect(await project.npm("init")).toMatchObject({ exitCode: 0 });
  const samples = [1, 2].map((batch) => path.join(REPOSITORY, "samples", `user_info_${batch}.ndjson`));
  expect(await project.npm("load", "user_info", ...samples)).toMatchObject({ exitCode: 0 });
  return project;
}

async function plan(faults: readonly object[]): Promise<void> {
  const response = await fetch(`${endpoint.url}/-/faults`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ faults }),
  });
  expect(response.status).toBe(200);
}

const USERS =
  "SELECT userId, attribute1, attribute2, attribute3 FROM DATASET.user_info_final ORDER BY userId";
const FINAL = [
  { userId: "userA", attribute1: "xyz", attribute2: "dat", attribute3: "lot" },
  { userId: "userB", attribute1: "cor", attribute2: "mvp", attribute3: "ytrewq" },
  { userId: "userC", attribute1: "zyx", attribute2: "pvm", attribute3: "qywter" },
];

describe("npm run update", () => {
  it("runs again what lost against another transaction, not what fails for good, whose action and reason are its last line", async () => {
    const project = await loaded();
    await plan([
      { kind: "statement", when: "before", matching: "MERGE", message: "Division by zero: injected" },
    ]);
    const failed = await project.npm("update");
    expect(failed.stderr.trim().split("\n").at(-1)).toMatch(
      /^dataform run: action \w+\.user_info_final failed: .*Division by zero: injected/,
    );
    expect(failed.stderr).not.toContain("retry");
    expect(failed.exitCode).toBe(1);
    expect(await project.query(USERS)).toEqual([]);

    await plan([{ kind: "abort-transaction", times: 2 }]);
    const lost = await project.npm("update");
    expect(lost.stderr).toMatch(
      /update: .*user_info_final lost against another run; retry 1 of 8 in [\d.]+ s/,
    );
    expect(lost.stderr).toMatch(/retry 2 of 8/);
    expect(lost.exitCode).toBe(0);
    expect(await project.query(USERS)).toEqual(FINAL);
  });

  it("lets overlapping updates all end well, on the same result", async () => {
    const project = await loaded();
    const results = await Promise.all(Array.from({ length: 3 }, () => project.start("update")));
    for (const result of results) expect(result.exitCode, result.stderr).toBe(0);
    // Dataform's word on a flag that update adds by itself.
    for (const { stderr } of results) expect(stderr).not.toContain("--timeout");
    expect(await project.query(USERS)).toEqual(FINAL);
  });

  it("leaves an entity without updates up to date, not never run", async () => {
    const project = await makeProject();
    for (const command of ["generate", "init"])
      expect(await project.npm(command)).toMatchObject({ exitCode: 0 });
    const states = async () =>
      (JSON.parse((await project.npm("status", "--json")).stdout) as { state: string }[]).map(
        ({ state }) => state,
      );
    expect(await states()).toEqual(["never run", "never run"]);
    expect(await project.npm("update", "--tags", "user_info")).toMatchObject({ exitCode: 0 });
    expect(await states()).toEqual(["up to date", "never run"]);
  });

  it("names rows that came too late, until the replay that it names has read them, and a watermark that is lost", async () => {
    const project = await loaded();
    const status = async () =>
      (JSON.parse((await project.npm("status", "--json")).stdout) as Record<string, unknown>[])[0];
    const run = (...args: string[]) => project.npm("update", "--tags", "user_info", ...args);
    expect((await run()).exitCode).toBe(0);
    await project.query(`INSERT INTO DATASET.user_info_updates (userId, ingestTimestamp, attribute1) VALUES
      ('late', TIMESTAMP '2023-03-01 00:00:00.5+00', 'x'), ('late', TIMESTAMP '1970-01-01 00:00:00+00', 'y')`);
    const late = await run();
    expect(late.exitCode, late.stderr).toBe(3);
    expect(late.stderr).toContain('"replayFrom":"1970-01-01T00:00:00.000000Z"');
    expect(late.stdout).toContain("2 too late for any run");
    expect((await run()).exitCode, "red once").toBe(0);
    const missedFrom = "1970-01-01T00:00:00.000000Z";
    expect(await status()).toMatchObject({ state: "rows missed", missedRows: 2, missedFrom });
    expect((await run(`--vars=replayFrom=${missedFrom}`)).exitCode).toBe(0);
    expect(await status()).toMatchObject({ state: "up to date", missedRows: 0, missedFrom: null });
    const rows = () => project.query("SELECT * FROM DATASET.user_info ORDER BY userId");
    const final = await rows();
    expect(final).toContainEqual(expect.objectContaining({ userId: "late", attribute1: "x" }));

    await project.query("DROP TABLE DATASET.user_info_watermark");
    const lost = `final has ${final.length} rows and no run is known that made them: the watermark was lost`;
    const reasons = [expect.stringContaining(lost)];
    expect(await status()).toMatchObject({ word: "look", users: final.length, reasons });
    const again = await run();
    expect(again.stderr).toContain(`user_info: ${lost}`);
    expect(await rows()).toEqual(final);
    expect(await status()).toMatchObject({ state: "up to date", word: "well", users: final.length });
  });
});

describe("the flags of npm run update", () => {
  let project: TestProject;
  beforeAll(async () => {
    project = await loaded();
  });

  it("finds actions by pattern and by dataset, which the Dataform CLI takes for no action at all", async () => {
    const actions = async (...flags: string[]) => {
      const { stdout, stderr, exitCode } = await project.npm("update", "--dry-run", ...flags);
      expect(exitCode, stderr).toBe(0);
      return [...stdout.matchAll(/dry run success: +\w+\.(\w+)/g)].map(([, name]) => name).sort();
    };
    expect(await actions("--actions", "user_info_w*", "*.user_info_tables")).toEqual([
      "user_info_tables",
      "user_info_watermark",
    ]);
    expect(await actions(`--actions=${project.dataset}.user_info_tables`)).toEqual(["user_info_tables"]);
  });

  it("refuses flags that would do nothing, or nothing but a plain run", async () => {
    const cases: [flags: string[], refusal: RegExp][] = [
      [["--vars"], /^update: --vars needs a value/],
      [["--vars=a=b", "--vars=c=d"], /^update: --vars is given twice; write --vars=/],
      [["--vars=rebuild"], /^update: --vars: rebuild: write rebuild=<value>/],
      [["--vars=replayFrm=2026-01-01"], /^update: --vars: replayFrm: did you mean replayFrom\?/],
      [["--vars=rebuild=yes"], /^update: --vars: rebuild is "yes"; write rebuild=true/],
      [["--include-deps"], /^update: --include-deps needs --actions or --tags/],
      [["--nope"], /^update: --nope: no such flag/],
    ];
    for (const [flags, refusal] of cases) {
      const { stderr, exitCode } = await runHere(project, "update", ...flags);
      expect(stderr.trim().split("\n").at(-1)).toMatch(refusal);
      expect(exitCode, flags.join(" ")).toBe(2);
    }
    const own = await project.npm(
      "update",
      "--dry-run",
      "--vars=colour=blue",
      "--actions",
      "user_info_tables",
    );
    expect(own.exitCode, own.stderr).toBe(0);
  });

  it("erases nobody where no entity has deletes, as a schedule may ask, and refuses any other tag that none has", async () => {
    const erase = await runHere(project, "update", "--tags", "erase");
    expect(erase).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/nobody is to be erased\n$/) });
    const other = await runHere(project, "update", "--tags", "erasure");
    expect(other).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("no action has this tag") });
  });

  it("passes Dataform's flags on", async () => {
    expect(await project.npm("update")).toMatchObject({ exitCode: 0 });
    const rebuild = await project.npm("update", "--vars=rebuild=true", "--tags=user_info", "--json");
    expect(rebuild.exitCode, rebuild.stderr).toBe(0);
    expect(JSON.parse(rebuild.stdout)).toMatchObject({
      runs: [{ entity: "user_info", kind: "rebuild", badRows: 0 }],
      failures: [],
    });
    expect(await project.query(USERS)).toEqual(FINAL);
    expect(
      await project.query(
        "SELECT ARRAY(SELECT kind FROM UNNEST(recent_runs)) AS kinds FROM DATASET.user_info_watermark",
      ),
    ).toEqual([{ kinds: ["rebuild", "update"] }]);
  });
});
