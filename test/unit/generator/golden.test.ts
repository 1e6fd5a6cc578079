import { describe, expect, test } from "vitest";
import { actionTexts } from "../../../generator/src/dataform/actions.ts";
import type { CompileSettings } from "../../../generator/src/dataform/compiler.ts";
import { formatDifferences } from "../../../generator/src/generate/write.ts";
import { compileCase, listCases, produce, readExpected } from "../../golden/golden-case.ts";

describe("golden cases: the files, and the graph Dataform compiles from them", async () => {
  test.each(await listCases())("%s", async (name) => {
    const [actual, expected] = [await produce(name), await readExpected(name)];
    const paths = [...new Set([...actual.keys(), ...expected.keys()])].sort();
    const differences = paths
      .filter((path) => actual.get(path) !== expected.get(path))
      .map((path) => ({
        path,
        kind: "changed" as const,
        actual: expected.get(path),
        expected: actual.get(path),
      }));
    // On purpose another output than before? `npm run golden:update`, and review what it writes.
    expect(formatDifferences(differences)).toBe("");
  });
});

test("an entity without clears and deletes pays nothing for them", async () => {
  const text = [...(await readExpected("nested")).values()].join("\n");
  expect(text).not.toMatch(/clear|delete[^ ]|tombstone|erase/i);
});

/**
 * A view has no script variables, and no other expression of a run's reading point is constant, so BigQuery would read every
 * partition each time: https://cloud.google.com/bigquery/docs/querying-partitioned-tables#use_a_constant_filter_expression
 */
test("in a plain run only scripts that know where to read from read the updates", async () => {
  for (const name of await listCases()) {
    const sqlx = [...(await readExpected(name))].filter(([path]) => path.endsWith(".sqlx"));
    const readers = sqlx.filter(
      ([, text]) =>
        /ref\("\w+", "\w+_updates"\)\} AS (updates|_batch_row)/.test(text) &&
        !/tags: \["(audit|erase)"\]/.test(text),
    );
    expect(readers.length, name).toBeGreaterThan(0);
    for (const [path, text] of readers) expect(text, path).toMatch(/DECLARE _read_from|commits\.declare\(/);
  }
});

/**
 * A suffix or prefix moves every table but declared sources (https://cloud.google.com/dataform/docs/configure-compilation):
 * an environment that is no more than a copy must not change the updates that the other one depends on.
 */
test.each([{ schemaSuffix: "dev" }, { tablePrefix: "dev" }, { databaseSuffix: "dev" }])(
  "an environment of %j reads the updates, and writes to its own tables only",
  async (environment) => {
    const writers = async (settings: CompileSettings) => {
      const graph = await compileCase("clears-and-deletes", settings);
      const jobs = actionTexts(graph).flatMap((action) => action.jobs);
      return jobs.filter((job) =>
        /(CREATE TABLE IF NOT EXISTS|ALTER TABLE|DELETE FROM|UPDATE|MERGE|INTO) `my-project\.analytics\.\w+_updates`/.test(
          job,
        ),
      );
    };
    expect(await writers({})).toHaveLength(3);
    expect(await writers(environment)).toEqual([]);
  },
);
