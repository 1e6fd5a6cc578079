import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
  await harness.run(
    "CREATE TABLE d.sold AS SELECT * FROM UNNEST([STRUCT('a' AS shop, 1 AS n, STRUCT(1 AS x, 2 AS y) AS place), ('a', 2, (1, 2)), ('b', 4, (3, 4))])",
  );
});
afterAll(() => harness.close());

// https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#group_by_all
describe("GROUP BY ALL", () => {
  test.each([
    [
      "leaves out aggregates",
      "SELECT SUM(n) AS total, shop FROM d.sold GROUP BY ALL ORDER BY 2",
      [
        [3n, "a"],
        [4n, "b"],
      ],
    ],
    [
      "leaves out window functions",
      "SELECT COUNT(*) OVER () AS c, shop FROM d.sold GROUP BY ALL ORDER BY 2",
      [
        [2n, "a"],
        [2n, "b"],
      ],
    ],
    ["groups like DISTINCT", "SELECT shop FROM d.sold GROUP BY ALL ORDER BY 1", [["a"], ["b"]]],
    [
      "groups by expressions",
      "SELECT UPPER(shop) AS s, COUNT(*) FROM d.sold GROUP BY ALL ORDER BY s",
      [
        ["A", 2n],
        ["B", 1n],
      ],
    ],
    [
      "leaves out what refers to no table",
      "SELECT 1, 'GROUP BY ALL', RAND() < 2, COUNT(*) FROM d.sold WHERE n > 9 GROUP BY ALL",
      [[1n, "GROUP BY ALL", true, 0n]],
    ],
    [
      "leaves out variables",
      "DECLARE v INT64 DEFAULT 7; SELECT v, COUNT(*) FROM d.sold WHERE n > 9 GROUP BY ALL",
      [[7n, 0n]],
    ],
    [
      "leaves out an outer query's columns",
      "SELECT (SELECT AS STRUCT o, COUNT(*) FROM d.sold WHERE n > 9 GROUP BY ALL) FROM UNNEST([5]) o",
      [[[5n, 0n]]],
    ],
    [
      "leaves out what other keys determine",
      "SELECT TO_JSON(n) AS j, n, COUNT(*) FROM d.sold GROUP BY ALL ORDER BY n LIMIT 1",
      [["1", 1n, 1n]],
    ],
    [
      "takes the prefix of two paths",
      "SELECT place.x, place, COUNT(*) FROM d.sold GROUP BY ALL ORDER BY 1",
      [
        [1n, [1n, 2n], 2n],
        [3n, [3n, 4n], 1n],
      ],
    ],
    [
      "expands stars",
      "SELECT * EXCEPT (n), SUM(n) FROM d.sold GROUP BY ALL ORDER BY shop",
      [
        ["a", [1n, 2n], 3n],
        ["b", [3n, 4n], 4n],
      ],
    ],
    [
      "expands several stars",
      "SELECT t.place.*, t.* EXCEPT (place), COUNT(*) FROM d.sold t GROUP BY ALL ORDER BY 1, 4",
      [
        [1n, 2n, "a", 1n, 1n],
        [1n, 2n, "a", 2n, 1n],
        [3n, 4n, "b", 4n, 1n],
      ],
    ],
    [
      "stands beside HAVING and QUALIFY",
      "SELECT shop, SUM(n) AS s FROM d.sold GROUP /* ALL */ BY\nALL HAVING s > 1 QUALIFY RANK() OVER (ORDER BY s DESC) = 1",
      [["b", 4n]],
    ],
    [
      "stands in queries within queries",
      "WITH w AS (SELECT shop, SUM(n) AS s FROM d.sold GROUP BY ALL) SELECT (SELECT MAX(c) FROM (SELECT place.x, COUNT(*) AS c FROM d.sold GROUP BY ALL)), shop, SUM(s) FROM w GROUP BY ALL ORDER BY 2",
      [
        [2n, "a", 3n],
        [2n, "b", 4n],
      ],
    ],
  ] as [string, string, unknown[][]][])("%s", async (_, sql, rows) => {
    expect(await harness.rows(sql)).toEqual(rows);
  });

  test("a function of one's own may be an aggregate", async () => {
    await harness.run("CREATE AGGREGATE FUNCTION d.twice(x INT64) AS (2 * SUM(x))");
    expect(await harness.rows("SELECT shop, d.twice(n) FROM d.sold GROUP BY ALL ORDER BY 1")).toEqual([
      ["a", 6n],
      ["b", 8n],
    ]);
  });

  test("a view's text stays as it was written", async () => {
    await harness.run("CREATE VIEW d.shops AS SELECT shop, SUM(n) AS s FROM `d.sold` GROUP BY ALL");
    expect(await harness.rows("SELECT view_definition FROM d.INFORMATION_SCHEMA.VIEWS")).toEqual([
      ["SELECT shop, SUM(n) AS s FROM `d.sold` GROUP BY ALL"],
    ]);
    expect(await harness.rows("SELECT * FROM d.shops ORDER BY 1")).toEqual([
      ["a", 3n],
      ["b", 4n],
    ]);
  });

  test.each([
    [
      "SELECT TO_JSON(n), COUNT(*) FROM d.sold GROUP BY ALL",
      "Grouping by expressions of type JSON is not allowed at [1:50]",
    ],
    ["SELECT nope, COUNT(*) FROM d.sold GROUP BY ALL", "Unrecognized name: nope at [1:8]"],
    [
      "SELECT 'é', shop, COUNT(*) FROM `d.sold` GROUP BY ALL HAVING nope > 1",
      "Unrecognized name: nope at [1:62]",
    ],
    ["SELECT *, COUNT(*) FROM d.sold WHERE nope GROUP BY ALL", "Unrecognized name: nope at [1:38]"],
  ])("%s is refused where it is wrong", async (sql, message) => {
    expect(await harness.failure(sql)).toMatchObject({ reason: "invalidQuery", message });
  });

  test("what the analyzer cannot say is refused by name", async () => {
    const { message } = await harness.failure("SELECT 1 FROM d.sold GROUP BY ALL");
    expect(message).toMatch("GROUP BY ALL with neither grouping keys nor aggregate functions");
  });
});
