CREATE TABLE IF NOT EXISTS `my-project.analytics.user_info_updates` (
  userId STRING NOT NULL OPTIONS(description='Identifies the user.'),
  ingestTimestamp TIMESTAMP NOT NULL OPTIONS(description='When the update came in.'),
  attribute1 STRING OPTIONS(description='The first attribute.'),
  attribute2 STRING OPTIONS(description='The second attribute.'),
  attribute3 STRING OPTIONS(description='The third attribute.')
)
PARTITION BY TIMESTAMP_TRUNC(ingestTimestamp, DAY)
CLUSTER BY ingestTimestamp, userId
OPTIONS(description='Updates of user_info, append only; NULL says nothing.')

---

CREATE TABLE IF NOT EXISTS `my-project.analytics.user_info_final` (
  userId STRING,
  ingestTimestamp TIMESTAMP,
  _base_version TIMESTAMP OPTIONS(description='The version of every attribute that has a value and no version of its own.'),
  _own_versions STRUCT<attribute1 TIMESTAMP, attribute2 TIMESTAMP, attribute3 TIMESTAMP> OPTIONS(description='The version of each attribute whose version is not the base version.')
)
CLUSTER BY userId
OPTIONS(description='One row per user: each attribute of user_info at its latest known value.')

---

ALTER TABLE `my-project.analytics.user_info_updates`
  ADD COLUMN IF NOT EXISTS attribute1 STRING,
  ADD COLUMN IF NOT EXISTS attribute2 STRING,
  ADD COLUMN IF NOT EXISTS attribute3 STRING

---

ALTER TABLE `my-project.analytics.user_info_final`
  ADD COLUMN IF NOT EXISTS attribute1 STRING,
  ADD COLUMN IF NOT EXISTS attribute2 STRING,
  ADD COLUMN IF NOT EXISTS attribute3 STRING
