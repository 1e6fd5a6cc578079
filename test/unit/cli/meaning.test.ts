import { describe, expect, it } from "vitest";
import { describeChanges, refuseMixture } from "../../../generator/src/cli/meaning.ts";
import { buildModels } from "../../../generator/src/generate/project.ts";
import { compareEntities } from "../../../generator/src/review/entity-changes.ts";
import { dueOf, type MeaningChange } from "../../../generator/src/review/meaning.ts";

const FIELDS = [
  { name: "userId", type: "STRING" },
  { name: "shop", type: "STRING" },
  { name: "at", type: "TIMESTAMP" },
  { name: "seen", type: "TIMESTAMP" },
  { name: "a", type: "STRING" },
];
const ENTITY = { name: "user", schema: "user.json", key: ["userId"], ingestTimestamp: "at" };

function changeOf(before: object, after: object, fields: readonly object[] = FIELDS): MeaningChange {
  const model = (entity: object, schema: readonly object[]) =>
    buildModels({ entities: [{ ...ENTITY, ...entity }] }, new Map([["user.json", JSON.stringify(schema)]]));
  const [now] = model(after, fields);
  const [old] = model(before, FIELDS);
  if (now === undefined || old === undefined) throw new Error("no model");
  const [compared] = compareEntities([old], [now], "p");
  const changes = compared?.changes ?? [];
  return { model: now, changes, due: dueOf(old, now, changes) };
}

const first = FIELDS.map((field) => (field.name === "a" ? { ...field, merge: "first" } : field));

describe("a run by another meaning than that of final", () => {
  const cases: [string, MeaningChange, string, boolean][] = [
    ["a key column more", changeOf({}, { key: ["userId", "shop"] }), "rebuild", true],
    ["a key column less", changeOf({ key: ["userId", "shop"] }, {}), "rebuild", true],
    ["an event timestamp dropped", changeOf({ eventTimestamp: "seen" }, {}), "rebuild", true],
    ["another policy", changeOf({}, {}, first), "rebuild", true],
    ["deletes dropped", changeOf({ deleted: "gone" }, {}), "acceptance", false],
    ["another ingest timestamp", changeOf({}, { ingestTimestamp: "seen" }), "fix", false],
  ];
  for (const [name, change, due, isSettled] of cases) {
    it(`stops for ${name}, and ${isSettled ? "goes on" : "does not go on"} with a rebuild`, () => {
      expect(change.due).toBe(due);
      expect(() => refuseMixture([change], false)).toThrow(
        /^user: .* changed since the last run, and final would mix/,
      );
      if (isSettled) expect(() => refuseMixture([change], true)).not.toThrow();
      else expect(() => refuseMixture([change], true)).toThrow("npm run init -- --plan says");
      expect(describeChanges([change]).join("\n")).toMatch(/^user: \w+/);
    });
  }

  it("goes on where a field came or went, deletes began, or the window grew", () => {
    const added = changeOf({}, {}, [...FIELDS, { name: "b", type: "STRING" }]);
    const gone = changeOf(
      {},
      {},
      FIELDS.filter(({ name }) => name !== "shop"),
    );
    for (const change of [
      added,
      gone,
      changeOf({}, { deleted: "gone" }),
      changeOf({}, { lookback: "2 hours" }),
    ]) {
      expect(change.due).toBe("nothing");
      expect(() => refuseMixture([change], false)).not.toThrow();
    }
  });
});
