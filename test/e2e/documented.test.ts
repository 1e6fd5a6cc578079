import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { symlink } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { installPython, whyNoPython } from "../../local/test/clients/python-client.ts";
import { blocksOf, RUN } from "../docs/commands.ts";
import { type StandIn, startStandIn } from "../unit/schedule/stand-in.ts";
import { REPOSITORY, runProgram, type TestProject, useEndpoint, useProjects } from "./harness.ts";
import { runHere } from "./in-process.ts";

const settings = {
  warehouse: "bigquery",
  defaultDatabase: "test-project",
  defaultSchema: "analytics",
  assertionSchema: "analytics",
  defaultLocation: "EU",
};
const times = { key: ["userId"], ingestTimestamp: "ingestTimestamp" };
const clears = { clearedFields: "cleared", deleted: "isDeleted" };
const entities = [
  { name: "customer", schema: "schemas/customer.json", ...times, ...clears },
  { name: "account", schema: "schemas/account.json", ...times, eventTimestamp: "changedAt", ...clears },
  { name: "user_info", schema: "schemas/user_info.json", ...times },
];
const [schema = ""] = blocksOf("json")
  .filter(({ page, text }) => page === "docs/own-schema.md" && text.startsWith("["))
  .map(({ text }) => text);
const account = [
  { name: "userId", type: "STRING", mode: "REQUIRED" },
  ...["ingestTimestamp", "changedAt"].map((name) => ({ name, type: "TIMESTAMP", mode: "REQUIRED" })),
  { name: "email", type: "STRING" },
];
/** What docs/schedule.md writes into schedule.json, runs of one's own too, with what docs/environments.md adds. */
const schedule = {
  ...jsonOf("docs/schedule.md", '{\n  "region"'),
  ...jsonOf("docs/schedule.md", '"runs"'),
  ...jsonOf("docs/environments.md", '"environments"'),
};
/** The rows that docs/producers.md shows, after one that they say something about. */
const updates = [
  '{"userId":"userA","ingestTimestamp":"2026-01-05T09:00:00Z","email":"a@example.com","address":{"city":"Lyon"}}',
  ...blocksOf("json").flatMap(({ page, text }) =>
    page === "docs/producers.md" && text.startsWith('{"userId"') ? text.trim().split("\n") : [],
  ),
];
const dashboard = JSON.parse(
  readFileSync(path.join(REPOSITORY, "deploy/grafana/dashboard.json"), "utf8"),
) as {
  panels: { title: string; targets: { rawSql: string }[] }[];
};
/** What Debezium sends of three accounts: an e-mail address that goes, one that stays unsaid, an account that goes. */
const changes = [
  { op: "c", after: { id: "one", email: "one@example.com" }, source: { ts_us: 1_767_600_000_000_001 } },
  { op: "u", after: { id: "one", email: null }, source: { ts_us: 1_767_600_000_000_002 } },
  { op: "c", after: { id: "two", email: "two@example.com" }, source: { ts_us: 1_767_600_000_000_003 } },
  {
    op: "u",
    after: { id: "two", email: "__debezium_unavailable_value" },
    source: { ts_us: 1_767_600_000_000_004 },
  },
  { op: "c", after: { id: "three", email: "three@example.com" }, source: { ts_us: 1_767_600_000_000_005 } },
  { op: "d", before: { id: "three" }, after: null, source: { ts_us: 1_767_600_000_000_006 } },
];

/** What Datastream writes: an update in two halves, and one that gives an account another key; milliseconds ago, id, e-mail, what happened. */
const stream = [
  [9, "four", "four@example.com", "INSERT"],
  [8, "four", "four@example.com", "UPDATE-DELETE"],
  [8, "four", "4@example.com", "UPDATE-INSERT"],
  [7, "five", "five@example.com", "INSERT"],
  [6, "five", "five@example.com", "UPDATE-DELETE"],
  [6, "six", "five@example.com", "UPDATE-INSERT"],
] as const;
/** Python asks for credentials, of which the endpoint wants none. */
const ANONYMOUS = `import google.auth
from google.auth.credentials import AnonymousCredentials
google.auth.default = lambda *args, **options: (AnonymousCredentials(), "test-project")
`;
const noPython = whyNoPython();

