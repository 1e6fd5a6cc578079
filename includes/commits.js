// A copy by `npm run generate` from user-info-updater 0.3.0: edit nothing here.
// @ts-check
/**
 * The cursor `commit` (R5): a run reads what BigQuery committed since the last merge, however it is stamped, by APPENDS
 * (https://cloud.google.com/bigquery/docs/change-history,
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/time-series-functions#appends): its end is not part of the range, and a
 * start before the table was made is that time. R-numbers are rules of docs/rules.md.
 */
const merge = require("./merge.js");
const { ofWatermark, placeOf, readsMissed } = require("./progress.js");

/** The end of the calendar: a run that reads from this ingest timestamp on reads no day of the updates by their stamps. */
const END = "TIMESTAMP '9999-12-31 23:59:59.999999+00'";

/** What a run is told (run.js). @typedef {{ rebuild: boolean, replays: boolean, readFrom: string | undefined }} Run */

/**
 * The variables of a run that reads by commit time: what was committed from `_batch_committed_from` on, up to `_read_at`; all there is
 * before the first merge, where final was lost, and for a rebuild. By their stamps updates are read from `_read_from` on.
 * @param {{ watermark: string, final: string }} tables
 * @param {string} lookback Such as `1 HOUR`.
 * @param {Run} run
 */
function declare({ watermark, final }, lookback, { rebuild, replays, readFrom }) {
  const since = `IF(
      progress.users > 0 AND NOT EXISTS (SELECT 1 FROM ${final}),
      ${merge.START},
      IFNULL(TIMESTAMP_SUB(progress.committed_until, INTERVAL ${lookback}), ${merge.START})
    )`;
  const byStamp = replays ? readFrom : END;
  return `DECLARE _read_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP();
  DECLARE _batch_committed_from TIMESTAMP DEFAULT ${ofWatermark(`(SELECT ${rebuild ? merge.START : since} FROM ${watermark} AS progress)`, watermark)};
  DECLARE _read_from TIMESTAMP DEFAULT IF(_batch_committed_from > ${merge.START}, ${byStamp}, ${merge.START});
  -- where all is read by stamps, a range that costs nothing: BigQuery wants one
  DECLARE _batch_appended_from TIMESTAMP DEFAULT IF(
    _batch_committed_from > ${merge.START},
    _batch_committed_from,
    TIMESTAMP_SUB(_read_at, INTERVAL 1 SECOND)
  );
  DECLARE _batch_appended_rows INT64;
  DECLARE _batch_unreadable STRING;
  DECLARE _batch_rows_before INT64;
  DECLARE _batch_rows_now INT64;
  DECLARE _batch_replay_from TIMESTAMP;`;
}

/**
 * What a run finds out before it reads by commit time. Where BigQuery does not tell any more what was committed, it stops and names the
 * replay that reads it by its stamps. Where rows are gone that were appended in the range, erased or removed, it reads by their stamps
 * what is left, since APPENDS gives them still; that a table had more rows than it has, counting tells, which is not billed. Each count is
 * a statement of its own, since none may read a table at two times
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#for_system_time_as_of).
 * @param {string} updates The table.
 * @param {string} ingest Its ingest timestamp.
 * @param {Run} run
 * @param {boolean} isOwn Whether its partitions are days of the ingest timestamp.
 */
