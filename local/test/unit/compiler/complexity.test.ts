import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Harness } from "../scripting/harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.close());

/** How long this process is at a query, in milliseconds. */
async function timeOf(sql: string, rows: unknown): Promise<number> {
  const before = process.cpuUsage();
  expect(await harness.rows(sql)).toEqual(rows);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Queries of a WITH, each of which names the one before it twice. */
function doubled(levels: number): string {
  const queries = Array.from(
    { length: levels },
    (_, level) => `a${level + 1} AS (SELECT l.x FROM a${level} AS l JOIN a${level} AS r ON l.x = r.x)`,
  );
  return `WITH ${["a0 AS (SELECT 1 AS x)", ...queries].join(", ")} SELECT COUNT(*) FROM a${levels}`;
}

describe("queries of a WITH that each name the one before twice", () => {
  it("are run where they are few", async () => {
    expect(await harness.rows(doubled(6))).toEqual([[1n]]);
  });

  it.each([20, 25, 60])("are too complex at %i levels, and the next statement is run", async (levels) => {
    const failure = await harness.failure(doubled(levels));
    expect(failure.message).toContain("Not enough resources for query planning");
    expect(failure.reason).toBe("resourcesExceeded");
    expect(await harness.rows("SELECT 1")).toEqual([[1n]]);
  });
});

it("an expression that nests too deeply to be read is too complex, and the next statement is run", async () => {
  const failure = await harness.failure(`SELECT 1${" + 1".repeat(20_000)}`);
  expect(failure.message).toContain("Not enough resources for query planning");
  expect(await harness.rows("SELECT 1")).toEqual([[1n]]);
});

describe("joins of many tables", () => {
  const chain = (joins: number): string =>
    `SELECT COUNT(*), SUM(t0.x) FROM d.few AS t0 ${Array.from(
      { length: joins },
      (_, at) => `JOIN d.few AS t${at + 1} ON t${at}.x = t${at + 1}.x`,
    ).join(" ")}`;
  const commas = (tables: number): string =>
    `SELECT COUNT(*) FROM ${Array.from({ length: tables }, (_, at) => `d.few AS t${at}`).join(", ")} WHERE ${Array.from(
      { length: tables - 1 },
      (_, at) => `t${at}.x = t${at + 1}.x`,
    ).join(" AND ")}`;

  it("take time by their number, and not by its fourth power", async () => {
    await harness.run("CREATE TABLE d.few AS SELECT x FROM UNNEST([1, 2, 3]) AS x");
    expect((await timeOf(chain(120), [[3n, 6n]])) / (await timeOf(chain(40), [[3n, 6n]]))).toBeLessThan(12);
  });

  it("are too complex where only a filter far above tells how they belong together", async () => {
    expect(await harness.rows(commas(5))).toEqual([[3n]]);
    const failure = await harness.failure(commas(70));
    expect(failure.message).toContain("too many subqueries or query is too complex");
    expect(failure.reason).toBe("resourcesExceeded");
    expect(await harness.rows("SELECT 1")).toEqual([[1n]]);
  });

  it("are taken in steps in a query of a WITH too", async () => {
    const steps = Array.from(
      { length: 50 },
      (_, at) => `a${at + 1} AS (SELECT l.x FROM a${at} AS l JOIN d.few AS r ON l.x = r.x)`,
    );
    const sql = `WITH ${["a0 AS (SELECT x FROM d.few)", ...steps].join(", ")} SELECT COUNT(*), SUM(x) FROM a50`;
    expect(await harness.rows(sql)).toEqual([[3n, 6n]]);
  });
});

it("PIVOT over many values takes about the time of the same by hand", async () => {
  await harness.run(
    "CREATE TABLE d.keys AS SELECT 1 AS g, x AS k, x AS v FROM UNNEST(GENERATE_ARRAY(0, 9999)) AS x",
  );
  const values = Array.from({ length: 400 }, (_, index) => index);
  const sums = [[1n, ...values.map(BigInt)]];
  const byHand = `SELECT g, ${values.map((k) => `SUM(IF(k = ${k}, v, NULL))`).join(", ")} FROM d.keys GROUP BY g`;
  const pivot = `SELECT * FROM d.keys PIVOT(SUM(v) FOR k IN (${values.join(", ")}))`;
  // The first of many columns waits for what the others have then.
  await timeOf(byHand, sums);
  expect((await timeOf(pivot, sums)) / (await timeOf(byHand, sums))).toBeLessThan(4);
});
