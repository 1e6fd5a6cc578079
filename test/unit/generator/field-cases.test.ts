/** Schemas as other programs write them: what says nothing is taken, what guards a column goes along. */
import { describe, expect, it } from "vitest";
import { buildModels, generateProject } from "../../../generator/src/generate/project.ts";
import { InputError } from "../../../generator/src/project/problems.ts";
import { diffSchema } from "../../../generator/src/warehouse/schema-diff.ts";
import { tableSpecs } from "../../../generator/src/warehouse/tables.ts";

const ID = { name: "id", type: "STRING" };
const TS = { name: "ts", type: "TIMESTAMP" };
const TAG = "projects/p/locations/eu/taxonomies/1/policyTags/2";
const config = {
  entities: [{ name: "client", schema: "client.json", key: ["id"], ingestTimestamp: "ts", deleted: "gone" }],
};

function modelOf(fields: readonly object[]) {
  const [model] = buildModels(config, new Map([["client.json", JSON.stringify(fields)]]));
  if (model === undefined) throw new Error("no model");
  return model;
}

function refusalOf(field: object): string {
  try {
    modelOf([ID, TS, { name: "a", type: "STRING" }, field]);
    return "accepted";
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

describe("options that say nothing", () => {
  it.each([
    ["a client's export", { description: null, policyTags: { names: [] } }],
    ["no tags at all", { policyTags: null, dataPolicies: [] }],
    ["tags of null", { policyTags: { names: null } }],
    [
      "null for what a STRING does not have",
      {
        mode: null,
        fields: null,
        maxLength: null,
        collation: null,
        defaultValueExpression: null,
        roundingMode: null,
      },
    ],
    ["no range", { rangeElementType: null }],
    ["no fields", { fields: [] }],
    ["no collation", { collation: "" }],
    ["no default", { defaultValueExpression: "" }],
    ["no way of rounding", { roundingMode: "" }],
    ["a way of rounding that is none", { roundingMode: "ROUNDING_MODE_UNSPECIFIED" }],
    ["no categories and names", { categories: { names: [] }, nameAlternative: [] }],
  ])("are taken: %s", (_, options) => {
    expect(refusalOf({ name: "b", type: "STRING", ...options })).toBe("accepted");
  });

  it("are taken where they are a default written out", () => {
    expect(refusalOf({ name: "seen", type: "TIMESTAMP", timestampPrecision: "6" })).toBe("accepted");
    expect(refusalOf({ name: "seen", type: "TIMESTAMP", timestampPrecision: 6 })).toBe("accepted");
  });

  it.each([
    [
      { type: "TIMESTAMP", timestampPrecision: "12" },
      /of "12" digits, of which a merge by microseconds would lose/,
    ],
    [{ type: "STRING", dataPolicies: [{ name: "p" }] }, /Dataform cannot put data policies on the tables/],
    [{ type: "STRING", categories: { names: ["secret"] } }, /categories: unknown option/],
    [{ type: "STRING", nameAlternative: ["c"] }, /nameAlternative: unknown option/],
    [{ type: "STRING", defaultValueExpression: "'x'" }, /would author the default/],
    [{ type: "STRING", policyTags: { names: ["secret"] } }, /is not one policy tag; write \{"names"/],
    [{ type: "STRING", policyTags: { names: [TAG, TAG] } }, /is not one policy tag/],
    [{ type: "RECORD", fields: [ID], policyTags: { names: [TAG] } }, /BigQuery puts none on a RECORD/],
  ])("are told from what would be lost: %j", (options, message) => {
    expect(refusalOf({ name: "b", ...options })).toMatch(message);
  });
});

describe("a policy tag", () => {
  const guarded = [
    ID,
    TS,
    { name: "email", type: "STRING", policyTags: { names: [TAG] } },
    { name: "r", type: "RECORD", fields: [{ name: "x", type: "STRING", policyTags: { names: [TAG] } }] },
  ];

  it("goes to updates and final by init, and to the batch by Dataform", () => {
    for (const { table, fields } of tableSpecs(modelOf(guarded)).slice(0, 2)) {
      const email = fields.find(({ name }) => name === "email");
      expect(email?.policyTags, table).toEqual({ names: [TAG] });
      expect(fields.find(({ name }) => name === "r")?.fields?.[0]?.policyTags).toEqual({ names: [TAG] });
    }
    const files = generateProject(config, new Map([["client.json", JSON.stringify(guarded)]]));
    expect(files.get("includes/entities/client.js")?.split(TAG)).toHaveLength(3);
    expect(files.get("definitions/client/temp_client_updates.sqlx")).toContain("entity.batchColumns, true)");
    expect(files.get("definitions/client/client.sqlx")).not.toContain("true)");
  });

  it("is refused on a key, which lists of bad rows hold", () => {
    expect(() => modelOf([{ ...ID, policyTags: { names: [TAG] } }, TS, guarded[2] ?? {}])).toThrow(
      /\[0\]\.policyTags: the lists of bad rows/,
    );
  });

  it("of a live column that the schema lacks is refused, and one that the column lacks is put there", () => {
    const tagged = { name: "email", type: "STRING", policyTags: { names: [TAG] } };
    const bare = { name: "email", type: "STRING" };
    expect(diffSchema([tagged], [bare]).faults[0]).toContain(`email has the policy tag ${TAG} in the table`);
    expect(diffSchema([bare], [tagged])).toMatchObject({ fields: [tagged], faults: [] });
    expect(diffSchema([tagged], [tagged])).toMatchObject({ changes: [], faults: [] });
    const policy = { ...bare, dataPolicies: [{ name: "projects/p/locations/eu/dataPolicies/d" }] };
    expect(diffSchema([policy], [bare]).faults[0]).toContain("email has a data policy");
  });
});

it("an attribute that the schema has as REQUIRED may be left out of updates, within RECORDs too, and is named", () => {
  const required = { mode: "REQUIRED" };
  const model = modelOf([
    { ...ID, ...required },
    { ...TS, ...required },
    { name: "email", type: "STRING", ...required },
    { name: "r", type: "RECORD", fields: [{ name: "city", type: "STRING", ...required }] },
    {
      name: "whole",
      type: "RECORD",
      merge: "atomic",
      fields: [{ name: "zip", type: "STRING", ...required }],
    },
  ]);
  expect(model.required).toEqual(["email", "r.city"]);
  const [updates] = tableSpecs(model);
  const modes = (updates?.fields ?? []).map(({ name, mode, fields }) => [name, mode, fields?.[0]?.mode]);
  expect(modes).toEqual([
    ["id", "REQUIRED", undefined],
    ["ts", "REQUIRED", undefined],
    ["email", "NULLABLE", undefined],
    ["r", "NULLABLE", "NULLABLE"],
    ["whole", "NULLABLE", "REQUIRED"],
    ["gone", "NULLABLE", undefined],
  ]);
});
