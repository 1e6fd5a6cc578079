import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { REPOSITORY, runProgram } from "./harness.ts";
import type { CommandResult } from "./in-process.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "new-project-"));
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

/** Rows of a schema that stands nowhere in this repository. */
const ROWS = [
  { customer_id: "c1", updated_at: "2026-01-01T00:00:01Z", email: "a@example.com", visits: 3, tags: ["new"] },
  { customer_id: "c2", updated_at: "2026-01-01T00:00:02Z", email: "b@example.com" },
  {
    customer_id: "c1",
    updated_at: "2026-01-01T00:00:03Z",
    address: { street: "Main", zip: "01234" },
    rate: 1.5,
  },
  { customer_id: "c1", updated_at: "2026-01-01T00:00:04Z", visits: 4, address: { zip: "99999" } },
];

describe("a project of one's own, from a clone to final", () => {
  let folder = "";
  let url = "";
  let endpoint: ChildProcess | undefined;

  const npm = (...args: string[]): Promise<CommandResult> =>
    runProgram("npm", args, { cwd: folder, env: url === "" ? {} : { BIGQUERY_EMULATOR_HOST: url } });
  const succeed = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await npm(...args);
    expect(exitCode, `${args.join(" ")}: ${stderr}${stdout}`).toBe(0);
    return stdout;
  };

  afterAll(async () => {
    if (endpoint?.pid === undefined) return;
    const closed = once(endpoint, "close");
    process.kill(-endpoint.pid, "SIGTERM");
    await closed;
  });

  it("is written by one command, which says what it guessed", async () => {
    await writeFile(path.join(root, "rows.ndjson"), ROWS.map((row) => `${JSON.stringify(row)}\n`).join(""));
    folder = path.join(root, "crm");
    const { exitCode, stdout, stderr } = await runProgram(
      "npm",
      [
        "run",
        "--silent",
        "new",
        "--",
        folder,
        "--cloud-project",
        "acme-crm",
        "--dataset",
        "crm",
        "--location",
        "EU",
      ].concat(["--entity", "customer", "--from-file", path.join(root, "rows.ndjson")]),
      { cwd: REPOSITORY },
    );
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain("key customer_id: guessed by its name");
    expect(stdout).toContain("ingestTimestamp updated_at: guessed by its name");
    expect(JSON.parse(await readFile(path.join(folder, "dataform.json"), "utf8"))).toMatchObject({
      defaultDatabase: "acme-crm",
      defaultSchema: "crm",
      defaultLocation: "EU",
    });
    expect(await readdir(path.join(folder, "packages"))).toHaveLength(2);
    const branch = await runProgram("git", ["branch", "--show-current"], { cwd: folder });
    expect(branch.stdout).toBe("main\n");
  });

  it("installs, with the tool as npm finds it in the project", async () => {
    await succeed("install", "--include=dev", "--prefer-offline", "--no-audit", "--no-fund");
    const git = async (...args: string[]): Promise<void> => {
      const who = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
      const { exitCode, stderr } = await runProgram("git", [...who, ...args], { cwd: folder });
      expect(exitCode, stderr).toBe(0);
    };
    await git("add", "--all");
    await git("commit", "--quiet", "--message", "The project as it was written");
  });

  it("passes its own CI", async () => {
    await succeed("run", "generate", "--", "--check");
    await succeed("run", "compile", "--", "--check");
    expect(await succeed("test")).toMatch(/passed/);
    expect(await succeed("run", "review", "--", "--base", "HEAD")).not.toBe("");
  });

  it("runs: local, init, load, update, status, and final is right", async () => {
    endpoint = spawn("npm", ["run", "--silent", "local", "--", "--port", "0"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
      detached: true,
    });
    if (endpoint.stdout === null) throw new Error("no output");
    const [line] = (await once(createInterface(endpoint.stdout), "line")) as [string];
    url = /^BigQuery endpoint ready on (\S+)$/.exec(line)?.[1] ?? "";
    await succeed("run", "init");
    await succeed("run", "load", "--", "customer", path.join(root, "rows.ndjson"));
    await succeed("run", "update");
    expect(await succeed("run", "status")).toContain("customer");
    const response = await fetch(`${url}/bigquery/v2/projects/acme-crm/queries`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        query: "SELECT TO_JSON_STRING(t) FROM crm.customer AS t ORDER BY customer_id",
        useLegacySql: false,
      }),
    });
    const { rows } = (await response.json()) as { rows: { f: [{ v: string }] }[] };
    expect(rows.map(({ f }) => JSON.parse(f[0].v) as unknown)).toEqual([
      {
        customer_id: "c1",
        updated_at: "2026-01-01T00:00:04Z",
        email: "a@example.com",
        visits: 4,
        tags: ["new"],
        address: { street: "Main", zip: "99999" },
        rate: 1.5,
      },
      expect.objectContaining({ customer_id: "c2", email: "b@example.com", address: null, tags: [] }),
    ]);
  });

  it("takes an entity from a live table", async () => {
    await succeed(
      "run",
      "new",
      "--",
      "lead",
      "--from-table",
      "acme-crm.crm.customer_updates",
      "--key",
      "email",
    );
    const schema = JSON.parse(await readFile(path.join(folder, "schemas/lead.json"), "utf8")) as {
      name: string;
    }[];
    expect(schema.map(({ name }) => name)).toEqual(Object.keys({ ...ROWS[0], ...ROWS[2] }).sort(byFirstSeen));
    await succeed("run", "generate");
    await succeed("run", "compile");
    await succeed("run", "generate", "--", "--check");
  });
});

