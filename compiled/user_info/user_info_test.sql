-- the query under test, on the test's input
SELECT
  userId,
  ingestTimestamp,
  attribute1.value AS attribute1,
  attribute2.value AS attribute2,
  attribute3.value AS attribute3,
  STRUCT(
    attribute1.version AS attribute1,
    attribute2.version AS attribute2,
    attribute3.version AS attribute3
  ) AS _versions,
  _batch
FROM (
  SELECT
    updates.userId,
    MAX(updates.ingestTimestamp) AS ingestTimestamp,
    ARRAY_AGG(
      IF(updates.attribute1 IS NOT NULL, STRUCT(updates.attribute1 AS value, updates.ingestTimestamp AS version), NULL)
      IGNORE NULLS ORDER BY updates.ingestTimestamp DESC, updates.attribute1 DESC LIMIT 1
    )[SAFE_OFFSET(0)] AS attribute1,
    ARRAY_AGG(
      IF(updates.attribute2 IS NOT NULL, STRUCT(updates.attribute2 AS value, updates.ingestTimestamp AS version), NULL)
      IGNORE NULLS ORDER BY updates.ingestTimestamp DESC, updates.attribute2 DESC LIMIT 1
    )[SAFE_OFFSET(0)] AS attribute2,
    ARRAY_AGG(
      IF(updates.attribute3 IS NOT NULL, STRUCT(updates.attribute3 AS value, updates.ingestTimestamp AS version), NULL)
      IGNORE NULLS ORDER BY updates.ingestTimestamp DESC, updates.attribute3 DESC LIMIT 1
    )[SAFE_OFFSET(0)] AS attribute3,
    STRUCT(
      MIN(_read_from) AS read_from,
      MIN(_read_at) AS read_at,
      COUNT(*) AS row_count,
      COUNTIF(updates.ingestTimestamp > _read_at) AS future_rows,
      -- R5: a row stamped in the future is merged, but takes the watermark nowhere
      MAX(IF(updates.ingestTimestamp <= _read_at, updates.ingestTimestamp, NULL)) AS newest_ingest
    ) AS _batch
  FROM (
  SELECT
    'userA' AS userId,
    TIMESTAMP '2024-01-01 00:00:01+00' AS ingestTimestamp,
    'xyz' AS attribute1,
    'abc' AS attribute2,
    'qwerty' AS attribute3,
    TIMESTAMP '2024-01-01 00:00:00+00' AS _read_from,
    TIMESTAMP '2024-01-02 00:00:00+00' AS _read_at
  UNION ALL SELECT
    'userB' AS userId,
    TIMESTAMP '2024-01-01 00:00:02+00' AS ingestTimestamp,
    'poc' AS attribute1,
    'mvp' AS attribute2,
    'ytrewq' AS attribute3,
    TIMESTAMP '2024-01-01 00:00:00+00' AS _read_from,
    TIMESTAMP '2024-01-02 00:00:00+00' AS _read_at
  UNION ALL SELECT
    'userC' AS userId,
    TIMESTAMP '2024-01-01 00:00:03+00' AS ingestTimestamp,
    'zyx' AS attribute1,
    'pvm' AS attribute2,
    'qywter' AS attribute3,
    TIMESTAMP '2024-01-01 00:00:00+00' AS _read_from,
    TIMESTAMP '2024-01-02 00:00:00+00' AS _read_at
  UNION ALL SELECT
    'userA' AS userId,
    TIMESTAMP '2024-01-01 00:00:04+00' AS ingestTimestamp,
    CAST(NULL AS STRING) AS attribute1,
    'ghj' AS attribute2,
    CAST(NULL AS STRING) AS attribute3,
    TIMESTAMP '2024-01-01 00:00:00+00' AS _read_from,
    TIMESTAMP '2024-01-02 00:00:00+00' AS _read_at
  UNION ALL SELECT
    'userA' AS userId,
    TIMESTAMP '2024-01-01 00:00:05+00' AS ingestTimestamp,
    CAST(NULL AS STRING) AS attribute1,
    CAST(NULL AS STRING) AS attribute2,
    'lot' AS attribute3,
    TIMESTAMP '2024-01-01 00:00:00+00' AS _read_from,
    TIMESTAMP '2024-01-02 00:00:00+00' AS _read_at
  UNION ALL SELECT
    'userB' AS userId,
    TIMESTAMP '2024-01-01 00:00:06+00' AS ingestTimestamp,
    'cor' AS attribute1,
    CAST(NULL AS STRING) AS attribute2,
    CAST(NULL AS STRING) AS attribute3,
    TIMESTAMP '2024-01-01 00:00:00+00' AS _read_from,
    TIMESTAMP '2024-01-02 00:00:00+00' AS _read_at
  UNION ALL SELECT
    'userA' AS userId,
    TIMESTAMP '2024-01-01 00:00:07+00' AS ingestTimestamp,
    CAST(NULL AS STRING) AS attribute1,
    'dat' AS attribute2,
    CAST(NULL AS STRING) AS attribute3,
    TIMESTAMP '2024-01-01 00:00:00+00' AS _read_from,
    TIMESTAMP '2024-01-02 00:00:00+00' AS _read_at
) AS updates
  WHERE
    updates.ingestTimestamp >= _read_from
    AND updates.userId IS NOT NULL
  GROUP BY 1
)
-- only `dataform test` compares rows in order, and there self() is empty
ORDER BY userId