describe("what README and docs say", () => {
  const newProject = useProjects(useEndpoint());
  let project: TestProject;
  let dataform: StandIn | undefined;
  afterAll(() => dataform?.close());

  beforeAll(async () => {
    project = await newProject({
      files: {
        "entities.json": JSON.stringify({ environments: { dev: { schemaSuffix: "dev" } }, entities }),
        "schedule.json": JSON.stringify(schedule),
        "dataform.json": JSON.stringify(settings),
        "schemas/customer.json": schema,
        "schemas/account.json": JSON.stringify(account),
        "updates.ndjson": updates.join("\n"),
        "samples/user_info_1.ndjson": readFileSync(
          path.join(REPOSITORY, "samples/user_info_1.ndjson"),
          "utf8",
        ),
      },
    });
    await project.write(
      "more.csv.gz",
      gzipSync("userId,ingestTimestamp,email\nuserC,2026-01-05T10:00:00Z,c@example.com\n"),
    );
    dataform = await startStandIn();
    const git = (...args: string[]) =>
      runProgram("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...args], {
        cwd: project.root,
      });
    await git("init", "--quiet", "--initial-branch=main");
    await git("add", "--all", "--", ":!node_modules");
    await git("commit", "--quiet", "--message", "The project");
    await git("update-ref", "refs/remotes/origin/main", "HEAD");
  });

  const merges = RUN.indexOf("npm run update");
  // The statements of docs/change.md are those that test/e2e/moved.test.ts runs; docs/final.md is compiled.
  const queries = blocksOf("sql").filter(({ text }) => text.startsWith("SELECT"));

  it.each(RUN.slice(0, merges))("%s", runs);

  it("docs/producers.md: its Node program streams a row", async () => {
    const [program = ""] = snippets("js").filter((text) => text.includes('@google-cloud/bigquery"'));
    await project.write("producer.mjs", program);
    await symlink(
      path.join(REPOSITORY, "node_modules/@google-cloud"),
      path.join(project.root, "node_modules/@google-cloud"),
    );
    await project.query(
      "CREATE TABLE analytics.account_changes AS SELECT JSON '{}' AS change, TIMESTAMP '2026-01-01' AS received_at",
    );
    const { exitCode, stderr } = await project.node(["producer.mjs"], {
      GOOGLE_CLOUD_PROJECT: "test-project",
    });
    expect(exitCode, stderr).toBe(0);
  });

  it("docs/producers.md: its queries turn the changes of Debezium and Datastream into updates", async () => {
    const rows = changes.map((change) => `(JSON '${JSON.stringify(change)}', CURRENT_TIMESTAMP())`);
    await project.query(`INSERT INTO analytics.account_changes VALUES ${rows.join(", ")}`);
    const streamed = stream.map(
      ([ago, id, email, type]) =>
        `STRUCT('${id}' AS id, '${email}' AS email, STRUCT(UNIX_MILLIS(CURRENT_TIMESTAMP()) - ${ago} AS source_timestamp, '${type}' AS change_type) AS datastream_metadata)`,
    );
    await project.query(
      `CREATE TABLE analytics.account_stream AS SELECT * FROM UNNEST([${streamed.join(", ")}])`,
    );
    for (const sql of snippets("sql")) await project.query(sql);
  });

  it.skipIf(noPython !== undefined)(
    `docs/producers.md: its Python program streams a row${noPython === undefined ? "" : ` (${noPython})`}`,
    async () => {
      const [program = ""] = snippets("python").filter((text) => text.includes("insert_rows_json"));
      const { exitCode, stderr } = await runProgram("python3", ["-W", "ignore", "-c", ANONYMOUS + program], {
        cwd: project.root,
        env: { BIGQUERY_EMULATOR_HOST: project.url, PYTHONPATH: await installPython() },
      });
      expect(exitCode, stderr).toBe(0);
    },
  );

  it("docs/producers.md: its other programs are programs", async () => {
    for (const [index, text] of snippets("js").entries()) {
      await project.write(`check-${index}.mjs`, text);
      expect(await project.node(["--check", `check-${index}.mjs`])).toMatchObject({ exitCode: 0 });
    }
    const parse = "import ast, sys; [ast.parse(text) for text in sys.stdin.read().split('\\0')]";
    const { status, error, stderr } = spawnSync("python3", ["-c", parse], {
      input: snippets("python").join("\0"),
      encoding: "utf8",
    });
    if (error === undefined) expect(status, stderr).toBe(0);
  });

  it.each(RUN.slice(merges))("%s", runs);

  it("npm run schedule refuses a tag that no action has", async () => {
    const runs = [{ name: "some", cron: "7 * * * *", tags: ["audit", "custmer"] }];
    await project.write("schedule.json", JSON.stringify({ ...schedule, runs }));
    const { exitCode, stderr } = await runHere(project, "schedule", "--plan");
    expect(stderr).toMatch(
      /^schedule\.json:\d+:\d+: some: runs\[0\]\.tags\[1\]: no action .* "custmer"; did you mean customer\?$/m,
    );
    expect(exitCode).toBe(1);
  });

  it("README.md: its program shows a customer", async () => {
    const [{ text = "" } = {}] = blocksOf("js").filter(({ page }) => page === "README.md");
    await project.write("look.mjs", text.replace("my-project", "test-project"));
    const { exitCode, stdout, stderr } = await project.node(["look.mjs"]);
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain("userId: 'userC'");
  });

  it("merges what the producers said", async () => {
    const customers = "SELECT userId, email, address.city FROM analytics.customer ORDER BY userId";
    expect(await project.query(customers)).toEqual([
      { userId: "userA", email: "new@example.com", city: null },
      { userId: "userC", email: "c@example.com", city: "Rome" },
      { userId: "userD", email: "dee@example.com", city: "Oslo" },
      ...(noPython === undefined ? [{ userId: "userE", email: "eve@example.com", city: null }] : []),
    ]);
    expect(await project.query("SELECT userId, email FROM analytics.account ORDER BY userId")).toEqual([
      { userId: "four", email: "4@example.com" },
      { userId: "one", email: null },
      { userId: "six", email: "five@example.com" },
      { userId: "two", email: "two@example.com" },
    ]);
  });

  it.each(queries.map(({ page, text }) => [page, text.split("\n")[0] ?? "", text]))(
    "%s: %s",
    async (page, _, sql) => {
      const rows = await project.query(sql);
      expect(rows.length, page).toBeGreaterThan(0);
    },
  );

  it.each(dashboard.panels.map((panel) => [panel.title, panel.targets[0]?.rawSql ?? ""]))(
    "deploy/grafana/dashboard.json: %s",
    async (_, rawSql) => {
      const sql = rawSql
        .replace(/\$\{\w+\}\.\$\{\w+\}\.\$\{\w+\}/, "test-project.analytics.customer")
        .replace("$__timeFilter(merged_at)", "merged_at > TIMESTAMP '2026-01-01'");
      const row = ((await project.query(sql)) as Record<string, unknown>[]).at(-1);
      const { time, ...values } = row ?? {};
      expect(time).toMatch(/^20/);
      for (const value of Object.values(values)) expect(value).toBeTypeOf("number");
    },
  );

  async function runs(command: string): Promise<void> {
    const argv = command
      .replace(/^npm run (-s )?/, "")
      .replace(" -- ", " ")
      .split(" ");
    vi.stubEnv("DATAFORM_API_ENDPOINT", dataform?.url);
    const { exitCode, stderr, stdout } = await runHere(project, ...argv);
    expect(exitCode, stderr || stdout).toBe(0);
  }
});

/** The object of a page's JSON that begins so; members of one alone are an object too. */
function jsonOf(page: string, start: string): object {
  const [{ text = "" } = {}] = blocksOf("json").filter(
    (block) => block.page === page && block.text.startsWith(start),
  );
  return JSON.parse(text.startsWith("{") ? text : `{${text}}`) as object;
}

/** The fenced blocks of docs/producers.md in a language. */
function snippets(language: string): readonly string[] {
  return blocksOf(language)
    .filter(({ page }) => page === "docs/producers.md")
    .map(({ text }) => text);
}
