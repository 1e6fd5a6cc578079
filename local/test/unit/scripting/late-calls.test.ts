import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { lateSql } from "../../../src/compiler/late/calls.ts";
import { LateFunctions } from "../../../src/compiler/late/functions.ts";
import { Harness } from "./harness.ts";

let harness: Harness;
const late = vi.spyOn(LateFunctions.prototype, "run");
beforeAll(async () => {
  harness = await Harness.start();
  await harness.run(
    `CREATE TABLE d.texts AS SELECT n, CONCAT('{"a": [', REPEAT('{"id": 1, "name": "a name"}, ', 20000), '0], "b": "', n, '"}') AS t
     FROM UNNEST([1, 2, 3, 4, 5, 6]) AS n`,
  );
});
beforeEach(() => {
  late.mockClear();
});
afterAll(async () => {
  late.mockRestore();
  await harness.close();
});

/** The longest time for which the event loop did not turn while work was done, as a share of the time that it took. */
async function longestHold(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  let last = start;
  let longest = 0;
  const turn = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(turn, 1);
  await work();
  clearInterval(timer);
  turn();
  return longest / (performance.now() - start);
}

describe("a function that computes for long", () => {
  it.each([
    ["SUM(CAST(JSON_VALUE(t, '$.b') AS INT64))", [21n]],
    ["SUM(LENGTH(TO_JSON_STRING(PARSE_JSON(t))))", [3_000_102n]],
    ["SUM(LENGTH(INITCAP(t)))", [3_480_120n]],
  ])("leaves the event loop to others: %s", async (select, row) => {
    const hold = await longestHold(async () => {
      expect(await harness.rows(`SELECT ${select} FROM d.texts`)).toEqual([row]);
    });
    expect(late).toHaveBeenCalledOnce();
    expect(hold).toBeLessThan(0.5);
  });

  const LONG = "REPEAT('ab ', 400000)";
  it.each([
    [
      "NULLs",
      `SELECT INITCAP(IF(n = 1, ${LONG}, NULL)) IS NULL FROM UNNEST([1, 2]) AS n ORDER BY n`,
      [[false], [true]],
    ],
    [
      "BYTES",
      `SELECT LENGTH(TO_HEX(SHA1(CAST(${LONG} AS BYTES)))), LENGTH(FROM_HEX(REPEAT('AB', 600000)))`,
      [[40n, 600_000n]],
    ],
    ["numbers", `SELECT INSTR(${LONG}, 'ab', 2, 2)`, [[7n]]],
    ["calls in calls", `SELECT LENGTH(INITCAP(TRANSLATE(${LONG}, 'a', 'c')))`, [[1_200_000n]]],
    [
      "a filter",
      `SELECT n FROM UNNEST([1, 2]) AS n WHERE STARTS_WITH(INITCAP(CONCAT(n, ${LONG})), '2')`,
      [[2n]],
    ],
    [
      "an aggregate of DISTINCT values in their order",
      `SELECT LENGTH(STRING_AGG(DISTINCT INITCAP(CONCAT(n, ${LONG})), '' ORDER BY INITCAP(CONCAT(n, ${LONG})))) FROM UNNEST([1, 2]) AS n`,
      [[2_400_002n]],
    ],
    [
      "groups",
      `SELECT LEFT(INITCAP(CONCAT(n, ${LONG})), 2) AS k, COUNT(*) FROM UNNEST([1, 1]) AS n GROUP BY k`,
      [["1a", 2n]],
    ],
    [
      "a subquery that is correlated",
      `SELECT (SELECT MAX(LENGTH(INITCAP(CONCAT(n, m, ${LONG})))) FROM UNNEST([1, n]) AS m) FROM UNNEST([10]) AS n`,
      [[1_200_004n]],
    ],
    [
      "a join's condition",
      `SELECT a, b FROM UNNEST([1, 2]) AS a JOIN UNNEST([2, 3]) AS b ON INITCAP(CONCAT(a, ${LONG})) = INITCAP(CONCAT(b, ${LONG}))`,
      [[2n, 2n]],
    ],
    ["a variable of a script", `DECLARE v STRING DEFAULT INITCAP(${LONG}); SELECT LENGTH(v)`, [[1_200_000n]]],
  ])("gives what it gives elsewhere: %s", async (_, sql, rows) => {
    expect(await harness.rows(sql)).toEqual(rows);
    expect(late).toHaveBeenCalled();
  });

  it("takes its time within SAFE, whose NULL would not be told from an error's", async () => {
    const sql = `SELECT SAFE.PARSE_JSON(${LONG}), LENGTH(SAFE.INITCAP(${LONG})), SAFE.LENGTH(INITCAP(${LONG})),
      SAFE_CAST(INITCAP(CONCAT(REPEAT(' ', 1200000), '7')) AS INT64)`;
    const quick = await harness.rows(sql.replaceAll("00000)", ")"));
    expect(quick).toEqual([[null, 12n, 12n, 7n]]);
    expect(await harness.rows(sql)).toEqual([[null, 1_200_000n, 1_200_000n, 7n]]);
  });

  it("fails as it fails elsewhere", async () => {
    const message = (await harness.failure("SELECT PARSE_JSON('{x')")).message;
    const error = await harness.failure(`SELECT PARSE_JSON(CONCAT('{x', ${LONG}))`);
    expect([error.reason, error.message.slice(0, message.length)]).toEqual(["invalidQuery", message]);
    expect(late).toHaveBeenCalledOnce();
  });

  it("writes once", async () => {
    await harness.run("CREATE TABLE d.lengths (n INT64, words STRING)");
    await harness.run("INSERT d.lengths SELECT n, INITCAP(t) FROM d.texts");
    await harness.run("UPDATE d.lengths SET words = TRANSLATE(words, 'a', 'b') WHERE TRUE");
    await harness.run("CREATE TABLE d.copied AS SELECT INITCAP(words) AS words FROM d.lengths");
    expect(late).toHaveBeenCalledTimes(3);
    expect(await harness.rows("SELECT COUNT(*), COUNTIF(words LIKE '%Nbme%') FROM d.copied")).toEqual([
      [6n, 6n],
    ]);
  });

  it("takes its time in a transaction, which could not be gone on with", async () => {
    const sql = `BEGIN TRANSACTION; CREATE TEMP TABLE x AS SELECT INITCAP(t) AS t FROM d.texts; COMMIT TRANSACTION; SELECT COUNT(*) FROM x`;
    expect(await harness.rows(sql)).toEqual([[6n]]);
    expect(late).not.toHaveBeenCalled();
  });

  it("ends when its job is cancelled", async () => {
    const controller = new AbortController();
    const sql =
      "SELECT SUM(EDIT_DISTANCE(LEFT(t, 4000), REVERSE(LEFT(t, 4000)))) FROM d.texts, UNNEST(GENERATE_ARRAY(1, 200))";
    const job = harness.failure(sql, { signal: controller.signal });
    await vi.waitFor(() => expect(late).toHaveBeenCalled(), { timeout: 60_000 });
    controller.abort();
    expect((await job).reason).toBe("stopped");
  });
});

it("calls are found by their names, outside of texts, TRY and the conditions of joins", () => {
  const kept =
    "SELECT 'bq_json_quote(1)', \"bq_json_quote(1)\", TRY(bq_json_quote(x)), [bq_other(1, 2)] FROM a JOIN b ON bq_json_quote(x) = (bq_json_quote(y))";
  expect(lateSql(kept, 7)).toBe(kept);
  const made = lateSql(`${kept} WHERE bq_partial_x(1) AND bq_json_quote('it''s, ' || f(1, 2)) = 1`, 7);
  expect(made.startsWith(`${kept} WHERE bq_partial_x(1) AND bq_late_result_`)).toBe(true);
  expect(made).toContain("bq_late_submit(7::BIGINT, 'bq_json_quote', CAST('it''s, ' || f(1, 2) AS VARCHAR))");
});
