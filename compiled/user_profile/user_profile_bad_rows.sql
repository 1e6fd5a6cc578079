create or replace view `my-project.analytics.user_profile_bad_rows` as
SELECT
  CASE
    WHEN updates.ingestTimestamp IS NULL THEN 'no ingest timestamp'
    WHEN updates.ingestTimestamp < TIMESTAMP '1900-01-01 00:00:00+00' THEN 'ingest timestamp before 1900'
    WHEN updates.userId IS NULL THEN 'no userId'
    ELSE 'ingest timestamp more than a day ahead'
  END AS _reason,
  updates.userId,
  updates.ingestTimestamp
FROM `my-project.analytics.user_profile_updates` AS updates
CROSS JOIN (
  SELECT MIN(run.read_from) AS read_from, MIN(run.read_at) AS read_at
  FROM `my-project.analytics.user_profile_watermark` AS progress, UNNEST(progress.recent_runs) AS run WITH OFFSET AS age
  WHERE age = 0
) AS last_run
WHERE
  (
    (updates.ingestTimestamp >= last_run.read_from OR updates.ingestTimestamp IS NULL OR updates.ingestTimestamp < TIMESTAMP '1900-01-01 00:00:00+00')
    AND (updates.ingestTimestamp IS NULL OR updates.ingestTimestamp < TIMESTAMP '1900-01-01 00:00:00+00' OR updates.userId IS NULL)
  )
  OR updates.ingestTimestamp > TIMESTAMP_ADD(last_run.read_at, INTERVAL 1 DAY)

-- the assertion holds when this counts nothing
select sum(1) as row_count from `my-project.analytics.user_profile_bad_rows`
