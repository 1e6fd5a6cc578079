import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.close());

// https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#by_name_or_corresponding
describe("set operations by name", () => {
  const left = "SELECT 1 AS a, 'é' AS b";
  const all = [
    [1n, "é", null],
    [null, "x", 3n],
  ];
  test.each([
    [
      "UNION ALL BY NAME SELECT 'x' AS b, 3 AS a",
      [
        [1n, "é"],
        [3n, "x"],
      ],
    ],
    [
      "UNION ALL STRICT CORRESPONDING SELECT 'x' AS B, 3 AS A",
      [
        [1n, "é"],
        [3n, "x"],
      ],
    ],
    ["UNION DISTINCT BY NAME SELECT 'é' AS b, 1 AS a", [[1n, "é"]]],
    ["EXCEPT DISTINCT\n BY -- a comment\n NAME SELECT 'é' AS b, 1 AS a", []],
    ["INTERSECT DISTINCT BY/* name */NAME SELECT 'é' AS b, 1 AS a", [[1n, "é"]]],
    ["INNER UNION ALL BY NAME SELECT 'x' AS b, 3 AS c", [["é"], ["x"]]],
    ["INNER UNION ALL CORRESPONDING SELECT 'x' AS b, 3 AS c", [["é"], ["x"]]],
    ["FULL OUTER UNION ALL BY NAME SELECT 'x' AS b, 3 AS c", all],
    ["FULL UNION ALL BY NAME SELECT 'x' AS b, 3 AS c", all],
    ["OUTER UNION ALL BY NAME SELECT 'x' AS b, 3 AS c", all],
    ["OUTER UNION ALL CORRESPONDING SELECT 'x' AS b, 3 AS c", all],
    [
      "LEFT OUTER UNION ALL BY NAME SELECT 'x' AS b, 3 AS c",
      [
        [1n, "é"],
        [null, "x"],
      ],
    ],
    [
      "UNION ALL BY NAME SELECT 'x' AS b, 3 AS a UNION ALL BY NAME SELECT 'y' AS b, 4 AS a",
      [
        [1n, "é"],
        [3n, "x"],
        [4n, "y"],
      ],
    ],
  ] as [string, unknown[][]][])("%s", async (right, rows) => {
    expect(await harness.rows(`${left} ${right}`)).toEqual(rows);
  });

  test("may stand behind FROM, in parentheses, with GROUP BY ALL, in any statement of a script", async () => {
    await harness.run("CREATE TABLE d.t AS SELECT 1 AS a, 2 AS b UNION ALL BY NAME SELECT 3 AS b, 4 AS a");
    expect(
      await harness.rows(
        `DECLARE x INT64 DEFAULT (SELECT MAX(b) FROM (SELECT * FROM d.t INNER UNION ALL BY NAME SELECT 9 AS b));
         SELECT a, COUNT(*) AS n, x FROM \`d.t\` GROUP BY ALL UNION ALL BY NAME SELECT x, 0 AS n, 7 AS a ORDER BY a`,
      ),
    ).toEqual([
      [1n, 1n, 9n],
      [4n, 1n, 9n],
      [7n, 0n, 9n],
    ]);
  });

  test("is found behind tabs, wide characters and line breaks of every kind", async () => {
    const sql = "SELECT\t'é😀' AS a,\r\n\t1 AS b\rUNION ALL\t\tBY\nNAME SELECT 2 AS b,\t'😀' AS a";
    expect(await harness.rows(sql)).toEqual([
      ["é😀", 1n],
      ["😀", 2n],
    ]);
  });

  test("a view's text stays as it was written", async () => {
    await harness.run("CREATE VIEW d.v AS SELECT 1 AS a, 2 AS b OUTER UNION ALL BY NAME SELECT 3 AS b");
    expect(
      await harness.rows("SELECT view_definition FROM d.INFORMATION_SCHEMA.VIEWS WHERE table_name = 'v'"),
    ).toEqual([["SELECT 1 AS a, 2 AS b OUTER UNION ALL BY NAME SELECT 3 AS b"]]);
    expect(await harness.rows("SELECT b, a FROM d.v ORDER BY b")).toEqual([
      [2n, 1n],
      [3n, null],
    ]);
  });

  test.each([
    [
      `${left} UNION ALL BY NAME SELECT 1 AS a`,
      "BY NAME requires all input queries to have identical column names at [1:25]",
    ],
    [
      `SELECT 1 FROM (${left} UNION ALL STRICT CORRESPONDING SELECT 1 AS a, 'x' AS c)`,
      "STRICT CORRESPONDING requires all input queries to have identical column names at [1:40]",
    ],
    [
      `${left} UNION ALL BY NAME ${left} UNION ALL BY NAME SELECT 1 AS a`,
      "BY NAME requires all input queries to have identical column names at [1:25]",
    ],
    [
      "SELECT 1 AS a UNION ALL BY NAME SELECT 2 AS b",
      "BY NAME requires all input queries to have identical column names at [1:15]",
    ],
    [`${left} UNION ALL BY NAME SELECT 'x' AS b, nope AS a`, "Unrecognized name: nope at [1:60]"],
    [
      `${left} UNION ALL BY NAMES SELECT 1`,
      'Syntax error: Expected "(" or keyword SELECT but got keyword BY at [1:35]',
    ],
    [
      `${left} INNER UNION ALL ${left}`,
      "INNER in set operations cannot be used without CORRESPONDING at [1:31]",
    ],
    [
      `${left} UNION ALL STRICT ${left}`,
      "STRICT in set operations cannot be used without CORRESPONDING at [1:35]",
    ],
    [
      `${left} INNER UNION ALL BY NAME ${left} UNION ALL BY NAME ${left}`,
      "Different column propagation modes (FULL/LEFT/STRICT) cannot be used in the same query without using parentheses for grouping at [1:73]",
    ],
    [
      `${left} UNION ALL CORRESPONDING ${left} UNION ALL STRICT CORRESPONDING ${left}`,
      "Different column propagation modes (FULL/LEFT/STRICT) cannot be used in the same query without using parentheses for grouping at [1:73]",
    ],
    [`${left} INNER JOIN`, "Syntax error: Expected end of input but got keyword INNER at [1:25]"],
  ])("%s is refused where it is wrong", async (sql, message) => {
    expect(await harness.failure(sql)).toMatchObject({ reason: "invalidQuery", message });
  });

  test("the same text without BY NAME is another query, though both were analyzed", async () => {
    const corresponding = "SELECT 1 AS a, 2 AS b UNION ALL CORRESPONDING      SELECT 3 AS b";
    expect(await harness.rows(corresponding)).toEqual([[2n], [3n]]);
    const { message } = await harness.failure("SELECT 1 AS a, 2 AS b UNION ALL BY NAME SELECT 3 AS b");
    expect(message).toMatch("BY NAME requires all input queries to have identical column names");
  });

  test("columns that are listed are refused", async () => {
    const { message } = await harness.failure("SELECT 1 AS a UNION ALL BY NAME ON (a) SELECT 2 AS a");
    expect(message).toBe("Not supported by the local BigQuery endpoint: BY NAME ON in a set operation");
  });
});
