import { describe, expect, test } from "vitest";
import { BigQueryError } from "../../../src/errors.ts";
import { fieldType, parseSchema, schemaOfColumns } from "../../../src/storage/schema.ts";
import { evolveSchema, PATCH_RULES } from "../../../src/storage/schema-evolution.ts";
import type { FieldSchema } from "../../../src/types.ts";

const REF = { projectId: "p", datasetId: "d", tableId: "t" };

function record(name: string, ...fields: unknown[]): Record<string, unknown> {
  return { name, type: "RECORD", fields };
}

function nested(depth: number): unknown {
  return depth === 1 ? { name: "leaf", type: "STRING" } : record(`level${depth}`, nested(depth - 1));
}

describe("parseSchema", () => {
  test("gives REST's own names of types and modes", () => {
    const spellings = ["INT64", "float64", "Bool", "DECIMAL", "BIGDECIMAL", "integer"];
    const fields = parseSchema(
      spellings.map((type, index) => ({ name: `c${index}`, type, mode: "nullable" })),
    );
    expect(fields.map((field) => field.type)).toEqual([
      "INTEGER",
      "FLOAT",
      "BOOLEAN",
      "NUMERIC",
      "BIGNUMERIC",
      "INTEGER",
    ]);
    expect(parseSchema([{ name: "s", type: "STRUCT", fields: [{ name: "x", type: "DATE" }] }])[0]?.type).toBe(
      "RECORD",
    );
  });

  test("keeps what describes a field", () => {
    const field = {
      name: "n",
      type: "NUMERIC",
      mode: "REQUIRED",
      description: "d",
      precision: "10",
      scale: "2",
    };
    expect(parseSchema([{ ...field, policyTags: { names: [] } }])).toEqual([field]);
    const policyTags = { names: ["projects/p/locations/eu/taxonomies/1/policyTags/2"] };
    expect(parseSchema([{ ...field, policyTags }])).toEqual([{ ...field, policyTags }]);
    const twice = { names: [...policyTags.names, ...policyTags.names] };
    expect(() => parseSchema([{ ...field, policyTags: twice }])).toThrow("at most one policy tag");
    expect(() => parseSchema([{ ...field, policyTags: { names: ["x"] } }])).toThrow("invalid policy tag x");
    const record = { name: "r", type: "RECORD", fields: [field], policyTags };
    expect(() => parseSchema([record])).toThrow("Field r is type RECORD and cannot have a policy tag");
  });

  test.each(["a", "_", "ä", "名前", "a b", "a-b", "1a", "a&%=+:'<>#|b", "x".repeat(300)])(
    "takes the name %s",
    (name) => {
      expect(parseSchema([{ name, type: "STRING" }])[0]?.name).toBe(name);
    },
  );

  test.each<[string, unknown, RegExp]>([
    [
      "a point in a name",
      [{ name: "a.b", type: "STRING" }],
      /^Invalid field name "a\.b"\. Fields must contain the allowed characters, and be at most 300 characters long\./,
    ],
    ["a backtick", [{ name: "a`b", type: "STRING" }], /^Invalid field name/],
    ["301 characters", [{ name: "x".repeat(301), type: "STRING" }], /at most 300 characters long/],
    ["no name", [{ type: "STRING" }], /a field has no name/],
    [
      "a reserved prefix",
      [{ name: "_PartitionX", type: "STRING" }],
      /not allowed to start with the \(case-insensitive\) prefixes/,
    ],
    [
      "a reserved prefix in a RECORD",
      [record("r", { name: "__ROOT__x", type: "STRING" })],
      /^Invalid field name "__ROOT__x"/,
    ],
    [
      "names that differ by case",
      [
        { name: "a", type: "STRING" },
        { name: "A", type: "DATE" },
      ],
      /^Field A already exists in schema$/,
    ],
    [
      "nested duplicates",
      [record("r", { name: "a", type: "STRING" }, { name: "a", type: "STRING" })],
      /^Field r\.a already exists in schema$/,
    ],
    ["an unknown type", [{ name: "a", type: "TEXT" }], /^Invalid value for type: TEXT is not a valid value/],
    ["no type", [{ name: "a" }], /^Field a has no type$/],
    [
      "an unknown mode",
      [{ name: "a", type: "STRING", mode: "OPTIONAL" }],
      /^Invalid value for mode: OPTIONAL/,
    ],
    ["a RECORD without fields", [record("r")], /^Field r is type RECORD but has no schema$/],
    [
      "a STRING with fields",
      [{ name: "a", type: "STRING", fields: [{ name: "b", type: "STRING" }] }],
      /only RECORD fields have fields/,
    ],
    ["16 levels", [nested(16)], /nest at most 15 levels/],
    [
      "10,001 columns",
      Array.from({ length: 10_001 }, (_, i) => ({ name: `c${i}`, type: "STRING" })),
      /^Too many total leaf fields: 10001, max allowed field count: 10000$/,
    ],
    [
      "a length for a DATE",
      [{ name: "a", type: "DATE", maxLength: "3" }],
      /maxLength is not allowed for type DATE/,
    ],
    [
      "a scale without precision",
      [{ name: "a", type: "NUMERIC", scale: "3" }],
      /scale is given without precision/,
    ],
    [
      "a precision out of range",
      [{ name: "a", type: "NUMERIC", precision: "39", scale: "9" }],
      /invalid precision 39 and scale 9/,
    ],
    ["no array", { name: "a" }, /fields must be an array/],
  ])("refuses %s", (_, fields, message) => {
    expect(() => parseSchema(fields)).toThrow(BigQueryError);
    expect(() => parseSchema(fields)).toThrow(message);
  });

  test("takes 15 levels and 10,000 columns", () => {
    expect(parseSchema([nested(15)])).toHaveLength(1);
    expect(
      parseSchema(Array.from({ length: 10_000 }, (_, i) => ({ name: `c${i}`, type: "STRING" }))),
    ).toHaveLength(10_000);
  });
});

