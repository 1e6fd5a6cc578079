// A copy by `npm run generate` from user-info-updater 0.3.0: edit nothing here.
// @ts-check
/**
 * How far an entity is: the columns of its watermark's row and of its log of runs, each written once for all that make, write or
 * read them. R-numbers are rules of docs/rules.md.
 */

const { FACT, TYPE: BASIS_TYPE } = require("./basis.js");
const { START } = require("./merge.js");

/**
 * @typedef {object} Column
 * @property {string} name
 * @property {string | readonly Column[]} type As GoogleSQL writes it; columns for an ARRAY of such STRUCTs.
 * @property {string} description
 * @property {string} [initial] What it holds before the first run, as SQL; NULL where absent.
 */

/** A run in the log. @type {readonly Column[]} */
const RUN = [
  { name: "run_id", type: "STRING", description: "Identifies the run." },
  { name: "kind", type: "STRING", description: "update, replay (from replayFrom on) or rebuild." },
  {
    name: "read_from",
    type: "TIMESTAMP",
    description: "The run read updates from this ingest timestamp on, or what was committed from then on.",
  },
  { name: "read_at", type: "TIMESTAMP", description: "When it read them." },
  { name: "merged_at", type: "TIMESTAMP", description: "When it merged them." },
  { name: "watermark_before", type: "TIMESTAMP", description: "The watermark before the run." },
  { name: "watermark_after", type: "TIMESTAMP", description: "The watermark after the run." },
  {
    name: "rows_read",
    type: "INT64",
    description: "Updates read, the overlap with earlier runs included.",
  },
  { name: "users_read", type: "INT64", description: "Users with updates among them." },
  {
    name: "rows_changed",
    type: "INT64",
    description: "Rows of final that were inserted, rewritten or removed.",
  },
  {
    name: "bad_rows",
    type: "INT64",
    description: "Updates that it found and kept out for a missing key or a missing or impossible timestamp.",
  },
  { name: "new_bad_rows", type: "INT64", description: "Those of them that no earlier run had found." },
  {
    name: "missed_rows",
    type: "INT64",
    description:
      "Updates that came since the run before and are behind the window of this run and all later ones; NULL where that is not known.",
  },
  {
    name: "future_rows",
    type: "INT64",
    description:
      "Updates stamped later than the time they were read: merged, and read again until their time has come.",
  },
  { name: "users", type: "INT64", description: "Rows of final after the run." },
  { name: "job_id", type: "STRING", description: "The BigQuery job that merged." },
  {
    name: "merge_bytes_billed",
    type: "INT64",
    description: "What the job that merged is billed for, up to this line of the log.",
  },
  {
    name: "read_to_merge_ms",
    type: "INT64",
    description: "Milliseconds from the reading of the batch to this line of the log.",
  },
  {
    name: "batch_bytes_billed",
    type: "INT64",
    description: "What the job that made the batch is billed for; NULL where it could not say.",
  },
];

/** An update that a run kept out, or that is only reported (R4, R5, R12). @type {readonly Column[]} */
const BAD_ROW = [
  { name: "reason", type: "STRING", description: "Why it was kept out or reported." },
  { name: "ingest_timestamp", type: "TIMESTAMP", description: "Its ingest timestamp." },
  { name: "details", type: "STRING", description: "Its key and timestamps, as JSON." },
];

/** Those of one reason and the same key and timestamps, once a run has reported them. @type {readonly Column[]} */
const KNOWN_BAD_ROW = [
  ...BAD_ROW,
  { name: "row_count", type: "INT64", description: "How many such updates there are." },
  {
    name: "is_bad",
    type: "BOOL",
    description: "Whether they never reach final; the others are only reported.",
  },
  { name: "key_hash", type: "STRING", description: "The hash of the key, as a tombstone has it." },
  { name: "first_seen", type: "TIMESTAMP", description: "When a run first found one." },
];
/** So many kinds are listed and remembered; what is beyond is reported by every run that reads it. A row has at most 100 MB. */
const MOST_KNOWN = 10000;

/**
 * What the row has gained since such tables were first made: by the first three a run knows whether the updates that it reads
 * again are those that were merged, and nothing else (R7). @type {readonly Column[]}
 */
