DECLARE _read_from TIMESTAMP DEFAULT IFNULL(
  -- R5: on from the watermark, a lookback earlier, and everything where final was lost, so that it heals
  (
    SELECT
      IF(
        progress.users > 0 AND NOT EXISTS (SELECT 1 FROM `my-project.analytics.user_info_final`),
        TIMESTAMP '1900-01-01 00:00:00+00',
        GREATEST(
          TIMESTAMP_SUB(progress.watermark, INTERVAL 1 HOUR),
          TIMESTAMP '1900-01-01 00:00:00+00'
        )
      )
    FROM `my-project.analytics.user_info_watermark` AS progress
  ),
  ERROR('user_info_watermark has no row: drop that table, and the next run makes it anew')
);
DECLARE _read_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP();

create or replace table `my-project.analytics.temp_user_info_updates` cluster by userId as
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
  FROM `my-project.analytics.user_info_updates` AS updates
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
