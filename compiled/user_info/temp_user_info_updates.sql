DECLARE _read_from TIMESTAMP DEFAULT IFNULL( -- R5
  (
  SELECT IF(
    progress.users > 0 AND NOT EXISTS (SELECT 1 FROM `my-project.analytics.user_info_final`),
    TIMESTAMP '1900-01-01 00:00:00+00',
    GREATEST(TIMESTAMP_SUB(progress.watermark, INTERVAL 1 HOUR), TIMESTAMP '1900-01-01 00:00:00+00')
  )
  FROM `my-project.analytics.user_info_watermark` AS progress
),
  ERROR('user_info_watermark has no row: drop that table, and the next run makes it anew')
);
DECLARE _read_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP();
DECLARE _batch_change STRUCT<init STRING, tables STRING, rebuild STRING, old_key STRING> DEFAULT ( -- R14
  SELECT AS STRUCT
    IF(MAX(was_key) IS NULL, NULL, STRING_AGG(IF(due = 'init', what, NULL), ', ' ORDER BY what)) AS init,
    STRING_AGG(IF(due = 'tables', what, NULL), ', ' ORDER BY what) AS tables,
    STRING_AGG(IF(due = 'rebuild', what, NULL), ', ' ORDER BY what) AS rebuild,
    MAX(IF(due = 'rebuild', was_key, NULL)) AS old_key
  FROM (
    SELECT
      CASE
        WHEN was.says IS NULL THEN IF(STARTS_WITH(now.path, '$.'), NULL, 'init')
        WHEN LOWER(was.says) = LOWER(now.says) OR 'part' IN (was.says, now.says) THEN NULL
        WHEN now.path IN ('$.deleted', '$.updates') AND was.says != 'not read yet' THEN 'init'
        WHEN 'field by field' IN (was.says, now.says) THEN 'tables'
        ELSE 'rebuild'
      END AS due,
      CONCAT(REPLACE(now.path, '$.', ''), ' ', IF(was.says IS NULL, 'is new', CONCAT(was.says, ' -> ', now.says))) AS what,
      IF(now.path = '$.key', was.says, NULL) AS was_key
    FROM (SELECT path, says FROM UNNEST(ARRAY<STRUCT<paths STRING, says STRING>>[
    ('$.key', 'userId'),
    ('$.ingestTimestamp', 'ingestTimestamp'),
    ('$.eventTimestamp', 'none'),
    ('$.deleted', 'none'),
    ('$.updates', 'user_info_updates'),
    ('attribute1, attribute2, attribute3', 'latest')
  ]), UNNEST(SPLIT(paths, ', ')) AS path) AS now
    LEFT JOIN (SELECT path, says FROM `my-project.analytics.user_info_watermark` AS progress, UNNEST(progress.basis), UNNEST(SPLIT(paths, ', ')) AS path) AS was
      ON LOWER(was.path) = LOWER(now.path)
  )
);
SELECT IF(
  _batch_change.init IS NOT NULL,
  ERROR(CONCAT('user_info: ', _batch_change.init, ': due is npm run init, whose --plan says what else to do first')),
  NULL
);
SELECT IF(
  _batch_change.tables IS NOT NULL AND EXISTS (SELECT 1 FROM `my-project.analytics.user_info_final`),
  ERROR(CONCAT('user_info: ', _batch_change.tables, ': due are another name for final in entities.json, and npm run init: BigQuery cannot change this of a table')),
  NULL
);
SELECT IF(
  _batch_change.rebuild IS NOT NULL AND (_read_from > TIMESTAMP '1900-01-01 00:00:00+00' OR EXISTS (SELECT 1 FROM `my-project.analytics.user_info_final`)),
  ERROR(CONCAT('user_info: ', _batch_change.rebuild, ': final would mix both meanings; due are the statements that npm run review lists, and a rebuild: --vars=rebuild=true')),
  NULL
);

create or replace table `my-project.analytics.temp_user_info_updates` cluster by userId as
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
  FROM `my-project.analytics.user_info_updates` AS _batch_row
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
  FROM `my-project.analytics.user_info_watermark` AS progress
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

BEGIN
  INSERT INTO `my-project.analytics.temp_user_info_updates` (_batch)
  VALUES (STRUCT(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, _read_at AS billed_read_at, @@script.bytes_billed AS bytes_billed));
EXCEPTION WHEN ERROR THEN
  SELECT 'the bill is not known';
END
