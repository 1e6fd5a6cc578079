import { readFile } from "node:fs/promises";
import path from "node:path";
import type { TableField } from "@google-cloud/bigquery";
import { describe, expect, it } from "vitest";
import { type TestProject, useEndpoint, useProjects } from "./harness.ts";

const makeProject = useProjects(useEndpoint());

const before = [
  { name: "id", type: "INT64", mode: "REQUIRED" },
  { name: "at", type: "TIMESTAMP", mode: "REQUIRED" },
  { name: "name", type: "STRING", mode: "REQUIRED", description: "The name." },
  { name: "home", type: "RECORD", fields: [{ name: "city", type: "STRING" }] },
];

const TAG = "projects/p/locations/us/taxonomies/1/policyTags/2";
const policyTags = { names: [TAG] };

const after = [
  { name: "id", type: "INT64", mode: "REQUIRED" },
  { name: "at", type: "TIMESTAMP", mode: "REQUIRED" },
  { name: "nick", type: "STRING", mode: "REQUIRED" },
  { name: "name", type: "STRING", policyTags },
  {
    name: "home",
    type: "RECORD",
    fields: [
      { name: "city", type: "STRING" },
      { name: "geo", type: "RECORD", fields: [{ name: "lat", type: "FLOAT64", policyTags }] },
    ],
  },
];

const entity = { name: "person", schema: "schemas/person.json", key: ["id"], ingestTimestamp: "at" };

function person(schema: unknown) {
  return makeProject({ entities: [entity], files: { "schemas/person.json": JSON.stringify(schema) } });
}

async function metadata(project: TestProject, table: string) {
  const [found] = await project.client.dataset(project.dataset).table(table).getMetadata();
  return found;
}

/** The policy tags of columns, by their paths. */
function tagsOf(fields: readonly TableField[], parent = ""): Record<string, string | undefined> {
  const tags = fields.flatMap(({ name, policyTags: own, fields: inner = [] }) => [
    ...(own === undefined ? [] : [[`${parent}${name}`, own.names?.[0]]]),
    ...Object.entries(tagsOf(inner, `${parent}${name}.`)),
  ]);
  return Object.fromEntries(tags) as Record<string, string | undefined>;
}

