create or replace view `my-project.analytics.user_profile` as
SELECT userId,
  ingestTimestamp,
  email,
  profile
FROM `my-project.analytics.user_profile_final` AS _batch_stored
