-- the first run
create or replace table `my-project.analytics.user_profile_runs` partition by TIMESTAMP_TRUNC(merged_at, MONTH) as
SELECT run.*
FROM `my-project.analytics.user_profile_watermark` AS progress, UNNEST(progress.recent_runs) AS run

ALTER TABLE `my-project.analytics.user_profile_runs` SET OPTIONS (expiration_timestamp = NULL, partition_expiration_days = NULL)

-- every later run: insert into `my-project.analytics.user_profile_runs` the rows of
SELECT run.*
FROM `my-project.analytics.user_profile_watermark` AS progress, UNNEST(progress.recent_runs) AS run
WHERE run.run_id NOT IN (SELECT run_id FROM `my-project.analytics.user_profile_runs`)
