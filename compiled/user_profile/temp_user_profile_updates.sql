DECLARE _read_from TIMESTAMP DEFAULT IFNULL( -- R5
  (
  SELECT IF(
    progress.users > 0 AND NOT EXISTS (SELECT 1 FROM `my-project.analytics.user_profile_final`),
    TIMESTAMP '1900-01-01 00:00:00+00',
    GREATEST(TIMESTAMP_SUB(progress.watermark, INTERVAL 1 HOUR), TIMESTAMP '1900-01-01 00:00:00+00')
  )
  FROM `my-project.analytics.user_profile_watermark` AS progress
),
  ERROR('user_profile_watermark has no row: drop that table, and the next run makes it anew')
);
DECLARE _read_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP();
-- R7: by the fingerprints of what it reads again, a run knows whether it finds anything new; all history is never seen before
DECLARE _batch_seen_from TIMESTAMP DEFAULT (SELECT seen_from FROM `my-project.analytics.user_profile_watermark`);
DECLARE _batch_next_from TIMESTAMP;
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
        WHEN now.path = '$.deleted' THEN IF(now.says = 'none', 'init', NULL)
        WHEN now.path = '$.updates' THEN 'init'
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
    ('$.updates', 'user_profile_updates'),
    ('email, profile.name, profile.birthday, profile.visits, profile.subscribed, profile.balance', 'latest'),
    ('profile.address.street, profile.address.city, profile.address.zip', 'latest'),
    ('profile, profile.address', 'field by field')
  ]), UNNEST(SPLIT(paths, ', ')) AS path) AS now
    LEFT JOIN (SELECT path, says FROM `my-project.analytics.user_profile_watermark` AS progress, UNNEST(progress.basis), UNNEST(SPLIT(paths, ', ')) AS path) AS was
      ON LOWER(was.path) = LOWER(now.path)
  )
);
SELECT IF(
  _batch_change.init IS NOT NULL,
  ERROR(CONCAT('user_profile: ', _batch_change.init, ': due is npm run init, whose --plan says what else to do first')),
  NULL
);
SELECT IF(
  _batch_change.tables IS NOT NULL AND EXISTS (SELECT 1 FROM `my-project.analytics.user_profile_final`),
  ERROR(CONCAT('user_profile: ', _batch_change.tables, ': due are another name for final in entities.json, and npm run init: BigQuery cannot change this of a table')),
  NULL
);
SELECT IF(
  _batch_change.rebuild IS NOT NULL AND (_read_from > TIMESTAMP '1900-01-01 00:00:00+00' OR EXISTS (SELECT 1 FROM `my-project.analytics.user_profile_final`)),
  ERROR(CONCAT('user_profile: ', _batch_change.rebuild, ': final would mix both meanings; due are the statements that npm run review lists, and a rebuild: --vars=rebuild=true')),
  NULL
);

IF _read_from > TIMESTAMP '1900-01-01 00:00:00+00' THEN SET _batch_next_from = (
  SELECT GREATEST(TIMESTAMP_SUB(GREATEST(progress.watermark, IFNULL(newest.stamp, progress.watermark)), INTERVAL 1 HOUR), TIMESTAMP '1900-01-01 00:00:00+00')
  FROM `my-project.analytics.user_profile_watermark` AS progress
  CROSS JOIN (
    SELECT MAX(updates.ingestTimestamp) AS stamp
    FROM `my-project.analytics.user_profile_updates` AS updates
    WHERE updates.ingestTimestamp BETWEEN _read_from AND _read_at
  ) AS newest
); END IF;

create or replace table `my-project.analytics.temp_user_profile_updates` cluster by userId as
WITH _batch_gathered AS (
  -- R2, R3: what the updates leave of each attribute, as value and version
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
    )[SAFE_OFFSET(0)] AS profile_address_zip,
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
      IF(_batch_row.ingestTimestamp >= _batch_next_from OR _read_from = _batch_seen_from, CAST(FARM_FINGERPRINT(CONCAT('9d03e2656639', TO_JSON_STRING(_batch_row))) AS NUMERIC), NULL) AS _batch_row_hash
    FROM `my-project.analytics.user_profile_updates` AS _batch_row
    WHERE _batch_row.ingestTimestamp >= _read_from
  ) AS updates
  WHERE TRUE
    AND updates.userId IS NOT NULL -- R12
  GROUP BY 1
)
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
    STRUCT(
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
        STRUCT(
          profile_address_street.value AS street,
          profile_address_city.value AS city,
          profile_address_zip.value AS zip
        )
      ) AS address
    )
  ) AS profile,
  _base_version,
  STRUCT(
    NULLIF(email.version, _base_version) AS email,
    STRUCT(
      NULLIF(profile_name.version, _base_version) AS name,
      NULLIF(profile_birthday.version, _base_version) AS birthday,
      NULLIF(profile_visits.version, _base_version) AS visits,
      NULLIF(profile_subscribed.version, _base_version) AS subscribed,
      NULLIF(profile_balance.version, _base_version) AS balance,
      STRUCT(
        NULLIF(profile_address_street.version, _base_version) AS street,
        NULLIF(profile_address_city.version, _base_version) AS city,
        NULLIF(profile_address_zip.version, _base_version) AS zip
      ) AS address
    ) AS profile
  ) AS _own_versions,
  _batch
FROM _batch_gathered
-- only `dataform test` compares rows in order, and there self() is empty
