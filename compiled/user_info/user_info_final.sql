DECLARE _batch_facts STRUCT<
  watermark TIMESTAMP,
  merged_at TIMESTAMP,
  users INT64,
  gone_users INT64,
  merged_until TIMESTAMP,
  basis ARRAY<STRUCT<paths STRING, says STRING>>,
  final_has_rows BOOL,
  is_seen BOOL,
  headers INT64,
  read_from TIMESTAMP,
  read_at TIMESTAMP,
  newest_ingest TIMESTAMP,
  rows_read INT64,
  users_read INT64,
  future_rows INT64,
  digest NUMERIC,
  next_from TIMESTAMP,
  committed_from TIMESTAMP,
  committed_until TIMESTAMP,
  next_rows INT64,
  next_digest NUMERIC,
  bad_rows INT64,
  bills ARRAY<STRUCT<read_at TIMESTAMP, bytes_billed INT64>>
>;
DECLARE _batch_basis ARRAY<STRUCT<paths STRING, says STRING>> DEFAULT ARRAY<STRUCT<paths STRING, says STRING>>[
  ('$.key', 'userId'),
  ('$.ingestTimestamp', 'ingestTimestamp'),
  ('$.eventTimestamp', 'none'),
  ('$.deleted', 'none'),
  ('$.updates', 'user_info_updates'),
  ('attribute1, attribute2, attribute3', 'latest')
];
DECLARE _batch_change STRUCT<init STRING, tables STRING, rebuild STRING, old_key STRING>;
DECLARE _batch_has_news BOOL;
DECLARE _batch_rows_changed INT64 DEFAULT 0;
-- R5: rows that came too late for any run to read them; before the first run none is late
DECLARE _batch_checked_from TIMESTAMP DEFAULT (SELECT late_checked_at FROM `my-project.analytics.user_info_watermark`);
DECLARE _batch_checked_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP();
DECLARE _batch_late STRUCT<row_count INT64, oldest TIMESTAMP>;

BEGIN
  DECLARE _batch_bounds STRUCT<read_from TIMESTAMP, read_at TIMESTAMP, next_from TIMESTAMP> DEFAULT (
    SELECT AS STRUCT
      batch.read_from,
      batch.read_at,
      GREATEST(
        TIMESTAMP_SUB(GREATEST(progress.watermark, IFNULL(batch.newest_ingest, progress.watermark)), INTERVAL 1 HOUR),
        TIMESTAMP '1900-01-01 00:00:00+00'
      ) AS next_from
    FROM `my-project.analytics.user_info_watermark` AS progress
    CROSS JOIN (
      SELECT
        MAX(_batch.read_from) AS read_from,
        MAX(_batch.read_at) AS read_at,
        MAX(_batch.newest_ingest) AS newest_ingest
      FROM `my-project.analytics.temp_user_info_updates`
    ) AS batch
  );
  IF _batch_checked_from IS NULL THEN
    SET _batch_late = STRUCT(0 AS row_count, CAST(NULL AS TIMESTAMP) AS oldest);
  ELSE
    SET _batch_late = (
      SELECT AS STRUCT
        IF(COUNT(*) > 0 AND COUNTIF(is_behind) = 0, 0, NULL) AS row_count,
        MIN(IF(is_behind, SAFE.PARSE_TIMESTAMP('%Y%m%d', LEFT(partition_id, 8)), NULL)) AS oldest
      FROM (
        SELECT
          partition_id,
          last_modified_time >= _batch_checked_from AND (
            IFNULL(partition_id, '__UNPARTITIONED__') = '__UNPARTITIONED__'
            OR LEFT(partition_id, 8) <= FORMAT_TIMESTAMP('%Y%m%d', _batch_bounds.next_from)
          ) AS is_behind
        FROM `my-project.analytics.INFORMATION_SCHEMA.PARTITIONS`
        WHERE table_name = 'user_info_updates'
      )
    );
    IF _batch_late.row_count IS NULL THEN
      SET _batch_late = (
        SELECT AS STRUCT COUNT(*) AS row_count, MIN(updates.ingestTimestamp) AS oldest
        FROM APPENDS(TABLE `my-project.analytics.user_info_updates`, _batch_checked_from, _batch_checked_at) AS updates
        WHERE
          updates.ingestTimestamp >= TIMESTAMP '1900-01-01 00:00:00+00' AND (
            updates.ingestTimestamp < _batch_bounds.read_from
            OR (updates._CHANGE_TIMESTAMP > _batch_bounds.read_at AND updates.ingestTimestamp < _batch_bounds.next_from)
          )
      );
    END IF;
  END IF;
