DECLARE _read_from TIMESTAMP DEFAULT IFNULL(
  -- only rows from here on are searched for bad ones, so that partitions are pruned
  (SELECT _batch.read_from FROM `my-project.analytics.temp_user_info_updates` LIMIT 1),
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
  )
);

BEGIN TRANSACTION;

-- R6: every run writes this row first, so overlapping runs meet here and the one that loses changes nothing.
UPDATE `my-project.analytics.user_info_watermark` AS progress
SET
  previous_watermark = progress.watermark,
  watermark = CASE
    WHEN NOT EXISTS (SELECT 1 FROM `my-project.analytics.temp_user_info_updates`) THEN progress.watermark -- an empty batch changes nothing
    WHEN (SELECT MAX(_batch.read_from) FROM `my-project.analytics.temp_user_info_updates`) > progress.watermark
      THEN ERROR('temp_user_info_updates holds the batch of an overlapping run, which leaves a gap after the watermark - run again')
    WHEN (SELECT MAX(_batch.read_from) FROM `my-project.analytics.temp_user_info_updates`) > TIMESTAMP '1900-01-01 00:00:00+00'
      AND progress.users > 0 AND NOT EXISTS (SELECT 1 FROM `my-project.analytics.user_info_final`)
      THEN ERROR('user_info_final was lost, and the batch does not hold all history - run again')
    ELSE GREATEST(progress.watermark, IFNULL((SELECT MAX(_batch.newest_ingest) FROM `my-project.analytics.temp_user_info_updates`), progress.watermark))
  END,
  read_at = IFNULL((SELECT MAX(_batch.read_at) FROM `my-project.analytics.temp_user_info_updates`), progress.read_at),
  merged_at = IF(EXISTS (SELECT 1 FROM `my-project.analytics.temp_user_info_updates`), CURRENT_TIMESTAMP(), progress.merged_at)
WHERE TRUE;

-- R3, R7: the merged state of those rows that the batch really changes. A STRUCT is assigned by position, and final's
-- fields stand in the order in which they came to the table: so each is replaced in final's own STRUCT, by its name.
CREATE OR REPLACE TEMP TABLE user_info_changes AS
SELECT
  userId,
  ingestTimestamp,
  attribute1.value AS attribute1,
  attribute2.value AS attribute2,
  attribute3.value AS attribute3,
  (SELECT AS STRUCT _final._versions.* REPLACE (
    attribute1.version AS attribute1,
    attribute2.version AS attribute2,
    attribute3.version AS attribute3
  )) AS _versions
FROM (
  SELECT
    batch.userId,
    GREATEST(batch.ingestTimestamp, IFNULL(final.ingestTimestamp, batch.ingestTimestamp)) AS ingestTimestamp,
    IFNULL(batch.ingestTimestamp > final.ingestTimestamp, TRUE) AS _row_is_newer,
    IF(
      IFNULL(batch._versions.attribute1 > final._versions.attribute1, batch._versions.attribute1 IS NOT NULL)
      OR (batch._versions.attribute1 = final._versions.attribute1 AND batch.attribute1 > final.attribute1),
      STRUCT(batch.attribute1 AS value, batch._versions.attribute1 AS version, TRUE AS is_newer),
      STRUCT(final.attribute1 AS value, final._versions.attribute1 AS version, FALSE AS is_newer)
    ) AS attribute1,
    IF(
      IFNULL(batch._versions.attribute2 > final._versions.attribute2, batch._versions.attribute2 IS NOT NULL)
      OR (batch._versions.attribute2 = final._versions.attribute2 AND batch.attribute2 > final.attribute2),
      STRUCT(batch.attribute2 AS value, batch._versions.attribute2 AS version, TRUE AS is_newer),
      STRUCT(final.attribute2 AS value, final._versions.attribute2 AS version, FALSE AS is_newer)
    ) AS attribute2,
    IF(
      IFNULL(batch._versions.attribute3 > final._versions.attribute3, batch._versions.attribute3 IS NOT NULL)
      OR (batch._versions.attribute3 = final._versions.attribute3 AND batch.attribute3 > final.attribute3),
      STRUCT(batch.attribute3 AS value, batch._versions.attribute3 AS version, TRUE AS is_newer),
      STRUCT(final.attribute3 AS value, final._versions.attribute3 AS version, FALSE AS is_newer)
    ) AS attribute3,
    final AS _final
  FROM `my-project.analytics.temp_user_info_updates` AS batch
  LEFT JOIN `my-project.analytics.user_info_final` AS final
    ON final.userId = batch.userId
)
WHERE
  _row_is_newer
  OR attribute1.is_newer
  OR attribute2.is_newer
  OR attribute3.is_newer
