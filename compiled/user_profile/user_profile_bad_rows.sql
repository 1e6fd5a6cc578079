create or replace view `my-project.analytics.user_profile_bad_rows` as
-- R12: red once. Final's own run listed them: a view that searched the updates could not name their partitions, and would read them all
SELECT bad_row.*
FROM `my-project.analytics.user_profile_watermark` AS progress, UNNEST(progress.last_bad_rows) AS bad_row

-- the assertion holds when this counts nothing
select sum(1) as row_count from `my-project.analytics.user_profile_bad_rows`
