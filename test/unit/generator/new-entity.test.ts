import { describe, expect, it } from "vitest";
import { guessColumns } from "../../../generator/src/scaffold/guess-columns.ts";
import { cellValue, FieldInference } from "../../../generator/src/scaffold/infer-fields.ts";
import { addEntity, newEntity } from "../../../generator/src/scaffold/new-entity.ts";
import { asSchemaFields } from "../../../generator/src/scaffold/schema-json.ts";

const field = (name: string, type: string, mode?: string) => ({ name, type, ...(mode ? { mode } : {}) });

describe("guessing the key and the clocks", () => {
  it.each([
    {
      case: "names that people give",
      fields: [
        field("user_id", "STRING"),
        field("ingested_at", "TIMESTAMP"),
        field("event_time", "TIMESTAMP"),
      ],
      columns: { key: ["user_id"], ingestTimestamp: "ingested_at", eventTimestamp: "event_time" },
    },
    {
      case: "the only id and the only TIMESTAMP",
      fields: [field("shopperId", "INTEGER"), field("seen", "TIMESTAMP")],
      columns: { key: ["shopperId"], ingestTimestamp: "seen" },
    },
    {
      case: "nothing where two ids and two times are alike",
      fields: [
        field("aId", "STRING"),
        field("bId", "STRING"),
        field("a", "TIMESTAMP"),
        field("b", "TIMESTAMP"),
      ],
      columns: {},
    },
    {
      case: "no id of a type that is no key, no time that is a text",
      fields: [field("id", "FLOAT"), field("updated_at", "STRING"), field("userId", "STRING", "REPEATED")],
      columns: {},
    },
  ])("takes $case", ({ fields, columns }) => {
    expect(guessColumns(fields).columns).toEqual(columns);
  });

  it("says each guess, and nothing of what was given", () => {
    const fields = [field("id", "STRING"), field("updated_at", "TIMESTAMP")];
    expect(guessColumns(fields).said).toEqual([
      "key id: guessed by its name; --key names other columns",
      "ingestTimestamp updated_at: guessed by its name; --ingest-timestamp names another column",
    ]);
    expect(guessColumns(fields, { key: ["id"], ingestTimestamp: "updated_at" }).said).toEqual([]);
  });
});

describe("fields from rows", () => {
  const infer = (...rows: object[]) => {
    const inference = new FieldInference("rows.ndjson");
    for (const row of rows) inference.add(row);
    return inference.result();
  };

  it("take the type that all values of a column have, in the order in which columns are first seen", () => {
    const { fields, said } = infer(
      { id: 1, at: "2026-01-01T00:00:00Z", day: "2026-01-01", local: "2026-01-01 10:00:00", note: null },
      { id: 2, share: 1, tags: [], ok: true, address: { zip: "01234" } },
      { share: 1.5, tags: ["a"], address: { city: "x" }, at: "2026-01-01 00:00:00.5+02:00" },
    );
    expect(fields).toEqual([
      field("id", "INTEGER"),
      field("at", "TIMESTAMP"),
      field("day", "DATE"),
      field("local", "DATETIME"),
      field("note", "STRING"),
      field("share", "FLOAT"),
      field("tags", "STRING", "REPEATED"),
      field("ok", "BOOLEAN"),
      { ...field("address", "RECORD"), fields: [field("zip", "STRING"), field("city", "STRING")] },
    ]);
    expect(said).toEqual(["note: no value in these rows, so STRING; correct the schema"]);
  });

  it("are texts where values have nothing in common", () => {
    expect(infer({ a: 1 }, { a: "x" }, { a: true }).fields).toEqual([field("a", "STRING")]);
  });

  it("are refused where a column is an object here and a value there", () => {
    expect(() => infer({ a: { b: 1 } }, { a: 1 })).toThrow("rows.ndjson: a: a list or an object in one row");
    expect(() => infer({ a: [1] }, { a: 1 })).toThrow("rows.ndjson: a:");
  });

  it("are what holds whole numbers beyond INTEGER, which is said", () => {
    const { fields, said } = infer(
      {
        most: 2n ** 63n - 1n,
        more: [2n ** 63n],
        big: 10n ** 29n,
        huge: 10n ** 40n,
        mixed: 10n ** 20n,
        float: 1e20,
      },
      { more: [1], big: 1, mixed: 0.5 },
    );
    expect(Object.fromEntries(fields.map(({ name, type }) => [name, type]))).toEqual({
      most: "INTEGER",
      more: "NUMERIC",
      big: "BIGNUMERIC",
      huge: "STRING",
      mixed: "FLOAT",
      float: "FLOAT",
    });
    expect(said).toEqual([
      "more: whole numbers beyond what INTEGER holds, so NUMERIC",
      "big: whole numbers beyond what INTEGER holds, so BIGNUMERIC",
      "huge: whole numbers beyond what INTEGER holds, so STRING",
      "mixed: whole numbers beyond what INTEGER holds, so FLOAT, as there are fractions too; it keeps 15 digits of each",
    ]);
  });

  it("are texts where they look like times and a load would refuse them", () => {
    const { fields } = infer({ day: "2026-02-30", at: "2026-01-01T25:00:00Z", short: "2026-01-01T10:11Z" });
    expect(fields.map(({ type }) => type)).toEqual(["STRING", "STRING", "STRING"]);
  });

  it("are refused where a list is in a list", () => {
    expect(() => infer({ a: { m: [[1]] } })).toThrow(
      /^rows\.ndjson: a\.m: a list in a list, which BigQuery does not have; .* a\.m is JSON, and use --from-schema$/,
    );
  });

  it("come from CSV cells by what they look like, and a leading zero makes a text", () => {
    expect(["1", "-2.5", "true", "01234", "1e5", "2026-01-01", ""].map(cellValue)).toEqual([
      1,
      -2.5,
      true,
      "01234",
      "1e5",
      "2026-01-01",
      "",
    ]);
    expect(cellValue(null)).toBeNull();
  });
});