;

MERGE `my-project.analytics.user_info_final` AS final
USING user_info_changes AS change
ON final.userId = change.userId
WHEN MATCHED THEN UPDATE SET
  ingestTimestamp = change.ingestTimestamp,
  attribute1 = change.attribute1,
  attribute2 = change.attribute2,
  attribute3 = change.attribute3,
  _versions = change._versions
WHEN NOT MATCHED THEN INSERT (
  userId,
  ingestTimestamp,
  attribute1,
  attribute2,
  attribute3,
  _versions
) VALUES (
  change.userId,
  change.ingestTimestamp,
  change.attribute1,
  change.attribute2,
  change.attribute3,
  change._versions
);

-- R12: rows that never reach final, and rows stamped far in the future, which do
CREATE OR REPLACE TEMP TABLE user_info_kept_out AS
SELECT
  CASE
    WHEN updates.ingestTimestamp IS NULL THEN 'no ingest timestamp'
    WHEN updates.ingestTimestamp < TIMESTAMP '1900-01-01 00:00:00+00' THEN 'ingest timestamp before 1900'
    WHEN updates.userId IS NULL THEN 'no userId'
    ELSE 'ingest timestamp more than a day ahead'
  END AS reason,
  updates.ingestTimestamp AS ingest_timestamp,
  -- as text, so that the watermark's table fits whatever the keys and options of the entity become
  TO_JSON_STRING(STRUCT(
    updates.userId,
    updates.ingestTimestamp
  )) AS details
FROM `my-project.analytics.user_info_updates` AS updates
WHERE
  -- the same partitions that the batch was read from
  (updates.ingestTimestamp >= _read_from OR updates.ingestTimestamp IS NULL OR updates.ingestTimestamp < TIMESTAMP '1900-01-01 00:00:00+00')
  AND (
    (updates.ingestTimestamp IS NULL OR updates.ingestTimestamp < TIMESTAMP '1900-01-01 00:00:00+00' OR updates.userId IS NULL)
    OR updates.ingestTimestamp > TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)
  );

-- the run log, in the same transaction: user_info_runs keeps what passes through here
UPDATE `my-project.analytics.user_info_watermark` AS progress
SET
  users = (SELECT COUNT(*) FROM `my-project.analytics.user_info_final`),
  recent_runs = ARRAY_CONCAT(
    [STRUCT(
      GENERATE_UUID() AS run_id,
      'update' AS kind,
      _read_from AS read_from,
      IFNULL((SELECT MAX(_batch.read_at) FROM `my-project.analytics.temp_user_info_updates`), CURRENT_TIMESTAMP()) AS read_at,
      CURRENT_TIMESTAMP() AS merged_at,
      progress.previous_watermark AS watermark_before,
      progress.watermark AS watermark_after,
      (SELECT IFNULL(SUM(_batch.row_count), 0) FROM `my-project.analytics.temp_user_info_updates`) AS rows_read,
      (SELECT COUNT(*) FROM `my-project.analytics.temp_user_info_updates`) AS users_read,
      (SELECT COUNT(*) FROM user_info_changes) AS rows_changed,
      (SELECT COUNTIF(reason != 'ingest timestamp more than a day ahead') FROM user_info_kept_out) AS bad_rows,
      (SELECT IFNULL(SUM(_batch.future_rows), 0) FROM `my-project.analytics.temp_user_info_updates`) AS future_rows
    )],
    ARRAY(SELECT run FROM UNNEST(progress.recent_runs) AS run WITH OFFSET AS age WHERE age < 49 ORDER BY age)
  ),
  last_bad_rows = ARRAY(SELECT AS STRUCT * FROM user_info_kept_out LIMIT 1000)
WHERE TRUE;

COMMIT TRANSACTION;
