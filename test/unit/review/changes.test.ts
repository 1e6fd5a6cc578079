import { describe, expect, it } from "vitest";
import { entitiesJsonSchema } from "../../../generator/src/project/config.ts";
import { weightOf } from "../../../generator/src/review/changes.ts";
import { compareEntities } from "../../../generator/src/review/entity-changes.ts";
import { changesOf, entityChanges, type Field, person } from "./models.ts";

const NAME: Field = { name: "name", type: "STRING" };
const HAPPENED: Field = { name: "happened", type: "TIMESTAMP" };
const address = (fields: readonly string[], rest: Field = {}): Field => ({
  name: "address",
  type: "RECORD",
  fields: fields.map((name) => ({ name, type: "STRING" })),
  ...rest,
});

interface Wanted {
  readonly path: string;
  readonly kind?: "added" | "removed" | "changed";
  readonly what?: string;
  readonly means?: RegExp;
  readonly steps?: readonly string[];
}

/** From one schema to another: all that is said of it. */
const FIELDS: readonly [
  name: string,
  before: readonly Field[],
  after: readonly Field[],
  wanted: readonly Wanted[],
][] = [
  ["nothing", [NAME], [NAME], []],
  [
    "an added field is NULL until it is written",
    [NAME],
    [NAME, { name: "age", type: "INT64" }],
    [{ path: "age", kind: "added", what: "`INT64`", means: /^NULL for every user until/, steps: ["init"] }],
  ],
  [
    "an added REPEATED field is empty until it is written",
    [NAME],
    [NAME, { name: "tags", type: "STRING", mode: "REPEATED" }],
    [{ path: "tags", what: "`REPEATED STRING`", means: /^`\[\]` for every user until/ }],
  ],
  [
    "an added REQUIRED attribute may be left out of updates",
    [NAME],
    [NAME, { name: "age", type: "INT64", mode: "REQUIRED" }],
    [
      {
        path: "age",
        what: "`INT64`",
        means: /^NULL for every user until an update sets it/,
        steps: ["init"],
      },
    ],
  ],
  [
    "a nested field has its whole path",
    [address(["street"])],
    [address(["street", "city"])],
    [{ path: "address.city", kind: "added", means: /^NULL for every user/, steps: ["init"] }],
  ],
  [
    "a field of an atomic RECORD comes with the next whole",
    [address(["street"], { merge: "atomic" })],
    [address(["street", "city"], { merge: "atomic" })],
    [{ path: "address.city", means: /^part of `address`, which moves as one value/, steps: ["init"] }],
  ],
  [
    "so does one of a REPEATED RECORD",
    [address(["street"], { mode: "REPEATED" })],
    [address(["street", "city"], { mode: "REPEATED" })],
    [{ path: "address.city", means: /^part of `address`/ }],
  ],
  [
    "a removed field stays in the tables",
    [NAME, { name: "age", type: "INT64" }],
    [NAME],
    [
      {
        path: "age",
        kind: "removed",
        means: /`person_updates` and `person_final` keep the column.*a rebuild empties it/,
        steps: ["before"],
      },
    ],
  ],
  [
    "a field removed from an atomic RECORD still moves with it",
    [address(["street", "city"], { merge: "atomic" })],
    [address(["street"], { merge: "atomic" })],
    [{ path: "address.city", kind: "removed", means: /stays there, and in the view/, steps: [] }],
  ],
  [
    "what looks like a new name moves no values",
    [NAME],
    [{ name: "full_name", type: "STRING" }],
    [
      {
        path: "full_name",
        kind: "added",
        means: /if this is `name` by a new name: its values do not come along/,
      },
      { path: "name", kind: "removed" },
    ],
  ],
  [
    "another type is no new name",
    [NAME],
    [{ name: "full_name", type: "BYTES" }],
    [{ path: "full_name", means: /says? nothing about it$/ }, { path: "name" }],
  ],
  [
    "a type that BigQuery cannot change is refused",
    [{ name: "age", type: "STRING" }],
    [{ name: "age", type: "INT64" }],
    [{ path: "age", what: "`STRING` -> `INT64`", means: /cannot make this change/, steps: ["fix"] }],
  ],
  [
    "so is a field that becomes REPEATED",
    [NAME],
    [{ ...NAME, mode: "REPEATED" }],
    [{ path: "name", what: "`STRING` -> `REPEATED STRING`", steps: ["fix"] }],
  ],
  [
    "and a field that becomes a RECORD",
    [{ name: "address", type: "STRING" }],
    [address(["street"])],
    [{ path: "address", what: "`STRING` -> `RECORD (street)`", steps: ["fix"] }],
  ],
  [
    "a nested type that BigQuery can change is changed by hand, with its RECORD",
    [{ name: "profile", type: "RECORD", fields: [{ name: "visits", type: "INT64" }] }],
    [{ name: "profile", type: "RECORD", fields: [{ name: "visits", type: "NUMERIC" }] }],
    [{ path: "profile.visits", means: /BigQuery allows it.*refuses the tables/, steps: ["before"] }],
  ],
  [
    "longer text is taken only when the column is",
    [{ name: "code", type: "STRING", maxLength: 3 }],
    [{ name: "code", type: "STRING", maxLength: 5 }],
    [
      {
        path: "code",
        what: "`STRING(3)` -> `STRING(5)`",
        means: /longer values are refused/,
        steps: ["before"],
      },
    ],
  ],
  [
    "a narrower column does not come about",
    [{ name: "code", type: "STRING" }],
    [{ name: "code", type: "STRING", maxLength: 5 }],
    [{ path: "code", means: /makes no column narrower/, steps: [] }],
  ],
  [
    "a type and a policy at once are two changes",
    [{ name: "visits", type: "INT64" }],
    [{ name: "visits", type: "NUMERIC", merge: "max" }],
    [
      { path: "visits", what: "`INT64` -> `NUMERIC`" },
      { path: "visits", what: "merge: latest -> max", steps: ["rebuild"] },
    ],
  ],
  [
    "a new policy needs a rebuild",
    [{ name: "tags", type: "STRING", mode: "REPEATED" }],
    [{ name: "tags", type: "STRING", mode: "REPEATED", merge: "union" }],
    [{ path: "tags", means: /goes on from what "latest" kept/, steps: ["rebuild"] }],
  ],
  ["naming the default policy changes nothing", [NAME], [{ ...NAME, merge: "latest" }], []],
  [
    "a RECORD that becomes atomic would change the type of its version",
    [address(["street"])],
    [address(["street"], { merge: "atomic" })],
    [
      {
        path: "address",
        what: "merge: field by field -> atomic",
        means: /`_versions.address`.* a TIMESTAMP/,
        steps: ["fix"],
      },
    ],
  ],
  [
    "and one that no longer is, too",
    [address(["street"], { merge: "atomic" })],
    [address(["street"])],
    [
      {
        path: "address",
        what: "merge: atomic -> field by field",
        means: /`_versions.address`.* a RECORD/,
        steps: ["fix"],
      },
    ],
  ],
  ["REQUIRED says nothing of an attribute", [{ ...NAME, mode: "REQUIRED" }], [NAME], []],
  [
    "a name's case is no other name",
    [NAME],
    [{ name: "Name", type: "STRING" }],
    [{ path: "Name", what: "spelled `name` -> `Name`", steps: [] }],
  ],
  [
    "a description is documentation",
    [NAME],
    [{ ...NAME, description: "Who." }],
    [{ path: "name", what: "description", steps: [] }],
  ],
  [
    "the order is the view's",
    [NAME, { name: "age", type: "INT64" }],
    [{ name: "age", type: "INT64" }, NAME],
    [{ path: "order of columns", means: /the view `person` shows them in it/, steps: [] }],
  ],
];

