import { readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { blocksOf, RUN } from "../docs/commands.ts";
import { REPOSITORY, type TestProject, useEndpoint, useProjects } from "./harness.ts";
import { runHere } from "./in-process.ts";

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

  it.each(RUN)("%s", async (command) => {
    const argv = command
      .replace(/^npm run (-s )?/, "")
      .replace(" -- ", " ")
      .split(" ");
    const { exitCode, stderr, stdout } = await runHere(project, ...argv);
    expect(exitCode, stderr || stdout).toBe(0);
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
