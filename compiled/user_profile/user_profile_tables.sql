CREATE TABLE IF NOT EXISTS `my-project.analytics.user_profile_updates` (
  userId STRING NOT NULL OPTIONS(description='Identifies the user.'),
  ingestTimestamp TIMESTAMP NOT NULL OPTIONS(description='When the update came in.'),
  email STRING OPTIONS(description='Where mail reaches the user.'),
  profile STRUCT<name STRING, birthday DATE, visits INT64, subscribed BOOL, balance NUMERIC, address STRUCT<street STRING, city STRING, zip STRING>> OPTIONS(description='What the user tells about himself or herself.')
)
PARTITION BY TIMESTAMP_TRUNC(ingestTimestamp, DAY)
CLUSTER BY ingestTimestamp, userId
OPTIONS(description='Updates of user_profile, append only; NULL says nothing.')

---

CREATE TABLE IF NOT EXISTS `my-project.analytics.user_profile_final` (
  userId STRING,
  ingestTimestamp TIMESTAMP,
  _base_version TIMESTAMP OPTIONS(description='The version of every attribute that has a value and no version of its own.'),
  _own_versions STRUCT<
    email TIMESTAMP,
    profile STRUCT<name TIMESTAMP, birthday TIMESTAMP, visits TIMESTAMP, subscribed TIMESTAMP, balance TIMESTAMP, address STRUCT<street TIMESTAMP, city TIMESTAMP, zip TIMESTAMP>>
  > OPTIONS(description='The version of each attribute whose version is not the base version.')
)
CLUSTER BY userId
OPTIONS(description='One row per user: each attribute of user_profile at its latest known value.')

---

ALTER TABLE `my-project.analytics.user_profile_updates`
  ADD COLUMN IF NOT EXISTS email STRING,
  ADD COLUMN IF NOT EXISTS profile STRUCT<name STRING, birthday DATE, visits INT64, subscribed BOOL, balance NUMERIC, address STRUCT<street STRING, city STRING, zip STRING>>

---

ALTER TABLE `my-project.analytics.user_profile_final`
  ADD COLUMN IF NOT EXISTS email STRING,
  ADD COLUMN IF NOT EXISTS profile STRUCT<name STRING, birthday DATE, visits INT64, subscribed BOOL, balance NUMERIC, address STRUCT<street STRING, city STRING, zip STRING>>