const CLOCK: Field = { name: "happened", type: "TIMESTAMP" };
const BOTH = [NAME, CLOCK, { name: "tenant", type: "STRING" }];

/** From some options of entities.json to others, on one schema. */
const OPTIONS: readonly [name: string, before: Field, after: Field, wanted: readonly Wanted[]][] = [
  [
    "a key needs a rebuild",
    {},
    { key: ["tenant", "userId"] },
    [
      {
        path: "key",
        what: "`userId` -> `tenant`, `userId`",
        means: /one row per old key/,
        steps: ["init", "rebuild", "fill"],
      },
    ],
  ],
  [
    "with deletes, tombstones are of the old key",
    { deleted: "gone" },
    { deleted: "gone", key: ["tenant"] },
    [
      { path: "key", steps: ["before", "init", "rebuild", "fill"] },
      { path: "userId", what: "REQUIRED -> NULLABLE", steps: ["init"] },
    ],
  ],
  [
    "an event timestamp versions anew",
    {},
    { eventTimestamp: "happened" },
    [
      {
        path: "eventTimestamp",
        what: /`happened`, no longer by `ingestTimestamp`/.source,
        steps: ["fill", "rebuild"],
      },
    ],
  ],
  [
    "another ingest timestamp needs a table partitioned by it",
    {},
    { ingestTimestamp: "happened" },
    [
      { path: "ingestTimestamp", steps: ["fix", "rebuild"] },
      { path: "eventTimestamp", steps: ["rebuild"] },
      { path: "ingestTimestamp", what: "REQUIRED -> NULLABLE", steps: ["init"] },
    ],
  ],
  [
    "and is not refused with a new updates table",
    {},
    { ingestTimestamp: "happened", tables: { updates: "person_news" } },
    [
      { path: "ingestTimestamp", steps: ["rebuild"] },
      { path: "eventTimestamp" },
      { path: "tables.updates", steps: ["init", "fill"] },
      { path: "ingestTimestamp", what: "REQUIRED -> NULLABLE", steps: ["init"] },
    ],
  ],
  [
    "a longer lookback reads what was missed only by a replay",
    {},
    { lookback: "2 hours" },
    [{ path: "lookback", what: "1 hour -> 2 hours", steps: ["replay"] }],
  ],
  [
    "merges that wait leave final behind the view, and get a run of their own",
    {},
    { mergeEvery: "1 day" },
    [
      {
        path: "mergeEvery",
        kind: "added",
        what: "every run -> 1 day",
        means: /`person_final` itself may be 1 day old/,
        steps: ["after"],
      },
    ],
  ],
  [
    "another wait is another run",
    { mergeEvery: "1 day" },
    { mergeEvery: "6 hours" },
    [{ path: "mergeEvery", kind: "changed", what: "1 day -> 6 hours", steps: ["after"] }],
  ],
  [
    "a wait for which there is no run asks for none",
    { mergeEvery: "5 hours" },
    { mergeEvery: "7 hours" },
    [{ path: "mergeEvery", what: "5 hours -> 7 hours", steps: [] }],
  ],
  [
    "no wait any more",
    { mergeEvery: "24 hours" },
    {},
    [{ path: "mergeEvery", kind: "removed", means: /every run merges again/, steps: ["after"] }],
  ],
  [
    "another cursor means nothing else, and asks for nothing",
    {},
    { cursor: "commit" },
    [{ path: "cursor", what: "ingestTimestamp -> commit", means: /reads all updates once/, steps: [] }],
  ],
  [
    "nor does the way back",
    { cursor: "commit" },
    { cursor: "ingestTimestamp" },
    [{ path: "cursor", what: "commit -> ingestTimestamp", means: /are named from now on/, steps: [] }],
  ],
  [
    "another limit for events ahead counts updates anew; the default written out says nothing",
    { eventTimestamp: "happened", eventAhead: { limit: "1 day" } },
    { eventTimestamp: "happened", eventAhead: { then: "keepOut" } },
    [
      {
        path: "eventAhead",
        what: "1 day, then ingestTimestamp -> 1 day, then keepOut",
        steps: ["rebuild"],
      },
    ],
  ],
  [
    "a shorter one misses more",
    { lookback: "1 day" },
    { lookback: "90 minutes" },
    [{ path: "lookback", means: /are missed/, steps: [] }],
  ],
  [
    "clears begin",
    {},
    { clearedFields: "cleared" },
    [{ path: "clearedFields", kind: "added", what: "`cleared`", steps: ["init"] }],
  ],
  [
    "clears end",
    { clearedFields: "cleared" },
    {},
    [{ path: "clearedFields", kind: "removed", means: /brings those values back/, steps: [] }],
  ],
  [
    "deletes begin",
    {},
    { deleted: "gone" },
    [{ path: "deleted", kind: "added", means: /`person_tombstones` is made/, steps: ["init", "after"] }],
  ],
  [
    "deletes end",
    { deleted: "gone" },
    {},
    [
      {
        path: "deleted",
        kind: "removed",
        means: /brings deleted users back/,
        steps: ["before", "init", "after"],
      },
    ],
  ],
  [
    "another dataset is empty",
    {},
    { dataset: "elsewhere" },
    [{ path: "dataset", what: "`crm` -> `elsewhere`", steps: ["before", "init", "after"] }],
  ],
  [
    "another final is filled by the next run",
    {},
    { tables: { final: "people" } },
    [{ path: "tables.final", means: /fills it from all history/, steps: ["init", "after"] }],
  ],
  ["another temp is nothing", {}, { tables: { temp: "batch" } }, [{ path: "tables.temp", steps: ["after"] }]],
];

