import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.close());

async function value(expression: string): Promise<unknown> {
  return (await harness.rows(`SELECT ${expression}`))[0]?.[0];
}

describe("functions that are younger than the analyzer", () => {
  // https://cloud.google.com/bigquery/docs/reference/standard-sql/aggregate_functions#max_by
  test("MAX_BY and MIN_BY are ANY_VALUE with HAVING, in every group", async () => {
    const rows = "UNNEST([STRUCT(1 AS k, 'a' AS x, 1 AS y), (1, 'b', 3), (1, 'c', NULL), (2, NULL, 0)])";
    expect(
      await harness.rows(`SELECT k, MAX_BY(x, y), MIN_BY(x, y) FROM ${rows} GROUP BY k ORDER BY k`),
    ).toEqual([
      [1n, "b", "a"],
      [2n, null, null],
    ]);
    const { message } = await harness.failure(`SELECT MAX_BY(x, [y]) FROM ${rows}`);
    expect(message).toBe("Argument 2 to MAX_BY must support ordering; Type ARRAY<INT64> does not at [1:18]");
  });

  // https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#contains_substr
  test.each([
    ["'the blue house', 'Blue house'", true],
    ["'the red house', 'blue'", false],
    ["'\\u2168 day', 'IX'", true],
    ["'ix', '\\u2168'", true],
    ["(23, 35, 41), '35'", true],
    ["('abc', ['def', 'ghi', 'jkl'], 'mno'), 'ghi'", true],
    ["(23, NULL, 41), '41'", true],
    ["(23, NULL, 41), '35'", null],
    ["['a', NULL], 'b'", null],
    ["CAST(NULL AS STRING), 'a'", null],
    ["TIMESTAMP '2024-01-02 00:00:00+00', '4-01'", true],
    ["TRUE, 'RU'", true],
    [`JSON '{"lunch":"soup"}', 'lunch'`, false],
    [`JSON '{"lunch":"soup"}', 'lunch', json_scope => 'JSON_VALUES'`, false],
    [`JSON '{"lunch":"soup"}', 'LUNCH', json_scope => 'JSON_KEYS'`, true],
    [`JSON '{"lunch":"soup"}', 'soup', json_scope => 'JSON_KEYS'`, false],
    [`JSON '{"lunch":"soup"}', 'oU', json_scope => 'JSON_KEYS_AND_VALUES'`, true],
    [`JSON '{"a":[1.5, {"b":["Soup", null]}]}', 'soup'`, true],
    [`JSON '{"a":[1.5, true]}', '.5'`, true],
    [`(1, JSON '["a"]'), 'A'`, true],
    ["CAST(NULL AS JSON), 'a'", null],
  ])("CONTAINS_SUBSTR(%s)", async (args, expected) => {
    expect(await value(`CONTAINS_SUBSTR(${args})`)).toBe(expected);
  });

  test.each([
    [`CONTAINS_SUBSTR(JSON '[null]', 'a')`, "CONTAINS_SUBSTR of a null in JSON"],
    ["CONTAINS_SUBSTR('a', 'a', json_scope => 'KEYS')", "CONTAINS_SUBSTR with json_scope => KEYS"],
  ])("%s is refused", async (expression, what) => {
    expect((await harness.failure(`SELECT ${expression}`)).message).toBe(
      `Not supported by the local BigQuery endpoint: ${what}`,
    );
  });

  // https://cloud.google.com/bigquery/docs/reference/standard-sql/mathematical_functions#cosine_distance
  test.each([
    ["COSINE_DISTANCE([(1, 1.0), (2, 2.0)], [(2, 4.0), (1, 3.0)])", 0.01613008990009257],
    ["EUCLIDEAN_DISTANCE([(1, 1.0), (2, 2.0)], [(2, 4.0), (1, 3.0)])", 2.8284271247461903],
    ["EUCLIDEAN_DISTANCE([('a', 1.0), ('b', 2.0)], [('c', 2.0)])", 3],
    ["EUCLIDEAN_DISTANCE([(1, 3.0), (9, 4.0)], CAST([] AS ARRAY<STRUCT<INT64, FLOAT64>>))", 5],
    ["EUCLIDEAN_DISTANCE(CAST(NULL AS ARRAY<STRUCT<INT64, FLOAT64>>), [(1, 4.0)])", null],
  ])("%s", async (expression, expected) => {
    expect(await value(expression)).toBe(expected);
  });

  // https://cloud.google.com/bigquery/docs/text-analysis-search#log_analyzer
  test.each([
    [
      "'I like pie, you like-pie, they like 2 PIEs.'",
      ["i", "like", "pie", "you", "like", "pie", "they", "like", "2", "pies"],
    ],
    ["'a%21B%2526c%3bd%2520e%25f%2f'", ["a", "b", "c", "d", "e", "25f", "2f"]],
    ["'ÀB_c~d^e`f#g'", ["Àb", "c~d^e`f#g"]],
    [`"\\\\[x]<y>\\t(z)'w'\\r\\n$1.5"`, ["x", "y", "z", "w", "1", "5"]],
    ["''", []],
    ["'A b', analyzer => 'NO_OP_ANALYZER'", ["A b"]],
  ])("TEXT_ANALYZE(%s)", async (args, expected) => {
    expect(await value(`TEXT_ANALYZE(${args})`)).toEqual(expected);
  });

  test.each([
    ["'a', analyzer => 'PATTERN_ANALYZER'", "the analyzer PATTERN_ANALYZER"],
    ["'a', analyzer_options => '{}'", "analyzer_options"],
  ])("TEXT_ANALYZE(%s) is refused", async (args, what) => {
    const { message } = await harness.failure(`SELECT TEXT_ANALYZE(${args})`);
    expect(message).toBe(`Not supported by the local BigQuery endpoint: TEXT_ANALYZE with ${what}`);
  });

  test("CONTAINS_SUBSTR searches a whole row", async () => {
    const rows = "UNNEST([STRUCT('potato' AS food, 3 AS n), ('bread', 13)]) AS row_";
    expect(await harness.rows(`SELECT row_.food FROM ${rows} WHERE CONTAINS_SUBSTR(row_, '13')`)).toEqual([
      ["bread"],
    ]);
  });

  // https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#edit_distance
  test.each([
    ["'a', 'b'", 1n],
    ["'aa', 'b'", 2n],
    ["'aa', 'ba'", 1n],
    ["'', ''", 0n],
    ["'kitten', 'sitting'", 3n],
    ["'💩', 'x'", 1n],
    ["b'\\xf0\\x9f', b''", 2n],
    ["'abcdefg', 'a', max_distance => 2", 2n],
    ["'abcdefg', 'a', max_distance => 9", 6n],
    ["'abc', 'xyz', max_distance => 0", 0n],
    ["NULL, 'a'", null],
  ])("EDIT_DISTANCE(%s)", async (args, expected) => {
    expect(await value(`EDIT_DISTANCE(${args})`)).toBe(expected);
  });

  test.each([
    ["EDIT_DISTANCE('a', 'b', max_distance => -1)", "Max distance must be non-negative"],
    ["JSON_KEYS(JSON '{}', 0)", "max_depth must be positive."],
    ["COSINE_DISTANCE([0.0], [1.0])", "Cannot compute cosine distance against zero vector"],
    ["EUCLIDEAN_DISTANCE([0.0], [1.0, 2.0])", "Array length mismatch: 1 and 2"],
    ["EUCLIDEAN_DISTANCE([(1, 1.0), (1, 2.0)], [(1, 4.0)])", "Duplicate index 1 found in the input array"],
    ["EUCLIDEAN_DISTANCE([STRUCT(1 AS d, 2.0 AS m), NULL], [(1, 4.0)])", "NULL array element"],
    ["EUCLIDEAN_DISTANCE([(1, CAST(NULL AS FLOAT64))], [(1, 4.0)])", "NULL struct field"],
    ["EUCLIDEAN_DISTANCE([0.0], [NULL])", "NULL array element in second argument"],
  ])("%s fails", async (expression, message) => {
    expect((await harness.failure(`SELECT ${expression}`)).message).toBe(message);
    expect(await value(`SAFE.${expression}`)).toEqual(expression.startsWith("JSON") ? [] : null);
  });

  // https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#json_keys
  test.each([
    ['{"b": {"c": 1}, "a": 1}', "", ["a", "b", "b.c"]],
    ['{"a": {"b": {"c": 1}}}', ", 2", ["a", "a.b"]],
    ['{"a": [{"b": 1}, {"c": 2}], "d": [[{"e": 3}]]}', "", ["a", "d"]],
    ['{"a": [{"b": 1}, {"c": 2}], "d": [[{"e": 3}]]}', ", mode => 'lax'", ["a", "a.b", "a.c", "d"]],
    ['{"d": [[{"e": 3}]]}', ", mode => 'lax recursive'", ["d", "d.e"]],
    ['{"a.b": {"c": 1}}', "", ['"a.b"', '"a.b".c']],
    ["[1, 2]", "", []],
  ])("JSON_KEYS(%s%s)", async (json, options, expected) => {
    expect(await value(`JSON_KEYS(JSON '${json}'${options})`)).toEqual(expected);
  });

  // https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#json_flatten
  test("JSON_FLATTEN gives what is in nested arrays, in order", async () => {
    expect(await value(`JSON_FLATTEN(JSON '[1, [2, null, [{"a": [3]}]], []]')`)).toEqual([
      "1",
      "2",
      "null",
      '{"a":[3]}',
    ]);
    expect(await value("JSON_FLATTEN(JSON '1')")).toEqual(["1"]);
  });

  // https://cloud.google.com/bigquery/docs/reference/standard-sql/approximate_aggregate_functions#approx_top_sum
  test("APPROX_TOP_SUM sums exactly and refuses what is less than zero", async () => {
    const of = (rows: string): string => `(SELECT APPROX_TOP_SUM(x, w, 2) FROM UNNEST([${rows}]))`;
    expect(await value(of("STRUCT('a' AS x, 3 AS w), ('b', 2), ('a', 0), ('c', 5), ('b', 4)"))).toEqual([
      ["b", 6n],
      ["c", 5n],
    ]);
    expect(await value(of("STRUCT('a' AS x, 0 AS w), (NULL, 2)"))).toEqual([
      [null, 2n],
      ["a", 0n],
    ]);
    const bad = await harness.failure(`SELECT ${of("STRUCT('a' AS x, -0.5 AS w)")}`);
    expect(bad.reason).toBe("invalidQuery");
  });

  test("a function of one's own goes before one of these names", async () => {
    expect(
      await harness.rows("CREATE TEMP FUNCTION max_by(x INT64, y INT64) AS (x + y); SELECT max_by(1, 2)"),
    ).toEqual([[3n]]);
  });

  // https://cloud.google.com/bigquery/docs/reference/standard-sql/security_functions#session_user
  test("SESSION_USER is who jobs say they are", async () => {
    expect(await value("SESSION_USER()")).toBe("local@localhost");
  });
});