describe("a new entity", () => {
  const fields = [
    field("userId", "STRING"),
    field("updatedAt", "TIMESTAMP"),
    field("email", "STRING", "REQUIRED"),
    field("tags", "STRING", "REPEATED"),
  ];

  it("requires the key and the clocks and nothing else, and says so", () => {
    const { entry, schema, said } = newEntity("customer", { fields, said: [] }, {});
    expect(entry).toEqual({
      name: "customer",
      schema: "schemas/customer.json",
      key: ["userId"],
      ingestTimestamp: "updatedAt",
    });
    expect(schema).toBe(`[
  { "name": "userId", "type": "STRING", "mode": "REQUIRED" },
  { "name": "updatedAt", "type": "TIMESTAMP", "mode": "REQUIRED" },
  { "name": "email", "type": "STRING" },
  { "name": "tags", "type": "STRING", "mode": "REPEATED" }
]
`);
    expect(said.slice(-2)).toEqual([
      "email: no longer REQUIRED, since an update has only what changed",
      expect.stringContaining('"cursor": "commit" in entities.json reads late rows too'),
    ]);
  });

  it("says that an event timestamp may not be left out, where it could", () => {
    const happened = { name: "happened", type: "TIMESTAMP" };
    const { said } = newEntity(
      "customer",
      { fields: [...fields, happened], said: [] },
      { eventTimestamp: "happened" },
    );
    expect(said).toContain("happened: now REQUIRED: an update that does not say it is a bad row");
  });

  it.each([
    {
      case: "no key",
      given: {},
      fields: fields.slice(1),
      message: "customer: no column is surely the key; say it with --key <column>, one of email",
    },
    {
      case: "no column that could be the key",
      given: {},
      fields: fields.slice(3),
      message: "customer: no column is surely the key; add a column that says whose row it is",
    },
    {
      case: "no time",
      given: {},
      fields: [fields[0]!, fields[2]!],
      message:
        "customer: there is no TIMESTAMP among its columns; add a TIMESTAMP column that says when a row came in",
    },
    {
      case: "a time without a zone",
      given: {},
      fields: [fields[0]!, field("placed_at", "DATETIME")],
      message:
        "customer: there is no TIMESTAMP among its columns (placed_at: a time without a zone is a DATETIME); add a TIMESTAMP column that says when a row came in",
    },
    {
      case: "two times",
      given: {},
      fields: [fields[0]!, field("seen", "TIMESTAMP"), field("happened", "timestamp"), fields[2]!],
      message:
        "customer: no TIMESTAMP is surely when a row came in; say it with --ingest-timestamp <column>, one of seen, happened",
    },
    {
      case: "a time that is a text",
      given: { ingestTimestamp: "email" },
      fields,
      message: "customer: email: a timestamp must be a TIMESTAMP column; there are updatedAt",
    },
    { case: "a column that is not there", given: { key: ["nope"] }, fields, message: "nope: no such column" },
  ])("is refused with $case", ({ given, fields: some, message }) => {
    expect(() => newEntity("customer", { fields: some, said: [] }, given)).toThrow(message);
  });

  it("joins the others in entities.json, whose text stays as it was", () => {
    const first = addEntity(undefined, { name: "a", key: ["x", "y"] });
    const both = addEntity(first, { name: "b" });
    expect(both.startsWith(first.slice(0, first.lastIndexOf("}\n  ]")))).toBe(true);
    expect(both).toContain('"key": ["x", "y"]');
    expect(() => addEntity(both, { name: "a" })).toThrow("a: entities.json has an entity of this name");
  });

  it("takes from a live table what a schema has, and leaves data policies and defaults", () => {
    const live = [
      { ...field("a", "STRING"), dataPolicies: [], defaultValueExpression: "'x'", description: "An A." },
    ];
    expect(asSchemaFields(live)).toEqual([{ ...field("a", "STRING"), description: "An A." }]);
  });
});
