-- the query under test, on the test's input
WITH _gathered AS (
  -- R2, R3: what the updates leave of each attribute, as value and version
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
  SELECT *
  FROM UNNEST(ARRAY<STRUCT<
    userId STRING, ingestTimestamp TIMESTAMP, attribute1 STRING, attribute2 STRING, attribute3 STRING, _read_from TIMESTAMP, _read_at TIMESTAMP
  >>[
    ('userA', '2024-01-01 00:00:00+00', 'xyz', 'abc', 'qwerty', '2024-01-01 00:00:00+00', '2024-01-08 00:00:00+00'),
    ('userB', '2024-01-02 00:00:00+00', 'poc', 'mvp', 'ytrewq', '2024-01-01 00:00:00+00', '2024-01-08 00:00:00+00'),
    ('userC', '2024-01-03 00:00:00+00', 'zyx', 'pvm', 'qywter', '2024-01-01 00:00:00+00', '2024-01-08 00:00:00+00'),
    ('userA', '2024-01-04 00:00:00+00', NULL,  'ghj', NULL,     '2024-01-01 00:00:00+00', '2024-01-08 00:00:00+00'),
    ('userA', '2024-01-05 00:00:00+00', NULL,  NULL,  'lot',    '2024-01-01 00:00:00+00', '2024-01-08 00:00:00+00'),
    ('userB', '2024-01-06 00:00:00+00', 'cor', NULL,  NULL,     '2024-01-01 00:00:00+00', '2024-01-08 00:00:00+00'),
    ('userA', '2024-01-07 00:00:00+00', NULL,  'dat', NULL,     '2024-01-01 00:00:00+00', '2024-01-08 00:00:00+00')
  ])
) AS updates
  WHERE updates.ingestTimestamp >= _read_from
    AND updates.userId IS NOT NULL -- R12
  GROUP BY 1
)
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
FROM _gathered
-- only `dataform test` compares rows in order, and there self() is empty
ORDER BY userId

-- what it must return
-- the worked example: three users, seven updates. The columns _read_from and _read_at stand in for the variables

SELECT *
FROM UNNEST(ARRAY<STRUCT<
  userId STRING, ingestTimestamp TIMESTAMP, attribute1 STRING, attribute2 STRING, attribute3 STRING,
  _versions STRUCT<attribute1 TIMESTAMP, attribute2 TIMESTAMP, attribute3 TIMESTAMP>,
  _batch STRUCT<read_from TIMESTAMP, read_at TIMESTAMP, row_count INT64, future_rows INT64, newest_ingest TIMESTAMP>
>>[
  ('userA', '2024-01-07 00:00:00+00', 'xyz', 'dat', 'lot',    STRUCT('2024-01-01 00:00:00+00', '2024-01-07 00:00:00+00', '2024-01-05 00:00:00+00'),
   ('2024-01-01 00:00:00+00', '2024-01-08 00:00:00+00', 4, 0, '2024-01-07 00:00:00+00')),
  ('userB', '2024-01-06 00:00:00+00', 'cor', 'mvp', 'ytrewq', STRUCT('2024-01-06 00:00:00+00', '2024-01-02 00:00:00+00', '2024-01-02 00:00:00+00'),
   ('2024-01-01 00:00:00+00', '2024-01-08 00:00:00+00', 2, 0, '2024-01-06 00:00:00+00')),
  ('userC', '2024-01-03 00:00:00+00', 'zyx', 'pvm', 'qywter', STRUCT('2024-01-03 00:00:00+00', '2024-01-03 00:00:00+00', '2024-01-03 00:00:00+00'),
   ('2024-01-01 00:00:00+00', '2024-01-08 00:00:00+00', 1, 0, '2024-01-03 00:00:00+00'))
])
ORDER BY userId