const GAINED = [
  {
    name: "seen_from",
    type: "TIMESTAMP",
    description: "The updates from this ingest timestamp on, as they were merged, are what follows tells of.",
  },
  { name: "seen_rows", type: "INT64", description: "How many they were." },
  { name: "seen_digest", type: "NUMERIC", description: "The sum of their fingerprints." },
  {
    name: "known_bad_rows",
    type: KNOWN_BAD_ROW,
    description: "Updates kept out or reported, as far as they are still there: at most 10,000 kinds.",
  },
  {
    name: "gone_users",
    type: "INT64",
    description: "How many users are remembered that are gone, where users can go.",
  },
  {
    name: "waiting_users",
    type: "INT64",
    description:
      "Deleted users whom the last erasing run left, since their rows were streamed in lately; the next one takes them.",
  },
  {
    name: "late_checked_at",
    type: "TIMESTAMP",
    description: "Updates that came up to this time are read, or known to be behind the window.",
  },
  {
    name: "missed_rows",
    type: "INT64",
    description: "Updates behind the window of all later runs, until a replay reads them.",
  },
  {
    name: "missed_from",
    type: "TIMESTAMP",
    description: "The oldest ingest timestamp of one: where such a replay must begin.",
  },
  {
    name: "committed_until",
    type: "TIMESTAMP",
    description: "Updates that BigQuery committed before this are merged; NULL where runs do not go by that.",
  },
  {
    name: "basis",
    type: FACT,
    description: "What decides the meaning of final, as it was made or `init` accepted it.",
  },
];

/** The watermark's one row (R5); the incremental table of runs takes the log from it. @type {readonly Column[]} */
const PROGRESS = [
  {
    name: "watermark",
    type: "TIMESTAMP",
    description: "The greatest ingest timestamp merged so far; 1900-01-01 before the first run.",
    initial: START,
  },
  { name: "previous_watermark", type: "TIMESTAMP", description: "The watermark before the last run." },
  { name: "read_at", type: "TIMESTAMP", description: "When the last merged batch was read." },
  {
    name: "merged_at",
    type: "TIMESTAMP",
    description: "When the last batch that was not empty was merged.",
  },
  { name: "users", type: "INT64", description: "Rows of final after the last run.", initial: "0" },
  { name: "recent_runs", type: RUN, description: "The last 50 runs, newest first." },
  {
    name: "last_bad_rows",
    type: BAD_ROW,
    description: "Of the updates kept out or reported, those that the last run found first; at most 1000.",
  },
  ...GAINED,
];

/** What of them a batch finds, of each kind how many. @type {readonly Column[]} */
const FOUND_BAD_ROW = [
  ...KNOWN_BAD_ROW.filter(({ name }) => name !== "first_seen"),
  {
    name: "fresh_rows",
    type: "INT64",
    description: "How many of them were committed since the run before; NULL where all there are were read.",
  },
];

/**
 * What the batch says of itself, in the one row of the temp table that is no user's: `_batch`, which costs nothing in all others.
 * In the order in which the temp table's query makes them. @type {readonly Column[]}
 */
const BATCH = [
  { name: "read_from", type: "TIMESTAMP", description: "Updates were read from this ingest timestamp on." },
  { name: "read_at", type: "TIMESTAMP", description: "When they were read." },
  {
    name: "newest_ingest",
    type: "TIMESTAMP",
    description: "The greatest ingest timestamp among them that was not of the future.",
  },
  {
    name: "next_from",
    type: "TIMESTAMP",
    description: "The next run will read from here, once they are merged.",
  },
  {
    name: "committed_from",
    type: "TIMESTAMP",
    description: "All that was committed from here on is among them; NULL where runs do not go by that.",
  },
  { name: "committed_until", type: "TIMESTAMP", description: "Up to here, this time not included." },
  { name: "row_count", type: "INT64", description: "How many they are." },
  { name: "future_rows", type: "INT64", description: "How many of them are of the future." },
  { name: "digest", type: "NUMERIC", description: "The sum of their fingerprints." },
  { name: "next_rows", type: "INT64", description: "How many the next run will read again." },
  { name: "next_digest", type: "NUMERIC", description: "The sum of their fingerprints." },
  { name: "bad_rows", type: "INT64", description: "How many were found and kept out." },
  {
    name: "kept_out",
    type: FOUND_BAD_ROW,
    description: "Which they are, and which are only reported: at most 10,000 kinds.",
  },
  {
    name: "billed_read_at",
    type: "TIMESTAMP",
    description: "In a row of its own: when the batch was read that the bill is of.",
  },
  { name: "bytes_billed", type: "INT64", description: "What the job that made it is billed for." },
];

