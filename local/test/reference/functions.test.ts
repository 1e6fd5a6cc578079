import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  aggregateFunctions,
  analyticFunctions,
  scalarFunctions,
} from "../../src/compiler/functions/table.ts";
import { judgeCase } from "./compare.ts";
import { readCorpus } from "./corpus.ts";
import { generateQueries } from "./generate.ts";
import { Judge } from "./judge.ts";
import { REFUSED_FUNCTIONS } from "./refused.ts";

let judge: Judge;
beforeAll(async () => {
  judge = await Judge.open();
});
afterAll(() => judge.close());

const corpus = readCorpus();
const files = [...new Set(corpus.map((each) => each.file))];

/** A few at a time: a query waits for GoogleSQL's server and for DuckDB in turn. */
async function forEach<T>(items: readonly T[], judgeOne: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const lane = async (): Promise<void> => {
    for (const item of left) await judgeOne(item);
  };
  await Promise.all([lane(), lane(), lane()]);
}

describe("the compiler and GoogleSQL's reference implementation agree", () => {
  test("the corpus is not lost", () => {
    expect(corpus.length).toBeGreaterThanOrEqual(1400);
  });

  test.each(files)("on %s", async (file) => {
    const wrong: string[] = [];
    await forEach(
      corpus.filter((one) => one.file === file),
      async (each) => {
        const { status, detail } = await judgeCase(judge, each);
        const expected = each.refused ? "refused" : "same";
        if (status !== expected)
          wrong.push(`${file}:${each.line} ${status}, not ${expected}: ${each.sql}\n  ${detail}`);
      },
    );
    expect(wrong).toEqual([]);
  });

  test("on random calls of every function the analyzer has", async () => {
    const queries = generateQueries(await judge.builtinFunctions(), 20_260_203, 2);
    const wrong: string[] = [];
    let same = 0;
    await forEach(queries, async (sql) => {
      const { status, detail } = await judgeCase(judge, { file: "", line: 0, sql, refused: false });
      if (status === "different") wrong.push(`${sql}\n  ${detail}`);
      if (status === "same") same++;
    });
    expect(wrong).toEqual([]);
    // Most are run and compared, not refused.
    expect(same).toBeGreaterThan(queries.length * 0.85);
  });
});

test("every function of the analyzer is mapped or refused by name", async () => {
  const unmapped = (await judge.builtinFunctions())
    .map((each) => (each.namePath as readonly string[]).join("."))
    .filter(
      (name) => !scalarFunctions.has(name) && !aggregateFunctions.has(name) && !analyticFunctions.has(name),
    );
  expect([...new Set(unmapped)].sort()).toEqual([...REFUSED_FUNCTIONS].sort());
});
