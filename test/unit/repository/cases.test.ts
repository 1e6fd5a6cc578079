/** The cases from the field, by the folders of their inputs: what each says at generation, and which tests hold its run. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { buildModels } from "../../../generator/src/generate/project.ts";
import { InputError } from "../../../generator/src/project/problems.ts";

const REPOSITORY = fileURLToPath(new URL("../../..", import.meta.url));
const CASES = path.join(REPOSITORY, "test/cases");

interface Case {
  /** What `generate` refuses of its entities; nothing where all are taken. */
  readonly refusal?: RegExp;
  /** The fields that are NULLABLE in the updates although the schema has them as REQUIRED, by entity. */
  readonly required?: Readonly<Record<string, readonly string[]>>;
  /** Tests that hold the rest, by file: part of a title, or what the test expects. */
  readonly heldBy: Readonly<Record<string, string>>;
}

const HELD: Readonly<Record<string, Case>> = {
  "column-named-as-final-table": {
    heldBy: {
      "test/exactness/project.ts": "finalTable(name, entity)",
      "test/exactness/judge.test.ts": "a final that is called like its key",
    },
  },
  "default-ingest-timestamp": {
    heldBy: {
      "test/e2e/bad-input.test.ts": "is filled in where no row has a value, in every format",
      "test/unit/warehouse/parquet.test.ts": "refuses NULL in a column with a default value",
    },
  },
  "existing-updates-table": {
    heldBy: {
      "test/e2e/where-tables-live.test.ts":
        "columns of producers that the schema lacks are left alone, and ingestion time is named",
    },
  },
  "exported-schema-options": {
    heldBy: { "test/unit/generator/field-cases.test.ts": "options that say nothing" },
  },
  "key-renamed": { heldBy: { "test/e2e/meaning.test.ts": "a key column by a new name" } },
  "null-in-array-parquet": {
    heldBy: {
      "test/unit/warehouse/parquet.test.ts": "refuses NULL in $",
      "local/test/unit/storage/loader.test.ts": "NULL in a list",
    },
  },
  "old-ingest-timestamp-never-read": {
    required: { users: ["operation"] },
    heldBy: {
      "test/e2e/update.test.ts":
        "names rows that came too late, until the replay that it names has read them",
      "test/exactness/commits.test.ts": "another cursor loses nothing and asks for nothing",
    },
  },
  "one-bad-row-red-for-ever": {
    heldBy: {
      "test/e2e/clears-and-deletes.test.ts": "what an absurd ingest stamp pins, a value and a delete",
    },
  },
  "require-partition-filter": {
    heldBy: {
      "test/e2e/where-tables-live.test.ts":
        "updates that require a filter for partitions are read, erased and audited as others are",
    },
  },
  "required-attributes": {
    required: { customer: ["first_name", "email", "address.city"] },
    heldBy: { "test/unit/generator/field-cases.test.ts": "an attribute that the schema has as REQUIRED" },
  },
  "retention-then-rebuild": {
    heldBy: { "test/exactness/trimming.test.ts": "the audit leaves out what trimmed updates said" },
  },
  "small-ones": {
    refusal: /entities\[0\]\.name: "audit" is a tag of runs/,
    heldBy: {
      "test/e2e/generated-tests.test.ts": "a BOOL, which knows two users",
      "local/test/unit/storage/values.test.ts": "the leap second of %s is the next minute's start",
      "test/e2e/clears-and-deletes.test.ts": "a value and a clear of one field in one row",
    },
  },
};

/** The models of a case's entities, or what they are refused for. */
async function read(folder: string) {
  const schemas = new Map<string, string>();
  for (const file of await readdir(path.join(CASES, folder, "schemas")))
    schemas.set(`schemas/${file}`, await readFile(path.join(CASES, folder, "schemas", file), "utf8"));
  const entities = await readFile(path.join(CASES, folder, "entities.json"), "utf8");
  try {
    return { models: buildModels(entities, schemas), refusal: "" };
  } catch (error) {
    if (error instanceof InputError) return { models: [], refusal: error.message };
    throw error;
  }
}

it("each case has its folder, and each folder is a case", async () => {
  expect((await readdir(CASES)).sort()).toEqual(Object.keys(HELD));
});

describe.each(Object.entries(HELD))("%s", (folder, { refusal, required = {}, heldBy }) => {
  it("is taken at generation, or refused with its reason", async () => {
    const found = await read(folder);
    expect(found.refusal).toMatch(refusal ?? /^$/);
    const named = found.models.map(({ name, required: fields }) => [name, fields] as const);
    expect(Object.fromEntries(named.filter(([, fields]) => fields.length > 0))).toEqual(required);
  });

  it.each(Object.entries(heldBy))("is held by %s", async (file, title) => {
    expect(await readFile(path.join(REPOSITORY, file), "utf8")).toContain(title);
  });
});
