import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bench, field } from "./harness.ts";

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open([
    {
      name: "t",
      schema: [
        field("g", "INTEGER"),
        field("x", "STRING"),
        field("ts", "TIMESTAMP"),
        field("f", "FLOAT"),
        field("i", "INTERVAL"),
        field("n", "NUMERIC"),
      ],
    },
  ]);
  await bench.run(`INSERT INTO d.t (g, x, ts, f, i, n) VALUES
    (1, 'a', TIMESTAMP '2024-01-01', 1.5, INTERVAL 30 DAY, 1),
    (1, NULL, TIMESTAMP '2025-01-01', CAST('nan' AS FLOAT64), INTERVAL 1 MONTH, NULL),
    (1, 'c', NULL, CAST('-inf' AS FLOAT64), INTERVAL 31 DAY, 2),
    (1, 'b', TIMESTAMP '2024-01-01', NULL, NULL, 2),
    (2, NULL, NULL, NULL, NULL, NULL),
    (3, 'z', NULL, NULL, NULL, -1)`);
});

afterAll(() => bench.close());

const ORDERS = [
  "ts DESC, x",
  "ts, x",
  "ts DESC NULLS FIRST, x",
  "ts NULLS LAST, x",
  "ts DESC, x DESC",
  "f, x",
  "f DESC, x",
  "i, x",
  "i DESC, x DESC",
  "n DESC, f DESC, x",
  "x",
  "x DESC NULLS FIRST",
  "LENGTH(x) DESC, x DESC",
];

describe("the first element of an ordered ARRAY_AGG", () => {
  it.each(ORDERS)("by %s is what the whole list starts with", async (order) => {
    for (const nulls of ["IGNORE NULLS", "RESPECT NULLS"]) {
      const quick = `ARRAY_AGG(x ${nulls} ORDER BY ${order} LIMIT 1)[SAFE_OFFSET(0)]`;
      // The list is used for its length too, so it has to be made.
      const list = `ARRAY_AGG(x ${nulls} ORDER BY ${order})`;
      const slow = `SELECT g, a[SAFE_OFFSET(0)], ARRAY_LENGTH(a) < 0 FROM (SELECT g, ${list} AS a FROM d.t GROUP BY g) ORDER BY g`;
      const expected = (await bench.rows(slow)).map(([g, first]) => [g, first]);
      expect(await bench.rows(`SELECT g, ${quick} FROM d.t GROUP BY g ORDER BY g`)).toStrictEqual(expected);
    }
  });

  it("is found by a running minimum or maximum, not a list", async () => {
    const sql = async (query: string): Promise<string> => {
      const compiled = await bench.compile(query);
      return compiled.kind === "query" ? compiled.sql : "";
    };
    const one = await sql(
      "SELECT ARRAY_AGG(x IGNORE NULLS ORDER BY ts DESC LIMIT 1)[SAFE_OFFSET(0)] FROM d.t",
    );
    expect(one).toContain("arg_max(");
    const struct =
      "ARRAY_AGG(IF(x IS NULL, NULL, STRUCT(x AS v, ts AS w)) IGNORE NULLS ORDER BY ts DESC, x DESC LIMIT 1)";
    const two = await sql(`SELECT a.v, a.w FROM (SELECT ${struct}[SAFE_OFFSET(0)] AS a FROM d.t)`);
    expect(two).toContain("arg_min(");
    expect(`${one}${two}`).not.toMatch(/\blist\(|array_agg\(/);
  });

  it.each([
    [
      "SELECT a[SAFE_OFFSET(0)], a[SAFE_OFFSET(1)] FROM (SELECT ARRAY_AGG(x IGNORE NULLS ORDER BY x) a FROM d.t)",
      [["a", "b"]],
    ],
    [
      "SELECT a[SAFE_OFFSET(0)], a FROM (SELECT ARRAY_AGG(x IGNORE NULLS ORDER BY x LIMIT 2) a FROM d.t)",
      [["a", ["a", "b"]]],
    ],
    [
      "WITH w AS (SELECT ARRAY_AGG(x IGNORE NULLS ORDER BY x) a FROM d.t) SELECT a[SAFE_OFFSET(0)], ARRAY_LENGTH(a) FROM w",
      [["a", 4n]],
    ],
    [
      "SELECT a[SAFE_OFFSET(0)] FROM (SELECT ARRAY_AGG(x IGNORE NULLS ORDER BY x LIMIT 0) a FROM d.t)",
      [[null]],
    ],
    [
      "SELECT ARRAY(SELECT a[SAFE_OFFSET(0)] FROM (SELECT ARRAY_AGG(x IGNORE NULLS ORDER BY x DESC) a FROM d.t))",
      [[["z"]]],
    ],
    ["SELECT ARRAY_LENGTH((SELECT ARRAY_AGG(x IGNORE NULLS ORDER BY x) FROM d.t))", [[4n]]],
    ["SELECT (SELECT ARRAY_AGG(x IGNORE NULLS ORDER BY x) FROM d.t)[SAFE_OFFSET(0)]", [["a"]]],
    [
      "SELECT a[SAFE_OFFSET(0)] FROM (SELECT ARRAY_AGG(x IGNORE NULLS ORDER BY x) a FROM d.t UNION ALL SELECT ['q']) ORDER BY 1",
      [["a"], ["q"]],
    ],
    ["SELECT ARRAY_AGG(DISTINCT x IGNORE NULLS ORDER BY x DESC)[SAFE_OFFSET(0)] FROM d.t", [["z"]]],
    ["SELECT ARRAY_AGG(x ORDER BY n DESC LIMIT 1)[SAFE_ORDINAL(1)] FROM d.t WHERE g = 3", [["z"]]],
  ])("leaves alone what is used as a list: %s", async (sql, rows) => {
    expect(await bench.rows(sql)).toStrictEqual(rows);
  });

  it("keeps the sign of zero in what it finds", async () => {
    const zeros = "UNNEST([STRUCT(CAST('-0.0' AS FLOAT64) AS f, 1 AS n), (0.0, 0)]) AS row_of_zeros";
    const sql = `SELECT IEEE_DIVIDE(1, ARRAY_AGG(STRUCT(row_of_zeros.f, [row_of_zeros.f] AS g) ORDER BY row_of_zeros.n DESC LIMIT 1)[SAFE_OFFSET(0)].f) FROM ${zeros}`;
    expect(await bench.rows(sql)).toStrictEqual([[Number.NEGATIVE_INFINITY]]);
  });
});
