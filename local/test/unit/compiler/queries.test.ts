import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bench, field } from "./harness.ts";

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open(
    [
      {
        name: "people",
        schema: [
          field("id", "INTEGER"),
          field("name", "STRING"),
          field("day", "DATE"),
          field("tags", "STRING", "REPEATED"),
          field("home", "RECORD", "NULLABLE", [field("city", "STRING"), field("no", "INTEGER")]),
        ],
        partitioning: { timePartitioning: { type: "DAY", field: "day" } },
      },
      { name: "grown", schema: [field("id", "INTEGER")], viewQuery: "SELECT id FROM d.people WHERE id > 1" },
      // Names that the compiler itself gives to columns inside.
      { name: "odd", schema: [field("c1", "INTEGER"), field("c2", "INTEGER"), field("none", "INTEGER")] },
    ],
    { since: { type: { kind: "DATE" }, value: 19_725n } },
  );
  await bench.run(`INSERT INTO d.people (id, name, day, tags, home) VALUES
    (1, 'Ann', DATE '2024-01-01', ['x', 'y'], STRUCT('Oslo', 5)),
    (2, 'Bob', DATE '2024-01-02', [], NULL),
    (3, NULL, DATE '2024-01-03', NULL, STRUCT(NULL, 7))`);
  await bench.run("INSERT INTO d.odd (c1, c2, none) VALUES (10, 20, 30)");
});

afterAll(() => bench.close());

