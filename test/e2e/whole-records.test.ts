import { describe, expect, it } from "vitest";
import { useEndpoint, useProjects } from "./harness.ts";

const text = (name: string) => ({ name, type: "STRING" });
const schema = (...names: string[]) =>
  JSON.stringify([
    { name: "userId", type: "STRING", mode: "REQUIRED" },
    { name: "ingestTimestamp", type: "TIMESTAMP", mode: "REQUIRED" },
    { name: "home", type: "RECORD", merge: "atomic", fields: names.map(text) },
    { name: "past", type: "RECORD", mode: "REPEATED", fields: names.map(text) },
  ]);

/** A RECORD that moves as one value is assigned by position, so updates and final must list its fields alike. */
describe("a RECORD that moves as one value", () => {
  const newProject = useProjects(useEndpoint());

  it("keeps each value under its name when final is made anew, whatever the schema's order has become", async () => {
    const project = await newProject({
      entities: [
        {
          name: "person",
          schema: "schemas/person.json",
          key: ["userId"],
          ingestTimestamp: "ingestTimestamp",
        },
      ],
      files: { "schemas/person.json": schema("street", "zip") },
    });
    const succeed = async (command: string, ...args: string[]) => {
      const { exitCode, stderr, stdout } = await project.npm(command, ...args);
      expect(exitCode, stderr || stdout).toBe(0);
    };
    const read = () =>
      project.query("SELECT home.street, home.city, past[0].city AS past FROM DATASET.person");
    await succeed("generate");
    await succeed("init");
    // city comes first in the schema, and last in the tables; zip is taken out, and stays in them
    await project.write("schemas/person.json", schema("city", "street"));
    await succeed("generate");
    await succeed("init");
    const home = { city: "C", street: "S", zip: "Z" };
    await project.write(
      "rows.ndjson",
      JSON.stringify({ userId: "a", ingestTimestamp: "2026-01-01T00:00:00Z", home, past: [home] }),
    );
    await succeed("load", "person", "rows.ndjson");
    await succeed("update");
    expect(await read()).toEqual([{ street: "S", city: "C", past: "C" }]);

    await project.query("DROP TABLE DATASET.person_final");
    const refused = await project.npm("update");
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(
      "must list their fields as the other one does; run `npm run init` first",
    );
    await succeed("init");
    await succeed("update");
    expect(await read()).toEqual([{ street: "S", city: "C", past: "C" }]);

    await project.query(
      "CREATE OR REPLACE TABLE DATASET.person_final AS SELECT * REPLACE (STRUCT(home.city, home.street, home.zip) AS home) FROM DATASET.person_final",
    );
    for (const command of ["update", "init"]) {
      const { exitCode, stderr } = await project.npm(command);
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(
        /person_final: home lists other fields, or in another order, than in person_updates/,
      );
      expect(stderr.trim().split("\n")).toHaveLength(1);
    }
  });
});
