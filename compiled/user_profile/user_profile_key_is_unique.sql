-- disabled: compiled, but not run

create or replace view `my-project.analytics.user_profile_key_is_unique` as
SELECT userId, COUNT(*) AS _row_count
FROM `my-project.analytics.user_profile_final` AS _batch_stored
GROUP BY userId
HAVING COUNT(*) > 1 OR userId IS NULL

-- the assertion holds when this counts nothing
select sum(1) as row_count from `my-project.analytics.user_profile_key_is_unique`
