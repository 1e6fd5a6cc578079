CREATE TABLE IF NOT EXISTS `my-project.analytics.user_profile_watermark`
OPTIONS(description='How far the updates of user_profile are merged: one row, which every run writes first.')
AS SELECT
  TIMESTAMP '1900-01-01 00:00:00+00' AS watermark,
  CAST(NULL AS TIMESTAMP) AS previous_watermark,
  CAST(NULL AS TIMESTAMP) AS read_at,
  CAST(NULL AS TIMESTAMP) AS merged_at,
  0 AS users,
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
  >>[] AS last_bad_rows
