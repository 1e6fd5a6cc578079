import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bench, field } from "./harness.ts";

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open(
    [
      {
        name: "pairs",
        schema: [
          field("id", "INTEGER"),
          field("x", "FLOAT"),
          field("i", "INTERVAL"),
          field("xs", "FLOAT", "REPEATED"),
          field("r", "RECORD", "NULLABLE", [field("i", "INTERVAL"), field("n", "INTEGER")]),
        ],
      },
      { name: "copies", schema: [field("id", "INTEGER"), field("i", "INTERVAL"), field("text", "STRING")] },
    ],
    {},
    {
      text_of: {
        routine: "FUNCTION",
        text: "CREATE FUNCTION d.text_of(v INTERVAL) AS ((SELECT MAX(CAST(v AS STRING)) FROM UNNEST([1, 2])))",
      },
    },
  );
  await bench.run(`INSERT INTO d.pairs (id, x, i, xs, r) VALUES
    (1, 0.0, INTERVAL 1 MONTH, [0.0], STRUCT(INTERVAL 1 MONTH, 1)),
    (2, CAST('-0' AS FLOAT64), INTERVAL 30 DAY, [CAST('-0' AS FLOAT64)], STRUCT(INTERVAL 30 DAY, 1)),
    (3, 0.0, INTERVAL 720 HOUR, [0.0], STRUCT(INTERVAL 720 HOUR, 1))`);
});

afterAll(() => bench.close());

const SIGNS = [["inf"], ["-inf"], ["inf"]];
const INTERVALS = [["0-1 0 0:0:0"], ["0-0 30 0:0:0"], ["0-0 0 720:0:0"]];
const sign = (value: string): string => `CAST(IEEE_DIVIDE(1, ${value}) AS STRING)`;

/** What a subquery gives for rows that DuckDB holds equal: each row's own value. */
const QUERIES: readonly (readonly [string, unknown[][]])[] = [
  ["SELECT (SELECT CAST(i AS STRING)) FROM d.pairs ORDER BY id", INTERVALS],
  [
    "SELECT CAST((SELECT AS STRUCT r.* REPLACE (r.n + 1 AS n)).i AS STRING) FROM d.pairs ORDER BY id",
    INTERVALS,
  ],
  ["SELECT CAST((SELECT AS STRUCT r.i AS a, r.i AS b, r.n).b AS STRING) FROM d.pairs ORDER BY id", INTERVALS],
  ["SELECT (SELECT MAX(CAST(p.i AS STRING)) FROM UNNEST([1, 2])) FROM d.pairs p ORDER BY id", INTERVALS],
  [
    "SELECT CAST((SELECT ANY_VALUE(e.i) FROM UNNEST([p.r]) e) AS STRING) FROM d.pairs p ORDER BY id",
    INTERVALS,
  ],
  [`SELECT (SELECT MAX(${sign("p.x")}) FROM UNNEST([1, 2])) FROM d.pairs p ORDER BY id`, SIGNS],
  [`SELECT (SELECT MAX(${sign("e")}) FROM UNNEST(p.xs) e) FROM d.pairs p ORDER BY id`, SIGNS],
  [`SELECT ARRAY(SELECT ${sign("e")} FROM UNNEST(p.xs) e)[OFFSET(0)] FROM d.pairs p ORDER BY id`, SIGNS],
  [
    "SELECT id FROM d.pairs p WHERE EXISTS (SELECT 1 FROM UNNEST(['0-0 30 0:0:0']) t WHERE t = CAST(p.i AS STRING)) ORDER BY id",
    [[2n]],
  ],
  [
    "SELECT id FROM d.pairs p WHERE '0-0 30 0:0:0' IN (SELECT CAST(p.i AS STRING) FROM UNNEST([1])) ORDER BY id",
    [[2n]],
  ],
  // Two levels: the inner subquery tells its own rows apart, and those of the query around it.
  [
    `SELECT (SELECT STRING_AGG((SELECT MAX(CONCAT(CAST(p.i AS STRING), ${sign("e")})) FROM UNNEST([1])), ',' ORDER BY e)
      FROM UNNEST([p.x, 1.0]) e) FROM d.pairs p ORDER BY id`,
    [
      ["0-1 0 0:0:0inf,0-1 0 0:0:01"],
      ["0-0 30 0:0:0-inf,0-0 30 0:0:01"],
      ["0-0 0 720:0:0inf,0-0 0 720:0:01"],
    ],
  ],
  [
    `SELECT ${sign("v.x")} FROM (SELECT id, (SELECT AS STRUCT p.x, (SELECT AS STRUCT p.i FROM UNNEST([1])) AS i FROM UNNEST([1])) AS v
      FROM d.pairs p) ORDER BY id`,
    SIGNS,
  ],
  // An expression over a column without FROM, used in a subquery that has one.
  [
    `SELECT (SELECT (SELECT MAX(t) FROM UNNEST([1, 2])) FROM (SELECT ${sign("p.x")} AS t)) FROM d.pairs p ORDER BY id`,
    SIGNS,
  ],
  [`SELECT ${sign("e")} FROM d.pairs p LEFT JOIN UNNEST(p.xs) e ON e < p.id ORDER BY id`, SIGNS],
  [
    "SELECT e FROM d.pairs p, UNNEST(ARRAY(SELECT CAST(p.i AS STRING) FROM UNNEST([1]))) e ORDER BY p.id",
    INTERVALS,
  ],
  [
    "SELECT ARRAY_AGG((SELECT MAX(CAST(p.i AS STRING)) FROM UNNEST([1])) ORDER BY id)[OFFSET(1)] FROM d.pairs p",
    [["0-0 30 0:0:0"]],
  ],
  ["SELECT d.text_of(i) FROM d.pairs ORDER BY id", INTERVALS],
];

