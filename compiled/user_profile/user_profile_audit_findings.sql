-- disabled: compiled, but not run

CREATE OR REPLACE TABLE `my-project.analytics.user_profile_audit_findings`
OPTIONS(expiration_timestamp=TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)) AS
WITH _batch_read AS (
  SELECT updates.*
  FROM `my-project.analytics.user_profile_updates` AS updates
  CROSS JOIN `my-project.analytics.user_profile_watermark` AS progress
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
      IF(updates.email IS NOT NULL, STRUCT(updates.email AS value, updates.ingestTimestamp AS version), NULL)
      IGNORE NULLS ORDER BY updates.ingestTimestamp DESC, updates.email DESC LIMIT 1
    )[SAFE_OFFSET(0)] AS email,
    ARRAY_AGG(
      IF(updates.profile.name IS NOT NULL, STRUCT(updates.profile.name AS value, updates.ingestTimestamp AS version), NULL)
      IGNORE NULLS ORDER BY updates.ingestTimestamp DESC, updates.profile.name DESC LIMIT 1
    )[SAFE_OFFSET(0)] AS profile_name,
    ARRAY_AGG(
      IF(updates.profile.birthday IS NOT NULL, STRUCT(updates.profile.birthday AS value, updates.ingestTimestamp AS version), NULL)
      IGNORE NULLS ORDER BY updates.ingestTimestamp DESC, updates.profile.birthday DESC LIMIT 1
    )[SAFE_OFFSET(0)] AS profile_birthday,
    ARRAY_AGG(
      IF(updates.profile.visits IS NOT NULL, STRUCT(updates.profile.visits AS value, updates.ingestTimestamp AS version), NULL)
      IGNORE NULLS ORDER BY updates.ingestTimestamp DESC, updates.profile.visits DESC LIMIT 1
    )[SAFE_OFFSET(0)] AS profile_visits,
    ARRAY_AGG(
      IF(updates.profile.subscribed IS NOT NULL, STRUCT(updates.profile.subscribed AS value, updates.ingestTimestamp AS version), NULL)
      IGNORE NULLS ORDER BY updates.ingestTimestamp DESC, updates.profile.subscribed DESC LIMIT 1
    )[SAFE_OFFSET(0)] AS profile_subscribed,
    ARRAY_AGG(
      IF(updates.profile.balance IS NOT NULL, STRUCT(updates.profile.balance AS value, updates.ingestTimestamp AS version), NULL)
      IGNORE NULLS ORDER BY updates.ingestTimestamp DESC, updates.profile.balance DESC LIMIT 1
    )[SAFE_OFFSET(0)] AS profile_balance,
    ARRAY_AGG(
      IF(updates.profile.address.street IS NOT NULL, STRUCT(updates.profile.address.street AS value, updates.ingestTimestamp AS version), NULL)
      IGNORE NULLS ORDER BY updates.ingestTimestamp DESC, updates.profile.address.street DESC LIMIT 1
    )[SAFE_OFFSET(0)] AS profile_address_street,
    ARRAY_AGG(
      IF(updates.profile.address.city IS NOT NULL, STRUCT(updates.profile.address.city AS value, updates.ingestTimestamp AS version), NULL)
      IGNORE NULLS ORDER BY updates.ingestTimestamp DESC, updates.profile.address.city DESC LIMIT 1
    )[SAFE_OFFSET(0)] AS profile_address_city,
    ARRAY_AGG(
      IF(updates.profile.address.zip IS NOT NULL, STRUCT(updates.profile.address.zip AS value, updates.ingestTimestamp AS version), NULL)
      IGNORE NULLS ORDER BY updates.ingestTimestamp DESC, updates.profile.address.zip DESC LIMIT 1
    )[SAFE_OFFSET(0)] AS profile_address_zip
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
          TO_JSON_STRING(STRUCT(history.email.value AS value, history.email.version AS version))
          != TO_JSON_STRING(STRUCT(final.email AS value, final._versions.email AS version))
          AND NOT IFNULL(final._versions.email < left_over.counts_from AND (IFNULL(final._versions.email > history.email.version, history.email.version IS NULL)), FALSE),
          'email',
          NULL
        ),
        IF(
          TO_JSON_STRING(STRUCT(history.profile_name.value AS value, history.profile_name.version AS version))
          != TO_JSON_STRING(STRUCT(final.profile.name AS value, final._versions.profile.name AS version))
          AND NOT IFNULL(final._versions.profile.name < left_over.counts_from AND (IFNULL(final._versions.profile.name > history.profile_name.version, history.profile_name.version IS NULL)), FALSE),
          'profile.name',
          NULL
        ),
        IF(
          TO_JSON_STRING(STRUCT(history.profile_birthday.value AS value, history.profile_birthday.version AS version))
          != TO_JSON_STRING(STRUCT(final.profile.birthday AS value, final._versions.profile.birthday AS version))
          AND NOT IFNULL(final._versions.profile.birthday < left_over.counts_from AND (IFNULL(final._versions.profile.birthday > history.profile_birthday.version, history.profile_birthday.version IS NULL)), FALSE),
          'profile.birthday',
          NULL
        ),
        IF(
          TO_JSON_STRING(STRUCT(history.profile_visits.value AS value, history.profile_visits.version AS version))
          != TO_JSON_STRING(STRUCT(final.profile.visits AS value, final._versions.profile.visits AS version))
          AND NOT IFNULL(final._versions.profile.visits < left_over.counts_from AND (IFNULL(final._versions.profile.visits > history.profile_visits.version, history.profile_visits.version IS NULL)), FALSE),
          'profile.visits',
          NULL
        ),
        IF(
          TO_JSON_STRING(STRUCT(history.profile_subscribed.value AS value, history.profile_subscribed.version AS version))
          != TO_JSON_STRING(STRUCT(final.profile.subscribed AS value, final._versions.profile.subscribed AS version))
          AND NOT IFNULL(final._versions.profile.subscribed < left_over.counts_from AND (IFNULL(final._versions.profile.subscribed > history.profile_subscribed.version, history.profile_subscribed.version IS NULL)), FALSE),
          'profile.subscribed',
          NULL
        ),
        IF(
          TO_JSON_STRING(STRUCT(history.profile_balance.value AS value, history.profile_balance.version AS version))
          != TO_JSON_STRING(STRUCT(final.profile.balance AS value, final._versions.profile.balance AS version))
          AND NOT IFNULL(final._versions.profile.balance < left_over.counts_from AND (IFNULL(final._versions.profile.balance > history.profile_balance.version, history.profile_balance.version IS NULL)), FALSE),
          'profile.balance',
          NULL
        ),
        IF(
          TO_JSON_STRING(STRUCT(history.profile_address_street.value AS value, history.profile_address_street.version AS version))
          != TO_JSON_STRING(STRUCT(final.profile.address.street AS value, final._versions.profile.address.street AS version))
          AND NOT IFNULL(final._versions.profile.address.street < left_over.counts_from AND (IFNULL(final._versions.profile.address.street > history.profile_address_street.version, history.profile_address_street.version IS NULL)), FALSE),
          'profile.address.street',
          NULL
        ),
        IF(
          TO_JSON_STRING(STRUCT(history.profile_address_city.value AS value, history.profile_address_city.version AS version))
          != TO_JSON_STRING(STRUCT(final.profile.address.city AS value, final._versions.profile.address.city AS version))
          AND NOT IFNULL(final._versions.profile.address.city < left_over.counts_from AND (IFNULL(final._versions.profile.address.city > history.profile_address_city.version, history.profile_address_city.version IS NULL)), FALSE),
          'profile.address.city',
          NULL
        ),
        IF(
          TO_JSON_STRING(STRUCT(history.profile_address_zip.value AS value, history.profile_address_zip.version AS version))
          != TO_JSON_STRING(STRUCT(final.profile.address.zip AS value, final._versions.profile.address.zip AS version))
          AND NOT IFNULL(final._versions.profile.address.zip < left_over.counts_from AND (IFNULL(final._versions.profile.address.zip > history.profile_address_zip.version, history.profile_address_zip.version IS NULL)), FALSE),
          'profile.address.zip',
          NULL
        )]) AS leaf WHERE leaf IS NOT NULL) AS _leaves
  FROM _batch_gathered AS history
  FULL JOIN (
    SELECT *
    FROM `my-project.analytics.user_profile_versions` AS stored
    WHERE ABS(MOD(FARM_FINGERPRINT(TO_JSON_STRING(STRUCT(stored.userId AS userId))), 1000000)) < 0.01 * 1000000
  ) AS final
    ON history.userId = final.userId
  CROSS JOIN (
    -- updates may be trimmed: what is older than the oldest one that is left, nothing is compared with
    SELECT
      IFNULL(MIN(updates.ingestTimestamp), TIMESTAMP '9000-01-01 00:00:00+00') AS oldest,
      TIMESTAMP_ADD(IFNULL(MIN(updates.ingestTimestamp), TIMESTAMP '9000-01-01 00:00:00+00'), INTERVAL 0 MICROSECOND) AS counts_from
    FROM `my-project.analytics.user_profile_updates` AS updates
    WHERE
      updates.ingestTimestamp IS NOT NULL
      AND updates.ingestTimestamp >= TIMESTAMP '1900-01-01 00:00:00+00'
      AND updates.userId IS NOT NULL
  ) AS left_over
  CROSS JOIN `my-project.analytics.user_profile_watermark` AS progress
  -- users with updates stamped in the future are left out until their time has come
  WHERE IFNULL(final.ingestTimestamp <= progress.watermark, TRUE)
)
SELECT * EXCEPT (_is_missing)
FROM _batch_compared
WHERE _is_missing OR ARRAY_LENGTH(_leaves) > 0