EXCEPTION WHEN ERROR THEN
  -- what the metadata said stands
  SELECT 'late rows are not known';
END;

BEGIN TRANSACTION;

-- R6: every run writes this row first, so overlapping runs meet here, and the one that loses changes nothing
UPDATE `my-project.analytics.user_info_watermark` AS progress SET watermark = IF(
    LOWER((SELECT says FROM UNNEST(progress.basis) WHERE paths = '$.ingestTimestamp')) != 'ingesttimestamp',
    TIMESTAMP '1900-01-01 00:00:00+00',
    progress.watermark
  ) WHERE TRUE;

-- only now: read before, another run could replace the batch in between
SET _batch_facts = (
  SELECT AS STRUCT
    progress.watermark, progress.merged_at, progress.users, progress.gone_users, progress.committed_until AS merged_until, progress.basis,
    EXISTS (SELECT 1 FROM `my-project.analytics.user_info_final`) AS final_has_rows,
    facts.read_from = progress.seen_from
      AND facts.rows_read = progress.seen_rows
      AND facts.digest = progress.seen_digest AS is_seen,
    facts.*
  FROM `my-project.analytics.user_info_watermark` AS progress
  CROSS JOIN (
    SELECT COUNTIF(_batch.read_at IS NOT NULL) AS headers,
      MAX(_batch.read_from) AS read_from,
      MAX(_batch.read_at) AS read_at,
      MAX(_batch.newest_ingest) AS newest_ingest,
      MAX(_batch.row_count) AS rows_read,
      COUNTIF(_batch IS NULL) AS users_read,
      MAX(_batch.future_rows) AS future_rows,
      MAX(_batch.digest) AS digest,
      MAX(_batch.next_from) AS next_from,
      MAX(_batch.committed_from) AS committed_from,
      MAX(_batch.committed_until) AS committed_until,
      MAX(_batch.next_rows) AS next_rows,
      MAX(_batch.next_digest) AS next_digest,
      MAX(_batch.bad_rows) AS bad_rows,
      ARRAY_AGG(IF(_batch.bytes_billed IS NULL, NULL, STRUCT(_batch.billed_read_at AS read_at, _batch.bytes_billed AS bytes_billed)) IGNORE NULLS) AS bills
    FROM `my-project.analytics.temp_user_info_updates`
  ) AS facts
);
-- R14: what final means may not change under what it holds
SET _batch_change = (
  SELECT AS STRUCT
    IF(MAX(was_key) IS NULL, NULL, STRING_AGG(IF(due = 'init', what, NULL), ', ' ORDER BY what)) AS init,
    STRING_AGG(IF(due = 'tables', what, NULL), ', ' ORDER BY what) AS tables,
    STRING_AGG(IF(due = 'rebuild', what, NULL), ', ' ORDER BY what) AS rebuild,
    MAX(IF(due = 'rebuild', was_key, NULL)) AS old_key
  FROM (
    SELECT
      CASE
        WHEN was.says IS NULL THEN IF(STARTS_WITH(now.path, '$.'), NULL, 'init')
        WHEN LOWER(was.says) = LOWER(now.says) OR 'part' IN (was.says, now.says) THEN NULL
        WHEN now.path IN ('$.deleted', '$.updates') AND was.says != 'not read yet' THEN 'init'
        WHEN 'field by field' IN (was.says, now.says) THEN 'tables'
        ELSE 'rebuild'
      END AS due,
      CONCAT(REPLACE(now.path, '$.', ''), ' ', IF(was.says IS NULL, 'is new', CONCAT(was.says, ' -> ', now.says))) AS what,
      IF(now.path = '$.key', was.says, NULL) AS was_key
    FROM (SELECT path, says FROM UNNEST(_batch_basis), UNNEST(SPLIT(paths, ', ')) AS path) AS now
    LEFT JOIN (SELECT path, says FROM UNNEST(_batch_facts.basis), UNNEST(SPLIT(paths, ', ')) AS path) AS was
      ON LOWER(was.path) = LOWER(now.path)
  )
);
SELECT IF(
  _batch_change.init IS NOT NULL,
  ERROR(CONCAT('user_info: ', _batch_change.init, ': due is npm run init, whose --plan says what else to do first')),
  NULL
);
SELECT IF(
  _batch_change.tables IS NOT NULL AND _batch_facts.final_has_rows,
  ERROR(CONCAT('user_info: ', _batch_change.tables, ': due are another name for final in entities.json, and npm run init: BigQuery cannot change this of a table')),
  NULL
);
SELECT IF(
  _batch_change.rebuild IS NOT NULL AND (IFNULL(_batch_facts.read_from > TIMESTAMP '1900-01-01 00:00:00+00', FALSE) OR _batch_facts.final_has_rows),
  ERROR(CONCAT('user_info: ', _batch_change.rebuild, ': final would mix both meanings; due are the statements that npm run review lists, and a rebuild: --vars=rebuild=true')),
  NULL
);

