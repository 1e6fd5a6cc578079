// @ts-check
/** Which updates a run reads, and what the batch says of itself. R-numbers are rules of docs/rules.md. */
const commits = require("../commits.js");
const merge = require("../merge.js");
const progress = require("../progress.js");
const { indent } = require("./text.js");

/** @typedef {import("../merge.js").Entity} Entity */

/**
 * What else a good update must be, beside its ingest timestamp (R12).
 * @param {Entity} entity
 */
function goodBeside(entity) {
  return merge.faultsOf(entity).flatMap(({ isOfIngest, isGood }) => (isOfIngest ? [] : [isGood]));
}

/**
 * All columns of an update, its event timestamp as it counts.
 * @param {Entity} entity
 * @param {string} margin What stands before a line.
 */
function updateOf(entity, margin) {
  return entity.event === undefined || entity.ahead?.keepsOut
    ? "*"
    : `* REPLACE (\n${margin}  ${merge.countsFrom(entity, "_batch_row")} AS ${entity.event}\n${margin})`;
}

/**
 * Whether an update that was committed in the range is read as such: others are by their stamps (R5).
 * @param {Entity} entity
 * @param {string} row
 */
function isAppended({ ingest }, row) {
  return `${row}.${ingest} >= ${merge.START} AND ${row}.${ingest} < _read_from`;
}

/**
 * What reads updates.
 * @param {Entity} entity
 */
