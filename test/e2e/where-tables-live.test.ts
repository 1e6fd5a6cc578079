/** Expirations, required partition filters, and updates of others: another dataset or project, a view. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { expect, it } from "vitest";
import { type TestProject, useEndpoint, useProjects } from "./harness.ts";
import { runHere } from "./in-process.ts";

const makeProject = useProjects(useEndpoint());

const fields = [
  { name: "userId", type: "STRING" },
  { name: "at", type: "TIMESTAMP" },
  { name: "name", type: "STRING" },
  { name: "city", type: "STRING" },
];
const person = {
  name: "person",
  schema: "schemas/person.json",
  key: ["userId"],
  ingestTimestamp: "at",
  deleted: "gone",
};

async function succeed(project: TestProject, ...argv: string[]): Promise<string> {
  const { exitCode, stderr, stdout } = await runHere(project, ...argv);
  expect(exitCode, stderr || stdout).toBe(0);
  return stdout + stderr;
}

async function json(project: TestProject, ...argv: string[]): Promise<unknown> {
  return JSON.parse((await runHere(project, ...argv)).stdout) as unknown;
}

/** Each in a Google Cloud project of its own: none may be found to be another one's former place. */
function make(...entities: readonly Record<string, unknown>[]): Promise<TestProject> {
  const projectId = `test-${randomUUID().slice(0, 8)}`;
  const tags = { name: "tags", type: "STRING", mode: "REPEATED", merge: "union" };
  const files = {
    "schemas/person.json": JSON.stringify(fields),
    "schemas/tagged.json": JSON.stringify([...fields, tags]),
  };
  return makeProject({ projectId, entities, files });
}

it("tables of init never expire, whatever the dataset says, and tables that will are named", async () => {
  const project = await make({ ...person, schema: "schemas/tagged.json" });
  await project.query(
    "CREATE SCHEMA DATASET OPTIONS(default_table_expiration_days = 30, default_partition_expiration_days = 7)",
  );
  await project.query(
    "CREATE TABLE DATASET.person_tombstones (key_hash STRING, version TIMESTAMP, ingest_timestamp TIMESTAMP) CLUSTER BY key_hash",
  );
  const said = await succeed(project, "init");
  expect(said).toMatch(/note: expires on \d{4}-.*expiration_timestamp = NULL/);
  const lives = async (table: string) => {
    const [found] = await project.client.dataset(project.dataset).table(table).getMetadata();
    return [found.expirationTime, found.timePartitioning?.expirationMs];
  };
  for (const table of ["person_updates", "person_final", "person_watermark"])
    expect(await lives(table), table).toEqual([undefined, undefined]);
  expect(await succeed(project, "init", "--plan")).not.toContain("partitions expire");
  await succeed(project, "generate");
  await succeed(project, "update");
  expect(await lives("person_runs")).toEqual([undefined, undefined]);
  await project.query("ALTER TABLE DATASET.person_updates SET OPTIONS (partition_expiration_days = 1.5)");
  expect(await succeed(project, "init", "--plan")).toContain(
    "its partitions expire after 1.5 days: a rebuild forgets what they said, and a late delete or clear takes it from tags;",
  );
  expect(await succeed(project, "status")).not.toContain("person_final expires on");
  await project.query("DROP TABLE DATASET.person_final");
  await succeed(project, "update");
  expect(await succeed(project, "status")).toMatch(/person_final expires on \d{4}-/);
  for (const table of ["person_final", "person_tombstones", "person_watermark"])
    await project.query(`DROP TABLE DATASET.${table}`);
  await succeed(project, "init");
  const { exitCode, stderr } = await runHere(project, "update");
  expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/the log has \d+ runs, .* was lost/)]);
  expect(await succeed(project, "status")).toContain("not well");
  await project.query("DROP TABLE DATASET.person_runs");
  await succeed(project, "update");
});

