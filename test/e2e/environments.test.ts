import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { type TestProject, useEndpoint, useProjects } from "./harness.ts";
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
const environments = { dev: { schemaSuffix: "dev" }, test: { tablePrefix: "test" } };

async function succeed(project: TestProject, ...argv: string[]): Promise<string> {
  const { exitCode, stderr, stdout } = await runHere(project, ...argv);
  expect(exitCode, stderr || stdout).toBe(0);
  return stdout;
}

async function tablesOf(project: TestProject, dataset: string): Promise<Readonly<Record<string, unknown>>> {
  const [tables] = await project.client.dataset(dataset).getTables();
  const found = tables.map(async (table) => {
    const [{ lastModifiedTime, numRows, type }] = await table.getMetadata();
    return [table.id, type === "VIEW" ? type : `${numRows} rows of ${lastModifiedTime}`] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}

it("an environment reads the updates of the project, and has every other table to itself", async () => {
  const project = await makeProject({
    files: { "entities.json": JSON.stringify({ entities: [entity], environments }) },
  });
  const dev = `${project.dataset}_dev`;
  await succeed(project, "generate");
  expect(await runHere(project, "init", "--env", "dev")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("member_updates is not there, and environment dev only reads it"),
  });
  await succeed(project, "init");
  const rows = await readFile(path.join(import.meta.dirname, "../../samples/member_1.ndjson"), "utf8");
  await project.write("rows.ndjson", rows);
  await succeed(project, "load", "member", "rows.ndjson");
  const before = await tablesOf(project, project.dataset);

  expect(await runHere(project, "load", "member", "rows.ndjson", "--env", "dev")).toMatchObject({
    exitCode: 2,
  });
  expect(await runHere(project, "update", "--env", "dev", "--tags", "erase")).toMatchObject({ exitCode: 2 });
  expect(await runHere(project, "status", "--env", "dve")).toMatchObject({
    exitCode: 2,
    stderr: "--env dve: entities.json has no such environment; did you mean dev?\n",
  });
  expect(await succeed(project, "init", "--env", "dev")).toContain(
    `test-project.${dev} (US), environment dev`,
  );
  expect(await succeed(project, "status", "--env", "dev")).toContain("npm run update -- --env dev\n");
  await succeed(project, "update", "--env", "dev");
  // Twice, by what the first run kept of what final means.
  expect(await succeed(project, "update", "--env", "dev")).toContain("0 rows changed");
  expect(await tablesOf(project, project.dataset)).toEqual(before);
  expect(Object.keys(await tablesOf(project, dev))).not.toContain("member_updates");
  expect(await project.query("SELECT userId FROM DATASET_dev.member ORDER BY userId")).toEqual([
    { userId: "userA" },
    { userId: "userB" },
    { userId: "userC" },
  ]);
  expect(JSON.parse(await succeed(project, "status", "--env", "dev", "--json"))).toMatchObject([
    { entity: "member", users: 3, waiting: 0 },
  ]);
  expect(
    JSON.parse(await succeed(project, "erasure", "member", "userA", "--env", "dev", "--json")),
  ).toMatchObject({
    rows: [
      { table: "member_updates", rows: 1 },
      { table: "temp_member_updates", rows: 1 },
      { table: "member_final", rows: 1 },
    ],
  });
  const drops = await succeed(project, "uninstall", "--env", "dev", "--plan");
  expect(drops).toContain(`DROP TABLE \`test-project.${dev}.member_final\`;`);
  expect(drops).not.toContain(".member_updates`;");

  // A prefix makes another one, in the same dataset.
  await succeed(project, "init", "--env", "test");
  await succeed(project, "update", "--env", "test");
  expect(await project.query("SELECT COUNT(*) AS users FROM DATASET.test_member")).toEqual([{ users: 3 }]);
  expect(await tablesOf(project, project.dataset)).toMatchObject(before);

  const file = "schemas/user_info.json";
  const { fields } = JSON.parse(await readFile(path.join(project.root, file), "utf8")) as {
    fields: object[];
  };
  await project.write(file, JSON.stringify([...fields, { name: "added", type: "STRING" }]));
  await succeed(project, "generate");
  for (const command of ["init", "update"])
    expect(await runHere(project, command, "--env", "dev")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/member_updates:? lacks added STRING, and environment dev only reads it/),
    });
});