function of(entity) {
  const { keys, ingest, event, deletes, readsCommits = false } = entity;
  const version = merge.versionColumn(entity);
  const beside = goodBeside(entity);
  const floors = merge.floorsOf(entity);
  const hasFloors = merge.hasFloors(entity);
  return {
    /** What tells an update from any other, and from itself once the entity's description changes. */
    updateHash: () =>
      `CAST(FARM_FINGERPRINT(CONCAT('${entity.revision}', TO_JSON_STRING(_batch_row))) AS NUMERIC)`,
    /**
     * What the batch says of itself, in the order of progress.BATCH: queries over `_batch_read` for the rest of its WITH. The watermark's
     * table, and the lookback such as `1 HOUR`. @type {(watermark: string, lookback: string) => string}
     */
    ofBatch: (watermark, lookback) => {
      const stamp = `updates.${ingest}`;
      const good = beside.map((condition) => `\n      AND ${condition}`).join("");
      const reported = [merge.isBad(entity), ...merge.oddities(entity).map(({ holds }) => holds)];
      const from = readsCommits ? merge.START : "_read_from";
      const next = readsCommits
        ? `IF(_read_from = ${commits.END}, TIMESTAMP_SUB(_read_at, INTERVAL ${lookback}), NULL)`
        : `IF(
      _read_from > ${merge.START},
      ${progress.nextFrom("newest.stamp", lookback)},
      NULL
    )`;
      const isNext = readsCommits
        ? "IFNULL(updates._batch_committed_at >= span.next_from, span.next_from IS NOT NULL)"
        : `${stamp} >= span.next_from`;
      const fresh = readsCommits
        ? `IF(
      LOGICAL_OR(updates._batch_committed_at IS NULL),
      NULL,
      COUNTIF(IFNULL(updates._batch_committed_at >= _batch_run_before, TRUE))
    )`
        : "CAST(NULL AS INT64)";
      return `_batch_span AS (
  -- R5: a row stamped in the future is merged, but takes the watermark nowhere
  SELECT
    _read_from AS read_from,
    _read_at AS read_at,
    newest.stamp AS newest_ingest,
    ${next} AS next_from,
    ${readsCommits ? "_batch_committed_from" : "CAST(NULL AS TIMESTAMP)"} AS committed_from,
    ${readsCommits ? "_read_at" : "CAST(NULL AS TIMESTAMP)"} AS committed_until
  FROM ${watermark} AS progress
  CROSS JOIN (
    SELECT MAX(${stamp}) AS stamp
    FROM _batch_read AS updates
    WHERE ${stamp} BETWEEN ${from} AND _read_at${good}
  ) AS newest
),
_batch_counted AS (
  SELECT
    COUNT(*) AS row_count,
    COUNTIF(${stamp} > span.read_at) AS future_rows,
    SUM(updates._batch_row_hash) AS digest,
    NULLIF(COUNTIF(${isNext}), 0) AS next_rows,
    SUM(IF(${isNext}, updates._batch_row_hash, NULL)) AS next_digest
  FROM _batch_read AS updates
  CROSS JOIN _batch_span AS span
  WHERE ${stamp} >= ${readsCommits ? merge.START : "span.read_from"}${good}
),
_batch_found AS (
  -- R12: rows that never reach final, and those that are only reported: of each kind how many
  SELECT
    ${reasonOf(entity)} AS reason,
    ${stamp} AS ingest_timestamp,
    ${merge.details(entity)} AS details,
    COUNT(*) AS row_count,
    ${merge.isBad(entity)} AS is_bad,
    ${merge.keyHash(keys, "updates")} AS key_hash,
    ${fresh} AS fresh_rows
  FROM _batch_read AS updates${
    readsCommits
      ? `\n  CROSS JOIN (SELECT progress.read_at AS _batch_run_before FROM ${watermark} AS progress)`
      : ""
  }
  WHERE ${reported.join("\n    OR ")}
  GROUP BY 1, 2, 3, 5, 6
),
_batch_kept_out AS (
  SELECT
    IFNULL(SUM(IF(found.is_bad, found.row_count, 0)), 0) AS bad_rows,
    ARRAY_AGG(found ORDER BY found.ingest_timestamp DESC, found.details LIMIT ${progress.MOST_KNOWN}) AS kept_out,
    CAST(NULL AS TIMESTAMP) AS billed_read_at,
    CAST(NULL AS INT64) AS bytes_billed
  FROM _batch_found AS found
)`;
    },
    /** Whether a run reads an update: it is of the days from a stamp on, or of none (R5, R12). @type {(row: string, from: string) => string} */
    isRead: (row, from) => {
      const stamp = `${row}.${ingest}`;
      return `${stamp} >= ${from}\n    OR ${stamp} IS NULL OR ${stamp} < ${merge.START}`;
    },
    /** Whether an update that was committed in the range is read as such: others are by their stamps (R5). @type {(row: string) => string} */
    isAppended: (row) => isAppended(entity, row),
    /** The time from which an update counts (R4). @type {(row: string) => string} */
    countsFrom: (row) => merge.countsFrom(entity, row),
    /** All columns of an update, its event timestamp as it counts. */
    update: () => updateOf(entity, "      "),
    /** What else a good update must be, behind a condition on its ingest timestamp; nothing where that is all (R12). */
    andGood: () => beside.map((condition) => `\n    AND ${condition}`).join(""),
    /** What a user's updates leave of the columns that do not merge. */
    gatherTimes: () => {
      const gathered = [`MAX(updates.${ingest}) AS ${ingest}`];
      const isGone = hasFloors ? "updates._batch_is_gone" : "updates._deleted";
      const unless = (/** @type {string} */ column) =>
        deletes === undefined ? `updates.${column}` : `IF(${isGone}, NULL, updates.${column})`;
      if (event !== undefined) gathered.push(`MAX(${unless(event)}) AS ${event}`);
      if (deletes !== undefined) {
        gathered.push(
          `MAX(${hasFloors ? "updates._batch_floor" : `IF(updates._deleted, updates.${version}, NULL)`}) AS _deleted_at`,
        );
        gathered.push(`MAX(${unless(version)}) AS _alive_at`);
      }
      if (hasFloors) gathered.push("LOGICAL_OR(updates._batch_is_again) AS _batch_is_again");
      gathered.push(...floors.map(({ column }) => `MAX(updates.${column}) AS ${column}`));
      gathered.push(`MIN(${unless(version)}) AS _base_version`);
      return indent(gathered.join(",\n"), 4);
    },
  };
}

/**
 * The reason for which an update is reported (R12).
 * @param {Entity} entity
 */
function reasonOf(entity) {
  const cases = [
    ...merge.faultsOf(entity).map(({ isBad, reason }) => ({ when: isBad, reason })),
    ...merge.oddities(entity).map(({ holds, reason }) => ({ when: holds, reason })),
  ];
  const lines = cases.map(({ when, reason }) => `  WHEN ${when} THEN ${merge.literal(reason)}`);
  return indent(["CASE", ...lines, "END"].join("\n"), 4);
}

module.exports = { of, goodBeside, updateOf, isAppended };