function expectChanges(found: ReturnType<typeof changesOf>, wanted: readonly Wanted[]): void {
  expect(found.map(({ path }) => path)).toEqual(wanted.map(({ path }) => path));
  for (const [index, { kind, what, means, steps }] of wanted.entries()) {
    const change = found[index];
    if (kind !== undefined) expect(change?.kind).toBe(kind);
    if (what !== undefined) expect(change?.what).toContain(what);
    if (means !== undefined) expect(change?.means).toMatch(means);
    if (steps !== undefined) expect(change?.needs.map(({ step }) => step)).toEqual(steps);
  }
}

describe("a change of the schema", () => {
  it.each(FIELDS)("%s", (_, before, after, wanted) => {
    const fields = [{ name: "other", type: "BOOL" }];
    expectChanges(changesOf(person([...fields, ...before]), person([...fields, ...after])), wanted);
  });

  it("of a type that BigQuery can change comes with the statements", () => {
    const [change] = changesOf(
      person([{ name: "my score", type: "INT64" }]),
      person([{ name: "my score", type: "NUMERIC", precision: 30, scale: 2 }]),
    );
    expect(change?.needs).toMatchObject([
      {
        step: "before",
        sql: [
          "ALTER TABLE `acme.crm.person_updates` ALTER COLUMN `my score` SET DATA TYPE NUMERIC(30, 2);",
          "ALTER TABLE `acme.crm.person_final` ALTER COLUMN `my score` SET DATA TYPE NUMERIC(30, 2);",
        ],
      },
    ]);
  });

  it("of a type concerns only the tables that are there already", () => {
    const typed = (type: string, options = {}) => person([{ name: "n", type }], options);
    const [, inOne] = changesOf(typed("INT64"), typed("NUMERIC", { tables: { final: "people" } }));
    expect(inOne?.needs).toMatchObject([
      { sql: ["ALTER TABLE `acme.crm.person_updates` ALTER COLUMN n SET DATA TYPE NUMERIC;"] },
    ]);
    const [, inNone] = changesOf(typed("STRING"), typed("INT64", { dataset: "elsewhere" }));
    expect(inNone).toMatchObject({ path: "n", needs: [] });
  });

  it("makes clears of a removed field bad rows", () => {
    const options = { clearedFields: "cleared" };
    const [change] = changesOf(person([NAME, CLOCK], options), person([NAME], options));
    expect(change?.means).toContain("an update that clears it is a bad row");
  });
});