/** What a transaction knows of the row and of the batch, with how to find it: the batch's part in the temp table. */
const BATCH_FACTS = {
  headers: ["INT64", "COUNTIF(_batch.read_at IS NOT NULL)"],
  read_from: ["TIMESTAMP", "MAX(_batch.read_from)"],
  read_at: ["TIMESTAMP", "MAX(_batch.read_at)"],
  newest_ingest: ["TIMESTAMP", "MAX(_batch.newest_ingest)"],
  rows_read: ["INT64", "MAX(_batch.row_count)"],
  users_read: ["INT64", "COUNTIF(_batch IS NULL)"],
  future_rows: ["INT64", "MAX(_batch.future_rows)"],
  digest: ["NUMERIC", "MAX(_batch.digest)"],
  next_from: ["TIMESTAMP", "MAX(_batch.next_from)"],
  committed_from: ["TIMESTAMP", "MAX(_batch.committed_from)"],
  committed_until: ["TIMESTAMP", "MAX(_batch.committed_until)"],
  next_rows: ["INT64", "MAX(_batch.next_rows)"],
  next_digest: ["NUMERIC", "MAX(_batch.next_digest)"],
  bad_rows: ["INT64", "MAX(_batch.bad_rows)"],
  bills: [
    "ARRAY<STRUCT<read_at TIMESTAMP, bytes_billed INT64>>",
    "ARRAY_AGG(IF(_batch.bytes_billed IS NULL, NULL, STRUCT(_batch.billed_read_at AS read_at, _batch.bytes_billed AS bytes_billed)) IGNORE NULLS)",
  ],
};

/**
 * Columns' descriptions, as a Dataform config has them.
 * @param {readonly Column[]} columns
 */
function describe(columns) {
  return Object.fromEntries(columns.map(({ name, description }) => [name, description]));
}

/**
 * A column's type as GoogleSQL writes it.
 * @param {Column} column
 * @returns {string}
 */
function typeOf({ type }) {
  if (typeof type === "string") return type;
  return `ARRAY<STRUCT<\n    ${type.map((field) => `${field.name} ${typeOf(field)}`).join(",\n    ")}\n  >>`;
}

/** The row before the first run, as a SELECT's list. */
function initialRow() {
  return PROGRESS.map((column) => {
    const { name, type, initial } = column;
    const none = typeof type === "string" ? `CAST(NULL AS ${type})` : `${typeOf(column)}[]`;
    return `${initial ?? none} AS ${name}`;
  }).join(",\n  ");
}

/** What an ALTER TABLE gives a table of an earlier version. */
function gainedColumns() {
  return GAINED.map(
    (column) =>
      `ADD COLUMN IF NOT EXISTS ${column.name} ${typeOf(column)} OPTIONS(description='${column.description}')`,
  ).join(",\n  ");
}

/**
 * The last statement of the job that made the batch: a row that says what the others are billed for, and which batch it is of. An INSERT that
 * reads nothing is billed nothing; an overlapping run may have replaced the table meanwhile
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/dml-syntax#on-demand_query_size_calculation).
 * @param {string} temp The batch's table.
 */
function keepBill(temp) {
  const bill = ["_read_at AS billed_read_at", "@@script.bytes_billed AS bytes_billed"];
  const nothing = BATCH.slice(bill.length).map(() => "NULL");
  // On one line of the SQLX, of which Dataform takes a space from each line.
  return `BEGIN
   INSERT INTO ${temp} (_batch)
   VALUES (STRUCT(${[...nothing, ...bill].join(", ")}));
 EXCEPTION WHEN ERROR THEN
   SELECT 'the bill is not known';
 END`;
}

/** The type of what a transaction knows before it merges. */
function factsType() {
  const ofRow = [
    "watermark TIMESTAMP",
    "merged_at TIMESTAMP",
    "users INT64",
    "gone_users INT64",
    "merged_until TIMESTAMP",
    `basis ${BASIS_TYPE}`,
    "final_has_rows BOOL",
    "is_seen BOOL",
  ];
  const ofBatch = Object.entries(BATCH_FACTS).map(([name, [type]]) => `${name} ${type}`);
  return `STRUCT<\n  ${[...ofRow, ...ofBatch].join(",\n  ")}\n>`;
}

/** The batch's part of it, as a SELECT's list over the temp table. */
function factsOfBatch() {
  return Object.entries(BATCH_FACTS)
    .map(([name, [, sql]]) => `${sql} AS ${name}`)
    .join(",\n      ");
}

