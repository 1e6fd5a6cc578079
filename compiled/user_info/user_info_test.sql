-- the query under test, on the test's input
WITH _batch_gathered AS (
  -- R2, R3: what the updates leave of each attribute, as value and version
  SELECT
    updates.userId,
    MAX(updates.ingestTimestamp) AS ingestTimestamp,
    MIN(updates.ingestTimestamp) AS _base_version,
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
      MAX(IF(updates.ingestTimestamp <= _read_at, updates.ingestTimestamp, NULL)) AS newest_ingest,
      SUM(IF(_read_from = _batch_seen_from, updates._batch_row_hash, NULL)) AS digest,
      MIN(_batch_next_from) AS next_from,
      NULLIF(COUNTIF(updates.ingestTimestamp >= _batch_next_from), 0) AS next_rows,
      SUM(IF(updates.ingestTimestamp >= _batch_next_from, updates._batch_row_hash, NULL)) AS next_digest
    ) AS _batch
  FROM (
    SELECT
      *,
      IF(_batch_row.ingestTimestamp >= _batch_next_from OR _read_from = _batch_seen_from, CAST(FARM_FINGERPRINT(CONCAT('db427a6d2f8e', TO_JSON_STRING(_batch_row))) AS NUMERIC), NULL) AS _batch_row_hash
    FROM (
  SELECT
    *,
    CAST(NULL AS TIMESTAMP) AS _batch_seen_from,
    CAST(NULL AS TIMESTAMP) AS _batch_next_from
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
) AS _batch_row
    WHERE _batch_row.ingestTimestamp >= _read_from
  ) AS updates
  WHERE TRUE
    AND updates.userId IS NOT NULL -- R12
  GROUP BY 1
)
SELECT
  userId,
  ingestTimestamp,
  attribute1.value AS attribute1,
  attribute2.value AS attribute2,
  attribute3.value AS attribute3,
  _base_version,
  STRUCT(
    NULLIF(attribute1.version, _base_version) AS attribute1,
    NULLIF(attribute2.version, _base_version) AS attribute2,
    NULLIF(attribute3.version, _base_version) AS attribute3
  ) AS _own_versions,
  _batch
FROM _batch_gathered
-- only `dataform test` compares rows in order, and there self() is empty
ORDER BY userId

-- what it must return
-- the worked example: three users, seven updates. The columns _read_from and _read_at stand in for the variables

SELECT *
FROM UNNEST(ARRAY<STRUCT<
  userId STRING, ingestTimestamp TIMESTAMP, attribute1 STRING, attribute2 STRING, attribute3 STRING, _base_version TIMESTAMP,
  _own_versions STRUCT<attribute1 TIMESTAMP, attribute2 TIMESTAMP, attribute3 TIMESTAMP>,
  _batch STRUCT<read_from TIMESTAMP, read_at TIMESTAMP, row_count INT64, future_rows INT64, newest_ingest TIMESTAMP, digest NUMERIC, next_from TIMESTAMP, next_rows INT64, next_digest NUMERIC>
>>[
  ('userA', '2024-01-07 00:00:00+00', 'xyz', 'dat', 'lot',    '2024-01-01 00:00:00+00', (NULL, '2024-01-07 00:00:00+00', '2024-01-05 00:00:00+00'),
   ('2024-01-01 00:00:00+00', '2024-01-08 00:00:00+00', 4, 0, '2024-01-07 00:00:00+00', NULL, NULL, NULL, NULL)),
  ('userB', '2024-01-06 00:00:00+00', 'cor', 'mvp', 'ytrewq', '2024-01-02 00:00:00+00', ('2024-01-06 00:00:00+00', NULL, NULL),
   ('2024-01-01 00:00:00+00', '2024-01-08 00:00:00+00', 2, 0, '2024-01-06 00:00:00+00', NULL, NULL, NULL, NULL)),
  ('userC', '2024-01-03 00:00:00+00', 'zyx', 'pvm', 'qywter', '2024-01-03 00:00:00+00', (NULL, NULL, NULL),
   ('2024-01-01 00:00:00+00', '2024-01-08 00:00:00+00', 1, 0, '2024-01-03 00:00:00+00', NULL, NULL, NULL, NULL))
])
ORDER BY userId
