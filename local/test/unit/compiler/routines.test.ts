import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bench, field } from "./harness.ts";

let bench: Bench;

const sqlFunction = (text: string) => ({ routine: "FUNCTION", text: `CREATE FUNCTION d.${text}` }) as const;

beforeAll(async () => {
  bench = await Bench.open(
    [{ name: "t", schema: [field("id", "INTEGER"), field("name", "STRING")] }],
    {},
    {
      plus: sqlFunction("plus(a INT64, b INT64) AS (a + b)"),
      twice: sqlFunction("twice(a INT64) AS (d.plus(a, a))"),
      square: sqlFunction("square(a ANY TYPE) AS (a * a)"),
      quad: sqlFunction("quad(a ANY TYPE) AS (d.square(d.square(a)))"),
      halved: sqlFunction("halved(a ANY TYPE) RETURNS FLOAT64 AS (a / 2)"),
      known: sqlFunction("known(key ANY TYPE) AS ((SELECT MAX(name) FROM d.t WHERE id = key))"),
      both: sqlFunction("both(key ANY TYPE) AS (CONCAT(d.known(key), '!'))"),
      within: sqlFunction(
        "within(n INT64) AS ((SELECT d.spread(x, n) FROM UNNEST([n, 7]) AS x WHERE x > n))",
      ),
      named: sqlFunction("named(key INT64) AS ((SELECT MAX(name) FROM d.t WHERE id = key))"),
      // An aggregate of nothing but the argument, which is a column of the caller's query.
      largest: sqlFunction("largest(a INT64) AS ((SELECT MAX(a) FROM UNNEST([1, 2])))"),
      first: sqlFunction(
        "first(a ARRAY<INT64>) AS ((SELECT ARRAY_AGG(x ORDER BY x DESC LIMIT 1)[SAFE_OFFSET(0)] FROM UNNEST(a) x))",
      ),
      // A subquery whose only link to the rows outside is the argument.
      doubled: sqlFunction(
        "doubled(a ARRAY<INT64>) AS (ARRAY(SELECT x FROM UNNEST(ARRAY_CONCAT(ARRAY(SELECT x FROM UNNEST(a) x WHERE x > 1 ORDER BY x DESC), ARRAY_REVERSE(a))) x WITH OFFSET o ORDER BY o))",
      ),
      spread: {
        routine: "AGGREGATE FUNCTION",
        text: "CREATE AGGREGATE FUNCTION d.spread(x INT64, k INT64 NOT AGGREGATE) AS ((MAX(x) - MIN(x)) * k)",
      },
      scaled: {
        routine: "AGGREGATE FUNCTION",
        text: "CREATE AGGREGATE FUNCTION d.scaled(x ANY TYPE, k ANY TYPE NOT AGGREGATE) AS (d.square(MAX(x)) * k)",
      },
      wider: {
        routine: "AGGREGATE FUNCTION",
        text: "CREATE AGGREGATE FUNCTION d.wider(x INT64, k INT64 NOT AGGREGATE) AS (d.spread(x * k, k) + k)",
      },
      constant: {
        routine: "AGGREGATE FUNCTION",
        text: "CREATE AGGREGATE FUNCTION d.constant(x INT64, k INT64 NOT AGGREGATE) AS (k + 1)",
      },
      repeated: {
        routine: "TABLE FUNCTION",
        text: "CREATE TABLE FUNCTION d.repeated(x ANY TYPE, n INT64) AS SELECT d.square(x) AS y FROM UNNEST(GENERATE_ARRAY(1, n))",
      },
      lists: {
        routine: "TABLE FUNCTION",
        text: "CREATE TABLE FUNCTION d.lists(low INT64) AS SELECT a, a[SAFE_OFFSET(0)] AS f FROM (SELECT ARRAY_AGG(id ORDER BY id) a FROM d.t WHERE id > low)",
      },
      above: {
        routine: "TABLE FUNCTION",
        text: "CREATE TABLE FUNCTION d.above(low INT64) AS SELECT id, name FROM d.t WHERE id > low",
      },
    },
  );
  await bench.run("INSERT INTO d.t VALUES (1, 'one'), (2, 'two'), (5, 'five')");
});

