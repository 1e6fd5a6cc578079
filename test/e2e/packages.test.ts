import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { REPOSITORY, runProgram, useEndpoint } from "./harness.ts";
import { installAlone, pack } from "./packed.ts";

/** Both packages as a stranger gets them: packed, and installed alone in an empty folder. */

describe("user-info-updater", () => {
  const endpoint = useEndpoint();
  let folder = "";

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "stranger-"));
    // A project's folder, which the commands change; the other package is used where it is.
    await cp(await installAlone(await pack("generator")), folder, {
      recursive: true,
      verbatimSymlinks: true,
    });
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const tool = (...args: string[]) =>
    runProgram("npx", ["--no-install", "user-info-updater", ...args], {
      cwd: folder,
      env: { BIGQUERY_EMULATOR_HOST: endpoint.url },
    });

  it("brings neither GoogleSQL nor DuckDB", async () => {
    const installed = await readdir(path.join(folder, "node_modules"));
    expect(installed).toContain("user-info-updater");
    expect(installed).not.toContain("bigquery-local");
    expect(installed).not.toContain("@fivetrandevelopers");
    expect(installed).not.toContain("@duckdb");
  });

  it("explains itself", async () => {
    const { exitCode, stdout } = await tool("--help");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("update");
  });

  it("generates a project, makes its tables, loads, updates and tells its status", async () => {
    for (const part of ["dataform.json", "entities.json", "includes", "schemas", "samples"]) {
      await cp(path.join(REPOSITORY, part), path.join(folder, part), { recursive: true });
    }
    for (const args of [
      ["generate"],
      ["init"],
      ["load", "user_info", "samples/user_info_1.ndjson"],
      ["update", "--tags", "user_info"],
    ]) {
      const { exitCode, stderr } = await tool(...args);
      expect(exitCode, `${args.join(" ")}: ${stderr}`).toBe(0);
    }
    const status = await tool("status");
    expect(status.exitCode, status.stderr).toBe(0);
    expect(status.stdout).toMatch(/user_info/);
  });

  it("names the package that the demo needs", async () => {
    const { exitCode, stderr } = await tool("demo");
    expect(exitCode).toBe(1);
    expect(stderr).toBe("the demo needs the package bigquery-local: npm install --save-dev bigquery-local\n");
  });
});

describe("bigquery-local", () => {
  let folder = "";

  beforeAll(async () => {
    folder = await mkdtemp(path.join(await installAlone(await pack("local")), "try-"));
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const QUERY = `CREATE TEMP FUNCTION twice(x FLOAT64) RETURNS FLOAT64 LANGUAGE js AS "return x * 2";
SELECT CAST(twice(21) AS INT64) AS answer`;

  it("starts with one command and answers a query with a function in JavaScript", async () => {
    const child = spawn("npx", ["--no-install", "bigquery-local", "--port", "0"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
      detached: true,
    });
    try {
      const [line] = (await once(createInterface(child.stdout), "line")) as [string];
      const [, url] = /^BigQuery endpoint ready on (http:\/\/127\.0\.0\.1:\d+)$/.exec(line) ?? [];
      const response = await fetch(`${url}/bigquery/v2/projects/p/queries`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query: QUERY, useLegacySql: false, timeoutMs: 60_000 }),
      });
      expect(await response.json()).toMatchObject({ rows: [{ f: [{ v: "42" }] }] });
    } finally {
      const closed = once(child, "close");
      process.kill(-(child.pid ?? 0), "SIGTERM");
      await closed;
    }
  });

  it("is a library with types: start, planned failures, close", async () => {
    await writeFile(
      path.join(folder, "use.mts"),
      `import { type FaultInput, type Server, type ServerOptions, startServer } from "bigquery-local";

const fault: FaultInput = { kind: "status", status: 503 };
const options: ServerOptions = { port: 0, faults: [fault] };
const server: Server = await startServer(options);
const answer = async (): Promise<number> => (await fetch(\`\${server.url}/bigquery/v2/projects/p/datasets\`)).status;
const answers: number[] = [await answer(), await answer()];
await server.close();
console.log(answers.join(" "));
`,
    );
    const flags = [
      "--ignoreConfig",
      "--module",
      "nodenext",
      "--strict",
      "--target",
      "es2022",
      "--lib",
      "es2023,dom",
    ];
    const types = ["--types", "node", "--typeRoots", path.join(REPOSITORY, "node_modules/@types")];
    const compiler = path.join(REPOSITORY, "node_modules/typescript/bin/tsc");
    const check = await runProgram(process.execPath, [compiler, ...flags, ...types, "use.mts"], {
      cwd: folder,
    });
    expect(check.stdout).toBe("");
    expect(check.exitCode).toBe(0);
    const { exitCode, stdout, stderr } = await runProgram(process.execPath, ["use.mjs"], { cwd: folder });
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toBe("503 200\n");
  });
});
