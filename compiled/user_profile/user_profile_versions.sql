create or replace view `my-project.analytics.user_profile_versions` as
SELECT
  userId,
  ingestTimestamp,
  email,
  profile,
  STRUCT(
    IFNULL(stored._own_versions.email, IF(stored.email IS NULL, NULL, stored._base_version)) AS email,
    STRUCT(
      IFNULL(stored._own_versions.profile.name, IF(stored.profile.name IS NULL, NULL, stored._base_version)) AS name,
      IFNULL(stored._own_versions.profile.birthday, IF(stored.profile.birthday IS NULL, NULL, stored._base_version)) AS birthday,
      IFNULL(stored._own_versions.profile.visits, IF(stored.profile.visits IS NULL, NULL, stored._base_version)) AS visits,
      IFNULL(stored._own_versions.profile.subscribed, IF(stored.profile.subscribed IS NULL, NULL, stored._base_version)) AS subscribed,
      IFNULL(stored._own_versions.profile.balance, IF(stored.profile.balance IS NULL, NULL, stored._base_version)) AS balance,
      STRUCT(
        IFNULL(stored._own_versions.profile.address.street, IF(stored.profile.address.street IS NULL, NULL, stored._base_version)) AS street,
        IFNULL(stored._own_versions.profile.address.city, IF(stored.profile.address.city IS NULL, NULL, stored._base_version)) AS city,
        IFNULL(stored._own_versions.profile.address.zip, IF(stored.profile.address.zip IS NULL, NULL, stored._base_version)) AS zip
      ) AS address
    ) AS profile
  ) AS _versions
FROM `my-project.analytics.user_profile_final` AS stored
