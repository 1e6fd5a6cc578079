DECLARE _read_from TIMESTAMP DEFAULT IFNULL(
  -- only rows from here on are searched for bad ones, so that partitions are pruned
  (SELECT _batch.read_from FROM `my-project.analytics.temp_user_profile_updates` LIMIT 1),
  (
    SELECT
      IF(
        progress.users > 0 AND NOT EXISTS (SELECT 1 FROM `my-project.analytics.user_profile_final`),
        TIMESTAMP '1900-01-01 00:00:00+00',
        GREATEST(
          TIMESTAMP_SUB(progress.watermark, INTERVAL 1 HOUR),
          TIMESTAMP '1900-01-01 00:00:00+00'
        )
      )
    FROM `my-project.analytics.user_profile_watermark` AS progress
  )
);

BEGIN TRANSACTION;

-- R6: every run writes this row first, so overlapping runs meet here and the one that loses changes nothing.
UPDATE `my-project.analytics.user_profile_watermark` AS progress
SET
  previous_watermark = progress.watermark,
  watermark = CASE
    WHEN NOT EXISTS (SELECT 1 FROM `my-project.analytics.temp_user_profile_updates`) THEN progress.watermark -- an empty batch changes nothing
    WHEN (SELECT MAX(_batch.read_from) FROM `my-project.analytics.temp_user_profile_updates`) > progress.watermark
      THEN ERROR('temp_user_profile_updates holds the batch of an overlapping run, which leaves a gap after the watermark - run again')
    WHEN (SELECT MAX(_batch.read_from) FROM `my-project.analytics.temp_user_profile_updates`) > TIMESTAMP '1900-01-01 00:00:00+00'
      AND progress.users > 0 AND NOT EXISTS (SELECT 1 FROM `my-project.analytics.user_profile_final`)
      THEN ERROR('user_profile_final was lost, and the batch does not hold all history - run again')
    ELSE GREATEST(progress.watermark, IFNULL((SELECT MAX(_batch.newest_ingest) FROM `my-project.analytics.temp_user_profile_updates`), progress.watermark))
  END,
  read_at = IFNULL((SELECT MAX(_batch.read_at) FROM `my-project.analytics.temp_user_profile_updates`), progress.read_at),
  merged_at = IF(EXISTS (SELECT 1 FROM `my-project.analytics.temp_user_profile_updates`), CURRENT_TIMESTAMP(), progress.merged_at)
WHERE TRUE;

-- R3, R7: the merged state of those rows that the batch really changes. A STRUCT is assigned by position, and final's
-- fields stand in the order in which they came to the table: so each is replaced in final's own STRUCT, by its name.
CREATE OR REPLACE TEMP TABLE user_profile_changes AS
SELECT
  userId,
  ingestTimestamp,
  email.value AS email,
  IF(
    profile_name.value IS NULL
    AND profile_birthday.value IS NULL
    AND profile_visits.value IS NULL
    AND profile_subscribed.value IS NULL
    AND profile_balance.value IS NULL
    AND profile_address_street.value IS NULL
    AND profile_address_city.value IS NULL
    AND profile_address_zip.value IS NULL,
    NULL,
    (SELECT AS STRUCT _final.profile.* REPLACE (
      profile_name.value AS name,
      profile_birthday.value AS birthday,
      profile_visits.value AS visits,
      profile_subscribed.value AS subscribed,
      profile_balance.value AS balance,
      IF(
        profile_address_street.value IS NULL
        AND profile_address_city.value IS NULL
        AND profile_address_zip.value IS NULL,
        NULL,
        (SELECT AS STRUCT _final.profile.address.* REPLACE (
          profile_address_street.value AS street,
          profile_address_city.value AS city,
          profile_address_zip.value AS zip
        ))
      ) AS address
    ))
  ) AS profile,
  (SELECT AS STRUCT _final._versions.* REPLACE (
    email.version AS email,
    (SELECT AS STRUCT _final._versions.profile.* REPLACE (
      profile_name.version AS name,
      profile_birthday.version AS birthday,
      profile_visits.version AS visits,
      profile_subscribed.version AS subscribed,
      profile_balance.version AS balance,
      (SELECT AS STRUCT _final._versions.profile.address.* REPLACE (
        profile_address_street.version AS street,
        profile_address_city.version AS city,
        profile_address_zip.version AS zip
      )) AS address
    )) AS profile
  )) AS _versions