afterAll(() => bench.close());

// https://cloud.google.com/bigquery/docs/user-defined-functions
describe("a call of a user's SQL function", () => {
  it.each([
    ["SELECT d.plus(1, 2), d.twice(4), d.square(3), d.square(1.5)", [[3n, 8n, 9n, 2.25]]],
    ["SELECT d.quad(2), d.quad(1.5), d.halved(3)", [[16n, 5.0625, 1.5]]],
    ["SELECT d.both(2), d.both(5.0), (SELECT COUNT(*) FROM d.t)", [["two!", "five!", 3n]]],
    ["SELECT d.scaled(id, 2), d.scaled(id / 2, 0.5) FROM d.t", [[50n, 3.125]]],
    ["SELECT d.wider(id, 2) FROM d.t", [[18n]]],
    ["SELECT d.constant(id, 1) FROM d.t", [[2n]]],
    ["SELECT d.constant(id, 1) FROM d.t GROUP BY id > 1", [[2n], [2n]]],
    [
      "SELECT d.within(5), d.within(id) FROM d.t WHERE id < 3 ORDER BY id",
      [
        [0n, 0n],
        [0n, 0n],
      ],
    ],
    ["SELECT y FROM d.repeated(3, 2)", [[9n], [9n]]],
    ["SELECT a.y, b.y AS z FROM d.repeated(1.5, 1) a, d.repeated(2, 1) b", [[2.25, 4n]]],
    ["SELECT d.plus(id, d.twice(id)) FROM d.t ORDER BY id", [[3n], [6n], [15n]]],
    [
      "SELECT id, d.named(id), d.named(id + 1) FROM d.t ORDER BY id",
      [
        [1n, "one", "two"],
        [2n, "two", null],
        [5n, "five", null],
      ],
    ],
    [
      "SELECT d.largest(id), d.largest(id * 2) FROM d.t ORDER BY id",
      [
        [1n, 2n],
        [2n, 4n],
        [5n, 10n],
      ],
    ],
    ["SELECT d.first([1, 7, 3]), d.first([])", [[7n, null]]],
    [
      "SELECT d.doubled([id, id * 2]) FROM d.t ORDER BY id",
      [[[2n, 2n, 1n]], [[4n, 2n, 4n, 2n]], [[10n, 5n, 10n, 5n]]],
    ],
    ["SELECT d.spread(id, 10) FROM d.t", [[40n]]],
    [
      "SELECT id > 1, d.spread(id, 1) FROM d.t GROUP BY 1 ORDER BY 1",
      [
        [false, 0n],
        [true, 3n],
      ],
    ],
    ["SELECT a, f FROM d.lists(1)", [[[2n, 5n], 2n]]],
    ["SELECT name FROM d.above(1) ORDER BY id", [["two"], ["five"]]],
    [
      "SELECT a.id, b.id FROM d.above(1) a JOIN d.above(d.plus(1, 1)) b ON a.id <= b.id ORDER BY 1",
      [
        [2n, 5n],
        [5n, 5n],
      ],
    ],
    ["SELECT id FROM d.t WHERE d.plus(id, 1) = 3", [[2n]]],
  ])("%s", async (sql, rows) => {
    expect(await bench.rows(sql)).toStrictEqual(rows);
  });

  it("takes only what is the same for all rows for NOT AGGREGATE", async () => {
    await expect(bench.rows("SELECT d.spread(id, id) FROM d.t")).rejects.toThrow(
      "Argument 2 to d.spread must be a literal or query parameter",
    );
  });

  it("counts what its body reads", async () => {
    const compiled = await bench.compile("SELECT d.named(1)");
    expect(compiled).toMatchObject({ reads: [{ table: { tableId: "t" }, columns: ["id", "name"] }] });
  });
});