/**
 * Takes from a partitioned table that was just made what its dataset lets tables expire by. Only ALTER does: in CREATE a NULL counts as not given
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#alter_table_set_options_statement).
 * @param {string} table
 */
function neverExpires(table) {
  return `ALTER TABLE ${table} SET OPTIONS (expiration_timestamp = NULL, partition_expiration_days = NULL)`;
}

/**
 * The parts of a table's name, as INFORMATION_SCHEMA knows it.
 * @param {string} name As SQL writes it.
 * @returns {readonly [project: string, dataset: string, table: string]}
 */
function placeOf(name) {
  const [project = "", dataset = "", table = ""] = name.replaceAll("`", "").split(".");
  return [project, dataset, table];
}

/**
 * What the watermark's row says, which a run cannot do without.
 * @param {string} said A scalar subquery over the watermark's table.
 * @param {string} watermark That table.
 */
function ofWatermark(said, watermark) {
  const message = `${placeOf(watermark)[2]} has no row: drop that table, and the next run makes it anew`;
  return `IFNULL( -- R5
    ${said},
    ERROR('${message}')
  )`;
}

/**
 * Where a run reads from (R5): on from the watermark, a lookback earlier, and everything where final was lost, so that it heals.
 * @param {string} watermark The watermark's table.
 * @param {string} final Final's.
 * @param {string} lookback Such as `1 HOUR`.
 * @param {string | undefined} back From where on to read at the latest, for a replay or a rebuild.
 */
function readFrom(watermark, final, lookback, back) {
  const aim = `IF(
      progress.users > 0 AND NOT EXISTS (SELECT 1 FROM ${final}),
      ${START},
      GREATEST(TIMESTAMP_SUB(progress.watermark, INTERVAL ${lookback}), ${START})
    )`;
  const said = `(
    SELECT ${back === undefined ? aim : `LEAST(${back}, ${aim})`}
    FROM ${watermark} AS progress
  )`;
  return ofWatermark(said, watermark);
}

/**
 * Where the next run will read from (R5), once what was read up to a stamp is merged; of a row of the watermark's table, `progress`.
 * @param {string} stamp The newest ingest timestamp among it; NULL where it is none.
 * @param {string} lookback Such as `1 HOUR`.
 */
function nextFrom(stamp, lookback) {
  return `GREATEST(
        TIMESTAMP_SUB(GREATEST(progress.watermark, IFNULL(${stamp}, progress.watermark)), INTERVAL ${lookback}),
        ${START}
      )`;
}

/**
 * A check: a statement that fails, with its message, where a condition holds.
 * @param {string} condition
 * @param {string} message
 */
function refuseIf(condition, message) {
  return `SELECT IF(\n  ${condition},\n  ERROR('${message}'),\n  NULL\n);`;
}

/**
 * R1: a final that was lost is made anew of what updates still say; it fails where they name fewer users, since they were trimmed.
 * @param {string} name Final's, for people.
 * @param {string} final The same as SQL names it.
 * @param {string} [unless] Where else there may be fewer.
 */
function refuseFewer(name, final, unless) {
  const others = unless === undefined ? "" : `\n  AND ${unless}`;
  return refuseIf(
    `NOT _batch_facts.final_has_rows AND _batch_facts.users > (SELECT COUNT(*) FROM ${final})${others}`,
    `${name} was lost, and updates no longer name all of its users; copy it back from time travel, or go on with the others by --vars=force=true`,
  );
}

/**
 * Looks for late rows (R5): what came since the run before, and is neither in this batch nor in the window of later runs. The partitions'
 * metadata says whether there can be any, and only then the rows that came since are read. It cannot be done within a transaction, nor
 * where the updates are no table or its past is not to be had: then it is not known
 * (https://cloud.google.com/bigquery/docs/change-history).
 * @param {{ watermark: string, updates: string, temp: string }} tables
 * @param {string} ingest The updates' ingest timestamp.
 * @param {string} lookback Such as `1 HOUR`.
 * @param {boolean} isOwn Whether its partitions are days of the ingest timestamp; those of others may be of anything.
 */