// Where GoogleSQL differs from DuckDB, or where the compiler itself could go wrong. Results as the reference documentation
// has them: https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax
const QUERIES: readonly (readonly [string, unknown[][]])[] = [
  // RAND() decides for each row where it is written, not for many rows below an UNNEST or a GROUP BY.
  [
    "SELECT COUNT(*) BETWEEN 300 AND 700 FROM UNNEST(GENERATE_ARRAY(1, 1000)) x WHERE RAND() < 0.5 AND x > 0",
    [[true]],
  ],
  [
    "SELECT COUNT(*) BETWEEN 300 AND 700 FROM (SELECT x FROM UNNEST(GENERATE_ARRAY(1, 1000)) x GROUP BY x HAVING RAND() < 0.5)",
    [[true]],
  ],
  // ORDER BY: NULL is smallest, then NaN.
  [
    "SELECT x FROM UNNEST([1.0, CAST('nan' AS FLOAT64), NULL, CAST('-inf' AS FLOAT64)]) x ORDER BY x",
    [[null], [Number.NaN], [Number.NEGATIVE_INFINITY], [1]],
  ],
  [
    "SELECT x FROM UNNEST([1.0, CAST('nan' AS FLOAT64), NULL, CAST('-inf' AS FLOAT64)]) x ORDER BY x DESC",
    [[1], [Number.NEGATIVE_INFINITY], [Number.NaN], [null]],
  ],
  ["SELECT x FROM UNNEST([3, NULL, 1]) x ORDER BY x NULLS LAST", [[1n], [3n], [null]]],
  ["SELECT x FROM UNNEST([3, NULL, 1]) x ORDER BY x DESC NULLS FIRST", [[null], [3n], [1n]]],
  ["SELECT x FROM UNNEST([5, 3, 4]) x ORDER BY x LIMIT 1 OFFSET 1", [[4n]]],
  // Arrays: a NULL array has no elements, a result has no NULL array.
  [
    "SELECT id, e, o FROM d.people, UNNEST(tags) e WITH OFFSET o ORDER BY id, o",
    [
      [1n, "x", 0n],
      [1n, "y", 1n],
    ],
  ],
  [
    "SELECT id, e, o FROM d.people LEFT JOIN UNNEST(tags) e WITH OFFSET o ORDER BY id, o",
    [
      [1n, "x", 0n],
      [1n, "y", 1n],
      [2n, null, null],
      [3n, null, null],
    ],
  ],
  [
    "SELECT id, e FROM d.people LEFT JOIN UNNEST(tags) e ON e > 'x' ORDER BY id",
    [
      [1n, "y"],
      [2n, null],
      [3n, null],
    ],
  ],
  ["SELECT COUNT(*) FROM UNNEST(CAST(NULL AS ARRAY<INT64>))", [[0n]]],
  ["SELECT CAST(NULL AS ARRAY<INT64>)", [[[]]]],
  ["SELECT STRUCT(CAST(NULL AS ARRAY<INT64>) AS a, 1 AS b)", [[[[], 1n]]]],
  [
    "SELECT p.x, y FROM UNNEST([STRUCT(1 AS x, [10, 20] AS ys)]) p, p.ys y ORDER BY y",
    [
      [1n, 10n],
      [1n, 20n],
    ],
  ],
  // Subqueries.
  [
    "SELECT id, (SELECT COUNT(*) FROM d.people q WHERE q.id <= p.id) FROM d.people p ORDER BY id",
    [
      [1n, 1n],
      [2n, 2n],
      [3n, 3n],
    ],
  ],
  [
    "SELECT id, ARRAY(SELECT CONCAT(t, '!') FROM UNNEST(tags) t ORDER BY t DESC) FROM d.people ORDER BY id",
    [
      [1n, ["y!", "x!"]],
      [2n, []],
      [3n, []],
    ],
  ],
  [
    "SELECT 2 IN (SELECT x FROM UNNEST([1, NULL]) x), 2 NOT IN (SELECT x FROM UNNEST([1]) x), NULL IN (SELECT x FROM UNNEST(ARRAY<INT64>[]) x)",
    [[null, true, false]],
  ],
  ["SELECT (1, NULL) IN (SELECT AS STRUCT 1, 2), (1, 2) IN (SELECT AS STRUCT 1, 2)", [[null, true]]],
  ["SELECT CAST('nan' AS FLOAT64) IN (SELECT CAST('nan' AS FLOAT64)), 1.5 IN (SELECT 1.5)", [[false, true]]],
  [
    "SELECT EXISTS(SELECT 1 FROM d.people WHERE id = 3), EXISTS(SELECT 1 FROM d.people WHERE id = 4)",
    [[true, false]],
  ],
  ["WITH a AS (SELECT 1 x) SELECT (WITH a AS (SELECT 5 x) SELECT x FROM a) + x FROM a", [[6n]]],
  [
    "WITH RECURSIVE r AS (SELECT 1 n UNION ALL SELECT n + 1 FROM r WHERE n < 4) SELECT SUM(n) FROM r",
    [[10n]],
  ],
  // Joins.
  [
    "SELECT id, a.v, b.v FROM (SELECT 1 id, 'a' v UNION ALL SELECT 2, 'b') a FULL JOIN (SELECT 2 id, 'c' v UNION ALL SELECT 3, 'd') b USING (id) ORDER BY id",
    [
      [1n, "a", null],
      [2n, "b", "c"],
      [3n, null, "d"],
    ],
  ],
  // Aggregation.
  [
    "SELECT name, COUNT(*), COUNT(name) FROM d.people GROUP BY name ORDER BY name",
    [
      [null, 1n, 0n],
      ["Ann", 1n, 1n],
      ["Bob", 1n, 1n],
    ],
  ],
  ["SELECT COUNT(*), SUM(id) FROM d.people WHERE FALSE", [[0n, null]]],
  ["SELECT COUNT(*) FROM d.people HAVING COUNT(*) > 3", []],
  [
    "SELECT x, (SELECT SUM(x) FROM UNNEST([1, 1])), (SELECT MAX(x + y) FROM UNNEST([1, 2]) y) FROM UNNEST([5]) x",
    [[5n, 10n, 7n]],
  ],
  [
    "SELECT a, SUM(b), GROUPING(a) FROM (SELECT 1 a, 2 b UNION ALL SELECT NULL, 3) GROUP BY ROLLUP (a) ORDER BY 3, 1",
    [
      [null, 3n, 0n],
      [1n, 2n, 0n],
      [null, 5n, 1n],
    ],
  ],
  [
    "SELECT k FROM (SELECT CAST('nan' AS FLOAT64) k UNION ALL SELECT CAST('nan' AS FLOAT64)) GROUP BY k",
    [[Number.NaN]],
  ],
  // Window functions.
  ["SELECT id FROM d.people WHERE TRUE QUALIFY ROW_NUMBER() OVER (ORDER BY name DESC) = 1", [[2n]]],
  [
    "SELECT x, RANK() OVER (ORDER BY x) FROM UNNEST([1.0, CAST('nan' AS FLOAT64), NULL]) x ORDER BY 2",
    [
      [null, 1n],
      [Number.NaN, 2n],
      [1, 3n],
    ],
  ],
  [
    "SELECT SUM(x) OVER (ORDER BY x RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM UNNEST([1, 2, 5]) x ORDER BY x",
    [[3n], [3n], [5n]],
  ],
  // PIVOT and UNPIVOT.
  [
    "SELECT * FROM (SELECT 'x' p, 1 v UNION ALL SELECT 'y', 2 UNION ALL SELECT 'x', 3) PIVOT (SUM(v) s, COUNT(*) c FOR p IN ('x', 'z'))",
    [[4n, 2n, null, 0n]],
  ],
  [
    "SELECT * FROM (SELECT 1 id, 2 a, CAST(NULL AS INT64) b) UNPIVOT (v FOR k IN (a, b AS 'B'))",
    [[1n, 2n, "a"]],
  ],
  [
    "SELECT * FROM (SELECT 1 id, 2 a, CAST(NULL AS INT64) b) UNPIVOT INCLUDE NULLS (v FOR k IN (a, b AS 'B')) ORDER BY k",
    [
      [1n, null, "B"],
      [1n, 2n, "a"],
    ],
  ],
  // Branches that are not taken do not fail.
  [
    "SELECT IF(x = 0, 0, DIV(10, x)), CASE WHEN x = 0 THEN 0 ELSE DIV(10, x) END FROM UNNEST([0, 5]) x ORDER BY 1",
    [
      [0n, 0n],
      [2n, 2n],
    ],
  ],
  ["SELECT IF(FALSE, ERROR('no'), 2), COALESCE(1, ERROR('no'))", [[2n, 1n]]],
  // STRUCTs.
  [
    "SELECT home.city, home IS NULL, home.no FROM d.people ORDER BY id",
    [
      ["Oslo", false, 5n],
      [null, true, null],
      [null, false, 7n],
    ],
  ],
  ["SELECT (1, 2) = (1, 2), (1, NULL) = (2, NULL), (1, NULL) = (1, NULL)", [[true, false, null]]],
  ["SELECT AS STRUCT 1 a, 'x' b", [[1n, "x"]]],
  ["SELECT UNIX_MICROS(CAST(NULL AS STRUCT<a TIMESTAMP>).a)", [[null]]],
  ["SELECT AS VALUE x FROM UNNEST([7]) x", [[7n]]],
  // Views, variables, columns named as the compiler names its own.
  ["SELECT id FROM d.grown ORDER BY id", [[2n], [3n]]],
  [
    "SELECT g.id, p.name FROM d.grown g JOIN d.people p USING (id) ORDER BY id",
    [
      [2n, "Bob"],
      [3n, null],
    ],
  ],
  ["SELECT id FROM d.people WHERE day = since", [[3n]]],
  [
    "SELECT none, c2 AS c1, c1 AS c2, (SELECT MAX(c1) FROM d.people WHERE id < c2) FROM d.odd WHERE c2 > c1",
    [[30n, 20n, 10n, 10n]],
  ],
  ["SELECT COUNT(*) FROM d.odd", [[1n]]],
];