-- R6: the temp table may hold the batch of an overlapping run; one that would lose or skip something is refused
SELECT IF(
  _batch_facts.headers != 1,
  ERROR('temp_user_info_updates is not what a run of this version leaves there - run again'),
  NULL
);

SELECT IF(
  _batch_facts.read_from > _batch_facts.watermark,
  ERROR('temp_user_info_updates holds the batch of an overlapping run, which leaves a gap after the watermark - run again'),
  NULL
);
SELECT IF(
  _batch_facts.read_from > TIMESTAMP '1900-01-01 00:00:00+00' AND _batch_facts.users > 0 AND NOT _batch_facts.final_has_rows,
  ERROR('user_info_final was lost, and the batch does not hold all history - run again'),
  NULL
);

-- R7: what is not run is not billed; where the batch is what was merged already, final is not read
SET _batch_has_news = _batch_facts.users_read > 0
  AND NOT IFNULL(_batch_facts.is_seen AND (_batch_facts.final_has_rows OR _batch_facts.users = 0), FALSE);
IF _batch_has_news THEN

-- R3, R7: what the batch and final make of each attribute, for those rows that the batch really changes
MERGE `my-project.analytics.user_info_final` AS final
USING (
  WITH _batch_merged AS (
    SELECT
      batch.userId,
      GREATEST(IFNULL(batch.ingestTimestamp, final.ingestTimestamp), IFNULL(final.ingestTimestamp, batch.ingestTimestamp)) AS ingestTimestamp,
      IF(final.ingestTimestamp IS NULL, batch._base_version, final._base_version) AS _base_version,
      IFNULL(batch.ingestTimestamp > final.ingestTimestamp, TRUE) AS _row_is_newer,
      IF(
        IFNULL(batch.attribute1.version > final.attribute1.version, batch.attribute1.version IS NOT NULL)
        OR (batch.attribute1.version = final.attribute1.version AND batch.attribute1.value > final.attribute1.value),
        batch.attribute1, final.attribute1
      ) AS attribute1,
      IF(
        IFNULL(batch.attribute2.version > final.attribute2.version, batch.attribute2.version IS NOT NULL)
        OR (batch.attribute2.version = final.attribute2.version AND batch.attribute2.value > final.attribute2.value),
        batch.attribute2, final.attribute2
      ) AS attribute2,
      IF(
        IFNULL(batch.attribute3.version > final.attribute3.version, batch.attribute3.version IS NOT NULL)
        OR (batch.attribute3.version = final.attribute3.version AND batch.attribute3.value > final.attribute3.value),
        batch.attribute3, final.attribute3
      ) AS attribute3,
      final._batch_stored AS _final
    FROM (SELECT userId, ingestTimestamp, _base_version,
      STRUCT(attribute1 AS value, IFNULL(_own_versions.attribute1, IF(attribute1 IS NULL, NULL, _base_version)) AS version, TRUE AS is_newer) AS attribute1,
      STRUCT(attribute2 AS value, IFNULL(_own_versions.attribute2, IF(attribute2 IS NULL, NULL, _base_version)) AS version, TRUE AS is_newer) AS attribute2,
      STRUCT(attribute3 AS value, IFNULL(_own_versions.attribute3, IF(attribute3 IS NULL, NULL, _base_version)) AS version, TRUE AS is_newer) AS attribute3 FROM `my-project.analytics.temp_user_info_updates` WHERE _batch IS NULL) AS batch
    LEFT JOIN (SELECT userId, ingestTimestamp, _base_version, _batch_stored,
      STRUCT(attribute1 AS value, IFNULL(_own_versions.attribute1, IF(attribute1 IS NULL, NULL, _base_version)) AS version, FALSE AS is_newer) AS attribute1,
      STRUCT(attribute2 AS value, IFNULL(_own_versions.attribute2, IF(attribute2 IS NULL, NULL, _base_version)) AS version, FALSE AS is_newer) AS attribute2,
      STRUCT(attribute3 AS value, IFNULL(_own_versions.attribute3, IF(attribute3 IS NULL, NULL, _base_version)) AS version, FALSE AS is_newer) AS attribute3 FROM `my-project.analytics.user_info_final` AS _batch_stored) AS final
      ON final.userId = batch.userId
  )
  SELECT
    userId,
    ingestTimestamp,
    attribute1.value AS attribute1,
    attribute2.value AS attribute2,
    attribute3.value AS attribute3,
    _base_version,
    (SELECT AS STRUCT _final._own_versions.* REPLACE (
      NULLIF(attribute1.version, _base_version) AS attribute1,
      NULLIF(attribute2.version, _base_version) AS attribute2,
      NULLIF(attribute3.version, _base_version) AS attribute3
    )) AS _own_versions
  FROM _batch_merged
  WHERE _row_is_newer
    OR attribute1.is_newer
    OR attribute2.is_newer
    OR attribute3.is_newer
) AS change
ON final.userId = change.userId
WHEN MATCHED THEN UPDATE SET
  ingestTimestamp = change.ingestTimestamp,
  attribute1 = change.attribute1,
  attribute2 = change.attribute2,
  attribute3 = change.attribute3,
  _own_versions = change._own_versions
