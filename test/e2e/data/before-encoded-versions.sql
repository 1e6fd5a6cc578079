-- The tables of user_info as version 0.1 made them, with the worked example: five of its seven updates are merged.
CREATE TABLE `DATASET.user_info_updates` (
  userId STRING NOT NULL OPTIONS(description='Identifies the user.'),
  ingestTimestamp TIMESTAMP NOT NULL OPTIONS(description='When the update came in.'),
  attribute1 STRING OPTIONS(description='The first attribute.'),
  attribute2 STRING OPTIONS(description='The second attribute.'),
  attribute3 STRING OPTIONS(description='The third attribute.')
)
PARTITION BY TIMESTAMP_TRUNC(ingestTimestamp, DAY)
CLUSTER BY userId
OPTIONS(description='Updates of user_info, append only; NULL says nothing.');

INSERT INTO `DATASET.user_info_updates` VALUES
  ('userA', '2024-01-01 00:00:01+00', 'xyz', 'abc', 'qwerty'),
  ('userB', '2024-01-01 00:00:02+00', 'poc', 'mvp', 'ytrewq'),
  ('userC', '2024-01-01 00:00:03+00', 'zyx', 'pvm', 'qywter'),
  ('userA', '2024-01-01 00:00:04+00', NULL,  'ghj', NULL),
  ('userA', '2024-01-01 00:00:05+00', NULL,  NULL,  'lot'),
  ('userB', '2024-01-01 00:00:06+00', 'cor', NULL,  NULL),
  ('userA', '2024-01-01 00:00:07+00', NULL,  'dat', NULL);

CREATE TABLE `DATASET.user_info_final` (
  userId STRING OPTIONS(description='Identifies the user.'),
  ingestTimestamp TIMESTAMP OPTIONS(description='When the update came in.'),
  attribute1 STRING OPTIONS(description='The first attribute.'),
  attribute2 STRING OPTIONS(description='The second attribute.'),
  attribute3 STRING OPTIONS(description='The third attribute.'),
  _versions STRUCT<
    attribute1 TIMESTAMP,
    attribute2 TIMESTAMP,
    attribute3 TIMESTAMP
  > OPTIONS(description='For each attribute, the version of the update that set it.')
)
CLUSTER BY userId
OPTIONS(description='One row per user: each attribute of user_info at its latest known value.');

INSERT INTO `DATASET.user_info_final` VALUES
  ('userA', '2024-01-01 00:00:05+00', 'xyz', 'ghj', 'lot',
   STRUCT(TIMESTAMP '2024-01-01 00:00:01+00', TIMESTAMP '2024-01-01 00:00:04+00', TIMESTAMP '2024-01-01 00:00:05+00')),
  ('userB', '2024-01-01 00:00:02+00', 'poc', 'mvp', 'ytrewq',
   STRUCT(TIMESTAMP '2024-01-01 00:00:02+00', TIMESTAMP '2024-01-01 00:00:02+00', TIMESTAMP '2024-01-01 00:00:02+00')),
  ('userC', '2024-01-01 00:00:03+00', 'zyx', 'pvm', 'qywter',
   STRUCT(TIMESTAMP '2024-01-01 00:00:03+00', TIMESTAMP '2024-01-01 00:00:03+00', TIMESTAMP '2024-01-01 00:00:03+00'));

CREATE TABLE `DATASET.user_info_watermark`
OPTIONS(description='How far the updates of user_info are merged: one row, which every run writes first.')
AS SELECT
  TIMESTAMP '2024-01-01 00:00:05+00' AS watermark,
  CAST(NULL AS TIMESTAMP) AS previous_watermark,
  CAST(NULL AS TIMESTAMP) AS read_at,
  CAST(NULL AS TIMESTAMP) AS merged_at,
  3 AS users,
  ARRAY<STRUCT<
    run_id STRING,
    kind STRING,
    read_from TIMESTAMP,
    read_at TIMESTAMP,
    merged_at TIMESTAMP,
    watermark_before TIMESTAMP,
    watermark_after TIMESTAMP,
    rows_read INT64,
    users_read INT64,
    rows_changed INT64,
    bad_rows INT64,
    future_rows INT64
  >>[] AS recent_runs,
  ARRAY<STRUCT<
    reason STRING,
    ingest_timestamp TIMESTAMP,
    details STRING
  >>[] AS last_bad_rows;
