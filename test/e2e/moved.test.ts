import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { REPOSITORY, type TestProject, useEndpoint, useProjects } from "./harness.ts";
import { runHere } from "./in-process.ts";

const makeProject = useProjects(useEndpoint());

const entity = {
  name: "member",
  schema: "schemas/user_info.json",
  key: ["userId"],
  ingestTimestamp: "ingestTimestamp",
  clearedFields: "clearedFields",
  deleted: "deleted",
};

async function succeed(project: TestProject, ...argv: string[]): Promise<string> {
  const { exitCode, stderr, stdout } = await runHere(project, ...argv);
  expect(exitCode, stderr || stdout).toBe(0);
  return stdout;
}

it("under a new name an entity would know of no deleted user: it stops until its tables are copied", async () => {
  const project = await makeProject({ entities: [entity] });
  await succeed(project, "generate");
  await succeed(project, "init");
  const samples = [1, 2].map((batch) => path.join(REPOSITORY, "samples", `member_${batch}.ndjson`));
  await succeed(project, "load", "member", ...samples);
  await succeed(project, "update");
  const final = await project.query("SELECT * FROM DATASET.member ORDER BY userId");
  // What the updates said of the user who was deleted is gone, but for a row that comes late.
  await project.query("DELETE FROM DATASET.member_updates WHERE userId = 'userB'");
  await project.query(
    "INSERT INTO DATASET.member_updates (userId, ingestTimestamp, attribute1) VALUES ('userB', '2024-01-01 00:00:04', 'late')",
  );

  await project.write("entities.json", JSON.stringify({ entities: [{ ...entity, name: "client" }] }));
  await succeed(project, "generate");
  expect(await succeed(project, "status")).toMatch(
    /member_tombstones.*of an entity member that entities.json does not have there/,
  );
  for (const command of ["init", "update"])
    expect(await runHere(project, command)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("member_tombstones remembers who was deleted"),
    });
  const { stderr } = await runHere(project, "update");
  const statements = /first run (CREATE TABLE .*;) and npm run init/.exec(stderr)?.[1] ?? "";
  expect(statements.match(/COPY/g)).toHaveLength(5);
  await project.query(statements);
  await succeed(project, "init");
  await succeed(project, "update", "--vars=replayFrom=2024-01-01T00:00:00Z");
  expect(await project.query("SELECT * FROM DATASET.client ORDER BY userId")).toEqual(final);
});

it("in another dataset an entity begins anew only when somebody says so; else its tables are copied", async () => {
  const live = { ...entity, clearedFields: undefined, deleted: undefined };
  const project = await makeProject({
    projectId: "another-project",
    entities: [entity, { ...live, name: "visitor" }],
  });
  await succeed(project, "generate");
  await succeed(project, "init");
  const samples = [1, 2].map((batch) => path.join(REPOSITORY, "samples", `member_${batch}.ndjson`));
  await succeed(project, "load", "member", ...samples);
  await succeed(project, "load", "visitor", path.join(REPOSITORY, "samples/user_info_1.ndjson"));
  await succeed(project, "update");
  const members = await project.query("SELECT * FROM DATASET.member ORDER BY userId");
  const visitors = await project.query("SELECT * FROM DATASET.visitor ORDER BY userId");

  const settings = JSON.parse(await readFile(path.join(project.root, "dataform.json"), "utf8"));
  const defaultSchema = `${project.dataset}_moved`;
  await project.write(
    "dataform.json",
    JSON.stringify({ ...settings, defaultSchema, assertionSchema: defaultSchema }),
  );
  await succeed(project, "generate");
  const status = await succeed(project, "status");
  expect(status).toContain("member_tombstones");
  expect(status).toMatch(
    /visitor: \w+ has tables of an entity visitor too: if they are another project's, all is well; if .* begin with an empty final/,
  );
  for (const argv of [["init", "--plan"], ["init"], ["update"]])
    expect(await runHere(project, ...argv)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("member_tombstones remembers who was deleted"),
    });
  const { stderr } = await runHere(project, "init", "--plan");
  // Another project's tables may have this form: both ways are told.
  expect(stderr).toMatch(/^- others': .* CREATE SCHEMA .*; CREATE TABLE \S+ LIKE \S+; and npm run init$/m);
  const statements = [...stderr.matchAll(/first run (CREATE SCHEMA .* COPY \S+;)/g)].map(([, text]) => text);
  expect(statements).toHaveLength(2);
  const movingOf = (name: string): string =>
    statements.find((text) => text?.includes(`${name}_final`) === true) ?? "";
  await project.query(movingOf("member"));

  // Of the other one nobody was deleted: a run would be no error, and init is how somebody says that it is to be.
  expect(await runHere(project, "update")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(
      /visitor: \w+ has tables of an entity visitor too.* Then, or to begin anew, run npm run init\n$/,
    ),
  });
  await project.query(movingOf("visitor"));
  expect(await runHere(project, "init")).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await succeed(project, "update")).toContain("0 rows changed");
  expect(await project.query("SELECT * FROM DATASET_moved.member ORDER BY userId")).toEqual(members);
  expect(await project.query("SELECT * FROM DATASET_moved.visitor ORDER BY userId")).toEqual(visitors);
});
