import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../../generator/src/cli/commands.ts";
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

  it("are what Terraform grants to who runs update", () => {
    const granted = read("deploy/terraform/main.tf");
    for (const { role } of COMMAND_ROLES.update ?? []) expect(granted).toContain(`"${role}"`);
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