describe("a query", () => {
  it.each(QUERIES)("%s", async (sql, rows) => {
    expect(await bench.rows(sql)).toStrictEqual(rows);
  });

  it.each([
    ["SELECT (SELECT x FROM UNNEST([1, 2]) x)", "Scalar subquery produced more than one element"],
    [
      "SELECT p.id, (SELECT q.id FROM d.people q WHERE q.id > p.id) FROM d.people p",
      "Scalar subquery produced more than one element",
    ],
    ["SELECT [1, NULL] AS a", "Array cannot have a null element; error in writing field a"],
    [
      "SELECT * FROM d.people FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()",
      "FOR SYSTEM_TIME AS OF is supported for standard tables alone",
    ],
  ])("%s fails", async (sql, message) => {
    await expect(bench.rows(sql)).rejects.toThrow(message);
  });

  it("that becomes a value keeps NULL in arrays", async () => {
    const compiled = await bench.compile("SELECT [1, NULL] AS a", true);
    if (compiled.kind !== "query") throw new Error("not a query");
    const reader = await bench.connection.runAndReadAll(compiled.sql);
    expect(String(reader.getRows()[0]?.[0])).toBe("[1, NULL]");
  });
});

describe("what a query reads", () => {
  const table = { projectId: "p", datasetId: "d", tableId: "people" };

  it.each([
    ["SELECT id FROM d.people", ["id"], undefined],
    ["SELECT COUNT(*) FROM d.people", [], undefined],
    ["SELECT name FROM d.people WHERE day = DATE '2024-01-02' AND id > 0", ["id", "name", "day"], "Bob"],
    [
      "SELECT name FROM d.people WHERE day BETWEEN DATE '2024-01-02' AND DATE '2024-01-02'",
      ["name", "day"],
      "Bob",
    ],
    // The column must stand alone: https://cloud.google.com/bigquery/docs/querying-partitioned-tables#isolate_partition_column
    [
      "SELECT name FROM d.people WHERE DATE_ADD(day, INTERVAL 1 DAY) = DATE '2024-01-03'",
      ["name", "day"],
      undefined,
    ],
    ["SELECT name FROM d.people WHERE day = DATE '2024-01-02' OR id = 1", ["id", "name", "day"], undefined],
    ["SELECT name FROM d.people WHERE day = (SELECT MAX(day) FROM d.people)", ["name", "day"], undefined],
    ["SELECT id FROM d.grown", ["id"], undefined],
  ])("%s", async (sql, columns, onlyName) => {
    const compiled = await bench.compile(sql);
    if (compiled.kind !== "query") throw new Error("not a query");
    const [read, ...others] = compiled.reads;
    expect(others).toEqual([]);
    expect(read?.table).toEqual(table);
    expect([...(read?.columns ?? [])].sort()).toEqual([...columns].sort());
    expect(read?.partitionFilter === undefined).toBe(onlyName === undefined);
    if (read?.partitionFilter === undefined) return;
    const kept = await bench.connection.runAndReadAll(
      `SELECT name FROM bq.people AS t WHERE ${read.partitionFilter}`,
    );
    expect(kept.getRows()).toEqual([[onlyName]]);
  });

  it("of a table that is scanned twice is what either scan needs", async () => {
    const both =
      "SELECT id FROM d.people WHERE day = DATE '2024-01-02' UNION ALL SELECT 1 FROM d.people WHERE day = since";
    const compiled = await bench.compile(both);
    if (compiled.kind !== "query") throw new Error("not a query");
    const filter = compiled.reads[0]?.partitionFilter;
    const kept = await bench.connection.runAndReadAll(
      `SELECT id FROM bq.people AS t WHERE ${filter} ORDER BY id`,
    );
    expect(kept.getRows()).toEqual([[2n], [3n]]);
  });
});