-- what it must return
-- the worked example: three users, seven updates. The columns _read_from and _read_at stand in for the variables

SELECT
  'userA' AS userId,
  TIMESTAMP '2024-01-01 00:00:07+00' AS ingestTimestamp,
  'xyz' AS attribute1,
  'dat' AS attribute2,
  'lot' AS attribute3,
  STRUCT(
    TIMESTAMP '2024-01-01 00:00:01+00' AS attribute1,
    TIMESTAMP '2024-01-01 00:00:07+00' AS attribute2,
    TIMESTAMP '2024-01-01 00:00:05+00' AS attribute3
  ) AS _versions,
  STRUCT(
    TIMESTAMP '2024-01-01 00:00:00+00' AS read_from,
    TIMESTAMP '2024-01-02 00:00:00+00' AS read_at,
    4 AS row_count,
    0 AS future_rows,
    TIMESTAMP '2024-01-01 00:00:07+00' AS newest_ingest
  ) AS _batch
UNION ALL SELECT
  'userB' AS userId,
  TIMESTAMP '2024-01-01 00:00:06+00' AS ingestTimestamp,
  'cor' AS attribute1,
  'mvp' AS attribute2,
  'ytrewq' AS attribute3,
  STRUCT(
    TIMESTAMP '2024-01-01 00:00:06+00' AS attribute1,
    TIMESTAMP '2024-01-01 00:00:02+00' AS attribute2,
    TIMESTAMP '2024-01-01 00:00:02+00' AS attribute3
  ) AS _versions,
  STRUCT(
    TIMESTAMP '2024-01-01 00:00:00+00' AS read_from,
    TIMESTAMP '2024-01-02 00:00:00+00' AS read_at,
    2 AS row_count,
    0 AS future_rows,
    TIMESTAMP '2024-01-01 00:00:06+00' AS newest_ingest
  ) AS _batch
UNION ALL SELECT
  'userC' AS userId,
  TIMESTAMP '2024-01-01 00:00:03+00' AS ingestTimestamp,
  'zyx' AS attribute1,
  'pvm' AS attribute2,
  'qywter' AS attribute3,
  STRUCT(
    TIMESTAMP '2024-01-01 00:00:03+00' AS attribute1,
    TIMESTAMP '2024-01-01 00:00:03+00' AS attribute2,
    TIMESTAMP '2024-01-01 00:00:03+00' AS attribute3
  ) AS _versions,
  STRUCT(
    TIMESTAMP '2024-01-01 00:00:00+00' AS read_from,
    TIMESTAMP '2024-01-02 00:00:00+00' AS read_at,
    1 AS row_count,
    0 AS future_rows,
    TIMESTAMP '2024-01-01 00:00:03+00' AS newest_ingest
  ) AS _batch
