-- the query under test, on the test's input
WITH _batch_read AS (
  -- R7: a column is billed once, however often the statement names it: all that a run wants of the updates it takes from here
  SELECT
    *,
    -- by these a run knows whether it finds anything new; all history is never seen before
    IF(
      _read_from > TIMESTAMP '1900-01-01 00:00:00+00',
      CAST(FARM_FINGERPRINT(CONCAT('db427a6d2f8e', TO_JSON_STRING(_batch_row))) AS NUMERIC),
      NULL
    ) AS _batch_row_hash
  FROM (
  SELECT *
  FROM UNNEST(ARRAY<STRUCT<
    userId STRING, ingestTimestamp TIMESTAMP, attribute1 STRING, attribute2 STRING, attribute3 STRING, _read_from TIMESTAMP, _read_at TIMESTAMP
  >>[
    ('userA', '2024-01-01 00:00:00+00', 'xyz', 'abc', 'qwerty', '1900-01-01 00:00:00+00', '2024-01-08 00:00:00+00'),
    ('userB', '2024-01-02 00:00:00+00', 'poc', 'mvp', 'ytrewq', '1900-01-01 00:00:00+00', '2024-01-08 00:00:00+00'),
    ('userC', '2024-01-03 00:00:00+00', 'zyx', 'pvm', 'qywter', '1900-01-01 00:00:00+00', '2024-01-08 00:00:00+00'),
    ('userA', '2024-01-04 00:00:00+00', NULL,  'ghj', NULL,     '1900-01-01 00:00:00+00', '2024-01-08 00:00:00+00'),
    ('userA', '2024-01-05 00:00:00+00', NULL,  NULL,  'lot',    '1900-01-01 00:00:00+00', '2024-01-08 00:00:00+00'),
    ('userB', '2024-01-06 00:00:00+00', 'cor', NULL,  NULL,     '1900-01-01 00:00:00+00', '2024-01-08 00:00:00+00'),
    ('userA', '2024-01-07 00:00:00+00', NULL,  'dat', NULL,     '1900-01-01 00:00:00+00', '2024-01-08 00:00:00+00')
  ])
) AS _batch_row
  WHERE _batch_row.ingestTimestamp >= _read_from
    OR _batch_row.ingestTimestamp IS NULL OR _batch_row.ingestTimestamp < TIMESTAMP '1900-01-01 00:00:00+00'
),
_batch_gathered AS (
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
    )[SAFE_OFFSET(0)] AS attribute3
  FROM _batch_read AS updates
  WHERE updates.ingestTimestamp >= _read_from
    AND updates.userId IS NOT NULL -- R12
  GROUP BY 1
),
_batch_span AS (
  -- R5: a row stamped in the future is merged, but takes the watermark nowhere
  SELECT
    _read_from AS read_from,
    _read_at AS read_at,
    newest.stamp AS newest_ingest,
    IF(
      _read_from > TIMESTAMP '1900-01-01 00:00:00+00',
      GREATEST(
        TIMESTAMP_SUB(GREATEST(progress.watermark, IFNULL(newest.stamp, progress.watermark)), INTERVAL 1 HOUR),
        TIMESTAMP '1900-01-01 00:00:00+00'
      ),
      NULL
    ) AS next_from,
    CAST(NULL AS TIMESTAMP) AS committed_from,
    CAST(NULL AS TIMESTAMP) AS committed_until
  FROM (
  SELECT TIMESTAMP '1900-01-01 00:00:00+00' AS watermark, TIMESTAMP '1900-01-01 00:00:00+00' AS _read_from, TIMESTAMP '2024-01-08 00:00:00+00' AS _read_at
) AS progress
  CROSS JOIN (
    SELECT MAX(updates.ingestTimestamp) AS stamp
    FROM _batch_read AS updates
    WHERE updates.ingestTimestamp BETWEEN _read_from AND _read_at
      AND updates.userId IS NOT NULL
  ) AS newest
),
_batch_counted AS (
  SELECT
    COUNT(*) AS row_count,
    COUNTIF(updates.ingestTimestamp > span.read_at) AS future_rows,
    SUM(updates._batch_row_hash) AS digest,
    NULLIF(COUNTIF(updates.ingestTimestamp >= span.next_from), 0) AS next_rows,
    SUM(IF(updates.ingestTimestamp >= span.next_from, updates._batch_row_hash, NULL)) AS next_digest
  FROM _batch_read AS updates
  CROSS JOIN _batch_span AS span
  WHERE updates.ingestTimestamp >= span.read_from
      AND updates.userId IS NOT NULL
),
_batch_found AS (
  -- R12: rows that never reach final, and those that are only reported: of each kind how many
  SELECT
    CASE
      WHEN updates.ingestTimestamp IS NULL THEN 'no ingest timestamp'
      WHEN updates.ingestTimestamp < TIMESTAMP '1900-01-01 00:00:00+00' THEN 'ingest timestamp before 1900'
      WHEN updates.userId IS NULL THEN 'no userId'
      WHEN updates.ingestTimestamp > TIMESTAMP_ADD(_read_at, INTERVAL 1 DAY) THEN 'ingest timestamp more than a day ahead'
    END AS reason,
    updates.ingestTimestamp AS ingest_timestamp,
    LEFT(TO_JSON_STRING(STRUCT(updates.userId, updates.ingestTimestamp)), 2000) AS details,
    COUNT(*) AS row_count,
    updates.ingestTimestamp IS NULL OR updates.ingestTimestamp < TIMESTAMP '1900-01-01 00:00:00+00' OR updates.userId IS NULL AS is_bad,
    TO_HEX(SHA256(TO_JSON_STRING(STRUCT(updates.userId AS userId)))) AS key_hash,
    CAST(NULL AS INT64) AS fresh_rows
  FROM _batch_read AS updates
  WHERE updates.ingestTimestamp IS NULL OR updates.ingestTimestamp < TIMESTAMP '1900-01-01 00:00:00+00' OR updates.userId IS NULL
    OR updates.ingestTimestamp > TIMESTAMP_ADD(_read_at, INTERVAL 1 DAY)
  GROUP BY 1, 2, 3, 5, 6
),
_batch_kept_out AS (
  SELECT
    IFNULL(SUM(IF(found.is_bad, found.row_count, 0)), 0) AS bad_rows,
    ARRAY_AGG(found ORDER BY found.ingest_timestamp DESC, found.details LIMIT 10000) AS kept_out,
    CAST(NULL AS TIMESTAMP) AS billed_read_at,
    CAST(NULL AS INT64) AS bytes_billed
  FROM _batch_found AS found
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
  ) AS _own_versions
