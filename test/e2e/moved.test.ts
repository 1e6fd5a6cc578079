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
    /member_tombstones.*of an entity member that entities.json does not have/,
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
