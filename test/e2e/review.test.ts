import { readFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { REPOSITORY, runProgram, type TestProject, useEndpoint, useProjects } from "./harness.ts";
import type { CommandResult } from "./in-process.ts";

const AUTHOR = ["-c", "user.name=a", "-c", "user.email=a@example.com"];

const attribute = (name: string, type: string, rest: Record<string, unknown> = {}) => ({
  name,
  type,
  ...rest,
});
const schema = (...attributes: unknown[]) =>
  JSON.stringify([
    attribute("userId", "STRING", { mode: "REQUIRED" }),
    attribute("ingestTimestamp", "TIMESTAMP", { mode: "REQUIRED" }),
    ...attributes,
  ]);

/** A pull request's life: a branch off main, its review, and what the review tells people to do. */
describe("npm run review", () => {
  const endpoint = useEndpoint();
  const newProject = useProjects(endpoint);
  let project: TestProject;
  let main = "";

  const git = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await runProgram("git", [...AUTHOR, ...args], { cwd: project.root });
    expect(exitCode, stderr).toBe(0);
    return stdout.trim();
  };
  const commit = async (message: string): Promise<void> => {
    await git("add", "--all", "--", ":!node_modules");
    await git("commit", "--quiet", "--message", message);
  };
  /** As a process of its own only where it has an environment of its own. */
  const review = (args: readonly string[], env?: NodeJS.ProcessEnv): Promise<CommandResult> =>
    env === undefined
      ? project.npm("review", ...args)
      : project.node([path.join(REPOSITORY, "generator/bin/user-info-updater.js"), "review", ...args], env);
  const printed = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await review(args);
    expect(exitCode, stderr).toBe(0);
    return stdout;
  };
  const succeed = async (command: string, ...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await project.npm(command, ...args);
    expect(exitCode, stderr || stdout).toBe(0);
    return stdout;
  };
  const generate = async (): Promise<void> => {
    await succeed("generate");
    await succeed("compile");
  };

  beforeAll(async () => {
    project = await newProject({
      files: {
        "entities.json": JSON.stringify({
          environments: { dev: { schemaSuffix: "dev" } },
          entities: [
            {
              name: "person",
              schema: "schemas/person.json",
              key: ["userId"],
              ingestTimestamp: "ingestTimestamp",
            },
          ],
        }),
        "schemas/person.json": schema(attribute("name", "STRING"), attribute("score", "INT64")),
        "definitions/reports/names.sqlx": `config { type: "view" }\nSELECT name FROM \${ref("person")}\n`,
      },
    });
    await generate();
    await git("init", "--quiet", "--initial-branch=main");
    await commit("The project");
    main = await git("rev-parse", "main");
    await succeed("init");
    const rows = ['{"userId":"a","ingestTimestamp":"2026-01-01T00:00:00Z","name":"Ann","score":1}'];
    await project.write("rows.ndjson", rows.join("\n"));
    await succeed("load", "person", "rows.ndjson");
    await succeed("update");
    await git("switch", "--quiet", "--create", "topic");
  });

  it("says so when nothing changes", async () => {
    expect(await printed("--base", "main")).toContain("**Nothing: schema, graph and SQL stay as they are.**");
  });

  it("shows a policy's change: what it needs, what reads it, what it costs before and after", async () => {
    await project.write(
      "schemas/person.json",
      schema(attribute("name", "STRING"), attribute("score", "INT64", { merge: "max" })),
    );
    const scheduled = {
      region: "europe-west1",
      git: { url: "https://example.com/a.git", tokenSecret: "t" },
      serviceAccount: "a@example.iam.gserviceaccount.com",
    };
    await project.write("schedule.json", JSON.stringify(scheduled));
    await generate();
    const text = await printed("--base", "main");
    expect(text).toContain("2 things to do");
    expect(text).toContain("| `region` | **added** `europe-west1` |");
    expect(text).toContain("| `score` | merge: latest -> max |");
    expect(text).toContain("npm run update -- --tags person --vars=rebuild=true");
    expect(text).not.toContain("stale");
    expect(text).toMatch(/\| `\w+\.person_final` \| operations \| SQL \|/);
    expect(text).toMatch(/\| `\w+\.temp_person_updates` \| table \| ≤ \d+ B \| ≤ \d+ B \| none \|/);
    expect(text).toMatch(/<summary><code>compiled\/person\/person_final\.sql<\/code> \+\d+ -\d+<\/summary>/);
    await succeed("update", "--tags", "person", "--vars=rebuild=true");
  });

  it("says in an environment what its actions are, what its tables need, and which commands name it", async () => {
    const text = await printed("--base", "main", "--env", "dev");
    expect(text).toContain(
      `tables and costs are those of \`test-project.${project.dataset}_dev (US), environment dev at`,
    );
    expect(text).toMatch(/\| `\w+_dev\.person_final` \| operations \| SQL \|/);
    expect(text).toContain(`create dataset \`${project.dataset}_dev\``);
    expect(text).toContain("npm run update -- --env dev --tags person");
    expect(text).not.toContain("stale");
  });

  it("reviews what the schemas make, and says that it is not committed", async () => {
    await project.write(
      "schemas/person.json",
      schema(attribute("name", "STRING"), attribute("score", "NUMERIC")),
    );
    const text = await printed("--base", "main");
    expect(text).toMatch(
      /Commit what the schemas make; stale: `definitions\/person\/[a-z_]+\.sqlx \(changed\)`, .* more\./,
    );
    expect(text).toContain("| `score` | `INT64` -> `NUMERIC` | BigQuery allows it");
    expect(text).toMatch(/`\w+\.names` reads `\w+\.person`/);
  });

  it("gives statements after which init and update take the new type", async () => {
    await generate();
    const refused = await project.npm("init");
    expect(refused.stderr).toContain("score is INTEGER in the table and NUMERIC in the schema");
    const text = await printed("--base", "main");
    expect(text).toContain("`npm run init` refuses the tables as they are:");
    const statements = [...text.matchAll(/^ +(ALTER TABLE .*;)$/gm)];
    expect(statements).toHaveLength(2);
    for (const [, sql] of statements) await project.query(sql ?? "");
    await succeed("init");
    // The last run merged by max, which this schema no longer has.
    const mixed = await project.npm("update");
    expect(mixed.exitCode).toBe(1);
    expect(mixed.stderr).toContain("due is npm run update -- --tags person --vars=rebuild=true");
    await succeed("update", "--tags", "person", "--vars=rebuild=true");
    expect(await project.query("SELECT name, score FROM DATASET.person")).toEqual([
      { name: "Ann", score: "1" },
    ]);
  });

  it("compares with where the branch left main, not with what main has become", async () => {
    await commit("Score is exact");
    await git("switch", "--quiet", "main");
    await project.write("definitions/reports/more.sqlx", 'config { type: "view" }\nSELECT 1 AS one\n');
    await commit("Another report");
    await git("switch", "--quiet", "topic");
    const text = await printed("--base", "main");
    expect(text).toContain(`Compared with \`${main.slice(0, 12)}\`, where this branch left \`main\`;`);
    expect(text).not.toContain("more");
  });

  it("writes to a file, in the form that is asked for, and leaves the working tree alone", async () => {
    const out = path.join(project.root, ".cache-review.md");
    expect(await printed("--base", "main", "--out", out, "--format", "terminal")).toBe("");
    expect(await readFile(out, "utf8")).toContain("  score: INT64 -> NUMERIC");
    const status = await git("status", "--short", "--untracked-files=no");
    expect(status).toBe("");
  });

  it("works without a warehouse, and says what it could not find out", async () => {
    const page = path.join(project.root, ".cache-review.html");
    const { exitCode, stdout } = await review(["--base", "main", "--html", page], {
      BIGQUERY_EMULATOR_HOST: "http://127.0.0.1:9",
    });
    expect(await readFile(page, "utf8")).toContain("<h1>What this change does</h1>");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("Not estimated: `nothing answers at http://127.0.0.1:9");
  });

  it("makes the definitions of a base that has none committed", async () => {
    await git("switch", "--quiet", "--create", "bare", "main");
    await git("rm", "--quiet", "-r", "definitions/person", "compiled");
    await commit("Nothing generated");
    await generate();
    const fromBare = await printed("--base", "bare");
    expect(fromBare).toContain("The base has no definitions");
    expect(fromBare).toContain("No change found; see the notes.");
    await git("switch", "--quiet", "--force", "topic");
  });

  it("takes a base that is not a project yet", async () => {
    await git("checkout", "--quiet", "--orphan", "empty");
    await git("rm", "--quiet", "-r", "--cached", ".");
    await git("commit", "--quiet", "--allow-empty", "--message", "Nothing");
    await git("switch", "--quiet", "--force", "topic");
    const text = await printed("--base", "empty");
    expect(text).toContain("could not be compared in full: `entities.json: no such file");
  });

  it.each([
    [
      2,
      ["--base", "main", "--out", "no/such/x.md"],
      "review: --out no/such/x.md: cannot be written (ENOENT)",
    ],
    [2, ["--base", "no-such-branch"], "review: --base no-such-branch: git knows no such commit"],
    [2, [], "review: name what to compare with, such as --base origin/main"],
    [
      2,
      ["--base", "main", "--format", "html"],
      "review: --format html: no such value; there are markdown, terminal",
    ],
    [2, ["--bsae", "main"], "review: --bsae: no such option; did you mean --base?"],
    [2, ["--base", "--output=x"], "review: "],
  ])("exits with %d and one line for %j", async (code, args, message) => {
    const { exitCode, stderr, stdout } = await review(args);
    expect(exitCode).toBe(code);
    expect(stdout).toBe("");
    expect(stderr).toContain(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  it("exits with 1 and the generator's words where the schema is wrong", async () => {
    await project.write("schemas/person.json", schema(attribute("name", "TEXT")));
    const { exitCode, stderr } = await review(["--base", "main"]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^schemas\/person\.json:1:\d+: name: \[2\]\.type: "TEXT" is not a BigQuery type/);
  });

  it("exits with 1 outside a repository", async () => {
    const { root } = await newProject();
    const { exitCode, stderr } = await runProgram(
      process.execPath,
      [
        path.join(REPOSITORY, "generator/bin/user-info-updater.js"),
        "review",
        "--base",
        "main",
        "--project",
        root,
      ],
      { cwd: REPOSITORY, env: { GIT_CEILING_DIRECTORIES: path.dirname(root) } },
    );
    expect(exitCode).toBe(1);
    expect(stderr).toBe("review: not in a git repository; run it in a clone of the project\n");
  });
});
