-- the query under test, on the test's input
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
    FROM (
  SELECT
    *,
    CAST(NULL AS TIMESTAMP) AS _batch_seen_from,
    CAST(NULL AS TIMESTAMP) AS _batch_next_from
  FROM UNNEST(ARRAY<STRUCT<
    userId STRING, ingestTimestamp TIMESTAMP, email STRING,
    profile STRUCT<name STRING, birthday DATE, visits INT64, subscribed BOOL, balance NUMERIC, address STRUCT<street STRING, city STRING, zip STRING>>,
    _read_from TIMESTAMP, _read_at TIMESTAMP
  >>[
    ('userA', '2024-01-01 00:00:00+00', 'xyz', ('abc', DATE '2024-01-01', 1, FALSE, NUMERIC '1', ('xyz', 'abc', 'qwerty')), '2024-01-01 00:00:00+00',
     '2024-01-08 00:00:00+00'),
    ('userB', '2024-01-02 00:00:00+00', 'poc', ('mvp', DATE '2024-01-02', 2, TRUE, NUMERIC '2', ('poc', 'mvp', 'ytrewq')),  '2024-01-01 00:00:00+00',
     '2024-01-08 00:00:00+00'),
    ('userC', '2024-01-03 00:00:00+00', 'zyx', ('pvm', DATE '2024-01-03', 3, FALSE, NUMERIC '3', ('zyx', 'pvm', 'qywter')), '2024-01-01 00:00:00+00',
     '2024-01-08 00:00:00+00'),
    ('userA', '2024-01-04 00:00:00+00', NULL,  ('ghj', NULL, NULL, TRUE, NULL, (NULL, 'ghj', NULL)),                        '2024-01-01 00:00:00+00',
     '2024-01-08 00:00:00+00'),
    ('userA', '2024-01-05 00:00:00+00', NULL,  (NULL, DATE '2024-01-04', NULL, NULL, NUMERIC '4', (NULL, NULL, 'lot')),     '2024-01-01 00:00:00+00',
     '2024-01-08 00:00:00+00'),
    ('userB', '2024-01-06 00:00:00+00', 'cor', (NULL, NULL, 4, NULL, NULL, ('cor', NULL, NULL)),                            '2024-01-01 00:00:00+00',
     '2024-01-08 00:00:00+00'),
    ('userA', '2024-01-07 00:00:00+00', NULL,  ('dat', NULL, NULL, FALSE, NULL, (NULL, 'dat', NULL)),                       '2024-01-01 00:00:00+00',
     '2024-01-08 00:00:00+00')
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
ORDER BY userId

-- what it must return
-- the worked example: three users, seven updates. The columns _read_from and _read_at stand in for the variables

SELECT *
FROM UNNEST(ARRAY<STRUCT<
  userId STRING, ingestTimestamp TIMESTAMP, email STRING,
  profile STRUCT<name STRING, birthday DATE, visits INT64, subscribed BOOL, balance NUMERIC, address STRUCT<street STRING, city STRING, zip STRING>>,
  _base_version TIMESTAMP,
  _own_versions STRUCT<email TIMESTAMP, profile STRUCT<name TIMESTAMP, birthday TIMESTAMP, visits TIMESTAMP, subscribed TIMESTAMP, balance TIMESTAMP, address STRUCT<street TIMESTAMP, city TIMESTAMP, zip TIMESTAMP>>>,
  _batch STRUCT<read_from TIMESTAMP, read_at TIMESTAMP, row_count INT64, future_rows INT64, newest_ingest TIMESTAMP, digest NUMERIC, next_from TIMESTAMP, next_rows INT64, next_digest NUMERIC>
>>[
  ('userA', '2024-01-07 00:00:00+00', 'xyz', ('dat', DATE '2024-01-04', 1, FALSE, NUMERIC '4', ('xyz', 'dat', 'lot')),    '2024-01-01 00:00:00+00',
   (NULL, ('2024-01-07 00:00:00+00', '2024-01-05 00:00:00+00', NULL, '2024-01-07 00:00:00+00', '2024-01-05 00:00:00+00', (NULL, '2024-01-07 00:00:00+00', '2024-01-05 00:00:00+00'))),
   ('2024-01-01 00:00:00+00', '2024-01-08 00:00:00+00', 4, 0, '2024-01-07 00:00:00+00', NULL, NULL, NULL, NULL)),
  ('userB', '2024-01-06 00:00:00+00', 'cor', ('mvp', DATE '2024-01-02', 4, TRUE, NUMERIC '2', ('cor', 'mvp', 'ytrewq')),  '2024-01-02 00:00:00+00',
   ('2024-01-06 00:00:00+00', (NULL, NULL, '2024-01-06 00:00:00+00', NULL, NULL, ('2024-01-06 00:00:00+00', NULL, NULL))),
   ('2024-01-01 00:00:00+00', '2024-01-08 00:00:00+00', 2, 0, '2024-01-06 00:00:00+00', NULL, NULL, NULL, NULL)),
  ('userC', '2024-01-03 00:00:00+00', 'zyx', ('pvm', DATE '2024-01-03', 3, FALSE, NUMERIC '3', ('zyx', 'pvm', 'qywter')), '2024-01-03 00:00:00+00',
   (NULL, (NULL, NULL, NULL, NULL, NULL, (NULL, NULL, NULL))),
   ('2024-01-01 00:00:00+00', '2024-01-08 00:00:00+00', 1, 0, '2024-01-03 00:00:00+00', NULL, NULL, NULL, NULL))
])
ORDER BY userId
