import { readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { blocksOf, documentedCommands } from "../docs/commands.ts";
import { REPOSITORY, type TestProject, useEndpoint, useProjects } from "./harness.ts";

/** What the pages show and this file runs, in an order in which it makes sense; what stands in one list runs at once. */
const RUN: readonly (readonly string[])[] = [
  ["npm run generate"],
  ["npm run compile", "npm run generate -- --check", "npm run init -- --plan"],
  ["npm run compile -- --check", "npm run init"],
  [
    "npm run load -- customer updates.ndjson",
    "npm run load -- customer updates.ndjson more.csv.gz",
    "npm run load -- user_info samples/user_info_1.ndjson",
  ],
  ["npm run update"],
  ["npm run status", "npm run -s status -- --json"],
  ["npm run status -- --html status.html", "npm run status -- --max-lag 2h --max-bad-rows 0"],
  ["npm run status -- --max-lag 2h --max-bad-rows 0 --max-missed 0", "npm run erasure -- customer userB"],
  ["npm run cost -- user_info", "npm run cost -- --price 7.5 --price-date 2026-11-01"],
];

/** What another test runs, and how that test writes it. */
const ELSEWHERE: readonly (readonly [command: RegExp, test: string, written: string])[] = [
  [/^npm run demo$/, "test/e2e/demo.test.ts", '"demo"'],
  [/^npm run local\b/, "test/e2e/own-schema.test.ts", '"local"'],
  [/^npm run new\b|^npx user-info-updater new\b/, "test/e2e/new-project.test.ts", '"new"'],
  [/^npm run review\b.*(--base origin\/main)( --out \S+)?$/, "test/e2e/review.test.ts", '"--base"'],
  [/^npm run review\b.*--html/, "test/e2e/review.test.ts", '"--html"'],
  [/^npm run schedule\b/, "test/unit/schedule/schedule.test.ts", "schedule"],
  [/--vars=rebuild=true$/, "test/e2e/update.test.ts", "--vars=rebuild=true"],
  [/--vars=replayFrom=/, "test/e2e/clears-and-deletes.test.ts", "--vars=replayFrom="],
  [/--tags audit$/, "test/e2e/deletes.test.ts", '"--tags", "audit"'],
  [/--tags erase$/, "test/e2e/deletes.test.ts", '"--tags", "erase"'],
  [/--tags user_info$/, "test/e2e/examples.test.ts", '"--tags"'],
  [/^npm run update -- --dry-run$/, "test/e2e/update.test.ts", "--dry-run"],
  [/^npm run erasure -- user_info userA$/, "test/e2e/deletes.test.ts", '"erasure"'],
  [/^npx dataform run --schema-suffix dev$/, "test/unit/warehouse/environments.test.ts", "schema-suffix"],
  [/^docker build/, "test/e2e/image.test.ts", "Dockerfile"],
  [/^kubectl apply/, "test/manifests/manifests.test.ts", "kubernetes-validate"],
  [/^terraform /, "test/manifests/terraform.test.ts", "terraform.apply()"],
  [/^npm test$|^npm ci --include=dev$/, ".ci/run", "npm test"],
];

/** What no test runs. */
const NOT_RUN: readonly (readonly [command: RegExp, why: string])[] = [
  [/^export BIGQUERY_EMULATOR_HOST=/, "every test here sets it"],
  [/^kubectl -n .* create job/, "needs a cluster"],
  [/^(git|printf|npm install --package-lock-only)/, "a recipe for a repository of one's own at a host"],
];

const settings = {
  warehouse: "bigquery",
  defaultDatabase: "test-project",
  defaultSchema: "analytics",
  assertionSchema: "analytics",
  defaultLocation: "EU",
};
const times = { key: ["userId"], ingestTimestamp: "ingestTimestamp" };
const entities = [
  {
    name: "customer",
    schema: "schemas/customer.json",
    ...times,
    clearedFields: "cleared",
    deleted: "isDeleted",
  },
  { name: "user_info", schema: "schemas/user_info.json", ...times },
];
const schema =
  readFileSync(path.join(REPOSITORY, "README.md"), "utf8").match(/```json\n(\s*\[[\s\S]*?\n\s*\])\n/)?.[1] ??
  "";
const updates = [
  {
    userId: "userA",
    ingestTimestamp: "2026-01-05T09:00:00Z",
    email: "a@example.com",
    address: { city: "Lyon" },
  },
  { userId: "userB", ingestTimestamp: "2026-01-05T12:00:00Z", isDeleted: true },
];

describe("what README and docs say", () => {
  const newProject = useProjects(useEndpoint());
  let project: TestProject;

  beforeAll(async () => {
    project = await newProject({
      entities,
      files: {
        "dataform.json": JSON.stringify(settings),
        "schemas/customer.json": schema,
        "updates.ndjson": updates.map((row) => JSON.stringify(row)).join("\n"),
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
  });

  it("each command of them is run, here or in another test, or said not to be", () => {
    const here = new Set(RUN.flat());
    const left = documentedCommands().filter((command) => !here.delete(command));
    const unknown = left.filter(
      (command) => ![...ELSEWHERE, ...NOT_RUN].some(([pattern]) => pattern.test(command)),
    );
    expect(unknown).toEqual([]);
    expect([...here], "no page has it any more").toEqual([]);
    const unused = [...ELSEWHERE, ...NOT_RUN].filter(
      ([pattern]) => !left.some((command) => pattern.test(command)),
    );
    expect(unused).toEqual([]);
  });

  it.each(ELSEWHERE.map(([, file, written]) => [file, written]))("%s runs %s", (file, written) => {
    expect(readFileSync(path.join(REPOSITORY, file), "utf8").includes(written)).toBe(true);
  });

  it.each(RUN.map((commands) => [commands.join(", "), commands] as const))("%s", async (_, commands) => {
    const ended = await Promise.all(
      commands.map((command) => {
        const [name = "", ...args] = command
          .replace(/^npm run (-s )?/, "")
          .replace(" -- ", " ")
          .split(" ");
        return project.npm(name, ...args);
      }),
    );
    for (const { exitCode, stderr, stdout } of ended) expect(exitCode, stderr || stdout).toBe(0);
  });

  const queries = blocksOf("sql").filter(({ page }) => page !== "docs/final.md");

  it.each(queries.map(({ page, text }) => [page, text.split("\n")[0] ?? "", text]))(
    "%s: %s",
    async (page, _, sql) => {
      const rows = await project.query(sql);
      expect(rows.length, page).toBeGreaterThan(0);
    },
  );
});
