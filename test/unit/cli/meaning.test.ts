import { describe, expect, it } from "vitest";
import { describeChanges, refuseMixture } from "../../../generator/src/cli/meaning.ts";
import { buildModels } from "../../../generator/src/generate/project.ts";
import type { Due } from "../../../generator/src/review/meaning.ts";

const FIELDS = [
  { name: "userId", type: "STRING" },
  { name: "at", type: "TIMESTAMP" },
  { name: "a", type: "STRING" },
];
const ENTITY = { name: "user", schema: "user.json", key: ["userId"], ingestTimestamp: "at" };
const [model] = buildModels({ entities: [ENTITY] }, new Map([["user.json", JSON.stringify(FIELDS)]]));

function changeOf(due: Due) {
  if (model === undefined) throw new Error("no model");
  return { model, changes: [], due, accepted: [] };
}

describe("a run by another meaning than that of final", () => {
  it.each<[string, Due, RegExp, boolean]>([
    [
      "a rebuild",
      { rebuild: "key id -> userId" },
      /due is npm run update -- --tags user --vars=rebuild=true/,
      true,
    ],
    ["init", { init: "deleted gone -> none" }, /npm run init -- --plan says what to do first/, false],
    [
      "other tables",
      { tables: "a atomic -> field by field" },
      /npm run init -- --plan says what stands/,
      false,
    ],
    [
      "init and a rebuild",
      { init: "b is new", rebuild: "a latest -> max" },
      /says what to do first, .* then due is npm run update/,
      false,
    ],
  ])("stops where %s is due", (_, due, message, isSettled) => {
    expect(() => refuseMixture([changeOf(due)], false)).toThrow(message);
    expect(() => refuseMixture([changeOf(due)], false)).toThrow(/^user: .* changed since the last run/);
    if (isSettled) expect(() => refuseMixture([changeOf(due)], true)).not.toThrow();
    else expect(() => refuseMixture([changeOf(due)], true)).toThrow(message);
  });

  it("names the statements that come before a rebuild, as they are typed, and every entity", () => {
    const sql = "UPDATE `p.d.user_updates` SET `when` = at WHERE `when` IS NULL;";
    const needs = [
      { step: "fill", text: "Give `user` its times.", sql: [sql] },
      { step: "rebuild", reason: "event timestamp" },
    ] as const;
    const change = {
      path: "eventTimestamp",
      kind: "changed",
      what: "`at` -> `when`",
      means: "later",
      needs,
    } as const;
    const changed = { ...changeOf({ rebuild: "eventTimestamp none -> when" }), changes: [change] };
    expect(describeChanges([changed])).toEqual([
      "user: eventTimestamp: at -> when: later",
      `user: due: Give user its times. ${sql}`,
      expect.stringMatching(/^user: due: Rebuild user .*npm run update -- --tags user --vars=rebuild=true$/),
    ]);
    const both = () => refuseMixture([changed, changeOf({ init: "deleted gone -> none" })], false);
    expect(both).toThrow(
      /due is npm run update .*=true, after the statements that npm run init -- --plan lists, where/,
    );
    expect(both).toThrow(/\nuser: deleted gone -> none: /);
  });

  it("goes on where nothing is due", () => {
    expect(() => refuseMixture([changeOf({})], false)).not.toThrow();
  });

  it("is told by init though nobody knows what was before", () => {
    expect(describeChanges([changeOf({ rebuild: "a is in older updates already" })])).toEqual([
      "user: a is in older updates already: due: npm run update -- --tags user --vars=rebuild=true",
    ]);
  });
});