FROM _batch_gathered
FULL OUTER UNION ALL BY NAME
-- one row more, which has no key: the batch of itself; `dataform test`, where self() is empty, compares rows in order
SELECT (SELECT AS STRUCT * FROM _batch_span CROSS JOIN _batch_counted CROSS JOIN _batch_kept_out) AS _batch
ORDER BY userId

-- what it must return
-- the worked example: three users, seven updates, read from the start of history. The columns _read_from and _read_at stand in for
-- the variables

-- the batch, and what it says of itself
SELECT *
FROM UNNEST(ARRAY<STRUCT<
  userId STRING, ingestTimestamp TIMESTAMP, attribute1 STRING, attribute2 STRING, attribute3 STRING, _base_version TIMESTAMP,
  _own_versions STRUCT<attribute1 TIMESTAMP, attribute2 TIMESTAMP, attribute3 TIMESTAMP>
>>[
  ('userA', '2024-01-07 00:00:00+00', 'xyz', 'dat', 'lot',    '2024-01-01 00:00:00+00', (NULL, '2024-01-07 00:00:00+00', '2024-01-05 00:00:00+00')),
  ('userB', '2024-01-06 00:00:00+00', 'cor', 'mvp', 'ytrewq', '2024-01-02 00:00:00+00', ('2024-01-06 00:00:00+00', NULL, NULL)),
  ('userC', '2024-01-03 00:00:00+00', 'zyx', 'pvm', 'qywter', '2024-01-03 00:00:00+00', (NULL, NULL, NULL))
])
FULL OUTER UNION ALL BY NAME
SELECT STRUCT(
  TIMESTAMP '1900-01-01 00:00:00+00' AS read_from, TIMESTAMP '2024-01-08 00:00:00+00' AS read_at,
  TIMESTAMP '2024-01-07 00:00:00+00' AS newest_ingest, CAST(NULL AS TIMESTAMP) AS next_from, CAST(NULL AS TIMESTAMP) AS committed_from,
  CAST(NULL AS TIMESTAMP) AS committed_until, 7 AS row_count, 0 AS future_rows, CAST(NULL AS NUMERIC) AS digest,
  CAST(NULL AS INT64) AS next_rows, CAST(NULL AS NUMERIC) AS next_digest, 0 AS bad_rows,
  CAST(NULL AS ARRAY<STRUCT<reason STRING, ingest_timestamp TIMESTAMP, details STRING, row_count INT64, is_bad BOOL, key_hash STRING, fresh_rows INT64>>) AS kept_out,
  CAST(NULL AS TIMESTAMP) AS billed_read_at, CAST(NULL AS INT64) AS bytes_billed
) AS _batch
ORDER BY userId