WHEN NOT MATCHED THEN
  INSERT (userId, ingestTimestamp, attribute1, attribute2, attribute3, _base_version, _own_versions)
  VALUES (change.userId, change.ingestTimestamp, change.attribute1, change.attribute2, change.attribute3,
  change._base_version, change._own_versions);
SET _batch_rows_changed = @@row_count;
END IF;
SELECT IF(
  NOT _batch_facts.final_has_rows AND _batch_facts.users > (SELECT COUNT(*) FROM `my-project.analytics.user_info_final`),
  ERROR('user_info_final was lost, and updates no longer name all of its users; copy it back from time travel, or go on with the others by --vars=force=true'),
  NULL
);
-- R12: rows that never reach final, and rows that are only reported, as the batch found them
CREATE TEMP TABLE kept_out AS
WITH kinds AS (
  SELECT kind.* FROM `my-project.analytics.temp_user_info_updates` AS batch, UNNEST(batch._batch.kept_out) AS kind
),
known AS (
  SELECT bad_row.* FROM `my-project.analytics.user_info_watermark` AS progress, UNNEST(progress.known_bad_rows) AS bad_row
)
SELECT
  IFNULL(kinds.reason, known.reason) AS reason,
  IFNULL(kinds.ingest_timestamp, known.ingest_timestamp) AS ingest_timestamp,
  IFNULL(kinds.details, known.details) AS details,
  IFNULL(kinds.is_bad, known.is_bad) AS is_bad,
  IFNULL(kinds.key_hash, known.key_hash) AS key_hash,
  IFNULL(kinds.row_count, known.row_count) AS row_count,
  IFNULL(known.first_seen, CURRENT_TIMESTAMP()) AS first_seen,
  IFNULL(kinds.row_count, 0) AS rows_found,
  GREATEST(IFNULL(kinds.row_count, 0) - IFNULL(known.row_count, 0), 0) AS rows_new
FROM kinds
FULL JOIN known ON kinds.reason = known.reason AND kinds.details = known.details
WHERE
  kinds.reason IS NOT NULL
  OR (known.ingest_timestamp >= TIMESTAMP '1900-01-01 00:00:00+00' AND known.ingest_timestamp < _batch_facts.read_from);

