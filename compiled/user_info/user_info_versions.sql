create or replace view `my-project.analytics.user_info_versions` as
SELECT
  userId,
  ingestTimestamp,
  attribute1,
  attribute2,
  attribute3,
  STRUCT(
    IFNULL(_own_versions.attribute1, IF(attribute1 IS NULL, NULL, _base_version)) AS attribute1,
    IFNULL(_own_versions.attribute2, IF(attribute2 IS NULL, NULL, _base_version)) AS attribute2,
    IFNULL(_own_versions.attribute3, IF(attribute3 IS NULL, NULL, _base_version)) AS attribute3
  ) AS _versions
FROM `my-project.analytics.user_info_final` AS _batch_stored
