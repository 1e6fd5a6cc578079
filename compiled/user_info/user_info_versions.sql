create or replace view `my-project.analytics.user_info_versions` as
SELECT
  userId,
  ingestTimestamp,
  attribute1,
  attribute2,
  attribute3,
  STRUCT(
    IFNULL(stored._own_versions.attribute1, IF(stored.attribute1 IS NULL, NULL, stored._base_version)) AS attribute1,
    IFNULL(stored._own_versions.attribute2, IF(stored.attribute2 IS NULL, NULL, stored._base_version)) AS attribute2,
    IFNULL(stored._own_versions.attribute3, IF(stored.attribute3 IS NULL, NULL, stored._base_version)) AS attribute3
  ) AS _versions
FROM `my-project.analytics.user_info_final` AS stored
