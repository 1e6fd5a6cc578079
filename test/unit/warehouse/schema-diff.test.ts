import type { TableField } from "@google-cloud/bigquery";
import { describe, expect, it } from "vitest";
import { diffSchema, findStrangers } from "../../../generator/src/warehouse/schema-diff.ts";

const live: TableField[] = [
  { name: "id", type: "STRING", mode: "REQUIRED" },
  { name: "age", type: "INTEGER" },
  { name: "profile", type: "RECORD", fields: [{ name: "city", type: "STRING", mode: "REQUIRED" }] },
];

describe("diffSchema", () => {
  it("finds nothing where the same is written in another way", () => {
    const wanted: TableField[] = [
      { name: "ID", type: "STRING", mode: "REQUIRED" },
      { name: "age", type: "INT64", mode: "NULLABLE" },
      { name: "profile", type: "STRUCT", fields: [{ name: "city", type: "STRING", mode: "REQUIRED" }] },
    ];
    expect(diffSchema(live, wanted)).toEqual({ fields: live, changes: [], notes: [], faults: [] });
  });

  it("adds columns at any depth, never as REQUIRED, and keeps what is there in its order", () => {
    const wanted: TableField[] = [
      { name: "email", type: "STRING", mode: "REQUIRED" },
      ...live.slice(0, 2),
      {
        name: "profile",
        type: "RECORD",
        fields: [
          { name: "zip", type: "STRING" },
          { name: "city", type: "STRING", mode: "REQUIRED" },
          { name: "home", type: "RECORD", mode: "REPEATED", fields: [{ name: "street", type: "STRING" }] },
        ],
      },
    ];
    const diff = diffSchema(live, wanted);
    expect(diff.changes).toEqual([
      "+ profile.zip STRING",
      "+ profile.home REPEATED RECORD (street)",
      "+ email STRING",
    ]);
    expect(diff.notes).toEqual(["email is added as NULLABLE: BigQuery adds no REQUIRED column"]);
    expect(diff.fields.map((field) => field.name)).toEqual(["id", "age", "profile", "email"]);
    expect(diff.fields[2]?.fields?.map((field) => field.name)).toEqual(["city", "zip", "home"]);
    expect(diff.fields[3]?.mode).toBe("NULLABLE");
  });

  it("adds a RECORD of new columns without REQUIRED in it: the rows there have no values for it", () => {
    const home: TableField = {
      name: "home",
      type: "RECORD",
      fields: [{ name: "street", type: "STRING", mode: "REQUIRED" }],
    };
    expect(diffSchema(live, [...live, home]).fields.at(-1)?.fields?.[0]?.mode).toBe("NULLABLE");
  });

  it("relaxes but never tightens", () => {
    const wanted: TableField[] = [
      { name: "id", type: "STRING", mode: "NULLABLE" },
      { name: "age", type: "INTEGER", mode: "REQUIRED" },
      { name: "profile", type: "RECORD", fields: [{ name: "city", type: "STRING" }] },
    ];
    const diff = diffSchema(live, wanted);
    expect(diff.changes).toEqual(["~ id REQUIRED -> NULLABLE", "~ profile.city REQUIRED -> NULLABLE"]);
    expect(diff.fields.map((field) => field.mode)).toEqual(["NULLABLE", undefined, undefined]);
    expect(diff.notes).toEqual(["age stays NULLABLE: BigQuery makes no column REQUIRED afterwards"]);
  });

  it("never drops", () => {
    const diff = diffSchema(live, live.slice(0, 1));
    expect(diff.fields).toEqual(live);
    expect(diff.changes).toEqual([]);
    expect(diff.notes).toEqual([
      "age is not in the schema and stays, until a rebuild empties it",
      "profile is not in the schema and stays, until a rebuild empties it",
    ]);
  });

  it("relaxes what left the schema, so that updates need not say it any more", () => {
    const profile = { ...live[2], fields: [{ name: "zip", type: "STRING" }] };
    const diff = diffSchema(live, [live[1] as TableField, profile]);
    expect(diff.changes).toEqual([
      "~ id REQUIRED -> NULLABLE",
      "~ profile.city REQUIRED -> NULLABLE",
      "+ profile.zip STRING",
    ]);
    expect(diff.fields[0]?.mode).toBe("NULLABLE");
    expect(diff.fields[2]?.fields?.map((field) => field.mode)).toEqual(["NULLABLE", undefined]);
  });

  it("calls a change of type or of REPEATED a fault with its remedy", () => {
    const wanted: TableField[] = [
      live[0] as TableField,
      { name: "age", type: "STRING" },
      { name: "profile", type: "RECORD", fields: [{ name: "city", type: "STRING", mode: "REPEATED" }] },
    ];
    const { faults } = diffSchema(live, wanted);
    expect(faults).toHaveLength(2);
    expect(faults[0]).toMatch(
      /^age is INTEGER in the table and STRING in the schema.*`npm run review` says how.*give the attribute a new name/,
    );
    expect(faults[1]).toMatch(/^profile\.city is STRING in the table and REPEATED STRING in the schema/);
  });

  it("tells RANGEs of different elements apart", () => {
    const term = (type: string): TableField[] => [
      { name: "term", type: "RANGE", rangeElementType: { type } },
    ];
    expect(diffSchema(term("DATE"), term("date"))).toMatchObject({ changes: [], notes: [], faults: [] });
    expect(diffSchema(term("DATE"), term("DATETIME")).faults).toEqual([
      expect.stringMatching(/^term is RANGE<DATE> in the table and RANGE<DATETIME> in the schema/),
    ]);
    expect(diffSchema([], term("DATE")).changes).toEqual([expect.stringContaining("term RANGE<DATE>")]);
  });

  it("names a change of length or precision and leaves it to ALTER COLUMN", () => {
    const diff = diffSchema(
      [{ name: "n", type: "NUMERIC", precision: "10", scale: "2" }],
      [{ name: "n", type: "NUMERIC" }],
    );
    expect(diff.changes).toEqual([]);
    expect(diff.notes[0]).toMatch(/^n stays NUMERIC\(10, 2\); the schema says NUMERIC/);
  });

  it("finds what the schema lacks at any depth, and how to see whether it says something", () => {
    const text = (name: string, mode = "NULLABLE") => ({ name, type: "STRING", mode });
    const record = (name: string, mode: string, ...fields: object[]) => ({
      name,
      type: "RECORD",
      mode,
      fields,
    });
    const wanted = [
      text("id"),
      record("home", "NULLABLE", text("city")),
      record("cars", "REPEATED", text("plate")),
    ];
    const live = [
      text("ID"),
      text("notes", "REPEATED"),
      record("home", "NULLABLE", text("city"), text("zip")),
      record("cars", "REPEATED", text("plate"), text("colour")),
    ];
    expect(findStrangers(live, wanted, "final")).toEqual([
      { path: "notes", says: "ARRAY_LENGTH(final.`notes`) > 0" },
      { path: "home.zip", says: "final.`home`.`zip` IS NOT NULL" },
      {
        path: "cars.colour",
        says: "EXISTS (SELECT 1 FROM UNNEST(final.`cars`) AS element WHERE element.`colour` IS NOT NULL)",
      },
    ]);
  });
});
