-- the query under test, on the test's input
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
  STRUCT(
    email.version AS email,
    STRUCT(
      profile_name.version AS name,
      profile_birthday.version AS birthday,
      profile_visits.version AS visits,
      profile_subscribed.version AS subscribed,
      profile_balance.version AS balance,
      STRUCT(
        profile_address_street.version AS street,
        profile_address_city.version AS city,
        profile_address_zip.version AS zip
      ) AS address
    ) AS profile
  ) AS _versions,
  _batch
FROM (
  SELECT
    updates.userId,
    MAX(updates.ingestTimestamp) AS ingestTimestamp,
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
      MAX(IF(updates.ingestTimestamp <= _read_at, updates.ingestTimestamp, NULL)) AS newest_ingest
    ) AS _batch
  FROM (
  SELECT
    'userA' AS userId,
    TIMESTAMP '2024-01-01 00:00:01+00' AS ingestTimestamp,
    'xyz' AS email,
    STRUCT(
      'abc' AS name,
      DATE '2024-01-01' AS birthday,
      1 AS visits,
      FALSE AS subscribed,
      NUMERIC '1' AS balance,
      STRUCT(
        'xyz' AS street,
        'abc' AS city,
        'qwerty' AS zip
      ) AS address
    ) AS profile,
    TIMESTAMP '2024-01-01 00:00:00+00' AS _read_from,
    TIMESTAMP '2024-01-02 00:00:00+00' AS _read_at
  UNION ALL SELECT
    'userB' AS userId,
    TIMESTAMP '2024-01-01 00:00:02+00' AS ingestTimestamp,
    'poc' AS email,
    STRUCT(
      'mvp' AS name,
      DATE '2024-01-02' AS birthday,
      2 AS visits,
      TRUE AS subscribed,
      NUMERIC '2' AS balance,
      STRUCT(
        'poc' AS street,
        'mvp' AS city,
        'ytrewq' AS zip
      ) AS address
    ) AS profile,
    TIMESTAMP '2024-01-01 00:00:00+00' AS _read_from,
    TIMESTAMP '2024-01-02 00:00:00+00' AS _read_at
  UNION ALL SELECT
    'userC' AS userId,
    TIMESTAMP '2024-01-01 00:00:03+00' AS ingestTimestamp,
    'zyx' AS email,
    STRUCT(
      'pvm' AS name,
      DATE '2024-01-03' AS birthday,
      3 AS visits,
      FALSE AS subscribed,
      NUMERIC '3' AS balance,
      STRUCT(
        'zyx' AS street,
        'pvm' AS city,
        'qywter' AS zip
      ) AS address
    ) AS profile,
    TIMESTAMP '2024-01-01 00:00:00+00' AS _read_from,
    TIMESTAMP '2024-01-02 00:00:00+00' AS _read_at
  UNION ALL SELECT
    'userA' AS userId,
    TIMESTAMP '2024-01-01 00:00:04+00' AS ingestTimestamp,
    CAST(NULL AS STRING) AS email,
    STRUCT(
      'ghj' AS name,
      CAST(NULL AS DATE) AS birthday,
      CAST(NULL AS INT64) AS visits,
      TRUE AS subscribed,
      CAST(NULL AS NUMERIC) AS balance,
      STRUCT(
        CAST(NULL AS STRING) AS street,
        'ghj' AS city,
        CAST(NULL AS STRING) AS zip
      ) AS address
    ) AS profile,
    TIMESTAMP '2024-01-01 00:00:00+00' AS _read_from,
    TIMESTAMP '2024-01-02 00:00:00+00' AS _read_at
  UNION ALL SELECT
    'userA' AS userId,
    TIMESTAMP '2024-01-01 00:00:05+00' AS ingestTimestamp,
    CAST(NULL AS STRING) AS email,
    STRUCT(
      CAST(NULL AS STRING) AS name,
      DATE '2024-01-04' AS birthday,
      CAST(NULL AS INT64) AS visits,
      CAST(NULL AS BOOL) AS subscribed,
      NUMERIC '4' AS balance,
      STRUCT(
        CAST(NULL AS STRING) AS street,
        CAST(NULL AS STRING) AS city,
        'lot' AS zip
      ) AS address
    ) AS profile,
    TIMESTAMP '2024-01-01 00:00:00+00' AS _read_from,
    TIMESTAMP '2024-01-02 00:00:00+00' AS _read_at
  UNION ALL SELECT
    'userB' AS userId,
    TIMESTAMP '2024-01-01 00:00:06+00' AS ingestTimestamp,
    'cor' AS email,
    STRUCT(
      CAST(NULL AS STRING) AS name,
      CAST(NULL AS DATE) AS birthday,
      4 AS visits,
      CAST(NULL AS BOOL) AS subscribed,
      CAST(NULL AS NUMERIC) AS balance,
      STRUCT(
        'cor' AS street,
        CAST(NULL AS STRING) AS city,
        CAST(NULL AS STRING) AS zip
      ) AS address
    ) AS profile,
    TIMESTAMP '2024-01-01 00:00:00+00' AS _read_from,
    TIMESTAMP '2024-01-02 00:00:00+00' AS _read_at
  UNION ALL SELECT
    'userA' AS userId,
    TIMESTAMP '2024-01-01 00:00:07+00' AS ingestTimestamp,
    CAST(NULL AS STRING) AS email,
    STRUCT(
      'dat' AS name,
      CAST(NULL AS DATE) AS birthday,
      CAST(NULL AS INT64) AS visits,
      FALSE AS subscribed,
      CAST(NULL AS NUMERIC) AS balance,
      STRUCT(
        CAST(NULL AS STRING) AS street,
        'dat' AS city,
        CAST(NULL AS STRING) AS zip
      ) AS address
    ) AS profile,
    TIMESTAMP '2024-01-01 00:00:00+00' AS _read_from,
    TIMESTAMP '2024-01-02 00:00:00+00' AS _read_at
) AS updates
  WHERE
    updates.ingestTimestamp >= _read_from
    AND updates.userId IS NOT NULL
  GROUP BY 1
)
-- only `dataform test` compares rows in order, and there self() is empty
ORDER BY userId