function check(updates, ingest, { rebuild, replays, readFrom }, isOwn) {
  if (rebuild) return "";
  const [project, dataset, table] = placeOf(updates);
  const appended = `FROM APPENDS(TABLE ${updates}, _batch_appended_from, _read_at) AS updates`;
  const counted = `SELECT COUNT(*) ${appended} WHERE ${merge.anyPartition(`updates.${ingest}`)}`;
  const days = `BEGIN
      SET _batch_replay_from = (
      SELECT IF(
        COUNT(*) = 0 OR LOGICAL_OR(is_modified AND day IS NULL),
        NULL,
        GREATEST(IFNULL(MIN(IF(is_modified, day, NULL)), TIMESTAMP_TRUNC(_read_at, DAY)), ${merge.START})
      )
      FROM (
        SELECT
          SAFE.PARSE_TIMESTAMP('%Y%m%d', LEFT(partition_id, 8)) AS day,
          last_modified_time >= _batch_committed_from AS is_modified
        FROM \`${project}.${dataset}.INFORMATION_SCHEMA.PARTITIONS\`
        WHERE table_name = '${table}' AND IFNULL(partition_id, '') NOT IN ('__NULL__', '__UNPARTITIONED__')
      )
      );
    EXCEPTION WHEN ERROR THEN
      SELECT 'the days are not known';
    END;
    `;
  const replay = `IFNULL(FORMAT_TIMESTAMP('--vars=replayFrom=%Y-%m-%dT%H:%M:%SZ', _batch_replay_from), '--vars=rebuild=true')`;
  const message = `CONCAT(
      'what was committed to ${table} since ', FORMAT_TIMESTAMP('%Y-%m-%dT%H:%M:%SZ', _batch_committed_from),
      ' cannot be read by commit time: ', _batch_unreadable,
      '; where that stays so, due is a run with ', ${replay}, ', which reads it by its ingest timestamp'
    )`;
  const stop = replays
    ? `SELECT IF(IFNULL(${readFrom} > _batch_replay_from, TRUE), ERROR(${message}), NULL);`
    : `SELECT ERROR(${message});`;
  const resume = replays
    ? `
    -- a replay of all days that were written to since; what the last day brought may be in no partition yet
    SET _batch_appended_from = TIMESTAMP_SUB(_read_at, INTERVAL 1 DAY);
    SET _batch_appended_rows = (${counted});`
    : "";
  return `-- R5: whether BigQuery tells what was committed in that range
  BEGIN
    SET _batch_appended_rows = (${counted});
  EXCEPTION WHEN ERROR THEN
    SET _batch_unreadable = @@error.message;
  END;
  SELECT IF(
    _batch_unreadable IS NOT NULL AND _batch_committed_from = ${merge.START},
    ERROR(CONCAT('${table} cannot be read by commit time, but can with "cursor": "ingestTimestamp": ', _batch_unreadable)),
    NULL
  );
  IF _batch_unreadable IS NOT NULL THEN
    ${isOwn ? days : ""}${stop}${resume}
  END IF;
  IF _batch_appended_rows > 0 AND _batch_committed_from > ${merge.START} THEN
    BEGIN
      SET _batch_rows_before = (SELECT COUNT(*) FROM ${updates} FOR SYSTEM_TIME AS OF _batch_appended_from);
    EXCEPTION WHEN ERROR THEN
      -- the table may be younger than that
      SET _batch_rows_before = (
        SELECT IF(MAX(creation_time) > _batch_appended_from, 0, NULL)
        FROM \`${project}.${dataset}.INFORMATION_SCHEMA.TABLES\`
        WHERE table_name = '${table}'
      );
    END;
    BEGIN
      SET _batch_rows_now = (SELECT COUNT(*) FROM ${updates} FOR SYSTEM_TIME AS OF _read_at);
    EXCEPTION WHEN ERROR THEN
      SELECT 'how many rows there are is not known';
    END;
    IF IFNULL(_batch_rows_before + _batch_appended_rows > _batch_rows_now, TRUE) THEN
      SET _read_from = LEAST(
        _read_from,
        IFNULL((SELECT MIN(updates.${ingest}) ${appended} WHERE updates.${ingest} >= ${merge.START}), _read_from)
      );
    END IF;
  END IF;`;
}

/**
 * Up to where updates are merged by commit time, after a run; never further than where its batch ends.
 * @param {string} [isDue] Whether it merges, where not every run does.
 */
function after(isDue) {
  const until =
    "GREATEST(_batch_facts.committed_until, IFNULL(progress.committed_until, _batch_facts.committed_until))";
  return isDue === undefined ? until : `IF(${isDue}, ${until}, progress.committed_until)`;
}

/**
 * What the watermark's row says of late rows where none is missed: up to where all is read.
 * @param {string} [isDue] Whether the run merges, where not every run does.
 */
function late(isDue) {
  return `late_checked_at = ${isDue === undefined ? after() : `IF(${isDue}, ${after()}, progress.late_checked_at)`},
  missed_rows = IF(${readsMissed}, 0, IFNULL(progress.missed_rows, 0)),
  missed_from = IF(${readsMissed}, NULL, progress.missed_from)`;
}

/** Where a run read from, for its log: the time of commits, or the stamp where it read by those. */
const readFrom = `IF(_batch_facts.read_from = ${END}, _batch_facts.committed_from, _batch_facts.read_from)`;

module.exports = { END, declare, check, after, late, readFrom };
