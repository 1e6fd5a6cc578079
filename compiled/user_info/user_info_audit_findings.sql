-- disabled: compiled, but not run

CREATE OR REPLACE TABLE `my-project.analytics.user_info_audit_findings`
OPTIONS(expiration_timestamp=TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)) AS
WITH _batch_read AS (
  SELECT updates.*
  FROM `my-project.analytics.user_info_updates` AS updates
  CROSS JOIN `my-project.analytics.user_info_watermark` AS progress
  WHERE
    -- what came since the last run is not in final yet
    updates.ingestTimestamp >= TIMESTAMP '1900-01-01 00:00:00+00' AND updates.ingestTimestamp <= progress.watermark
    AND ABS(MOD(FARM_FINGERPRINT(TO_JSON_STRING(STRUCT(updates.userId AS userId))), 1000000)) < 0.01 * 1000000
),
_batch_gathered AS (
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
  WHERE TRUE
    AND updates.userId IS NOT NULL
  GROUP BY 1
),
_batch_compared AS (
  SELECT
    IFNULL(history.userId, final.userId) AS userId,
    final.userId IS NULL OR (history.userId IS NULL AND final.ingestTimestamp >= left_over.oldest) AS _is_missing,
    ARRAY(SELECT leaf FROM UNNEST([IF(
          TO_JSON_STRING(STRUCT(history.attribute1.value AS value, history.attribute1.version AS version))
          != TO_JSON_STRING(STRUCT(final.attribute1 AS value, final._versions.attribute1 AS version))
          AND NOT IFNULL(final._versions.attribute1 < left_over.counts_from AND (IFNULL(final._versions.attribute1 > history.attribute1.version, history.attribute1.version IS NULL)), FALSE),
          'attribute1',
          NULL
        ),
        IF(
          TO_JSON_STRING(STRUCT(history.attribute2.value AS value, history.attribute2.version AS version))
          != TO_JSON_STRING(STRUCT(final.attribute2 AS value, final._versions.attribute2 AS version))
          AND NOT IFNULL(final._versions.attribute2 < left_over.counts_from AND (IFNULL(final._versions.attribute2 > history.attribute2.version, history.attribute2.version IS NULL)), FALSE),
          'attribute2',
          NULL
        ),
        IF(
          TO_JSON_STRING(STRUCT(history.attribute3.value AS value, history.attribute3.version AS version))
          != TO_JSON_STRING(STRUCT(final.attribute3 AS value, final._versions.attribute3 AS version))
          AND NOT IFNULL(final._versions.attribute3 < left_over.counts_from AND (IFNULL(final._versions.attribute3 > history.attribute3.version, history.attribute3.version IS NULL)), FALSE),
          'attribute3',
          NULL
        )]) AS leaf WHERE leaf IS NOT NULL) AS _leaves
  FROM _batch_gathered AS history
  FULL JOIN (
    SELECT *
    FROM `my-project.analytics.user_info_versions` AS stored
    WHERE ABS(MOD(FARM_FINGERPRINT(TO_JSON_STRING(STRUCT(stored.userId AS userId))), 1000000)) < 0.01 * 1000000
  ) AS final
    ON history.userId = final.userId
  CROSS JOIN (
    -- updates may be trimmed: what is older than the oldest one that is left, nothing is compared with
    SELECT
      IFNULL(MIN(updates.ingestTimestamp), TIMESTAMP '9000-01-01 00:00:00+00') AS oldest,
      TIMESTAMP_ADD(IFNULL(MIN(updates.ingestTimestamp), TIMESTAMP '9000-01-01 00:00:00+00'), INTERVAL 0 MICROSECOND) AS counts_from
    FROM `my-project.analytics.user_info_updates` AS updates
    WHERE
      updates.ingestTimestamp IS NOT NULL
      AND updates.ingestTimestamp >= TIMESTAMP '1900-01-01 00:00:00+00'
      AND updates.userId IS NOT NULL
  ) AS left_over
  CROSS JOIN `my-project.analytics.user_info_watermark` AS progress
  -- users with updates stamped in the future are left out until their time has come
  WHERE IFNULL(final.ingestTimestamp <= progress.watermark, TRUE)
)
SELECT * EXCEPT (_is_missing)
FROM _batch_compared
WHERE _is_missing OR ARRAY_LENGTH(_leaves) > 0