test("a schema and its types are one thing in two forms", () => {
  const schema = parseSchema([
    { name: "a", type: "INT64" },
    {
      name: "r",
      type: "RECORD",
      mode: "REPEATED",
      fields: [
        { name: "x", type: "JSON" },
        { name: "l", type: "TIME", mode: "REPEATED" },
      ],
    },
    { name: "s", type: "RANGE", rangeElementType: { type: "DATETIME" }, mode: "REPEATED" },
  ]);
  expect(schemaOfColumns(schema.map((field) => ({ name: field.name, type: fieldType(field) })))).toEqual(
    schema,
  );
});

test("columns without a name are numbered, whatever stands between them", () => {
  const type = { kind: "INT64" } as const;
  const names = schemaOfColumns(["", "a", "$col3"].map((name) => ({ name, type }))).map(
    (field) => field.name,
  );
  expect(names).toEqual(["f0_", "a", "f1_"]);
});

describe("evolveSchema", () => {
  const current = parseSchema([
    { name: "id", type: "INT64", mode: "REQUIRED", description: "old" },
    { name: "r", type: "RECORD", fields: [{ name: "x", type: "STRING", maxLength: "5" }] },
  ]);
  const evolve = (change: (fields: FieldSchema[]) => void): FieldSchema[] => {
    const wanted = structuredClone(current);
    change(wanted);
    return evolveSchema(REF, current, wanted, PATCH_RULES);
  };

  test("adds, relaxes, describes", () => {
    const evolved = evolve((fields) => {
      fields.reverse();
      fields[1] = { name: "ID", type: "INTEGER", mode: "NULLABLE", description: "new" };
      fields[0]?.fields?.push({ name: "y", type: "DATE", mode: "REPEATED" });
      fields.push({ name: "z", type: "STRING", mode: "NULLABLE" });
    });
    expect(evolved).toEqual([
      { name: "id", type: "INTEGER", mode: "NULLABLE", description: "new" },
      {
        ...current[1],
        fields: [...(current[1]?.fields ?? []), { name: "y", type: "DATE", mode: "REPEATED" }],
      },
      { name: "z", type: "STRING", mode: "NULLABLE" },
    ]);
  });

  test.each<[string, (fields: FieldSchema[]) => void, string]>([
    ["removing a field", (fields) => fields.pop(), "Field r is missing in new schema"],
    [
      "removing a nested field",
      (fields) => Object.assign(fields[1] ?? {}, { fields: [{ name: "y", type: "DATE", mode: "NULLABLE" }] }),
      "Field r.x is missing in new schema",
    ],
    [
      "another type",
      (fields) => Object.assign(fields[0] ?? {}, { type: "STRING" }),
      "Field id has changed type from INTEGER to STRING",
    ],
    [
      "REQUIRED where it was not",
      (fields) => Object.assign(fields[1] ?? {}, { mode: "REQUIRED" }),
      "Field r has changed mode from NULLABLE to REQUIRED",
    ],
    [
      "REPEATED where it was not",
      (fields) => Object.assign(fields[1] ?? {}, { mode: "REPEATED" }),
      "Field r has changed mode from NULLABLE to REPEATED",
    ],
    [
      "a new REQUIRED field",
      (fields) => fields.push({ name: "z", type: "STRING", mode: "REQUIRED" }),
      "Cannot add required fields to an existing schema. (field: z)",
    ],
    [
      "a shorter STRING",
      (fields) => Object.assign(fields[1]?.fields?.[0] ?? {}, { maxLength: "4" }),
      "Field r.x has changed maxLength from 5 to 4",
    ],
  ])("refuses %s", (_, change, message) => {
    expect(() => evolve(change)).toThrow(`Provided Schema does not match Table p:d.t. ${message}`);
  });
});
