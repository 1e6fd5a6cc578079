create or replace view `my-project.analytics.user_profile_versions` as
SELECT
  userId,
  ingestTimestamp,
  email,
  profile,
  STRUCT(
    IFNULL(_own_versions.email, IF(email IS NULL, NULL, _base_version)) AS email,
    STRUCT(
      IFNULL(_own_versions.profile.name, IF(profile.name IS NULL, NULL, _base_version)) AS name,
      IFNULL(_own_versions.profile.birthday, IF(profile.birthday IS NULL, NULL, _base_version)) AS birthday,
      IFNULL(_own_versions.profile.visits, IF(profile.visits IS NULL, NULL, _base_version)) AS visits,
      IFNULL(_own_versions.profile.subscribed, IF(profile.subscribed IS NULL, NULL, _base_version)) AS subscribed,
      IFNULL(_own_versions.profile.balance, IF(profile.balance IS NULL, NULL, _base_version)) AS balance,
      STRUCT(
        IFNULL(_own_versions.profile.address.street, IF(profile.address.street IS NULL, NULL, _base_version)) AS street,
        IFNULL(_own_versions.profile.address.city, IF(profile.address.city IS NULL, NULL, _base_version)) AS city,
        IFNULL(_own_versions.profile.address.zip, IF(profile.address.zip IS NULL, NULL, _base_version)) AS zip
      ) AS address
    ) AS profile
  ) AS _versions
FROM `my-project.analytics.user_profile_final` AS _batch_stored
