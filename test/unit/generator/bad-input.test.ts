import { describe, expect, test } from "vitest";
import { generateProject } from "../../../generator/src/generate/project.ts";
import { InputError } from "../../../generator/src/project/problems.ts";

const KEY = { name: "userId", type: "STRING" };
const TIME = { name: "ingestTimestamp", type: "TIMESTAMP" };
const ENTITY = { name: "user", schema: "user.json", key: ["userId"], ingestTimestamp: "ingestTimestamp" };

/** What the generator says of this input, without the SQL it makes of good input. */
function refusal(entity: unknown, schema: unknown): string {
  const config = { entities: [entity] };
  const text = typeof schema === "string" ? schema : JSON.stringify(schema);
  try {
    generateProject(config, new Map([["user.json", text]]));
    return "accepted";
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

const field = (more: object) => ({ fields: [KEY, TIME, { name: "a", type: "STRING", ...more }] });
const named = (name: string) => field({ name });

/** Records around one leaf. */
function nest(depth: number, more: object = {}): object {
  if (depth === 0) return { name: "leaf", type: "STRING" };
  return { name: `level${depth}`, type: "RECORD", fields: [nest(depth - 1)], ...more };
}

describe("a schema that cannot be used is refused with file, path, fault and remedy", () => {
  const cases: [name: string, schema: unknown, refusal: RegExp][] = [
    [
      "no JSON",
      '{"fields": [\n{"a": 1} "b"]}',
      /^user\.json:2:10: not valid JSON: a comma is missing; write one JSON value/,
    ],
    [
      "a member twice in one object",
      '[{"name": "a \\" {b:[", "type": "STRING"},\n {"name": "b", "type": "STRING", "t\\u0079pe": "INT64"}]',
      /^user\.json:2:34: "type" appears twice in one object; leave one of them out$/,
    ],
    ["no schema", { columns: [] }, /^user\.json:1:1: not a BigQuery schema; write/],
    ["no fields", { fields: [] }, /fields: no fields; list at least one/],
    [
      "a field that is no object",
      [KEY, TIME, "a"],
      /^user\.json:\d+:\d+: (?:\w+: )?\[2\]: "a" is not a field; write/,
    ],
    ["no name", field({ name: undefined }), /fields\[2\]\.name: missing; name the field/],
    ["no type", field({ type: undefined }), /fields\[2\]\.type: missing; write a BigQuery type/],
    [
      "a wrong type",
      field({ type: "VARCHAR" }),
      /fields\[2\]\.type: "VARCHAR" is not a BigQuery type; write one of/,
    ],
    [
      "a RANGE of nothing",
      field({ type: "RANGE" }),
      /fields\[2\]\.rangeElementType: missing; write \{"type": "DATE"\}, or one of DATE, DATETIME, TIMESTAMP/,
    ],
    [
      "a RANGE of times of day",
      field({ type: "RANGE", rangeElementType: { type: "TIME" } }),
      /fields\[2\]\.rangeElementType: \{"type":"TIME"\} is not the type of a RANGE's bounds; /,
    ],
    [
      "a range's element of what is none",
      field({ type: "DATE", rangeElementType: { type: "DATE" } }),
      /fields\[2\]\.rangeElementType: a "DATE" has none; make it a RANGE or leave rangeElementType out/,
    ],
    [
      "a wrong mode",
      field({ mode: "OPTIONAL" }),
      /fields\[2\]\.mode: "OPTIONAL" is not a mode; write one of NULLABLE, /,
    ],
    ["an unknown option", field({ mdoe: "NULLABLE" }), /fields\[2\]\.mdoe: unknown option; /],
    ["a description that is no text", field({ description: 1 }), /fields\[2\]\.description: not a text; /],
    [
      "a description longer than BigQuery's",
      field({ description: "x".repeat(1_025) }),
      /fields\[2\]\.description: has 1025 characters; BigQuery allows 1024; shorten it/,
    ],
    ["a name twice", { fields: [KEY, TIME, KEY] }, /fields\[2\]\.name: "userId" appears twice; /],
    [
      "names equal but for case",
      named("USERID"),
      /"USERID" equals "userId" but for case, which BigQuery ignores; /,
    ],
    ["an empty name", named(""), /fields\[2\]\.name: "": the name is empty; /],
    ["a long name", named("x".repeat(301)), /more than 300 characters; shorten it/],
    ["a dot in a name", named("a.b"), /BigQuery allows no U\+002E in a column name; /],
    ["a quotation mark in a name", named('a"b'), /allows no U\+0022/],
    ["a backtick in a name", named("a`b"), /allows no U\+0060/],
    ["a line break in a name", named("a\nb"), /allows no U\+000A/],
    [
      "a bidirectional override in a name",
      named("a\u202eb"),
      /^user\.json:\d+:\d+: (?:\w+: )?fields\[2\]\.name: "a\\u\{202e\}b": .*U\+202E/,
    ],
    ["a zero-width joiner in a name", named("a\u200db"), /allows no U\+200D/],
    ["a lone surrogate in a name", named("a\ud800b"), /allows no U\+D800/],
    ["a reserved prefix", named("_PARTITIONTIME"), /BigQuery reserves names that start with _PARTITION; /],
    ["our own column", named("_Versions"), /"_Versions" is a name the generated tables use; /],
    ["our own prefix", named("_batch_id"), /is a name the generated tables use; /],
    ["a RECORD without fields", field({ type: "RECORD" }), /fields\[2\]\.fields: a RECORD without fields; /],
    ["fields of a STRING", field({ fields: [KEY] }), /fields\[2\]\.fields: a "STRING" has no fields; /],
    [
      "too deep for BigQuery",
      { fields: [KEY, TIME, nest(15)] },
      /: RECORD nested 15 deep; BigQuery allows 14 RECORDs one inside the other/,
    ],
    [
      "too deep for _versions",
      { fields: [KEY, TIME, nest(14)] },
      /nested 14 deep, and _versions repeats them/,
    ],
    [
      "too many columns",
      { fields: [KEY, TIME, ...manyFields(5_000)] },
      /final would have 10003 columns: 5002 .* 5001 in _versions; /,
    ],
    ["no attribute", { fields: [KEY, TIME] }, /no attribute beside the key and the timestamps; /],
    [
      "maxLength of a number",
      field({ type: "INT64", maxLength: 5 }),
      /fields\[2\]\.maxLength: does not fit INT64; /,
    ],
    ["precision of a STRING", field({ precision: 5 }), /fields\[2\]\.precision: does not fit STRING; /],
    [
      "too fine a scale",
      field({ type: "NUMERIC", precision: 12, scale: 10 }),
      /cannot have precision 12 with scale 10; /,
    ],
    [
      "a scale without precision",
      field({ type: "NUMERIC", scale: 2 }),
      /cannot have precision none with scale 2; /,
    ],
    ["a broken precision", field({ type: "NUMERIC", precision: "ten" }), /"ten" is not a whole number; /],
    ["a collation", field({ collation: "und:ci" }), /collation: "und:ci" makes different values equal/],
    [
      "policy tags",
      field({ policyTags: { names: ["x"] } }),
      /policyTags: \{"names":\["x"\]\} is not one policy tag; write /,
    ],
    [
      "a default",
      field({ defaultValueExpression: "'x'" }),
      /an update that leaves the field out would author the default; /,
    ],
    [
      "now as an attribute's default",
      field({ type: "TIMESTAMP", defaultValueExpression: "CURRENT_TIMESTAMP()" }),
      /author the default; /,
    ],
    ["a sum", field({ merge: "sum" }), /merge: "sum" would count an update again each time it is read again/],
    ["a count", field({ merge: "count" }), /merge: "count" would count an update again/],
    [
      "an unknown policy",
      field({ merge: "newest" }),
      /merge: "newest" is not a merge policy; write one of latest, first/,
    ],
    ["atomic on a STRING", field({ merge: "atomic" }), /merge: "atomic" on STRING; /],
    [
      "latest on a RECORD",
      { fields: [KEY, TIME, nest(1, { merge: "latest" })] },
      /merge: "latest" on a RECORD; /,
    ],
    ["union on one value", field({ merge: "union" }), /merge: "union" on a field that is not REPEATED; /],
    ["max of JSON", field({ type: "JSON", merge: "max" }), /merge: "max" on JSON, which has no order; /],
    [
      "min of an array",
      field({ mode: "REPEATED", merge: "min" }),
      /merge: "min" on REPEATED STRING, which has no order; /,
    ],
    [
      "a policy inside an atomic RECORD",
      {
        fields: [
          KEY,
          TIME,
          {
            name: "r",
            type: "RECORD",
            merge: "atomic",
            fields: [{ name: "x", type: "INT64", merge: "max" }],
          },
        ],
      },
      /fields\[2\]\.fields\[0\]\.merge: "r" is atomic and moves as one value; /,
    ],
    [
      "a policy on the key",
      { fields: [{ ...KEY, merge: "first" }, TIME, { name: "a", type: "STRING" }] },
      /fields\[0\]\.merge: keys and timestamps are not merged; /,
    ],
  ];
  test.each(cases)("%s", (_, schema, expected) => {
    const said = refusal(ENTITY, schema);
    expect(said).toMatch(expected);
    for (const line of said.split("\n")) expect(line).toMatch(/^user\.json:\d+:\d+: .+; .+$/);
  });

  test("all faults of a file, one line each", () => {
    const said = refusal(ENTITY, {
      fields: [KEY, TIME, { name: "a", type: "VARCHAR" }, { name: "b.c", type: "STRING", mode: "X" }],
    });
    expect(said.split("\n")).toHaveLength(3);
  });

  test("the column limit counts nested fields and _versions, and what just fits passes", () => {
    expect(refusal(ENTITY, { fields: [KEY, TIME, ...manyFields(600)] })).toBe("accepted");
  });

  test("RECORDs as deep as BigQuery allows pass, one less where _versions repeats them", () => {
    expect(refusal(ENTITY, { fields: [KEY, TIME, nest(13)] })).toBe("accepted");
    expect(refusal(ENTITY, { fields: [KEY, TIME, nest(14, { merge: "atomic" })] })).toBe("accepted");
  });

  test("a query over BigQuery's limit names the entity and how many leaves fit", () => {
    expect(refusal(ENTITY, { fields: [KEY, TIME, ...manyFields(4_900)] })).toMatch(
      /\(entity user\) has \d+ KB with 4900 leaves, and BigQuery refuses more than 1024 KB; about \d+ leaves fit; /,
    );
    expect(refusal({ ...ENTITY, mergeEvery: "1 day" }, { fields: [KEY, TIME, ...manyFields(900)] })).toMatch(
      /the query of user \(entity user\) has \d+ KB with 900 leaves, and BigQuery refuses more than 256 K characters of a view; about \d+ leaves fit; /,
    );
    expect(refusal(ENTITY, { fields: [KEY, TIME, wideRecord(9_000)] })).toMatch(
      /\(entity user\) has \d+ KB with 1 leaf, and BigQuery refuses more than 1024 KB; its RECORDs .* have too many fields: /,
    );
  });
});

function wideRecord(count: number): object {
  const fields = manyFields(count, "a_rather_long_name_of_an_attribute_".repeat(4));
  return { name: "r", type: "RECORD", mode: "REPEATED", fields };
}

function manyFields(count: number, name = "attribute"): object[] {
  return Array.from({ length: count }, (_, index) => ({ name: `${name}${index}`, type: "STRING" }));
}

describe("an entities.json that cannot be used is refused with file, path, fault and remedy", () => {
  const schema = {
    fields: [
      KEY,
      TIME,
      { name: "a", type: "STRING" },
      { name: "r", type: "RECORD", fields: [KEY] },
      { name: "j", type: "JSON" },
      { name: "many", type: "STRING", mode: "REPEATED" },
    ],
  };
  const cases: [name: string, entity: unknown, refusal: RegExp][] = [
    ["no object", "user", /entities\[0\]: "user" does not fit; write an entity/],
    [
      "an unknown option",
      { ...ENTITY, keys: ["userId"] },
      /entities\[0\]\.keys: unknown option; did you mean key\?/,
    ],
    [
      "an unknown table",
      { ...ENTITY, tables: { last: "x" } },
      /entities\[0\]\.tables\.last: unknown option; the tables has updates, temp, final/,
    ],
    ["no name", { ...ENTITY, name: undefined }, /entities\[0\]\.name: missing; write the entity's name/],
    [
      "a name that is no table name",
      { ...ENTITY, name: "../x" },
      /entities\[0\]\.name: "\.\.\/x" is not a table name; use/,
    ],
    [
      "a missing schema",
      { ...ENTITY, schema: "nope.json" },
      /entities\[0\]\.schema: there is no file "nope\.json"; name the schema's file/,
    ],
    [
      "a schema whose name would not stay on its line",
      { ...ENTITY, schema: "a\u2028b.json" },
      /entities\[0\]\.schema: "a\\u\{2028\}b\.json" has a line break or control character; rename the file/,
    ],
    [
      "no key",
      { ...ENTITY, key: undefined },
      /entities\[0\]\.key: missing; write the key columns as an array/,
    ],
    [
      "an entity called as a tag of runs",
      { ...ENTITY, name: "audit" },
      /entities\[0\]\.name: "audit" is a tag of runs, as an entity's name is too; give the entity another name/,
    ],
    ["an empty key", { ...ENTITY, key: [] }, /entities\[0\]\.key: is empty; name at least one/],
    [
      "a key that is a text",
      { ...ENTITY, key: "userId" },
      /entities\[0\]\.key: "userId" does not fit; write the key columns/,
    ],
    [
      "a key the schema lacks",
      { ...ENTITY, key: ["id"] },
      /entities\[0\]\.key\[0\]: user\.json has no field "id"; name a top-level/,
    ],
    [
      "a nested key",
      { ...ENTITY, key: ["r.userId"] },
      /entities\[0\]\.key\[0\]: "r\.userId" is not a column name; /,
    ],
    [
      "a key twice",
      { ...ENTITY, key: ["userId", "USERID"] },
      /entities\[0\]\.key\[1\]: "USERID" appears twice; /,
    ],
    [
      "a JSON key",
      { ...ENTITY, key: ["j"] },
      /entities\[0\]\.key\[0\]: "j" is JSON, which BigQuery cannot compare/,
    ],
    ["a REPEATED key", { ...ENTITY, key: ["many"] }, /entities\[0\]\.key\[0\]: "many" is a REPEATED field; /],
    [
      "a key that is the timestamp",
      { ...ENTITY, key: ["ingestTimestamp"] },
      /entities\[0\]\.key: a timestamp is part of the key; /,
    ],
    [
      "a timestamp the schema lacks",
      { ...ENTITY, ingestTimestamp: "at" },
      /entities\[0\]\.ingestTimestamp: user\.json has no field "at"; /,
    ],
    [
      "a timestamp that is none",
      { ...ENTITY, ingestTimestamp: "a" },
      /entities\[0\]\.ingestTimestamp: "a" is STRING; it must be a TIMESTAMP/,
    ],
    [
      "one clock twice",
      { ...ENTITY, eventTimestamp: "IngestTimestamp" },
      /entities\[0\]\.eventTimestamp: equals ingestTimestamp; /,
    ],
    [
      "a wrong cursor",
      { ...ENTITY, cursor: "commits" },
      /entities\[0\]\.cursor: "commits" does not fit; write "ingestTimestamp" or "commit"/,
    ],
    [
      "a cursor that reaches further back than BigQuery tells",
      { ...ENTITY, cursor: "commit", lookback: "6 days", mergeEvery: "1 day" },
      /entities\[0\]\.cursor: lookback and mergeEvery are seven days or more together.*; make them shorter/,
    ],
    [
      "a wrong lookback",
      { ...ENTITY, lookback: "an hour" },
      /entities\[0\]\.lookback: "an hour" is not a time; write/,
    ],
    [
      "a limit for events that there are none of",
      { ...ENTITY, eventAhead: { limit: "1 hour" } },
      /entities\[0\]\.eventAhead: there is no event timestamp that could be ahead; name the eventTimestamp, or leave eventAhead out/,
    ],
    [
      "another way out for events ahead",
      { ...ENTITY, eventAhead: { then: "drop" } },
      /entities\[0\]\.eventAhead\.then: "drop" does not fit; write "ingestTimestamp" or "keepOut"/,
    ],
    [
      "an endless lookback",
      { ...ENTITY, lookback: "999999999 days" },
      /entities\[0\]\.lookback: .* is more than 10000 days; /,
    ],
    [
      "a wrong dataset",
      { ...ENTITY, dataset: "my-dataset" },
      /entities\[0\]\.dataset: "my-dataset" is not a dataset's name; /,
    ],
    [
      "two actions with one name",
      { ...ENTITY, tables: { final: "user_updates" } },
      /entities\[0\]: its final would be analytics\.user_updates, which is already the updates of user; /,
    ],
  ];
  test.each(cases)("%s", (_, entity, expected) => {
    const said = refusal(entity, schema);
    expect(said).toMatch(expected);
    for (const line of said.split("\n")) expect(line).toMatch(/^entities\.json:\d+:\d+: .+; .+$/);
  });

  test.each([
    [
      { clearedFields: "a" },
      /^entities\.json:\d+:\d+: user: entities\[0\]\.clearedFields: "a" is NULLABLE STRING; it must be REPEATED STRING$/,
    ],
    [
      { deleted: "a" },
      /^entities\.json:\d+:\d+: user: entities\[0\]\.deleted: "a" is NULLABLE STRING; it must be NULLABLE BOOL$/,
    ],
    [
      { deleted: "userId" },
      /^entities\.json:\d+:\d+: user: entities\[0\]\.deleted: "userId" is already another column; /,
    ],
    [
      { clearedFields: "x", deleted: "X" },
      /^entities\.json:\d+:\d+: user: entities\[0\]\.deleted: "X" is already clearedFields; /,
    ],
    [
      { deleted: "_versions" },
      /^entities\.json:\d+:\d+: user: entities\[0\]\.deleted: "_versions" is already another column; /,
    ],
  ])("clears and deletes: %j", (options, expected) => {
    expect(refusal({ ...ENTITY, ...options }, schema)).toMatch(expected);
  });

  test("a delete's column but for a letter", () => {
    const fields = [KEY, TIME, { name: "a", type: "STRING" }, { name: "active", type: "BOOL" }];
    expect(refusal({ ...ENTITY, deleted: "activ" }, { fields })).toMatch(
      /: entities\[0\]\.deleted: "activ" is not in the schema, which has "active"; did you mean active\? If not, add NULLABLE BOOL activ to user\.json$/,
    );
    expect(refusal({ ...ENTITY, clearedFields: "activ" }, { fields })).toBe("accepted");
  });

  test.each(["first", "max", "min", "union"])("%s and what takes back what was said", (merge) => {
    const fields = [
      KEY,
      TIME,
      { name: "a", type: "STRING", mode: merge === "union" ? "REPEATED" : "NULLABLE", merge },
    ];
    for (const options of [{ deleted: "gone" }, { clearedFields: "cleared" }])
      expect(refusal({ ...ENTITY, ...options, mergeEvery: "1 day" }, { fields })).toMatch(
        new RegExp(
          `^user\\.json:\\d+:\\d+: a: fields\\[2\\]\\.merge: "${merge}" together with ${Object.keys(options)} is merged in every run: .*; use "latest", or leave mergeEvery out$`,
        ),
      );
    for (const options of [{}, { deleted: "gone", clearedFields: "cleared" }, { mergeEvery: "1 day" }])
      expect(refusal({ ...ENTITY, ...options }, { fields })).toBe("accepted");
  });

  test("entities equal but for case", () => {
    const config = { entities: [ENTITY, { ...ENTITY, name: "USER" }] };
    expect(() => generateProject(config, new Map([["user.json", JSON.stringify(schema)]]))).toThrow(
      'entities.json:1:112: USER: entities[1].name: "USER" equals "user" but for case; give every entity a name of its own',
    );
  });
});