describe("a value out of several", () => {
  it.each([
    `SELECT ${sign("ANY_VALUE(STRUCT(x)).x")} FROM d.pairs WHERE id = 2`,
    `SELECT ${sign("ANY_VALUE(STRUCT(x) HAVING MAX id).x")} FROM d.pairs WHERE id < 3`,
    `SELECT ${sign("ANY_VALUE(xs)[OFFSET(0)]")} FROM d.pairs WHERE id = 2`,
    `SELECT ${sign("ANY_VALUE(STRUCT(x)) OVER ().x")} FROM d.pairs WHERE id = 2`,
    `SELECT ${sign("(SELECT STRUCT(x) FROM d.pairs WHERE id = 2).x")}`,
    `SELECT ${sign("(SELECT xs FROM d.pairs WHERE id = 2)[OFFSET(0)]")}`,
    `SELECT ${sign("ARRAY(SELECT x FROM d.pairs ORDER BY id)[OFFSET(1)]")}`,
    `SELECT ${sign("ARRAY(SELECT AS STRUCT x FROM d.pairs ORDER BY id)[OFFSET(1)].x")}`,
    `SELECT ${sign("ARRAY_AGG(STRUCT(x) LIMIT 1)[OFFSET(0)].x")} FROM d.pairs WHERE id = 2`,
  ])("keeps the sign of 0.0: %s", async (sql) => {
    expect(await bench.rows(sql)).toEqual([["-inf"]]);
  });
});

describe("a subquery tells rows apart that DuckDB holds equal", () => {
  it.each(QUERIES)("%s", async (sql, rows) => {
    expect(await bench.rows(sql)).toEqual(rows);
  });

  const TEXT = "(SELECT MAX(CAST(c.i AS STRING)) FROM UNNEST([1, 2]))";
  const COPIES = "INSERT INTO d.copies (id, i) SELECT id, i FROM d.pairs WHERE TRUE";

  it.each([
    `UPDATE d.copies c SET text = ${TEXT} WHERE TRUE`,
    `UPDATE d.copies c SET text = ${TEXT} FROM d.pairs p WHERE p.id = c.id`,
    `MERGE d.copies c USING d.pairs p ON p.id = c.id WHEN MATCHED THEN UPDATE SET text = ${TEXT}`,
  ])("%s", async (sql) => {
    await bench.run("DELETE FROM d.copies WHERE TRUE");
    await bench.run(COPIES);
    await bench.run(sql);
    expect(await bench.rows("SELECT text FROM d.copies ORDER BY id")).toEqual(INTERVALS);
  });

  it("that DELETE deletes", async () => {
    await bench.run("DELETE FROM d.copies WHERE TRUE");
    await bench.run(COPIES);
    await bench.run(`DELETE FROM d.copies c WHERE ${TEXT} = '0-0 30 0:0:0'`);
    expect(await bench.rows("SELECT id FROM d.copies ORDER BY id")).toEqual([[1n], [3n]]);
  });
});
