import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../../generator/src/cli/commands.ts";
import { usualRuns } from "../../../generator/src/generate/usual-runs.ts";
import { COMMAND_ROLES, remedyOf } from "../../../generator/src/project/permissions.ts";

const read = (file: string) => readFileSync(new URL(`../../../${file}`, import.meta.url), "utf8");

describe("the least roles of each command", () => {
  it("stand in the docs, a line a command", () => {
    const text = read("docs/reference.md");
    for (const [command, roles] of Object.entries(COMMAND_ROLES)) {
      const cells = roles.map(({ role, on }) => `\`${role}\` on ${on}`).join(", ");
      expect(text).toContain(`| \`${command}\` | ${cells} |`);
    }
  });

  it("are known of every command; the docs say which need none", () => {
    const none = Object.keys(COMMANDS).filter((command) => !(command in COMMAND_ROLES));
    expect(none.sort()).toEqual(["compile", "demo", "generate", "local", "test"]);
    expect(Object.keys(COMMANDS)).toEqual(expect.arrayContaining(Object.keys(COMMAND_ROLES)));
    const said = /^The least roles of each command.*; (.*) need none\./m.exec(read("docs/reference.md"))?.[1];
    expect(said?.split(", ").sort()).toEqual(none.map((command) => `\`${command}\``));
  });

  /** What workflows, pipelines and CronJobs run as the account that Terraform makes, by the files that do. */
  const RECIPES = [
    ".github/workflows/update.yml",
    ".github/workflows/deploy.yml",
    ".gitlab-ci.yml",
    "deploy/Dockerfile",
  ];
  const commands = new Set(
    RECIPES.flatMap((file) =>
      [
        ...read(file)
          .replace(/^ *#.*$/gm, "")
          .matchAll(/npm(?: run|", "run", "--silent",) "?(\w+)/g),
      ].map(([, name = ""]) => name),
    ),
  );
  const granted = [...read("deploy/terraform/main.tf").matchAll(/^ {2}role\s+= "(.*)"$/gm)].map(
    ([, role]) => role,
  );

  it("are what Terraform grants to who runs each of them; making datasets it does itself", () => {
    const asked = [...commands].filter((name) => name in COMMAND_ROLES).sort();
    expect(asked).toEqual(["init", "review", "status", "update"]);
    expect(read("deploy/terraform/main.tf")).toContain('resource "google_bigquery_dataset" "datasets"');
    for (const name of asked)
      for (const { role } of COMMAND_ROLES[name] ?? []) {
        // Data Editor holds what Data Viewer does: https://cloud.google.com/bigquery/docs/access-control#bigquery.dataEditor
        const held = role === "roles/bigquery.dataViewer" ? "roles/bigquery.dataEditor" : role;
        if (role !== "roles/bigquery.user") expect(granted, name).toContain(held);
      }
  });

  it("are those of update for the audit and for erasing, which are its tags", () => {
    for (const { name, tags } of usualRuns([{ name: "user", deleted: "isDeleted" }]))
      expect(name === "update" || tags.join() === name, name).toBe(true);
    expect(COMMAND_ROLES.update?.map(({ role }) => role)).toEqual([
      "roles/bigquery.dataEditor",
      "roles/bigquery.jobUser",
    ]);
  });

  it("are for schedule what its page grants by hand, with what Dataform's own account needs", () => {
    const page = read("docs/schedule.md");
    for (const { role } of COMMAND_ROLES.schedule ?? []) expect(page).toContain(`\`${role}\``);
    const dataform = read("deploy/terraform/dataform.tf");
    const byHand = [...page.matchAll(/^gcloud .*--role (\S+)$/gm)].map(([, role]) => role);
    expect(byHand.length).toBeGreaterThan(2);
    for (const role of byHand) expect(dataform).toContain(`"${role}"`);
  });
});

describe("what to grant where BigQuery refuses access", () => {
  const cases: [string, string][] = [
    [
      "User does not have bigquery.jobs.create permission in project p",
      "bigquery.jobs.create is missing: grant roles/bigquery.jobUser on the project",
    ],
    [
      "Permission bigquery.tables.getData denied on table t",
      "bigquery.tables.getData is missing: grant roles/bigquery.dataViewer on the datasets",
    ],
    [
      "Permission bigquery.tables.create denied",
      "bigquery.tables.create is missing: grant roles/bigquery.dataEditor on the datasets",
    ],
    [
      "Permission bigquery.datasets.create denied",
      "bigquery.datasets.create is missing: grant roles/bigquery.user on the project",
    ],
    [
      "no word of what",
      "grant roles/bigquery.dataEditor on the datasets and roles/bigquery.jobUser on the project",
    ],
  ];
  for (const [message, remedy] of cases) it(message, () => expect(remedyOf(message)).toBe(remedy));
});
