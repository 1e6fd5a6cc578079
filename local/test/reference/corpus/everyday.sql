-- Queries as people write them, over rows of their own: joins with arrays, windows, pivots, grouping sets, correlated subqueries.
WITH orders AS (SELECT 1 AS id, ['a', 'b'] AS items UNION ALL SELECT 2, []) SELECT id, item FROM orders LEFT JOIN UNNEST(items) AS item ORDER BY id, item
WITH orders AS (SELECT 1 AS id, ['a', 'b'] AS items UNION ALL SELECT 2, []) SELECT o.id, item, place FROM orders o LEFT JOIN UNNEST(o.items) AS item WITH OFFSET AS place ORDER BY 1, 3
WITH orders AS (SELECT 1 AS id, [STRUCT('a' AS sku, 2 AS n), ('b', 3)] AS items UNION ALL SELECT 2, []) SELECT id, (SELECT SUM(n) FROM UNNEST(items)) AS total FROM orders ORDER BY id
WITH orders AS (SELECT 1 AS id, [STRUCT('a' AS sku, 2 AS n), ('b', 3)] AS items UNION ALL SELECT 2, []) SELECT id FROM orders WHERE EXISTS (SELECT 1 FROM UNNEST(items) WHERE n > 2)
WITH orders AS (SELECT 1 AS id, [STRUCT('a' AS sku, 2 AS n), ('b', 3)] AS items) SELECT id, ARRAY(SELECT AS STRUCT sku, n * 2 AS n FROM UNNEST(items) ORDER BY n DESC) FROM orders
WITH orders AS (SELECT 1 AS id, [STRUCT('a' AS sku, 2 AS n), ('b', 3)] AS items) SELECT id, i.* FROM orders, orders.items AS i ORDER BY sku
WITH seen AS (SELECT * FROM UNNEST([STRUCT('ann' AS who, 1 AS t), ('bob', 2), ('ann', 3)])) SELECT who, t FROM seen WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY who ORDER BY t DESC) = 1 ORDER BY who
WITH seen AS (SELECT * FROM UNNEST([STRUCT('ann' AS who, 1 AS t), ('bob', 2), ('ann', 3)])) SELECT who, t, LAG(t) OVER w AS before, LEAD(t, 1, -1) OVER w AS after FROM seen WINDOW w AS (PARTITION BY who ORDER BY t) ORDER BY t
WITH seen AS (SELECT * FROM UNNEST([STRUCT('ann' AS who, 1 AS t), ('bob', 2), ('ann', 3)])) SELECT who, SUM(t) OVER (PARTITION BY who ORDER BY t ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS running, t / SUM(t) OVER () AS share FROM seen ORDER BY t
WITH seen AS (SELECT * FROM UNNEST([STRUCT('ann' AS who, 1 AS t), ('bob', 2), ('ann', 3)])) SELECT who, COUNT(*) AS n, SUM(t) OVER_ FROM seen GROUP BY who HAVING n > 1
WITH seen AS (SELECT * FROM UNNEST([STRUCT('ann' AS who, 1 AS t), ('bob', 2), ('ann', 3)])) SELECT who, ARRAY_AGG(STRUCT(t) ORDER BY t DESC LIMIT 1)[OFFSET(0)].t AS latest FROM seen GROUP BY who ORDER BY who
WITH seen AS (SELECT * FROM UNNEST([STRUCT('ann' AS who, 1 AS t), ('bob', 2), ('ann', 3)])) SELECT who, RANK() OVER (ORDER BY n DESC) AS place FROM (SELECT who, COUNT(*) AS n FROM seen GROUP BY who) ORDER BY place
WITH sold AS (SELECT * FROM UNNEST([STRUCT('x' AS item, 'q1' AS quarter, 5 AS n), ('x', 'q2', 7), ('y', 'q1', 1)])) SELECT * FROM sold PIVOT (SUM(n) FOR quarter IN ('q1', 'q2')) ORDER BY item
WITH sold AS (SELECT * FROM UNNEST([STRUCT('x' AS item, 'q1' AS quarter, 5 AS n), ('x', 'q2', 7), ('y', 'q1', 1)])) SELECT * FROM sold PIVOT (SUM(n) AS total, COUNT(*) AS c FOR quarter IN ('q1' AS a, 'q2' AS b)) ORDER BY item
WITH wide AS (SELECT 1 AS id, 10 AS q1, CAST(NULL AS INT64) AS q2) SELECT * FROM wide UNPIVOT (n FOR quarter IN (q1, q2))
WITH wide AS (SELECT 1 AS id, 10 AS q1, CAST(NULL AS INT64) AS q2) SELECT * FROM wide UNPIVOT INCLUDE NULLS (n FOR quarter IN (q1 AS 'one', q2 AS 'two')) ORDER BY quarter
WITH a AS (SELECT * FROM UNNEST([1, 2, 3]) AS k), b AS (SELECT * FROM UNNEST([2, 3, 4]) AS k) SELECT a.k AS x, b.k AS y FROM a FULL JOIN b USING (k) ORDER BY COALESCE(x, y)
WITH a AS (SELECT * FROM UNNEST([1, 2, 3]) AS k), b AS (SELECT * FROM UNNEST([2, 3, 4]) AS k) SELECT k FROM a LEFT JOIN b USING (k) ORDER BY k
WITH a AS (SELECT * FROM UNNEST([1, 2, 3]) AS k) SELECT k FROM a WHERE k NOT IN (SELECT x FROM UNNEST([2, NULL]) AS x)
WITH a AS (SELECT * FROM UNNEST([1, 2, 3]) AS k) SELECT k, (SELECT COUNT(*) FROM a AS other WHERE other.k < a.k) AS below FROM a ORDER BY k
WITH days AS (SELECT d FROM UNNEST(GENERATE_DATE_ARRAY('2024-01-30', '2024-02-02')) AS d) SELECT DATE_TRUNC(d, MONTH) AS m, COUNT(*) AS n, MAX(d) AS last FROM days GROUP BY m ORDER BY m
WITH days AS (SELECT d FROM UNNEST(GENERATE_DATE_ARRAY('2024-01-30', '2024-02-02')) AS d) SELECT FORMAT_DATE('%a %d', d), EXTRACT(ISOWEEK FROM d), LAST_DAY(d), DATE_DIFF(d, '2024-01-01', WEEK(MONDAY)) FROM days ORDER BY d
SELECT * EXCEPT (b) REPLACE (a + 1 AS a) FROM (SELECT 1 AS a, 2 AS b, 3 AS c)
SELECT t.s.* FROM (SELECT STRUCT(1 AS x, 'y' AS y) AS s) AS t
SELECT ARRAY(SELECT DISTINCT x FROM UNNEST([3, 1, 3]) AS x ORDER BY x)
SELECT STRING_AGG(DISTINCT x, '|' ORDER BY x DESC LIMIT 2) FROM UNNEST(['a', 'c', 'b', 'a']) AS x
SELECT COUNTIF(x > 1) / COUNT(*) AS share, COUNT(DISTINCT IF(x > 1, x, NULL)) AS n FROM UNNEST([1, 2, 2, 3]) AS x
SELECT x, CASE WHEN x < 0 THEN 'minus' WHEN x = 0 THEN 'zero' ELSE 'plus' END FROM UNNEST([-1, 0, 1]) AS x ORDER BY x
SELECT x FROM UNNEST([3, NULL, 1]) AS x ORDER BY x DESC NULLS FIRST
SELECT x FROM UNNEST([3, NULL, 1]) AS x ORDER BY x LIMIT 1 OFFSET 1
SELECT TO_JSON_STRING(t) FROM (SELECT 1 AS a, [STRUCT('x' AS b)] AS c, DATE '2024-01-02' AS d) AS t
SELECT JSON_VALUE(j, '$.a.b'), JSON_QUERY(j, '$.l'), ARRAY(SELECT JSON_VALUE(e) FROM UNNEST(JSON_QUERY_ARRAY(j, '$.l')) AS e) FROM (SELECT JSON '{"a": {"b": "x"}, "l": [1, "2"]}' AS j)
SELECT k, COALESCE(MAX(IF(name = 'x', value, NULL)), 0) AS x, MAX(IF(name = 'y', value, NULL)) AS y FROM UNNEST([STRUCT(1 AS k, 'x' AS name, 5 AS value), (1, 'y', 6), (2, 'y', 7)]) GROUP BY k ORDER BY k
SELECT FIRST_VALUE(x IGNORE NULLS) OVER (ORDER BY i ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) FROM UNNEST([NULL, 'a', NULL, 'b']) AS x WITH OFFSET AS i ORDER BY i
SELECT LAST_VALUE(x IGNORE NULLS) OVER (ORDER BY i) FROM UNNEST(['a', NULL, 'b', NULL]) AS x WITH OFFSET AS i ORDER BY i
SELECT i, SUM(IF(gap, 1, 0)) OVER (ORDER BY i) AS session FROM (SELECT i, i - LAG(i, 1, 0) OVER (ORDER BY i) > 2 AS gap FROM UNNEST([1, 2, 6, 7, 12]) AS i) ORDER BY i
WITH RECURSIVE tree AS (SELECT 1 AS id, CAST(NULL AS INT64) AS parent UNION ALL SELECT 2, 1 UNION ALL SELECT 3, 2), up AS (SELECT id, parent, 0 AS depth FROM tree WHERE id = 3 UNION ALL SELECT t.id, t.parent, up.depth + 1 FROM tree t JOIN up ON t.id = up.parent) SELECT id, depth FROM up ORDER BY depth
(SELECT 1 AS x UNION ALL SELECT 2) EXCEPT DISTINCT SELECT 2 ORDER BY x
SELECT a, b FROM UNNEST([1, 2]) AS a, UNNEST(['x', 'y']) AS b WHERE NOT (a = 1 AND b = 'x') ORDER BY a, b
SELECT IFNULL(SAFE_CAST(x AS INT64), -1), SAFE_DIVIDE(1, LENGTH(x) - 1), REGEXP_EXTRACT(x, r'(\d+)$') FROM UNNEST(['7', 'a12', NULL]) AS x ORDER BY x
SELECT PERCENTILE_CONT(x, 0.5) OVER (), PERCENTILE_DISC(x, 0.5) OVER () FROM UNNEST([1, 2, 10, 4]) AS x LIMIT 1
SELECT NTILE(2) OVER (ORDER BY x), CUME_DIST() OVER (ORDER BY x), DENSE_RANK() OVER (ORDER BY MOD(x, 2)) FROM UNNEST([1, 2, 3]) AS x ORDER BY x
SELECT LAG(i, 1, i) OVER (ORDER BY i) FROM UNNEST([1, 2]) AS i
SELECT LEAD(i, 1, (SELECT 1)) OVER (ORDER BY i) FROM UNNEST([1, 2]) AS i
SELECT i, LEAD(i, 1, 2 * 4 + 1) OVER (ORDER BY i) FROM UNNEST([1, 2]) AS i ORDER BY i
