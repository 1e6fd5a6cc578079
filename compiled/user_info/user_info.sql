create or replace view `my-project.analytics.user_info` as
SELECT userId,
  ingestTimestamp,
  attribute1,
  attribute2,
  attribute3
FROM `my-project.analytics.user_info_final` AS _batch_stored