-- R5, and the log, in the same transaction: user_info_runs keeps what passes through here
UPDATE `my-project.analytics.user_info_watermark` AS progress
SET
  basis = _batch_basis, previous_watermark = progress.watermark,
  watermark = GREATEST(progress.watermark, IFNULL(_batch_facts.newest_ingest, progress.watermark)),
  read_at = _batch_facts.read_at,
  merged_at = IF(_batch_facts.users_read > 0, CURRENT_TIMESTAMP(), progress.merged_at),
  seen_from = IF(_batch_has_news, _batch_facts.next_from, progress.seen_from),
  seen_rows = IF(_batch_has_news, _batch_facts.next_rows, progress.seen_rows),
  seen_digest = IF(_batch_has_news, _batch_facts.next_digest, progress.seen_digest),
  users = (SELECT COUNT(*) FROM `my-project.analytics.user_info_final`),
  recent_runs = ARRAY_CONCAT(
    [STRUCT(
      GENERATE_UUID() AS run_id,
      'update' AS kind,
      _batch_facts.read_from AS read_from,
      _batch_facts.read_at AS read_at,
      CURRENT_TIMESTAMP() AS merged_at,
      progress.watermark AS watermark_before,
      GREATEST(progress.watermark, IFNULL(_batch_facts.newest_ingest, progress.watermark)) AS watermark_after,
      _batch_facts.rows_read AS rows_read,
      _batch_facts.users_read AS users_read,
      _batch_rows_changed AS rows_changed,
      _batch_facts.bad_rows AS bad_rows,
      _batch_facts.bad_rows - (SELECT IFNULL(SUM(IF(is_bad, rows_found - rows_new, 0)), 0) FROM kept_out) AS new_bad_rows,
      IF(IFNULL(progress.late_checked_at = _batch_checked_from, _batch_checked_from IS NULL), _batch_late.row_count, NULL) AS missed_rows,
      _batch_facts.future_rows AS future_rows,
      (SELECT COUNT(*) FROM `my-project.analytics.user_info_final`) AS users,
      @@script.job_id AS job_id,
      @@script.bytes_billed AS merge_bytes_billed,
      TIMESTAMP_DIFF(CURRENT_TIMESTAMP(), LEAST(@@script.creation_time, _batch_facts.read_at), MILLISECOND) AS read_to_merge_ms,
      (SELECT MAX(bill.bytes_billed) FROM UNNEST(_batch_facts.bills) AS bill WHERE bill.read_at = _batch_facts.read_at) AS batch_bytes_billed
    )],
    ARRAY(SELECT run FROM UNNEST(progress.recent_runs) AS run WITH OFFSET AS age WHERE age < 49 ORDER BY age)
  ),
  last_bad_rows = ARRAY_CONCAT(
    ARRAY(SELECT AS STRUCT reason, ingest_timestamp, details FROM kept_out WHERE rows_new > 0 ORDER BY details LIMIT 1000),
    ARRAY(
      SELECT AS STRUCT
        'behind the window of all later runs: a replay reads them' AS reason,
        late.oldest AS ingest_timestamp,
        TO_JSON_STRING(STRUCT(
          late.row_count AS row_count,
          FORMAT_TIMESTAMP('%Y-%m-%dT%H:%M:%E6SZ', late.oldest) AS replayFrom
        )) AS details
      FROM UNNEST([_batch_late]) AS late
      WHERE
        late.row_count > 0
        OR (late.row_count IS NULL AND IFNULL(late.oldest < progress.missed_from, late.oldest IS NOT NULL))
    )
  ),
  known_bad_rows = ARRAY(
    SELECT AS STRUCT reason, ingest_timestamp, details, row_count, is_bad, key_hash, first_seen
    FROM kept_out ORDER BY rows_found > 0 DESC, first_seen DESC, details LIMIT 10000
  ),
  late_checked_at = IF(_batch_facts.read_from <= IFNULL(progress.missed_from, TIMESTAMP '1900-01-01 00:00:00+00') OR IF(IFNULL(progress.late_checked_at = _batch_checked_from, _batch_checked_from IS NULL), _batch_late.row_count, NULL) IS NOT NULL, _batch_checked_at, progress.late_checked_at),
  missed_rows = IF(_batch_facts.read_from <= IFNULL(progress.missed_from, TIMESTAMP '1900-01-01 00:00:00+00'), 0, IFNULL(progress.missed_rows, 0)) + IFNULL(IF(IFNULL(progress.late_checked_at = _batch_checked_from, _batch_checked_from IS NULL), _batch_late.row_count, NULL), 0),
  missed_from = (
    SELECT MIN(stamp) FROM UNNEST([IF(_batch_facts.read_from <= IFNULL(progress.missed_from, TIMESTAMP '1900-01-01 00:00:00+00'), NULL, progress.missed_from), _batch_late.oldest]) AS stamp
  ),
  committed_until = NULL
WHERE TRUE;

COMMIT TRANSACTION;