FROM (
  SELECT
    batch.userId,
    GREATEST(batch.ingestTimestamp, IFNULL(final.ingestTimestamp, batch.ingestTimestamp)) AS ingestTimestamp,
    IFNULL(batch.ingestTimestamp > final.ingestTimestamp, TRUE) AS _row_is_newer,
    IF(
      IFNULL(batch._versions.email > final._versions.email, batch._versions.email IS NOT NULL)
      OR (batch._versions.email = final._versions.email AND batch.email > final.email),
      STRUCT(batch.email AS value, batch._versions.email AS version, TRUE AS is_newer),
      STRUCT(final.email AS value, final._versions.email AS version, FALSE AS is_newer)
    ) AS email,
    IF(
      IFNULL(batch._versions.profile.name > final._versions.profile.name, batch._versions.profile.name IS NOT NULL)
      OR (batch._versions.profile.name = final._versions.profile.name AND batch.profile.name > final.profile.name),
      STRUCT(batch.profile.name AS value, batch._versions.profile.name AS version, TRUE AS is_newer),
      STRUCT(final.profile.name AS value, final._versions.profile.name AS version, FALSE AS is_newer)
    ) AS profile_name,
    IF(
      IFNULL(batch._versions.profile.birthday > final._versions.profile.birthday, batch._versions.profile.birthday IS NOT NULL)
      OR (batch._versions.profile.birthday = final._versions.profile.birthday AND batch.profile.birthday > final.profile.birthday),
      STRUCT(batch.profile.birthday AS value, batch._versions.profile.birthday AS version, TRUE AS is_newer),
      STRUCT(final.profile.birthday AS value, final._versions.profile.birthday AS version, FALSE AS is_newer)
    ) AS profile_birthday,
    IF(
      IFNULL(batch._versions.profile.visits > final._versions.profile.visits, batch._versions.profile.visits IS NOT NULL)
      OR (batch._versions.profile.visits = final._versions.profile.visits AND batch.profile.visits > final.profile.visits),
      STRUCT(batch.profile.visits AS value, batch._versions.profile.visits AS version, TRUE AS is_newer),
      STRUCT(final.profile.visits AS value, final._versions.profile.visits AS version, FALSE AS is_newer)
    ) AS profile_visits,
    IF(
      IFNULL(batch._versions.profile.subscribed > final._versions.profile.subscribed, batch._versions.profile.subscribed IS NOT NULL)
      OR (batch._versions.profile.subscribed = final._versions.profile.subscribed AND batch.profile.subscribed > final.profile.subscribed),
      STRUCT(batch.profile.subscribed AS value, batch._versions.profile.subscribed AS version, TRUE AS is_newer),
      STRUCT(final.profile.subscribed AS value, final._versions.profile.subscribed AS version, FALSE AS is_newer)
    ) AS profile_subscribed,
    IF(
      IFNULL(batch._versions.profile.balance > final._versions.profile.balance, batch._versions.profile.balance IS NOT NULL)
      OR (batch._versions.profile.balance = final._versions.profile.balance AND batch.profile.balance > final.profile.balance),
      STRUCT(batch.profile.balance AS value, batch._versions.profile.balance AS version, TRUE AS is_newer),
      STRUCT(final.profile.balance AS value, final._versions.profile.balance AS version, FALSE AS is_newer)
    ) AS profile_balance,
    IF(
      IFNULL(batch._versions.profile.address.street > final._versions.profile.address.street, batch._versions.profile.address.street IS NOT NULL)
      OR (batch._versions.profile.address.street = final._versions.profile.address.street AND batch.profile.address.street > final.profile.address.street),
      STRUCT(batch.profile.address.street AS value, batch._versions.profile.address.street AS version, TRUE AS is_newer),
      STRUCT(final.profile.address.street AS value, final._versions.profile.address.street AS version, FALSE AS is_newer)
    ) AS profile_address_street,
    IF(
      IFNULL(batch._versions.profile.address.city > final._versions.profile.address.city, batch._versions.profile.address.city IS NOT NULL)
      OR (batch._versions.profile.address.city = final._versions.profile.address.city AND batch.profile.address.city > final.profile.address.city),
      STRUCT(batch.profile.address.city AS value, batch._versions.profile.address.city AS version, TRUE AS is_newer),
      STRUCT(final.profile.address.city AS value, final._versions.profile.address.city AS version, FALSE AS is_newer)
    ) AS profile_address_city,
    IF(
      IFNULL(batch._versions.profile.address.zip > final._versions.profile.address.zip, batch._versions.profile.address.zip IS NOT NULL)
      OR (batch._versions.profile.address.zip = final._versions.profile.address.zip AND batch.profile.address.zip > final.profile.address.zip),
      STRUCT(batch.profile.address.zip AS value, batch._versions.profile.address.zip AS version, TRUE AS is_newer),
      STRUCT(final.profile.address.zip AS value, final._versions.profile.address.zip AS version, FALSE AS is_newer)
    ) AS profile_address_zip,
    final AS _final
  FROM `my-project.analytics.temp_user_profile_updates` AS batch
  LEFT JOIN `my-project.analytics.user_profile_final` AS final
    ON final.userId = batch.userId
)
WHERE
  _row_is_newer
  OR email.is_newer
  OR profile_name.is_newer
  OR profile_birthday.is_newer
  OR profile_visits.is_newer
  OR profile_subscribed.is_newer
  OR profile_balance.is_newer
  OR profile_address_street.is_newer
  OR profile_address_city.is_newer
  OR profile_address_zip.is_newer
