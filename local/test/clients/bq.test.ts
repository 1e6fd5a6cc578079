import { execFile, spawnSync } from "node:child_process";
import { existsSync, realpathSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { useTarget } from "./target.ts";

const run = promisify(execFile);
const installed = spawnSync("bq", ["help"], { timeout: 60_000 }).error === undefined;

/**
 * The client itself, without what the Cloud SDK's `bq` starts before it: a whole gcloud of 1.7 s of CPU that looks for the
 * credentials that a token makes needless. It runs in the Python whose bytecode the SDK brings. Undefined where it is not found.
 */
const CLIENT = findClient();

function findClient(): readonly [program: string, ...args: string[]] | undefined {
  const found = spawnSync("which", ["bq"], { encoding: "utf8" }).stdout?.trim();
  if (!found) return undefined;
  const script = path.resolve(realpathSync(found), "../../platform/bq/bq.py");
  const isThere = ["-c", "import sys; print(sys.executable)"];
  const python = spawnSync("python3.12", isThere, { encoding: "utf8" }).stdout?.trim();
  return python && existsSync(script) ? [python, "-S", script] : undefined;
}

describe.skipIf(!installed)(`bq${installed ? "" : " (not installed)"}`, () => {
  const target = useTarget();

  /** Runs bq's client; what it prints on success. */
  function bq(...args: string[]): Promise<string> {
    return start(CLIENT ?? ["bq"], args);
  }

  async function start([program, ...before]: readonly [string, ...string[]], args: readonly string[]) {
    const flags = [
      "--oauth_access_token=unused",
      "--api",
      target.url,
      `--project_id=${target.projectId}`,
      "--quiet",
    ];
    const { stdout } = await run(program, [...before, ...flags, ...args], {
      cwd: target.folder,
      // Its settings and history stay out of the home folder.
      env: { ...process.env, HOME: target.folder, CLOUDSDK_CONFIG: path.join(target.folder, "gcloud") },
    });
    return stdout;
  }

  /** What bq prints when it fails. */
  async function failing(...args: string[]): Promise<string> {
    const error = await bq(...args).then(
      () => undefined,
      (reason: { stdout: string; stderr: string }) => reason,
    );
    if (error === undefined) throw new Error("bq did not fail");
    // It breaks lines at the width of a terminal.
    return (error.stdout + error.stderr).replaceAll(/\s+/g, " ");
  }

  it("makes, lists and shows datasets and tables", async () => {
    expect(await start(["bq"], ["mk", "-d", target.dataset])).toContain("successfully created");
    expect(await failing("mk", "-d", target.dataset)).toContain("already exists");
    expect(await bq("ls")).toContain(target.dataset);
    await bq("mk", "-t", `${target.dataset}.t`, "k:STRING,n:INTEGER");
    expect(await bq("ls", target.dataset)).toMatch(/\bt\s+TABLE/);
    const shown = JSON.parse(await bq("--format=json", "show", `${target.dataset}.t`));
    expect(shown).toMatchObject({
      type: "TABLE",
      numRows: "0",
      schema: { fields: [{ name: "k" }, { name: "n" }] },
    });
    expect(await failing("show", `${target.dataset}.nope`)).toContain("Not found: Table");
  });

  it("loads, reads and queries", async () => {
    const file = path.join(target.folder, "rows.json");
    writeFileSync(file, '{"k":"a","n":1}\n{"k":"b","n":2}\n');
    await bq("load", "--source_format=NEWLINE_DELIMITED_JSON", `${target.dataset}.t`, file);
    expect(JSON.parse(await bq("--format=json", "head", "-n", "1", `${target.dataset}.t`))).toEqual([
      { k: "a", n: "1" },
    ]);
    const query = ["query", "--use_legacy_sql=false"];
    const rows = await bq("--format=json", ...query, `SELECT * FROM ${target.dataset}.t ORDER BY n DESC`);
    expect(JSON.parse(rows.slice(rows.indexOf("[{")))).toEqual([
      { k: "b", n: "2" },
      { k: "a", n: "1" },
    ]);
    const parameter = await bq("--format=json", ...query, "--parameter=x:INT64:41", "SELECT @x + 1 AS y");
    expect(parameter).toContain('[{"y":"42"}]');
    expect(await failing(...query, "SELECT nope")).toContain("Unrecognized name: nope at [1:8]");
    expect(await bq(...query, "--dry_run", `SELECT n FROM ${target.dataset}.t`)).toContain(
      "process 16 bytes",
    );
  });

  it("runs scripts, and handles one partition", async () => {
    const query = ["query", "--use_legacy_sql=false"];
    const printed = await bq(
      ...query,
      `CREATE TABLE ${target.dataset}.p PARTITION BY day AS SELECT n, DATE '2026-01-01' + n AS day FROM UNNEST([0, 1]) AS n; SELECT 42 AS answer`,
    );
    expect(printed).toMatch(/\b42 \|/);
    await bq("cp", "-n", `${target.dataset}.p`, `${target.dataset}.q`);
    await bq("rm", "-f", "-t", `${target.dataset}.q$20260102`);
    const rows = await bq("--format=json", "head", "-n", "5", `${target.dataset}.q$20260101`);
    expect(JSON.parse(rows)).toEqual([{ n: "0", day: "2026-01-01" }]);
    await bq("cp", "-f", `${target.dataset}.p$20260102`, `${target.dataset}.q$20260102`);
    expect(JSON.parse(await bq("--format=json", "show", `${target.dataset}.q`))).toMatchObject({
      numRows: "2",
    });
  });

  it("deletes", async () => {
    await bq("rm", "-f", "-t", `${target.dataset}.t`);
    expect(await failing("show", `${target.dataset}.t`)).toContain("Not found");
    await bq("rm", "-r", "-f", "-d", target.dataset);
    expect(await failing("show", target.dataset)).toContain("Not found");
  });
});