function findLate({ watermark, updates, temp }, ingest, lookback, isOwn) {
  const [project, dataset, table] = placeOf(updates);
  const isBehind = isOwn
    ? `last_modified_time >= _batch_checked_from AND (
            IFNULL(partition_id, '__UNPARTITIONED__') = '__UNPARTITIONED__'
            OR LEFT(partition_id, 8) <= FORMAT_TIMESTAMP('%Y%m%d', _batch_bounds.next_from)
          )`
    : "last_modified_time >= _batch_checked_from";
  return `-- R5: rows that came too late for any run to read them; before the first run none is late
DECLARE _batch_checked_from TIMESTAMP DEFAULT (SELECT late_checked_at FROM ${watermark});
DECLARE _batch_checked_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP();
DECLARE _batch_late STRUCT<row_count INT64, oldest TIMESTAMP>;

BEGIN
  DECLARE _batch_bounds STRUCT<read_from TIMESTAMP, read_at TIMESTAMP, next_from TIMESTAMP> DEFAULT (
    SELECT AS STRUCT
      batch.read_from,
      batch.read_at,
      ${nextFrom("batch.newest_ingest", lookback)} AS next_from
    FROM ${watermark} AS progress
    CROSS JOIN (
      SELECT
        MAX(_batch.read_from) AS read_from,
        MAX(_batch.read_at) AS read_at,
        MAX(_batch.newest_ingest) AS newest_ingest
      FROM ${temp}
    ) AS batch
  );
  IF _batch_checked_from IS NULL THEN
    SET _batch_late = STRUCT(0 AS row_count, CAST(NULL AS TIMESTAMP) AS oldest);
  ELSE
    SET _batch_late = (
      SELECT AS STRUCT
        IF(COUNT(*) > 0 AND COUNTIF(is_behind) = 0, 0, NULL) AS row_count,
        MIN(IF(${isOwn ? "is_behind" : "FALSE"}, SAFE.PARSE_TIMESTAMP('%Y%m%d', LEFT(partition_id, 8)), NULL)) AS oldest
      FROM (
        SELECT
          partition_id,
          ${isBehind} AS is_behind
        FROM \`${project}.${dataset}.INFORMATION_SCHEMA.PARTITIONS\`
        WHERE table_name = '${table}'
      )
    );
    IF _batch_late.row_count IS NULL THEN
      SET _batch_late = (
        SELECT AS STRUCT COUNT(*) AS row_count, MIN(updates.${ingest}) AS oldest
        FROM APPENDS(TABLE ${updates}, _batch_checked_from, _batch_checked_at) AS updates
        WHERE
          updates.${ingest} >= ${START} AND (
            updates.${ingest} < _batch_bounds.read_from
            OR (updates._CHANGE_TIMESTAMP > _batch_bounds.read_at AND updates.${ingest} < _batch_bounds.next_from)
          )
      );
    END IF;
  END IF;
EXCEPTION WHEN ERROR THEN
  -- what the metadata said stands
  SELECT 'late rows are not known';
END;`;
}

/** The number found; NULL where it is not known, or another run has looked meanwhile. */
const missedRows =
  "IF(IFNULL(progress.late_checked_at = _batch_checked_from, _batch_checked_from IS NULL), _batch_late.row_count, NULL)";

/** Whether a run has the late rows that were missed before: it reads from the oldest on, or all history. */
const readsMissed = `_batch_facts.read_from <= IFNULL(progress.missed_from, ${START})`;

/** What the row says of late rows from now on. */
function late() {
  return `late_checked_at = IF(${readsMissed} OR ${missedRows} IS NOT NULL, _batch_checked_at, progress.late_checked_at),
  missed_rows = IF(${readsMissed}, 0, IFNULL(progress.missed_rows, 0)) + IFNULL(${missedRows}, 0),
  missed_from = (
    SELECT MIN(stamp) FROM UNNEST([IF(${readsMissed}, NULL, progress.missed_from), _batch_late.oldest]) AS stamp
  ),
  committed_until = NULL`;
}

/**
 * What a run reports: each kind of bad row that the batch found beside what was known of it. What it did not read is as it was; what
 * it would have read and did not find is settled (R12).
 * @param {string} watermark The watermark's table.
 * @param {string} temp The batch's.
 * @param {boolean} [byCommit] Whether it reads by commit time: then not all of a kind are found, but those that came since.
 */