;

MERGE `my-project.analytics.user_profile_final` AS final
USING user_profile_changes AS change
ON final.userId = change.userId
WHEN MATCHED THEN UPDATE SET
  ingestTimestamp = change.ingestTimestamp,
  email = change.email,
  profile = change.profile,
  _versions = change._versions
WHEN NOT MATCHED THEN INSERT (
  userId,
  ingestTimestamp,
  email,
  profile,
  _versions
) VALUES (
  change.userId,
  change.ingestTimestamp,
  change.email,
  change.profile,
  change._versions
);

-- R12: rows that never reach final, and rows stamped far in the future, which do
CREATE OR REPLACE TEMP TABLE user_profile_kept_out AS
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
FROM `my-project.analytics.user_profile_updates` AS updates
WHERE
  -- the same partitions that the batch was read from
  (updates.ingestTimestamp >= _read_from OR updates.ingestTimestamp IS NULL OR updates.ingestTimestamp < TIMESTAMP '1900-01-01 00:00:00+00')
  AND (
    (updates.ingestTimestamp IS NULL OR updates.ingestTimestamp < TIMESTAMP '1900-01-01 00:00:00+00' OR updates.userId IS NULL)
    OR updates.ingestTimestamp > TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)
  );

-- the run log, in the same transaction: user_profile_runs keeps what passes through here
UPDATE `my-project.analytics.user_profile_watermark` AS progress
SET
  users = (SELECT COUNT(*) FROM `my-project.analytics.user_profile_final`),
  recent_runs = ARRAY_CONCAT(
    [STRUCT(
      GENERATE_UUID() AS run_id,
      'update' AS kind,
      _read_from AS read_from,
      IFNULL((SELECT MAX(_batch.read_at) FROM `my-project.analytics.temp_user_profile_updates`), CURRENT_TIMESTAMP()) AS read_at,
      CURRENT_TIMESTAMP() AS merged_at,
      progress.previous_watermark AS watermark_before,
      progress.watermark AS watermark_after,
      (SELECT IFNULL(SUM(_batch.row_count), 0) FROM `my-project.analytics.temp_user_profile_updates`) AS rows_read,
      (SELECT COUNT(*) FROM `my-project.analytics.temp_user_profile_updates`) AS users_read,
      (SELECT COUNT(*) FROM user_profile_changes) AS rows_changed,
      (SELECT COUNTIF(reason != 'ingest timestamp more than a day ahead') FROM user_profile_kept_out) AS bad_rows,
      (SELECT IFNULL(SUM(_batch.future_rows), 0) FROM `my-project.analytics.temp_user_profile_updates`) AS future_rows
    )],
    ARRAY(SELECT run FROM UNNEST(progress.recent_runs) AS run WITH OFFSET AS age WHERE age < 49 ORDER BY age)
  ),
  last_bad_rows = ARRAY(SELECT AS STRUCT * FROM user_profile_kept_out LIMIT 1000)
WHERE TRUE;

COMMIT TRANSACTION;