const ORDER = ["customer_id", "updated_at", "email", "visits", "tags", "address", "rate"];
const byFirstSeen = (left: string, right: string): number => ORDER.indexOf(left) - ORDER.indexOf(right);

describe("the worked example, from the packages in an empty folder", () => {
  it("is what this repository's root is", async () => {
    const folder = path.join(root, "installed");
    await mkdir(folder);
    // As npm has installed them above, from their tarballs.
    await symlink(path.join(root, "crm/node_modules"), path.join(folder, "node_modules"));
    const tool = await runProgram("npx", ["--no-install", "user-info-updater", "new", "example", "--yes"], {
      cwd: folder,
    });
    expect(tool.exitCode, tool.stderr).toBe(0);
    const project = path.join(folder, "example");
    const generated = ["definitions", "compiled", "includes", "schemas", "samples"];
    for (const part of [...generated, "dataform.json", ".npmrc", "tool.js", "deploy/review-comment.mjs"]) {
      expect(await textsOf(path.join(project, part)), part).toEqual(
        await textsOf(path.join(REPOSITORY, part)),
      );
    }
    const entities = async (where: string) => {
      const text = await readFile(path.join(where, "entities.json"), "utf8");
      return (JSON.parse(text) as { entities: unknown }).entities;
    };
    expect(await entities(project)).toEqual(await entities(REPOSITORY));
  });

  it("is refused where there is something already, and leaves that alone", async () => {
    await writeFile(path.join(root, "taken"), "mine");
    const run = await runProgram(
      process.execPath,
      [path.join(REPOSITORY, "tool.js"), "new", "taken", "--yes"],
      {
        cwd: root,
      },
    );
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toBe("taken: there is something; name a folder that is empty or not there\n");
    expect(await readFile(path.join(root, "taken"), "utf8")).toBe("mine");
  });

  it("asks for what it cannot guess, and writes nothing", async () => {
    const run = await runProgram(process.execPath, [path.join(REPOSITORY, "tool.js"), "new", "nothing"], {
      cwd: root,
    });
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain("name the first entity");
    expect((await readdir(root)).filter((name) => /nothing|^\.new/.test(name))).toEqual([]);
  });
});

/** The texts of a file or of all files of a folder, by path. */
async function textsOf(place: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(place, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return { "": await readFile(place, "utf8") };
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
  const texts = await Promise.all(
    files.map(async (file) => [path.relative(place, file), await readFile(file, "utf8")]),
  );
  return Object.fromEntries(texts) as Record<string, string>;
}