describe("a change of entities.json", () => {
  it.each(OPTIONS)("%s", (_, before, after, wanted) => {
    expectChanges(changesOf(person(BOTH, before), person(BOTH, after)), wanted);
  });

  it.each([{ deleted: "gone" }, { clearedFields: "cleared" }])(
    "to %j beside a policy says what late ones read",
    (options) => {
      const fields = [{ name: "best", type: "INT64", merge: "max" }];
      const late = "one that comes late makes a run read all updates of its user";
      expect(changesOf(person(fields), person(fields, options))[0]?.means).toContain(late);
      expect(changesOf(person([NAME]), person([NAME], options))[0]?.means).not.toContain(late);
    },
  );

  it("that renames a REQUIRED key lets producers leave the old one out", () => {
    const keyed = (name: string) =>
      person([{ name, type: "STRING", mode: "REQUIRED" }, NAME], { key: ["userId", name] });
    const fills = changesOf(keyed("tenant"), keyed("org")).flatMap(({ needs }) =>
      needs.flatMap((need) => (need.step === "fill" ? (need.sql ?? []) : [])),
    );
    expect(fills).toEqual([
      expect.stringMatching(/^UPDATE `acme\.crm\.person_updates` SET `org` = `tenant` WHERE /),
      "ALTER TABLE `acme.crm.person_updates` ALTER COLUMN `tenant` DROP NOT NULL;",
    ]);
    const elsewhere = person([NAME], { key: ["userId"], dataset: "elsewhere" });
    expect(JSON.stringify(changesOf(keyed("tenant"), elsewhere))).not.toContain("DROP NOT NULL");
  });

  it("that names a new final table needs no rebuild, and refuses no atomic RECORD", () => {
    const before = person([CLOCK, address(["street"]), { name: "n", type: "INT64" }]);
    const after = person(
      [CLOCK, address(["street"], { merge: "atomic" }), { name: "n", type: "INT64", merge: "max" }],
      {
        eventTimestamp: "happened",
        tables: { final: "people" },
      },
    );
    const steps = changesOf(before, after).flatMap(({ needs }) => needs.map(({ step }) => step));
    expect(new Set(steps)).toEqual(new Set(["fill", "init", "after"]));
  });

  it("lists no statement over updates of others, and says whose they are", () => {
    const fillOf = (options: Record<string, unknown>) =>
      changesOf(
        person([NAME, HAPPENED], options),
        person([NAME, HAPPENED], { ...options, eventTimestamp: "happened" }),
      ).flatMap(({ needs }) => needs.filter((need) => need.step === "fill"));
    const own = "UPDATE `acme.crm.person_updates` SET `happened` = `ingestTimestamp`";
    expect(fillOf({})).toMatchObject([{ sql: [expect.stringContaining(own)] }]);
    expect(fillOf({ source: { project: "other", dataset: "raw", table: "events" } })).toMatchObject([
      { sql: [], text: expect.stringContaining("`other.raw.events` is only read here") },
    ]);
  });

  it("adds and removes entities", () => {
    expect(entityChanges(undefined, person([NAME]))).toMatchObject([
      { entity: "person", kind: "added", changes: [{ what: "an entity with 1 attribute" }] },
    ]);
    const means = expect.stringContaining("no run updates them any more");
    expect(entityChanges(person([NAME]), undefined)).toMatchObject([
      { entity: "person", kind: "removed", changes: [{ kind: "removed", means }] },
    ]);
  });
});