describe("npm run init", () => {
  it("only prints with --plan", async () => {
    const project = await person(before);
    const plan = await project.npm("init", "--plan");
    expect(plan).toMatchObject({ exitCode: 0, stderr: "" });
    expect(plan.stdout).toMatch(new RegExp(`dataset ${project.dataset} +│ create +│ in US`));
    expect(plan.stdout).toMatch(/person_updates +│ create +│ 4 columns/);
    expect(plan.stdout).toContain("partitioned by day of at");
    const [datasets] = await project.client.getDatasets();
    expect(datasets.map((dataset) => dataset.id)).not.toContain(project.dataset);
    await expect(readFile(path.join(project.root, ".df-credentials.json"))).rejects.toThrow(/ENOENT/);
  });

  it("makes the tables: updates partitioned by ingest day, clustered by time and key, described", async () => {
    const project = await person(before);
    expect(await project.npm("init")).toMatchObject({ exitCode: 0, stderr: "" });
    const updates = await metadata(project, "person_updates");
    expect(updates.timePartitioning).toMatchObject({ type: "DAY", field: "at" });
    expect(updates.clustering).toEqual({ fields: ["at", "id"] });
    expect(
      updates.schema.fields.map((field: { name: string; mode: string }) => `${field.name} ${field.mode}`),
    ).toEqual(["id REQUIRED", "at REQUIRED", "name NULLABLE", "home NULLABLE"]);
    const final = await metadata(project, "person_final");
    expect(final.clustering).toEqual({ fields: ["id"] });
    expect(
      final.schema.fields.map((field: { name: string; mode: string }) => `${field.name} ${field.mode}`),
    ).toEqual([
      "id NULLABLE",
      "at NULLABLE",
      "name NULLABLE",
      "home NULLABLE",
      "_base_version NULLABLE",
      "_own_versions NULLABLE",
    ]);
    for (const field of [...updates.schema.fields, ...final.schema.fields])
      expect(field.description !== undefined, field.name).toBe(field.name !== "home");
    const credentials = JSON.parse(
      await readFile(path.join(project.root, ".df-credentials.json"), "utf8"),
    ) as unknown;
    expect(credentials).toEqual({ projectId: "test-project", location: "US" });

    const again = await project.npm("init");
    expect(again.stdout).toContain("nothing to do");
  });

  it("extends at any depth, keeps rows, and the next update runs", async () => {
    const project = await person(before);
    await project.npm("generate");
    await project.npm("init");
    await project.write(
      "a.ndjson",
      '{"id":1,"at":"2026-01-01T00:00:00Z","name":"Ada","home":{"city":"Oslo"}}\n',
    );
    await project.npm("load", "person", "a.ndjson");
    expect(await project.npm("update")).toMatchObject({ exitCode: 0 });

    await project.write("schemas/person.json", JSON.stringify(after));
    const plan = await project.npm("init", "--plan");
    expect(plan.stdout).toContain("+ home.geo RECORD (lat)");
    expect(plan.stdout).toContain(`~ name guarded by ${TAG}`);
    expect(plan.stdout).toContain("+ _own_versions.home.geo RECORD (lat)");
    expect(plan.stdout).toContain("person: nick: STRING: NULL for every user until an update sets it");
    await project.npm("generate");
    const early = await project.npm("update");
    expect(early.exitCode).toBe(1);
    expect(early.stderr).toMatch(
      /person_updates lacks name guarded by projects\S+, home\.geo RECORD \(lat\), nick STRING; run `npm run init` first$/m,
    );
    expect(await project.npm("init")).toMatchObject({ exitCode: 0, stderr: "" });
    await project.write(
      "b.ndjson",
      '{"id":1,"at":"2026-01-02T00:00:00Z","nick":"A","home":{"geo":{"lat":59.9}}}\n',
    );
    expect(await project.npm("load", "person", "b.ndjson")).toMatchObject({ exitCode: 0 });
    const update = await project.npm("update");
    expect(update.exitCode, update.stderr).toBe(0);
    expect(await project.query("SELECT id, name, nick, home.city, home.geo.lat FROM DATASET.person")).toEqual(
      [{ id: 1, name: "Ada", nick: "A", city: "Oslo", lat: 59.9 }],
    );
    // What guards a column guards it in every table that has its values; a view shows what its reader may see of those.
    for (const table of ["person_updates", "temp_person_updates", "person_final"]) {
      const { fields } = (await metadata(project, table)).schema as { fields: TableField[] };
      expect([table, tagsOf(fields)]).toEqual([table, { name: TAG, "home.geo.lat": TAG }]);
    }
    expect((await project.npm("init")).stdout).toContain("nothing to do");
  });

  it.each([
    [
      "person",
      "TABLE",
      "TABLE DATASET.person (id INT64)",
      /\.person exists and is a table that person did not make/,
    ],
    [
      "temp_person_updates",
      "TABLE",
      "TABLE DATASET.temp_person_updates (id INT64)",
      /move it away, or name another temp/,
    ],
    [
      "person_watermark",
      "VIEW",
      "VIEW DATASET.person_watermark AS SELECT 1 AS recent_runs",
      /is a view that person/,
    ],
  ])("leaves alone what somebody else has at %s", async (name, type, made, refusal) => {
    const project = await person(before);
    await project.npm("generate");
    await project.npm("init");
    await project.query(`DROP TABLE IF EXISTS DATASET.${name}`);
    await project.query(`CREATE ${made}`);
    for (const command of ["init", "update"]) {
      const result = await project.npm(command);
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toMatch(refusal);
    }
    expect((await metadata(project, name)).type).toBe(type);
  });

  it("refuses a change of type and says what to do instead", async () => {
    const project = await person(before);
    await project.npm("init");
    await project.write(
      "schemas/person.json",
      JSON.stringify([...before.slice(0, 2), { name: "name", type: "INT64" }]),
    );
    const result = await project.npm("init");
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(
      /person_updates: name is STRING in the table and INTEGER in the schema.*give the attribute a new name/,
    );
    expect((await metadata(project, "person_updates")).schema.fields).toHaveLength(4);
  });

  it("never drops an attribute that the schema has no more, and updates go on without it", async () => {
    const project = await person(before);
    await project.npm("generate");
    await project.npm("init");
    await project.write(
      "a.ndjson",
      '{"id":1,"at":"2026-01-01T00:00:00Z","name":"Ada","home":{"city":"Oslo"}}\n',
    );
    await project.npm("load", "person", "a.ndjson");
    expect(await project.npm("update")).toMatchObject({ exitCode: 0 });

    const fewer = [
      ...before.slice(0, 2),
      { name: "home", type: "RECORD", fields: [{ name: "zip", type: "STRING" }] },
    ];
    await project.write("schemas/person.json", JSON.stringify(fewer));
    const result = await project.npm("init");
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stdout).toContain("note: name is not in the schema and stays");
    expect(result.stdout).toContain("note: home.city is not in the schema and stays");
    expect((await metadata(project, "person_final")).schema.fields).toHaveLength(6);
    await project.npm("generate");
    const rows = '{"id":1,"at":"2026-01-02T00:00:00Z","name":"A","home":{"zip":"0150"}}\n';
    await project.write("b.ndjson", rows);
    await project.npm("load", "person", "b.ndjson");
    const update = await project.npm("update");
    expect(update.exitCode, update.stderr).toBe(0);
    expect(await project.query("SELECT id, name, home.city, home.zip FROM DATASET.person_final")).toEqual([
      { id: 1, name: "Ada", city: "Oslo", zip: "0150" },
    ]);
  });
});