-- what it must return
-- the worked example: three users, seven updates. The columns _read_from and _read_at stand in for the variables

SELECT
  'userA' AS userId,
  TIMESTAMP '2024-01-01 00:00:07+00' AS ingestTimestamp,
  'xyz' AS email,
  STRUCT(
    'dat' AS name,
    DATE '2024-01-04' AS birthday,
    1 AS visits,
    FALSE AS subscribed,
    NUMERIC '4' AS balance,
    STRUCT(
      'xyz' AS street,
      'dat' AS city,
      'lot' AS zip
    ) AS address
  ) AS profile,
  STRUCT(
    TIMESTAMP '2024-01-01 00:00:01+00' AS email,
    STRUCT(
      TIMESTAMP '2024-01-01 00:00:07+00' AS name,
      TIMESTAMP '2024-01-01 00:00:05+00' AS birthday,
      TIMESTAMP '2024-01-01 00:00:01+00' AS visits,
      TIMESTAMP '2024-01-01 00:00:07+00' AS subscribed,
      TIMESTAMP '2024-01-01 00:00:05+00' AS balance,
      STRUCT(
        TIMESTAMP '2024-01-01 00:00:01+00' AS street,
        TIMESTAMP '2024-01-01 00:00:07+00' AS city,
        TIMESTAMP '2024-01-01 00:00:05+00' AS zip
      ) AS address
    ) AS profile
  ) AS _versions,
  STRUCT(
    TIMESTAMP '2024-01-01 00:00:00+00' AS read_from,
    TIMESTAMP '2024-01-02 00:00:00+00' AS read_at,
    4 AS row_count,
    0 AS future_rows,
    TIMESTAMP '2024-01-01 00:00:07+00' AS newest_ingest
  ) AS _batch
UNION ALL SELECT
  'userB' AS userId,
  TIMESTAMP '2024-01-01 00:00:06+00' AS ingestTimestamp,
  'cor' AS email,
  STRUCT(
    'mvp' AS name,
    DATE '2024-01-02' AS birthday,
    4 AS visits,
    TRUE AS subscribed,
    NUMERIC '2' AS balance,
    STRUCT(
      'cor' AS street,
      'mvp' AS city,
      'ytrewq' AS zip
    ) AS address
  ) AS profile,
  STRUCT(
    TIMESTAMP '2024-01-01 00:00:06+00' AS email,
    STRUCT(
      TIMESTAMP '2024-01-01 00:00:02+00' AS name,
      TIMESTAMP '2024-01-01 00:00:02+00' AS birthday,
      TIMESTAMP '2024-01-01 00:00:06+00' AS visits,
      TIMESTAMP '2024-01-01 00:00:02+00' AS subscribed,
      TIMESTAMP '2024-01-01 00:00:02+00' AS balance,
      STRUCT(
        TIMESTAMP '2024-01-01 00:00:06+00' AS street,
        TIMESTAMP '2024-01-01 00:00:02+00' AS city,
        TIMESTAMP '2024-01-01 00:00:02+00' AS zip
      ) AS address
    ) AS profile
  ) AS _versions,
  STRUCT(
    TIMESTAMP '2024-01-01 00:00:00+00' AS read_from,
    TIMESTAMP '2024-01-02 00:00:00+00' AS read_at,
    2 AS row_count,
    0 AS future_rows,
    TIMESTAMP '2024-01-01 00:00:06+00' AS newest_ingest
  ) AS _batch
UNION ALL SELECT
  'userC' AS userId,
  TIMESTAMP '2024-01-01 00:00:03+00' AS ingestTimestamp,
  'zyx' AS email,
  STRUCT(
    'pvm' AS name,
    DATE '2024-01-03' AS birthday,
    3 AS visits,
    FALSE AS subscribed,
    NUMERIC '3' AS balance,
    STRUCT(
      'zyx' AS street,
      'pvm' AS city,
      'qywter' AS zip
    ) AS address
  ) AS profile,
  STRUCT(
    TIMESTAMP '2024-01-01 00:00:03+00' AS email,
    STRUCT(
      TIMESTAMP '2024-01-01 00:00:03+00' AS name,
      TIMESTAMP '2024-01-01 00:00:03+00' AS birthday,
      TIMESTAMP '2024-01-01 00:00:03+00' AS visits,
      TIMESTAMP '2024-01-01 00:00:03+00' AS subscribed,
      TIMESTAMP '2024-01-01 00:00:03+00' AS balance,
      STRUCT(
        TIMESTAMP '2024-01-01 00:00:03+00' AS street,
        TIMESTAMP '2024-01-01 00:00:03+00' AS city,
        TIMESTAMP '2024-01-01 00:00:03+00' AS zip
      ) AS address
    ) AS profile
  ) AS _versions,
  STRUCT(
    TIMESTAMP '2024-01-01 00:00:00+00' AS read_from,
    TIMESTAMP '2024-01-02 00:00:00+00' AS read_at,
    1 AS row_count,
    0 AS future_rows,
    TIMESTAMP '2024-01-01 00:00:03+00' AS newest_ingest
  ) AS _batch
