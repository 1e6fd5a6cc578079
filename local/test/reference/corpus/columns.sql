-- Arguments that come from rows: the analyzer folds nothing, and a mapping cannot look at a literal.
SELECT CAST(x AS INTERVAL) FROM UNNEST(['1-2', '-1-2', '1-2 3', '1-2 -3 4', '1-2 3 4:5', '1-2 3 -4:5:6', '10000-0']) x
SELECT CAST(x AS INTERVAL) FROM UNNEST(['3 4:5', '-3 -4:5:6.789', '4:5:6', '-4:5:6.123456', '1 2 3', '-1 2 -3:4:5.5']) x
SELECT CAST(x AS INTERVAL) FROM UNNEST(['PT', 'P1YT', 'P1Y2M3W4DT5H6M7.5S', 'PT-0,5S', 'P1Y2Y', 'PT1S1M', 'P-1D']) x
SELECT SAFE_CAST(x AS INTERVAL) FROM UNNEST(['', '5', '3 10', '12:34', '1-2 3:4:5', ' 1-2', '1--2', 'P', '-P1Y', 'p1y', 'PT1.5H', 'P5S']) x
CAST(CONCAT('10001', '-0') AS INTERVAL)
CAST(CONCAT('P3660001', 'D') AS INTERVAL)
SELECT SAFE_CAST(x AS ARRAY<INT64>) FROM (SELECT ['x', '1'] AS x UNION ALL SELECT ['1', NULL] UNION ALL SELECT NULL UNION ALL SELECT [])
SELECT SAFE_CAST(x AS ARRAY<NUMERIC>) FROM (SELECT [1e10, 1e300] AS x UNION ALL SELECT [1.5])
SELECT SAFE_CAST(x AS STRUCT<a INT64, b STRING>) FROM (SELECT STRUCT('x' AS p, 1 AS q) AS x UNION ALL SELECT STRUCT('5', 1) UNION ALL SELECT NULL)
SELECT SAFE_CAST(x AS ARRAY<STRUCT<a INT64, b DATE>>) FROM (SELECT [STRUCT('1' AS a, '2020-01-01' AS b), ('2', 'bad')] AS x UNION ALL SELECT [STRUCT('1', '2020-01-01')])
SELECT x LIKE y FROM UNNEST([STRUCT('a' AS x, 'a\\' AS y)])
SELECT x LIKE y FROM UNNEST([STRUCT('a\\' AS x, 'a\\\\' AS y), ('a%', 'a\\%'), ('ab', 'a\\%'), (NULL, 'a\\\\'), ('a', NULL), ('a\nb', 'a%b')])
-- Paths in JSON: names without quotes, in brackets, with spaces; text with a key that stands twice.
JSON_QUERY('{"a b": 1}', '$.a b')
JSON_QUERY('{"a:b": 1}', '$.a:b')
JSON_QUERY('{"ключ": 1}', '$.ключ')
JSON_QUERY('[4, 5]', '$[ 1 ]')
JSON_QUERY('{"a$b": 1}', '$.a$b')
JSON_QUERY('{"a": 1}', "$['a']")
JSON_QUERY('{"a": 1}', '$[a]')
JSON_EXTRACT('{"a-b": [1]}', '$[a-b][0]')
JSON_EXTRACT('{"a": [1]}', '$[ a ]')
JSON_EXTRACT('[1, 2]', '$[-1]')
JSON_EXTRACT('{"a.b": 1}', '$[a.b]')
JSON_EXTRACT('{"a": 1}', '$["a"]')
JSON_EXTRACT('{"a/b": 1}', '$.a/b')
JSON_EXTRACT('{" ": 1}', '$. ')
JSON_QUERY('{"a": {"k": 1, "b": 3, "k": 2}}', '$.a')
JSON_EXTRACT('{"k": 1, "k": {"b": 2}}', '$')
JSON_VALUE('{"k": 1, "k": {"b": 2}}', '$.k')
JSON_QUERY('{"k": 1, "k": {"b": 2}}', '$.k.b')
JSON_QUERY_ARRAY('[{"k": 1, "k": 2}]')
PARSE_JSON('{"k": 1, "k": 2}')
-- What is left when everything goes.
JSON_STRIP_NULLS(JSON '{"a": null}', remove_empty => TRUE)
JSON_STRIP_NULLS(JSON '{"a": [null]}', remove_empty => TRUE)
JSON_STRIP_NULLS(JSON '{"a": {"b": null}, "c": [{"d": null}]}', '$.a', remove_empty => TRUE)
JSON_STRIP_NULLS(JSON '{"a": [{"b": null}, null, []]}', include_arrays => FALSE, remove_empty => TRUE)
JSON_STRIP_NULLS(JSON '{"a": [{"b": {"c": null}}]}', include_arrays => FALSE)
JSON_SET(JSON '{"a": 1}', '$', JSON 'null')
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/operators#semantic_rules_quant_like: NOT LIKE ANY asks for a pattern that does not match.
'a' NOT LIKE ANY ('a', 'b') -- docs: true
'a' NOT LIKE ANY ('a', '%a%') -- docs: false
'a' NOT LIKE ANY ('a', NULL) -- docs: null
'a' NOT LIKE SOME ('b', NULL) -- docs: true
'a' NOT LIKE ALL ('b', 'c') -- docs: true
'a' NOT LIKE ALL ('a', 'c') -- docs: false
'a' NOT LIKE ALL ('b', NULL) -- docs: null
NOT ('a' LIKE ANY ('a', 'b'))
NOT ('a' LIKE ALL ('a', 'b'))
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/operators#like_operator_quantified; the reference implementation takes no array
'a' LIKE ANY UNNEST(['a']) -- docs: true
SAFE.ST_GEOGFROMTEXT('POLYGON((0 0, 1 0, 1 1, 0 0))') -- refused
-- An error of an argument is no error of SAFE_DIVIDE; a subquery is an argument like any other, in another subquery too.
SAFE_DIVIDE(1 / 0, 2)
SELECT SAFE_ADD(x / 0, 2.0) FROM UNNEST([1.0]) x
SELECT SAFE_DIVIDE(COUNT(*), (SELECT COUNT(*) FROM UNNEST([1, 2]))) FROM UNNEST([1]) x
SELECT SAFE_ADD(9223372036854775807, x), SAFE_SUBTRACT(x, NUMERIC '1'), SAFE_MULTIPLY(x + 1, 9223372036854775807), SAFE_NEGATE(x), SAFE_DIVIDE(NUMERIC '1', x - 1) FROM UNNEST([1, 2, NULL]) x
SELECT SAFE.SUBSTR((SELECT 'abc'), (SELECT -1), x) FROM UNNEST([1, -1]) x
SELECT x, (SELECT SAFE.LOG(y - x, z + 1) FROM UNNEST([1]) y, UNNEST([2]) z) FROM UNNEST([1, 0]) x ORDER BY x
SELECT NET.SAFE_IP_FROM_STRING((SELECT MAX(x) FROM UNNEST(['1.2', '1.2.3.4']) x)), CAST((SELECT MAX(x) FROM UNNEST([b'a', b'b']) x) AS STRING), SAFE_CAST((SELECT MAX(x) FROM UNNEST(['x']) x) AS INT64)
SAFE.CONCAT('a', ERROR('b'))
SAFE_CAST(ERROR('x') AS INT64)
SELECT ARRAY_TO_STRING([x, x], '/'), ARRAY_TO_STRING([x], '/', '?'), ARRAY_TO_STRING([x, 'a'], '/') FROM (SELECT CAST(NULL AS STRING) AS x)
SELECT x, (SELECT STRUCT(ARRAY_REVERSE([x, y]) AS a, ARRAY_TO_STRING([CAST(x AS STRING), 'b'], ',') AS b) FROM UNNEST([5]) y WHERE x < y) FROM UNNEST([1, 2]) x ORDER BY x
-- Rows of constants keep their order, also where an aggregate has none of its own.
ARRAY(SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4)
SELECT STRING_AGG(x), ARRAY_AGG(y), ARRAY_CONCAT_AGG(z LIMIT 3) FROM (SELECT 'b' AS x, 1 AS y, [1] AS z UNION ALL SELECT 'a', 2.5, [2, 3] UNION ALL SELECT 'c', NUMERIC '3', [] UNION ALL SELECT 'd', 4, [5])
SELECT x, y, SUM(y) OVER (ORDER BY x ROWS UNBOUNDED PRECEDING) FROM (SELECT 1 AS x, 1 AS y UNION ALL SELECT 1, 2 UNION ALL SELECT 1, 3 UNION ALL SELECT 2, 4)
SELECT x, (SELECT SUM(v) FROM (SELECT x AS v UNION ALL SELECT x * 2 UNION ALL SELECT 1)) FROM UNNEST([1, 2, 3]) x ORDER BY x
SELECT NULL AS a, STRUCT(1 AS x, [STRUCT('k' AS k)] AS y) AS s UNION ALL SELECT DATE '2020-01-01', NULL UNION ALL SELECT NULL, STRUCT(2, [])
-- Functions over arrays, whose mappings are lambdas, in subqueries that use rows outside.
SELECT x, (SELECT MAX(RANGE_BUCKET(x, [0, y, 10])) FROM UNNEST([1, 5]) y), ARRAY(SELECT y FROM UNNEST([1, 5]) y WHERE RANGE_BUCKET(x, [0, 5, 10]) > 1) FROM UNNEST([1, 7]) x ORDER BY x
SELECT t.a, (SELECT COUNT(*) FROM UNNEST(t.b) y WHERE (y, t.a) IN UNNEST([(1, 1), (2, 1)])) FROM UNNEST([STRUCT(1 AS a, [1, 2, 3] AS b)]) t
SELECT t.a, (SELECT STRING_AGG(ARRAY_TO_STRING([t.s, y], ',', t.s)) FROM UNNEST(t.b) y), (SELECT STRING_AGG(TO_JSON_STRING(STRUCT(t.b AS b, y AS y))) FROM UNNEST(t.b) y) FROM UNNEST([STRUCT(1 AS a, 'q' AS s, ['x', NULL] AS b)]) t
SELECT SAFE.TIMESTAMP_SECONDS(x), SAFE.DATE_FROM_UNIX_DATE(x) FROM UNNEST([9223372036854775807, 253402300800, 1, NULL]) x
TIMESTAMP_MILLIS(253402300800000)
-- Sizes that no machine has (the reference implementation's own limit is 1 MB).
REPEAT('a', 100000000000) -- docs: error
REPEAT(b'a', 100000000000) -- docs: error
LPAD('a', 100000000000) -- docs: error
RPAD(b'a', 100000000000) -- docs: error
SELECT REPEAT(x, n) FROM UNNEST([STRUCT(b'ab' AS x, 2 AS n), (b'', 5), (b'a', 0), (NULL, 2), (b'a', NULL)])
REPEAT('', 100000000000)
SELECT FORMAT('%*d', x, 1) FROM UNNEST([1048577]) x
SELECT FORMAT('%*d', x, 1) FROM UNNEST([-99999999999]) x
SELECT FORMAT('%.*f', x, 1.5) FROM UNNEST([1048577]) x
SELECT FORMAT('%.*s', x, 'a') FROM UNNEST([99999999999]) x
SELECT ARRAY_AGG(x LIMIT 0), STRING_AGG(CAST(x AS STRING) LIMIT 0), ARRAY_CONCAT_AGG([x] LIMIT 0), ARRAY_AGG(x ORDER BY x LIMIT 0)[SAFE_OFFSET(0)] FROM UNNEST([1]) x
-- What AND and OR no longer have to know is not evaluated, also where their value is kept.
SELECT z != 0 AND 10 / z > 3, z = 0 OR 10 / z > 3, NOT (z = 0 OR 10 / z > 3), z IS NULL OR NOT (z != 0 AND (10 / z > 3 OR z > 7)) FROM UNNEST([0, 1, 5, NULL]) z
SELECT COUNTIF(z != 0 AND 10 / z > 3), COUNTIF(NOT (z = 0 OR 10 / z > 3)), LOGICAL_OR(z != 0 AND 10 / z > 3), LOGICAL_AND(z = 0 OR 10 / z > 3), COUNT(z != 0 AND 10 / z > 3), SUM(IF(z != 0 AND 10 / z > 3, z, 0)) FROM UNNEST([0, 1, 5, NULL]) z
SELECT x > 0 AND 10 / y > 3, x > 0 OR 10 / y > 3, NOT (x > 0 AND (10 / y > 3 OR x IS NULL)) FROM UNNEST([STRUCT(1 AS x, 2 AS y), (0, 5), (NULL, 2), (NULL, NULL), (1, NULL), (0, NULL), (NULL, 5)])