describe("an option of entities.json", () => {
  const file = entitiesJsonSchema() as {
    properties: { entities: { items: { properties: Record<string, unknown> } } };
  };
  const { properties } = file.properties.entities.items;
  /** For each option an entity that has it otherwise; of the schema the fields are compared, wherever its file is. */
  const others: Readonly<Record<string, Record<string, unknown>>> = {
    name: { name: "people" },
    key: { key: ["name"] },
    ingestTimestamp: { ingestTimestamp: "happened" },
    eventTimestamp: { eventTimestamp: "happened" },
    eventAhead: { eventTimestamp: "happened", eventAhead: { limit: "2 days" } },
    lookback: { lookback: "2 hours" },
    cursor: { cursor: "commit" },
    tables: { tables: { temp: "batch" } },
    clearedFields: { clearedFields: "cleared" },
    deleted: { deleted: "gone" },
    mergeEvery: { mergeEvery: "1 day" },
    source: { source: { dataset: "raw", table: "events" } },
    dataset: { dataset: "other" },
  };

  it.each(Object.keys(properties).filter((option) => option !== "schema"))("is compared: %s", (option) => {
    const before = person([NAME, HAPPENED], option === "eventAhead" ? { eventTimestamp: "happened" } : {});
    const changes = changesOf(before, person([NAME, HAPPENED], others[option]));
    const paths = changes.map(({ path }) => path.split(".")[0]);
    expect(paths).toContain(option);
  });
});

describe("a move", () => {
  const rename = (name: string, options = {}) =>
    entityChanges(person([NAME], { deleted: "gone" }), person([NAME], { name, deleted: "gone", ...options }));
  const sqlOf = (found: ReturnType<typeof rename>) =>
    found.flatMap(({ changes }) =>
      changes.flatMap(({ needs }) => needs.flatMap((need) => ("sql" in need ? (need.sql ?? []) : []))),
    );

  it("under another name takes along what no run makes again", () => {
    const found = rename("people");
    expect(found).toMatchObject([
      { entity: "people", kind: "changed", changes: [{ path: "name", what: "`person` -> `people`" }] },
    ]);
    expect(sqlOf(found)).toEqual(
      ["updates", "final", "tombstones", "watermark", "runs"].map(
        (table) => `CREATE TABLE \`acme.crm.people_${table}\` COPY \`acme.crm.person_${table}\`;`,
      ),
    );
  });

  it("that changes what final means leaves final to be filled anew", () => {
    const kept = sqlOf(rename("people", { clearedFields: "cleared" })).map(
      (sql) => /COPY `(.*)`/.exec(sql)?.[1],
    );
    expect(kept).toEqual(["acme.crm.person_updates", "acme.crm.person_tombstones"]);
  });

  it("to another dataset makes that one where the project is", () => {
    const [before, after] = [person([NAME]), person([NAME], { dataset: "elsewhere" })];
    const [change] = compareEntities([before], [after], "acme", "EU");
    expect(change === undefined ? [] : sqlOf([change])[0]).toBe(
      "CREATE SCHEMA IF NOT EXISTS `acme.elsewhere` OPTIONS (location = 'EU');",
    );
  });

  it("is none where the users or the clock are others", () => {
    const other = rename("people", { key: ["name"] });
    expect(other.map(({ kind }) => kind)).toEqual(["added", "removed"]);
  });
});

describe("a change's weight", () => {
  it("is that of its heaviest need", () => {
    expect(weightOf({ needs: [] })).toBe("none");
    expect(weightOf({ needs: [{ step: "init" }] })).toBe("act");
    expect(weightOf({ needs: [{ step: "init" }, { step: "fix", text: "" }] })).toBe("refused");
  });
});
