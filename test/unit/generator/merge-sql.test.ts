/** The leaf-level SQL of includes/merge.js: each function through Google's analyzer, and a policy is one whole entry. */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Entity, Field } from "../../../generator/scaffold/includes/merge.js";
import { includedFiles, mergeSql } from "../../../generator/src/generate/merge-sql.ts";
import { POLICIES, type Policy } from "../../../generator/src/generate/policies.ts";
import { VALUE_TYPES } from "../../../generator/src/generate/value-types.ts";
import { Analyzer } from "../../../local/src/googlesql/analyzer.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

let analyzer: Analyzer;
beforeAll(async () => {
  analyzer = new Analyzer();
  await analyzer.start();
}, 60_000);
afterAll(() => analyzer.close());

/** Analyzes an expression over a row that a query spells out; throws the analyzer's error. */
async function analyze(expression: string, rows: string): Promise<void> {
  const env = {
    source: { findTable: () => Promise.resolve(undefined) },
    variables: new Map(),
    parameters: [],
    defaultProject: "p",
  };
  await analyzer.analyzeStatement(`SELECT ${expression} FROM ${rows}`, env);
}

/** An entity of one leaf of this type. */
function entityOf(type: string, more: Partial<Entity> = {}): Entity {
  const { order } = VALUE_TYPES[type as keyof typeof VALUE_TYPES];
  const fields: Field[] = [
    { name: "id", role: "key" },
    { name: "stamp", role: "ingest" },
    { name: "value", order },
  ];
  return { revision: "0", keys: [{ sql: "id" }], ingest: "stamp", fields, ...more };
}

function leafOf(entity: Entity): Parameters<typeof mergeSql.gatherLatest>[1] {
  const leaf = mergeSql.leavesOf(entity).get("value");
  if (leaf === undefined) throw new Error("the entity has a leaf");
  return leaf;
}

const TYPES = Object.keys(VALUE_TYPES).filter((type) => type !== "STRUCT");

describe("what merge.js says, GoogleSQL takes", () => {
  test.each(TYPES)("%s: every policy that fits gathers and decides", async (type) => {
    const isOrdered = !["JSON", "GEOGRAPHY"].includes(type);
    const updates = `(SELECT 1 AS id, CURRENT_TIMESTAMP() AS stamp, CAST(NULL AS ${type}) AS value) AS updates`;
    const row = `(SELECT STRUCT(CAST(NULL AS ${type}) AS value, CURRENT_TIMESTAMP() AS version, TRUE AS is_newer) AS value)`;
    for (const policy of Object.values(POLICIES)) {
      const refusal = policy.refuse({ type: type as keyof typeof VALUE_TYPES, isRepeated: false, isOrdered });
      if (refusal !== undefined) continue;
      const entity = entityOf(type);
      await analyze(mergeSql[policy.gather](entity, leafOf(entity)), updates);
      await analyze(mergeSql[policy.decide](entity, leafOf(entity)), `${row} AS batch, ${row} AS final`);
    }
  });

  test("a version is stored only where it is not the base, and read back", async () => {
    const entity = entityOf("STRING");
    const stored =
      "(SELECT 'a' AS value, CURRENT_TIMESTAMP() AS _base_version, STRUCT(CAST(NULL AS TIMESTAMP) AS value) AS _own_versions) AS stored";
    await analyze(mergeSql.decodeVersion(leafOf(entity)), stored);
    await analyze(mergeSql.stored(leafOf(entity), "final"), stored);
    await analyze(
      mergeSql.encodeVersion(entity, leafOf(entity)),
      "(SELECT STRUCT('a' AS value, CURRENT_TIMESTAMP() AS version) AS value, CURRENT_TIMESTAMP() AS _base_version)",
    );
  });

  test("the analyzer refuses what is wrong", async () => {
    const entity = entityOf("GEOGRAPHY");
    const leaf = { ...leafOf(entity), order: "plain" as const };
    const row = "(SELECT ST_GEOGPOINT(1, 1) AS value)";
    await expect(
      analyze(mergeSql.isGreater(leaf, "a.value", "b.value"), `${row} AS a, ${row} AS b`),
    ).rejects.toThrow();
  });
});

describe("keys", () => {
  test("a FLOAT64 key is compared and hashed by its text, every other by itself", () => {
    const keys = [{ sql: "id" }, { sql: "score", isFloat: true }];
    expect(mergeSql.keysMatch(keys, "a", "b")).toBe(
      "a.id = b.id AND TO_JSON_STRING(a.score + 0.0) = TO_JSON_STRING(b.score + 0.0)",
    );
    expect(mergeSql.keyHash(keys, "a")).toBe(
      "TO_HEX(SHA256(TO_JSON_STRING(STRUCT(a.id AS id, a.score + 0.0 AS score))))",
    );
    expect(mergeSql.keyHash(keys, (_, index) => `@key${index}`)).toBe(
      "TO_HEX(SHA256(TO_JSON_STRING(STRUCT(@key0 AS id, @key1 + 0.0 AS score))))",
    );
  });
});

describe("one place", () => {
  test("a policy that leaves a part out is a type error", () => {
    const whole = { ...POLICIES.latest } satisfies Policy;
    const { decide: _, ...withoutDecide } = whole;
    // @ts-expect-error it does not say how the batch and final become one
    const wrong: Policy = withoutDecide;
    // @ts-expect-error merge.js has no such function
    const unknown: Policy = { ...whole, gather: "gatherAverage" };
    expect([wrong, unknown]).toHaveLength(2);
  });

  test("the project's includes are the tool's, with the tool's version in the first line alone", () => {
    for (const [file, text] of includedFiles()) {
      expect(readFileSync(path.join(ROOT, file), "utf8"), file).toBe(text);
      expect(text.split("\n")[0]).toMatch(
        /^\/\/ A copy by `npm run generate` from user-info-updater \d+\.\d+\.\d+/,
      );
      expect(() => createRequire(import.meta.url).resolve(path.join(ROOT, file))).not.toThrow();
    }
  });

  test("definitions of the samples stay at most half of the 1,760 lines that they had", () => {
    const files = readdirSync(path.join(ROOT, "definitions"), { recursive: true, encoding: "utf8" });
    const lines = files
      .filter((file) => /^user_(info|profile)\/.*\.sqlx$/.test(file))
      .map((file) => readFileSync(path.join(ROOT, "definitions", file), "utf8").split("\n").length - 1);
    expect(lines.length).toBeGreaterThan(20);
    expect(lines.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(880);
  });
});