function reported(watermark, temp, byCommit = false) {
  const columns = FOUND_BAD_ROW.filter(({ name }) => !["row_count", "fresh_rows"].includes(name));
  return `WITH kinds AS (
  SELECT kind.* FROM ${temp} AS batch, UNNEST(batch._batch.kept_out) AS kind
),
known AS (
  SELECT bad_row.* FROM ${watermark} AS progress, UNNEST(progress.known_bad_rows) AS bad_row
)
SELECT
  ${columns.map(({ name }) => `IFNULL(kinds.${name}, known.${name}) AS ${name}`).join(",\n  ")},
  ${byCommit ? "COALESCE(GREATEST(kinds.row_count, known.row_count + kinds.fresh_rows), kinds.row_count, known.row_count)" : "IFNULL(kinds.row_count, known.row_count)"} AS row_count,
  IFNULL(known.first_seen, CURRENT_TIMESTAMP()) AS first_seen,
  IFNULL(kinds.row_count, 0) AS rows_found,
  ${byCommit ? "COALESCE(IF(known.reason IS NULL, NULL, kinds.fresh_rows), " : ""}GREATEST(IFNULL(kinds.row_count, 0) - IFNULL(known.row_count, 0), 0)${byCommit ? ")" : ""} AS rows_new
FROM kinds
FULL JOIN known ON kinds.reason = known.reason AND kinds.details = known.details
WHERE
  kinds.reason IS NOT NULL
  OR (known.ingest_timestamp >= ${START} AND known.ingest_timestamp < _batch_facts.read_from)`;
}

/** How many bad rows that are, for the log; those of kinds beyond what the batch lists are new at each run. */
const reportedCounts = {
  bad_rows: "_batch_facts.bad_rows",
  new_bad_rows:
    "_batch_facts.bad_rows - (SELECT IFNULL(SUM(IF(is_bad, rows_found - rows_new, 0)), 0) FROM kept_out)",
};

/** What no earlier run has reported, for the assertion: bad rows, and late ones as one. */
function firstReported() {
  const columns = BAD_ROW.map(({ name }) => name).join(", ");
  return `ARRAY_CONCAT(
    ARRAY(SELECT AS STRUCT ${columns} FROM kept_out WHERE rows_new > 0 ORDER BY details LIMIT 1000),
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
  )`;
}

/** What is remembered of all. */
function remembered() {
  const columns = KNOWN_BAD_ROW.map(({ name }) => name).join(", ");
  return `ARRAY(
    SELECT AS STRUCT ${columns}
    FROM kept_out ORDER BY rows_found > 0 DESC, first_seen DESC, details LIMIT ${MOST_KNOWN}
  )`;
}

/**
 * The log with one more run, the newest first. What a run costs is what its script knows of itself, which nobody needs a permission
 * for: https://cloud.google.com/bigquery/docs/reference/system-variables
 * @param {Readonly<Record<string, string>>} values The run's columns as SQL, all but its id, its time and its cost.
 */
function log(values) {
  const known = {
    run_id: "GENERATE_UUID()",
    merged_at: "CURRENT_TIMESTAMP()",
    job_id: "@@script.job_id",
    batch_bytes_billed:
      "(SELECT MAX(bill.bytes_billed) FROM UNNEST(_batch_facts.bills) AS bill WHERE bill.read_at = _batch_facts.read_at)",
    merge_bytes_billed: "@@script.bytes_billed",
    read_to_merge_ms: `TIMESTAMP_DIFF(CURRENT_TIMESTAMP(), LEAST(@@script.creation_time, ${values.read_at}), MILLISECOND)`,
    ...values,
  };
  const fields = RUN.map(({ name }) => {
    const value = Object.entries(known).find(([column]) => column === name)?.[1];
    if (value === undefined) throw new Error(`a run in the log lacks ${name}`);
    return `${value} AS ${name}`;
  });
  return `ARRAY_CONCAT(
    [STRUCT(
      ${fields.join(",\n      ")}
    )],
    ARRAY(SELECT run FROM UNNEST(progress.recent_runs) AS run WITH OFFSET AS age WHERE age < 49 ORDER BY age)
  )`;
}

module.exports = {
  PROGRESS,
  RUN,
  BATCH,
  MOST_KNOWN,
  typeOf,
  placeOf,
  neverExpires,
  findLate,
  late,
  missedRows,
  readsMissed,
  reported,
  reportedCounts,
  firstReported,
  remembered,
  progressColumns: describe(PROGRESS),
  runColumns: describe(RUN),
  initialRow,
  gainedColumns,
  keepBill,
  factsType,
  factsOfBatch,
  ofWatermark,
  readFrom,
  nextFrom,
  refuseIf,
  refuseFewer,
  log,
};
