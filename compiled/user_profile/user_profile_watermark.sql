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
    new_bad_rows INT64,
    missed_rows INT64,
    future_rows INT64,
    users INT64,
    job_id STRING,
    merge_bytes_billed INT64,
    read_to_merge_ms INT64,
    batch_bytes_billed INT64
  >>[] AS recent_runs,
  ARRAY<STRUCT<
    reason STRING,
    ingest_timestamp TIMESTAMP,
    details STRING
  >>[] AS last_bad_rows,
  CAST(NULL AS TIMESTAMP) AS seen_from,
  CAST(NULL AS INT64) AS seen_rows,
  CAST(NULL AS NUMERIC) AS seen_digest,
  ARRAY<STRUCT<
    reason STRING,
    ingest_timestamp TIMESTAMP,
    details STRING,
    row_count INT64,
    is_bad BOOL,
    key_hash STRING,
    first_seen TIMESTAMP
  >>[] AS known_bad_rows,
  CAST(NULL AS INT64) AS gone_users,
  CAST(NULL AS INT64) AS waiting_users,
  CAST(NULL AS TIMESTAMP) AS late_checked_at,
  CAST(NULL AS INT64) AS missed_rows,
  CAST(NULL AS TIMESTAMP) AS missed_from,
  CAST(NULL AS TIMESTAMP) AS committed_until,
  ARRAY<STRUCT<
    paths STRING,
    says STRING
  >>[] AS basis

---

-- the table may be of an earlier version
ALTER TABLE IF EXISTS `my-project.analytics.user_profile_watermark`
  ADD COLUMN IF NOT EXISTS seen_from TIMESTAMP OPTIONS(description='The updates from this ingest timestamp on, as they were merged, are what follows tells of.'),
  ADD COLUMN IF NOT EXISTS seen_rows INT64 OPTIONS(description='How many they were.'),
  ADD COLUMN IF NOT EXISTS seen_digest NUMERIC OPTIONS(description='The sum of their fingerprints.'),
  ADD COLUMN IF NOT EXISTS known_bad_rows ARRAY<STRUCT<
    reason STRING,
    ingest_timestamp TIMESTAMP,
    details STRING,
    row_count INT64,
    is_bad BOOL,
    key_hash STRING,
    first_seen TIMESTAMP
  >> OPTIONS(description='Updates kept out or reported, as far as they are still there: at most 10,000 kinds.'),
  ADD COLUMN IF NOT EXISTS gone_users INT64 OPTIONS(description='How many users are remembered that are gone, where users can go.'),
  ADD COLUMN IF NOT EXISTS waiting_users INT64 OPTIONS(description='Deleted users whom the last erasing run left, since their rows were streamed in lately; the next one takes them.'),
  ADD COLUMN IF NOT EXISTS late_checked_at TIMESTAMP OPTIONS(description='Updates that came up to this time are read, or known to be behind the window.'),
  ADD COLUMN IF NOT EXISTS missed_rows INT64 OPTIONS(description='Updates behind the window of all later runs, until a replay reads them.'),
  ADD COLUMN IF NOT EXISTS missed_from TIMESTAMP OPTIONS(description='The oldest ingest timestamp of one: where such a replay must begin.'),
  ADD COLUMN IF NOT EXISTS committed_until TIMESTAMP OPTIONS(description='Updates that BigQuery committed before this are merged; NULL where runs do not go by that.'),
  ADD COLUMN IF NOT EXISTS basis ARRAY<STRUCT<
    paths STRING,
    says STRING
  >> OPTIONS(description='What decides the meaning of final, as it was made or `init` accepted it.')
