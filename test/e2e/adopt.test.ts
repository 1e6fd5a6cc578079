import { expect, it } from "vitest";
import { type TestProject, useEndpoint, useProjects } from "./harness.ts";
import { runHere } from "./in-process.ts";

const makeProject = useProjects(useEndpoint());

const person = { name: "person", schema: "schemas/person.json", key: ["id"], ingestTimestamp: "at" };
const schema = [
  { name: "id", type: "STRING", mode: "REQUIRED" },
  { name: "at", type: "TIMESTAMP", mode: "REQUIRED" },
  { name: "name", type: "STRING" },
  { name: "visits", type: "INT64", merge: "max" },
  { name: "tags", type: "STRING", mode: "REPEATED" },
  {
    name: "home",
    type: "RECORD",
    fields: [
      { name: "city", type: "STRING" },
      { name: "zip", type: "STRING" },
      { name: "added", type: "STRING" },
    ],
  },
];

/** As another tool made them: unpartitioned, columns in another order, no versions, trimmed updates, two rows of one user. */
const TABLES = `
CREATE TABLE DATASET.person_updates (\`at\` TIMESTAMP, id STRING, home STRUCT<zip STRING, city STRING>, name STRING, visits INT64, tags ARRAY<STRING>);
INSERT INTO DATASET.person_updates (id, \`at\`, name, visits) VALUES ('a', '2024-01-10', 'Ann', 3);
INSERT INTO DATASET.person_updates (id, \`at\`, home) VALUES ('b', '2024-01-11', ('2', NULL));
INSERT INTO DATASET.person_updates (id, \`at\`, name) VALUES ('e', '2024-01-12', 'Eve');
CREATE TABLE DATASET.person_final (id STRING, \`at\` TIMESTAMP, name STRING, visits INT64, tags ARRAY<STRING>, home STRUCT<zip STRING, city STRING>);
INSERT INTO DATASET.person_final VALUES
  ('a', '2024-01-10', 'Ann', 9, ['x'], ('z1', 'c1')),
  ('b', '2024-01-11', 'Bob', 1, [], ('1', 'B')),
  ('b', '2024-01-05', 'Bobby', 5, ['old'], NULL),
  ('d', '2024-01-03', 'Dan', NULL, [], NULL),
  (NULL, '2024-01-03', 'Nobody', NULL, [], NULL);`;

async function succeed(project: TestProject, ...argv: string[]): Promise<string> {
  const { exitCode, stderr, stdout } = await runHere(project, ...argv);
  expect(exitCode, stderr || stdout).toBe(0);
  return stdout;
}

it("another tool's tables are adopted: first run, audit and rebuild lose nothing", async () => {
  const project = await makeProject({
    entities: [person],
    files: { "schemas/person.json": JSON.stringify(schema) },
  });
  await succeed(project, "generate");
  await project.client.createDataset(project.dataset);
  await project.query(TABLES);
  const held = () => project.query("SELECT COUNT(*) AS row_count FROM DATASET.person_updates");

  // What the rebuild would empty stops it before anything is changed.
  await project.query(
    "ALTER TABLE DATASET.person_final ADD COLUMN score INT64; UPDATE DATASET.person_final SET score = 7 WHERE id = 'a'",
  );
  for (const options of [["--plan"], []])
    expect(await runHere(project, "adopt", "person", ...options)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("person_final: score (in 1 row): not in the schema, and the rebuild"),
    });
  await project.query("UPDATE DATASET.person_final SET score = NULL WHERE TRUE");

  const plan = await succeed(project, "adopt", "person", "--plan");
  for (const line of [
    "person: 4 rows of 3 users in person_final",
    '1 user with more than one row ({"id":"b"}): merged',
    "1 row without a key",
    "1 user with updates and without a row",
    "name: 3 values that no update holds: appended",
    "home.zip: 1 user whose updates say otherwise: what the updates say counts",
    "not to be known",
    "+ home.added STRING",
    "partitioned by nothing, not at",
    "score is not in the schema and stays, until a rebuild empties it",
  ])
    expect(plan).toContain(line);
  expect(await held()).toEqual([{ row_count: 3 }]);

  const unadopted = {
    exitCode: 1,
    stderr: expect.stringContaining(
      "person_final has 5 rows that no run of this project made; npm run adopt",
    ),
  };
  expect(await runHere(project, "update")).toMatchObject(unadopted);
  await succeed(project, "init");
  expect(await runHere(project, "update")).toMatchObject(unadopted);
  await succeed(project, "adopt", "person");
  const final = () =>
    project.query(
      `SELECT id, CAST(DATE(\`at\`) AS STRING) AS day, name, visits, tags, home FROM DATASET.person ORDER BY id`,
    );
  const adopted = [
    {
      id: "a",
      day: "2024-01-10",
      name: "Ann",
      visits: 9,
      tags: ["x"],
      home: { city: "c1", zip: "z1", added: null },
    },
    {
      id: "b",
      day: "2024-01-11",
      name: "Bob",
      visits: 5,
      tags: ["old"],
      home: { city: "B", zip: "2", added: null },
    },
    { id: "d", day: "2024-01-03", name: "Dan", visits: null, tags: [], home: null },
    { id: "e", day: "2024-01-12", name: "Eve", visits: null, tags: [], home: null },
  ];
  expect(await final()).toEqual(adopted);
  const after = await held();
  expect(await succeed(project, "adopt", "person")).toContain("nothing to adopt");
  expect(await held()).toEqual(after);

  expect(await succeed(project, "uninstall", "--plan")).toMatch(
    /^-- not made by this project, but adopted: .*\n-- DROP TABLE `.*person_final`;$/m,
  );

  // Whatever comes, however late, is newer than a value without a version.
  await project.query(
    `INSERT INTO DATASET.person_updates (id, \`at\`, name, visits) VALUES ('d', '1999-01-01', 'Daniel', 1)`,
  );
  await succeed(project, "update", "--vars=rebuild=true");
  expect(await final()).toEqual(
    adopted.map((row) => (row.id === "d" ? { ...row, name: "Daniel", visits: 1 } : row)),
  );
  await succeed(project, "update", "--tags", "audit", "--vars=auditShare=1");
});