/** The endpoint as if these tables had row access policies, which it knows none of. */
async function withRowPolicies(url: string, policies: Readonly<Record<string, readonly string[]>>) {
  const front = createServer((request, response) => {
    const asked = /\/tables\/(\w+)\/rowAccessPolicies\b/.exec(request.url ?? "")?.[1];
    const named = asked === undefined ? undefined : policies[asked];
    if (named !== undefined) {
      const rowAccessPolicies = named.map((policyId) => ({ rowAccessPolicyReference: { policyId } }));
      response.setHeader("content-type", "application/json").end(JSON.stringify({ rowAccessPolicies }));
      return;
    }
    const { method, headers } = request;
    const onward = httpRequest(`${url}${request.url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  }).listen(0, "127.0.0.1");
  await once(front, "listening");
  const { port } = front.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => front.close() };
}

it("row access policies on updates and final are named, with what they hide from whom", async () => {
  const project = await make({ ...person, cursor: "commit" });
  expect(await succeed(project, "init")).not.toContain("row access");
  expect(await succeed(project, "init", "--plan")).not.toContain("row access");
  const policies = { person_updates: ["eu_only", "us_only"], person_final: ["eu_only"] };
  const front = await withRowPolicies(project.url, policies);
  const { root, url } = { ...project, url: front.url };
  const { exitCode, stdout, stderr } = await runHere({ root, url }, "init", "--plan");
  front.close();
  expect(exitCode, stderr).toBe(0);
  const said = stdout.replaceAll(/\s+/g, " ");
  expect(said).toMatch(
    /person_updates .*has the row access policies eu_only, us_only: .*FILTER USING \(TRUE\); "cursor": "commit" needs bigquery\.rowAccessPolicies\.overrideTimeTravelRestrictions/,
  );
  expect(said).toMatch(/person_final .*has the row access policy eu_only: .*FILTER USING \(TRUE\)/);
});

it("updates that require a filter for partitions are read, erased and audited as others are", async () => {
  const project = await make(person);
  await succeed(project, "generate");
  await project.query("CREATE SCHEMA DATASET");
  const columns = "userId STRING, `at` TIMESTAMP, name STRING, city STRING, gone BOOL";
  await project.query(
    `CREATE TABLE DATASET.person_updates (${columns}) PARTITION BY TIMESTAMP_TRUNC(\`at\`, DAY) CLUSTER BY \`at\`, userId OPTIONS (require_partition_filter = TRUE)`,
  );
  await succeed(project, "init");
  await project.write(
    "rows.ndjson",
    `${[
      { userId: "a", at: "2026-01-01T00:00:00Z", name: "Ada" },
      { userId: "b", at: "2026-01-01T01:00:00Z", name: "Bob" },
      { userId: "b", at: "2026-01-02T00:00:00Z", gone: true },
      { userId: null, at: "2026-01-01T12:00:00Z", name: "nobody" },
      { userId: "c", at: null, name: "Cyd" },
    ]
      .map((row) => JSON.stringify(row))
      .join("\n")}\n`,
  );
  await succeed(project, "load", "person", "rows.ndjson");
  expect(await runHere(project, "update")).toMatchObject({ exitCode: 3 });
  await succeed(project, "update", "--vars=rebuild=true");
  await succeed(project, "update", "--tags", "audit", "--vars=auditShare=1");
  expect(await succeed(project, "bad-rows", "person")).toContain("no userId");
  expect(await json(project, "erasure", "person", "c", "--json")).toMatchObject({
    rows: expect.arrayContaining([{ table: "person_watermark, listed bad rows", rows: 1 }]),
    isErased: false,
  });
  expect(await succeed(project, "cost", "person")).toContain("person");
  expect(await succeed(project, "update", "--tags", "erase")).toContain("2 updates of 1 deleted user erased");
  expect(await json(project, "erasure", "person", "b", "--json")).toMatchObject({
    isErased: true,
  });
  expect(await json(project, "status", "--json")).toMatchObject([{ waiting: 0, users: 1 }]);

  // A filter on another column: runs read by the ingest timestamp alone.
  await project.query("DROP TABLE DATASET.person_updates");
  await project.query(
    `CREATE TABLE DATASET.person_updates (${columns}, day DATE) PARTITION BY day OPTIONS (require_partition_filter = TRUE)`,
  );
  for (const command of ["init", "update"])
    expect(await runHere(project, command)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(
        /requires a filter on day, and runs read it by at; ALTER TABLE .*, or read it through a view/,
      ),
    });
  expect(await json(project, "status", "--json")).toMatchObject([
    { state: "unknown", waiting: null, reasons: ["the updates could not be read: what waits is unknown"] },
  ]);
});

it("columns of producers that the schema lacks are left alone, and ingestion time is named", async () => {
  const project = await make({ ...person, deleted: undefined });
  await project.query("CREATE SCHEMA DATASET");
  await project.query(
    "CREATE TABLE DATASET.person_updates (userId STRING, `at` TIMESTAMP, name STRING, city STRING, tenant STRING NOT NULL) PARTITION BY _PARTITIONDATE",
  );
  const said = await succeed(project, "init");
  expect(said).toContain("partitioned by _PARTITIONTIME, not at");
  expect(said).toContain("tenant is not in the schema and stays REQUIRED");
  const [found] = await project.client.dataset(project.dataset).table("person_updates").getMetadata();
  expect(found.schema.fields.at(-1)).toMatchObject({ name: "tenant", mode: "REQUIRED" });
});

it("updates are read by commit time where BigQuery tells it, and init says where it does not", async () => {
  const project = await make({ ...person, deleted: undefined, cursor: "commit" });
  await project.query("CREATE SCHEMA DATASET");
  const columns = "userId STRING, `at` TIMESTAMP, name STRING, city STRING";
  await project.query(`CREATE TABLE DATASET.person_updates (${columns}) PARTITION BY _PARTITIONDATE`);
  const refused = (fault: string) => ({
    exitCode: 1,
    stderr: expect.stringMatching(
      `person_updates ${fault}, of which BigQuery does not tell what was committed; leave "cursor": "commit"`,
    ),
  });
  expect(await runHere(project, "init")).toMatchObject(refused("is partitioned by the time of ingestion"));
  await project.query("DROP TABLE DATASET.person_updates");
  await project.query(
    `CREATE VIEW DATASET.person_updates AS SELECT * FROM UNNEST(ARRAY<STRUCT<${columns}>>[])`,
  );
  expect(await runHere(project, "init")).toMatchObject(refused("is a view"));
  await project.query("DROP VIEW DATASET.person_updates");
  await succeed(project, "generate");
  await succeed(project, "init");
  const insert = (values: string) =>
    project.query(`INSERT INTO DATASET.person_updates (userId, \`at\`, name) VALUES ${values}`);
  await insert("('ada', TIMESTAMP '2026-05-01 00:00:00+00', 'Ada')");
  await succeed(project, "update");
  // Late by any stamp, and what is stamped later than any row that came, but merged.
  await insert("('bob', TIMESTAMP '2020-01-01 00:00:00+00', 'Bob')");
  const behind = await json(project, "status", "--json");
  expect(behind).toMatchObject([{ state: "behind", waiting: 1 }]);
  // It waits since it was committed.
  expect(behind).toMatchObject([{ lagSeconds: expect.toSatisfy((lag: number) => lag < 86_400) }]);
  // What waits is no finding.
  await succeed(project, "update", "--tags", "audit", "--vars=audit=true,auditShare=1");
  await succeed(project, "update");
  expect(await json(project, "status", "--json")).toMatchObject([
    { state: "up to date", waiting: 0, users: 2, missedRows: 0 },
  ]);
  expect(await succeed(project, "cost", "person")).toMatch(
    /every run.*the last runs were billed [\d.]+ MiB each/s,
  );
  // Of another table nothing is read yet, whenever its rows were committed.
  const moved = { ...person, deleted: undefined, cursor: "commit", tables: { updates: "person_news" } };
  await project.query(
    "CREATE TABLE DATASET.person_news PARTITION BY TIMESTAMP_TRUNC(`at`, DAY) AS SELECT * FROM DATASET.person_updates",
  );
  await writeFile(path.join(project.root, "entities.json"), JSON.stringify({ entities: [moved] }));
  await succeed(project, "generate");
  await succeed(project, "init");
  expect(await project.query("SELECT committed_until FROM DATASET.person_watermark")).toEqual([
    { committed_until: null },
  ]);
});

it("a source of others is read as it is, and nothing of it is changed", async () => {
  const crm = `crm_${Date.now()}`;
  const source = { project: "other-project", dataset: crm, table: "people" };
  const twin = { ...person, name: "twin", deleted: undefined, source };
  const project = await make({ ...person, source }, twin);
  expect(await runHere(project, "init")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining(`other-project.${crm}.people is not there, and person only reads it`),
  });
  await project.client.createDataset(crm, { projectId: "other-project", location: "US" });
  // Rows by day of arrival and epoch time, as somebody else keeps them; a view makes updates of them.
  await project.query(
    `CREATE TABLE \`other-project.${crm}.events\` (id INT64, ms INT64, name STRING, day DATE, gone BOOL) PARTITION BY _PARTITIONDATE`,
  );
  await project.query(
    `CREATE VIEW \`other-project.${crm}.people\` AS SELECT CAST(id AS STRING) AS userId, TIMESTAMP_MILLIS(ms) AS \`at\`, name FROM \`other-project.${crm}.events\``,
  );
  expect(await runHere(project, "init")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/people: lacks city STRING, gone BOOL.*, and person only reads it/),
  });
  await project.query(
    `CREATE OR REPLACE VIEW \`other-project.${crm}.people\` AS SELECT CAST(id AS STRING) AS userId, TIMESTAMP_MILLIS(ms) AS \`at\`, name, CAST(day AS STRING) AS city, gone, _PARTITIONTIME AS arrived FROM \`other-project.${crm}.events\``,
  );
  await succeed(project, "generate");
  const declared = await readFile(path.join(project.root, "definitions/person/people.sqlx"), "utf8");
  expect(declared).toContain('database: "other-project"');
  const insert = (rows: string) =>
    project.query(`INSERT INTO \`other-project.${crm}.events\` (id, ms, name, day, gone) VALUES ${rows}`);
  await insert("(1, 1767225600000, 'Ada', DATE '2026-01-01', NULL), (2, 1767225600000, 'Bob', NULL, NULL)");
  const events = async () => {
    const found = project.client.dataset(crm, { projectId: "other-project" });
    const tables = await Promise.all(
      ["events", "people"].map(async (table) => (await found.table(table).getMetadata())[0]),
    );
    return tables.map(({ schema, lastModifiedTime, numRows }) => ({ schema, lastModifiedTime, numRows }));
  };
  expect(await succeed(project, "init")).toMatch(
    /names _PARTITIONTIME in its query: if at is that.*"lookback": "1 day"/s,
  );
  await insert("(2, 1767312000000, NULL, NULL, TRUE)");
  const before = await events();
  await succeed(project, "update");
  expect(await project.query("SELECT userId, name, city FROM DATASET.person")).toEqual([
    { userId: "1", name: "Ada", city: "2026-01-01" },
  ]);
  expect(await project.query("SELECT COUNT(*) AS users FROM DATASET.twin")).toEqual([{ users: 2 }]);
  expect(await succeed(project, "update", "--tags", "erase")).toContain(
    `person: other-project.${crm}.people is others' and only read here: its owner removes deleted users' rows there`,
  );
  expect(await succeed(project, "erasure", "person", "2")).toContain("its owner removes them there");
  for (const command of ["load", "adopt"])
    expect(
      await runHere(project, command, "person", ...(command === "load" ? ["rows.ndjson"] : [])),
    ).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("which is others' and only read here"),
    });
  expect(await succeed(project, "uninstall", "--plan")).not.toContain("people");
  expect(await json(project, "status", "--json")).toMatchObject([{ waiting: 0 }, { waiting: 0 }]);
  await succeed(project, "compile");
  await succeed(project, "test");
  expect(await events()).toEqual(before);

  await insert("(NULL, 1767312000000, 'Nobody', NULL, NULL)");
  expect(await runHere(project, "update")).toMatchObject({ exitCode: 3 });
  const listed = await succeed(project, "bad-rows", "person");
  expect(listed).toContain(
    `other-project.${crm}.people is only read here, and its owner corrects and removes rows there`,
  );
  expect(listed).not.toContain("DELETE FROM");
});
