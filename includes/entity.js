// A copy by `npm run generate` from user-info-updater 0.3.0: edit nothing here.
// @ts-check
/**
 * One entity's part of the statements in definitions/: its columns, RECORDs and versions as lists of SQL, aligned for the place
 * where they stand, and its leaves' decisions from merge.js by their paths.
 */
const basis = require("./basis.js");
const commits = require("./commits.js");
const merge = require("./merge.js");
const progress = require("./progress.js");

/** @typedef {import("./merge.js").Entity} Entity */
/** @typedef {import("./merge.js").Field} Field */
/** @typedef {import("./merge.js").Leaf} Leaf */

/** Lists of short names are wrapped at this many characters. */
const WIDTH = 110;
/** What final stores of versions (R2). */
const STORED = ["_base_version", "_own_versions"];

/**
 * The entity's SQL: one function for each place in a statement where it differs from other entities'.
 * @param {Entity} entity What includes/entities/<entity>.js says.
 */
function of(entity) {
  const leaves = merge.leavesOf(entity);
  const { keys, ingest, event, deletes, readsCommits = false } = entity;
  const version = event ?? ingest;
  /** @type {(path: string) => Leaf} */
  const leafAt = (path) => {
    const leaf = leaves.get(path);
    if (leaf === undefined) throw new Error(`the schema has no attribute ${path}; run \`npm run generate\``);
    return leaf;
  };
  /** @type {(depth: number, sql: (entity: Entity, leaf: Leaf) => string) => (path: string) => string} */
  const forLeaf = (depth, sql) => (path) => indent(sql(entity, leafAt(path)), depth);
  /** @type {(depth: number, sql: (leaf: Leaf) => string, separator?: string) => string} */
  const forAll = (depth, sql, separator = ",\n") =>
    indent([...leaves.values()].map(sql).join(separator), depth);
  /** @type {(leaf: Leaf) => string} */
  const encode = (leaf) => merge.encodeVersion(entity, leaf);
  const sets = [...leaves.values()].filter(({ isSet }) => isSet);
  const floored = merge.flooredLeaves(entity);
  const hasFloors = floored.length > 0;
  const floors = floored.flatMap((leaf) => {
    const column = merge.floorOf(entity, leaf);
    return column === undefined ? [] : [{ leaf, column }];
  });
  const newestClears = floors.map(
    ({ leaf, column }) => `MAX(IF(leaf = ${merge.literal(leaf.path)}, version, NULL)) AS ${column}`,
  );
  /** Tombstones, a cleared leaf's path apart from its user's hash. @type {(tombstones: string) => string} */
  const ofLeaves = (tombstones) =>
    `SELECT LEFT(key_hash, ${merge.HASH_LENGTH}) AS key_hash, NULLIF(SUBSTR(key_hash, ${merge.HASH_LENGTH + 2}), '') AS leaf, version FROM ${tombstones}`;
  /** @type {(tombstones: string) => string} */
  const joinKnown = (tombstones) =>
    [
      ...(deletes === undefined
        ? []
        : [`LEFT JOIN ${tombstones} AS tombstone\n    ON tombstone.key_hash = known_hash`]),
      ...(floors.length === 0
        ? []
        : [
            `LEFT JOIN (\n    SELECT key_hash, ${newestClears.join(", ")}\n    FROM (${ofLeaves(tombstones)} WHERE LENGTH(key_hash) > ${merge.HASH_LENGTH})\n    GROUP BY key_hash\n  ) AS cleared\n    ON cleared.key_hash = known_hash`,
          ]),
    ].join("\n  ");
  /** @type {(final: string) => string} */
  const flooredFinal = (final) =>
    `(\n    SELECT\n      ${[
      [...keys.map(({ sql }) => sql), version].join(", "),
      ...floored.map((leaf) => merge.stored(leaf, "final")),
    ].join(",\n      ")}\n    FROM ${final}\n  ) AS stored`;
  const instructions = [
    ...(deletes === undefined ? [] : [`IFNULL(_batch_row.${deletes}, FALSE) AS _deleted`]),
    ...(entity.clears === undefined
      ? []
      : [`ARRAY(SELECT LOWER(path) FROM UNNEST(_batch_row.${entity.clears}) AS path) AS _cleared`]),
  ];
  const instructs = [
    ...(deletes === undefined ? [] : [`_batch_row.${deletes}`]),
    ...(floors.length === 0 ? [] : [`ARRAY_LENGTH(_batch_row.${entity.clears}) > 0`]),
  ].join(" OR ");
  /** Of an update that clears, by leaf. @type {(leaf: Leaf) => string} */
  const clearsLeaf = (leaf) =>
    `${deletes === undefined ? "" : "NOT updates._deleted AND "}(${merge.isCleared(leaf)})`;
  const goodBeside = merge.faultsOf(entity).flatMap(({ isOfIngest, isGood }) => (isOfIngest ? [] : [isGood]));
  const plainColumns = entity.fields.filter(({ role }) => role !== undefined).map(sqlOf);
  const columns = entity.fields.map(sqlOf);
  const window = `SELECT * EXCEPT (${readsCommits ? "_batch_committed_at, " : ""}_batch_row_hash) FROM _batch_read`;
  /** @type {(row: string) => string} */
  const isAppended = (row) => `${row}.${ingest} >= ${merge.START} AND ${row}.${ingest} < _read_from`;
  /** @type {(margin: string) => string} */
  const update = (margin) =>
    event === undefined || entity.ahead?.keepsOut
      ? "*"
      : `* REPLACE (\n${margin}  ${merge.countsFrom(entity, "_batch_row")} AS ${event}\n${margin})`;
  /** @type {(row: "batch" | "final") => string} */
  const stored = (row) => {
    const more =
      row === "final"
        ? ["_batch_stored"]
        : [
            ...(deletes === undefined ? [] : ["_deleted_at", "_alive_at"]),
            ...(hasFloors ? ["_batch_is_again"] : []),
            ...floors.map(({ column }) => column),
          ];
    const leafList = [...leaves.values()].map((leaf) => merge.stored(leaf, row));
    return indent([[...plainColumns, "_base_version", ...more].join(", "), ...leafList].join(",\n"), 6);
  };

  return {
    /** Each policy's leaf of the batch, by its path. */
    gatherLatest: forLeaf(4, merge.gatherLatest),
    gatherFirst: forLeaf(4, merge.gatherFirst),
    gatherGreatest: forLeaf(4, merge.gatherGreatest),
    gatherSmallest: forLeaf(4, merge.gatherSmallest),
    gatherUnion: forLeaf(4, merge.gatherUnion),
    /** A set's elements of each user, by its path, from an ingest timestamp on. @type {(path: string, from?: string) => string} */
    gatherSet: (path, from) => {
      const since = readsCommits ? merge.START : from;
      const isGood = hasFloors
        ? [
            ...(deletes === undefined ? [] : ["NOT updates._batch_is_gone"]),
            ...merge.isAboveClear(entity, leafAt(path)),
          ]
        : [...(from === undefined ? [] : [`updates.${ingest} >= ${since}`]), ...goodBeside];
      const source = hasFloors ? "_batch_heard" : "_batch_read";
      return indent(merge.gatherSet(leafAt(path), keys, isGood.join("\n    AND "), source), 2);
    },
    /** The sets beside their versions. */
    unitedSets: () =>
      indent(
        sets
          .map(
            ({ alias }, index) =>
              `STRUCT(_batch_set_${index}._batch_value AS value, gathered.${alias} AS version) AS ${alias}`,
          )
          .join(",\n"),
        4,
      ),
    /** The joins that bring them together. */
    joinSets: () =>
      sets
        .map(
          (_, index) =>
            `LEFT JOIN _batch_set_${index} ON ${merge.keysMatch(keys, `_batch_set_${index}`, "gathered")}`,
        )
        .join("\n  "),
    /** Each policy's leaf of the batch or of final, by its path. */
    takeLatest: forLeaf(6, merge.takeLatest),
    takeFirst: forLeaf(6, merge.takeFirst),
    takeGreatest: forLeaf(6, merge.takeGreatest),
    takeSmallest: forLeaf(6, merge.takeSmallest),
    takeUnion: forLeaf(6, merge.takeUnion),

    /** What a run checks before it makes the batch (R14). @type {(name: string, updates: string, tables: { watermark: string, updates: string, final: string }, isRebuild: boolean) => string} */
    fence: (name, updates, tables, isRebuild) =>
      indent(basis.fence(entity, { name, updates, tables, isRebuild }), 2),
    /** What decides the meaning of final, and what is found of it. @type {(updates: string) => string} */
    declareBasis: (updates) => basis.declare(basis.factsOf(entity, updates)),
    /** Where a run goes on from (R5). */
    watermark: () => basis.watermarkOf(entity),

    /** What tells an update from any other, and from itself once the entity's description changes. */
    updateHash: () =>
      `CAST(FARM_FINGERPRINT(CONCAT('${entity.revision}', TO_JSON_STRING(_batch_row))) AS NUMERIC)`,
    /** The key's columns of an update; one key has one value, whatever its zero's sign. */
    gatherKeys: () => merge.updateKeys(keys),
    /** The key's columns of a row. @type {(row: string) => string} */
    keys: (row) => keys.map(({ sql }) => `${row}.${sql}`).join(", "),
    /** The key's columns by number, for GROUP BY. */
    keyOrdinals: () => keys.map((_, index) => index + 1).join(", "),
    /** @type {(left: string, right: string) => string} */
    keysMatch: (left, right) => merge.keysMatch(keys, left, right),
    /** @type {(row: string) => string} */
    keyHash: (row) => merge.keyHash(keys, row),
    /** @type {(row: string, share: number) => string} */
    isSampled: (row, share) => merge.isSampled(keys, row, share),
    /**
     * What the batch says of itself, in the order of progress.BATCH: queries over `_batch_read` for the rest of its WITH. The watermark's
     * table, and the lookback such as `1 HOUR`. @type {(watermark: string, lookback: string) => string}
     */
    ofBatch: (watermark, lookback) => {
      const stamp = `updates.${ingest}`;
      const good = goodBeside.map((condition) => `\n      AND ${condition}`).join("");
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
    ARRAY_AGG(found ORDER BY found.ingest_timestamp DESC, found.details LIMIT ${progress.MOST_KNOWN}) AS kept_out
  FROM _batch_found AS found
)`;
    },
    /** Whether a run reads an update: it is of the days from a stamp on, or of none (R5, R12). @type {(row: string, from: string) => string} */
    isRead: (row, from) => {
      const stamp = `${row}.${ingest}`;
      return `${stamp} >= ${from}\n    OR ${stamp} IS NULL OR ${stamp} < ${merge.START}`;
    },
    /** Whether an update that was committed in the range is read as such: others are by their stamps (R5). @type {(row: string) => string} */
    isAppended,
    /** The time from which an update counts (R4). @type {(row: string) => string} */
    countsFrom: (row) => merge.countsFrom(entity, row),
    /** All columns of an update, its event timestamp as it counts. */
    update: () => update("      "),

    /** What else a good update must be, behind a condition on its ingest timestamp; nothing where that is all (R12). */
    andGood: () => goodBeside.map((condition) => `\n    AND ${condition}`).join(""),
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
    /**
     * Finds of whom all updates are read again (R11): of whom a delete or a clear comes late, and final has forgotten what it leaves. Statements
     * of the script that makes the batch; without one among what it reads they read nothing else.
     * @type {(tables: { updates: string, final: string, tombstones: string }, isRebuild: boolean) => string}
     */
    findAgain: (tables, isRebuild) => {
      const read =
        readsCommits && !isRebuild
          ? `(
        SELECT * FROM ${tables.updates} AS _batch_row WHERE _batch_row.${ingest} >= _read_from
        UNION ALL
        SELECT * EXCEPT (_CHANGE_TYPE, _CHANGE_TIMESTAMP)
        FROM APPENDS(TABLE ${tables.updates}, _batch_appended_from, _read_at) AS _batch_row
        WHERE ${isAppended("_batch_row")}
      )`
          : tables.updates;
      const isRead =
        readsCommits && !isRebuild ? instructs : `_batch_row.${ingest} >= _read_from AND (${instructs})`;
      return indent(
        `IF EXISTS (SELECT 1 FROM ${read} AS _batch_row WHERE ${isRead}) THEN
  CREATE TEMP TABLE _batch_again AS
  SELECT gone._batch_hash AS key_hash
  FROM (
    SELECT
      ${[
        merge.updateKeys(keys),
        `${merge.keyHash(keys, "updates")} AS _batch_hash`,
        ...(deletes === undefined
          ? []
          : [`MAX(IF(updates._deleted, updates.${version}, NULL)) AS _deleted_at`]),
        ...floors.map(
          ({ leaf, column }) => `MAX(IF(${clearsLeaf(leaf)}, updates.${version}, NULL)) AS ${column}`,
        ),
      ].join(",\n      ")}
    FROM (
      SELECT
        ${instructions.join(",\n        ")},
        ${update("        ")}
      FROM ${read} AS _batch_row
      WHERE ${isRead}
    ) AS updates${goodBeside.length === 0 ? "" : `\n    WHERE\n      ${goodBeside.join("\n      AND ")}`}
    GROUP BY ${[...keys, "hash"].map((_, index) => index + 1).join(", ")}
  ) AS gone
  JOIN ${flooredFinal(tables.final)}
    ON ${merge.keysMatch(keys, "stored", "gone")}
  ${joinKnown(tables.tombstones).replaceAll("known_hash", "gone._batch_hash")}
  WHERE
    ${indent(merge.needsHistory(entity, "gone"), 4)};
  SET _batch_from = IF(EXISTS (SELECT 1 FROM _batch_again), ${merge.START}, _read_from);
ELSE
  CREATE TEMP TABLE _batch_again (key_hash STRING);
  SET _batch_from = _read_from;
END IF;`,
        2,
      );
    },
    /**
     * What of a user's updates counts (R11), as queries for a WITH: `_batch_heard`, where each knows its user's newest delete and clears.
     * @type {(rows: string, known: string) => string}
     */
    heard: (rows, known) => {
      const good = goodBeside.map((condition) => `\n      AND ${condition}`).join("");
      const hash = merge.keyHash(keys, "updates");
      const leaf = floors.length === 0 ? "" : "CAST(NULL AS STRING) AS leaf, ";
      const said = [
        ...(deletes === undefined
          ? []
          : [
              `SELECT ${hash} AS key_hash, ${leaf}updates.${version} AS version, FALSE AS is_again
    FROM _batch_updates AS updates
    WHERE
      updates._deleted
      AND updates.${ingest} >= ${merge.START}${good}`,
            ]),
        ...(floors.length === 0
          ? []
          : [
              `SELECT ${hash} AS key_hash, _batch_leaf AS leaf, updates.${version} AS version, FALSE AS is_again
    FROM _batch_updates AS updates, UNNEST([
      ${floors.map((floor) => `IF(${clearsLeaf(floor.leaf)}, ${merge.literal(floor.leaf.path)}, NULL)`).join(",\n      ")}
    ]) AS _batch_leaf
    WHERE
      _batch_leaf IS NOT NULL
      AND updates.${ingest} >= ${merge.START}${good}`,
            ]),
      ].join("\n    UNION ALL\n    ");
      const newestDelete = floors.length === 0 ? "MAX(version)" : "MAX(IF(leaf IS NULL, version, NULL))";
      return `_batch_updates AS (
  SELECT
    ${instructions.join(",\n    ")},
    ${update("    ")}
  FROM ${rows} AS _batch_row
),
_batch_floors AS (
  SELECT
    ${["key_hash", `${newestDelete} AS version`, "LOGICAL_OR(is_again) AS is_again", ...newestClears].join(",\n    ")}
  FROM (
    ${said}${known}
  )
  GROUP BY key_hash
),
_batch_heard AS (
  -- R9, R10, R11: a delete is a floor under every policy, a clear under its leaf's: what is not newer does not count
  SELECT
    ${[
      "updates.*",
      "floor.version AS _batch_floor",
      "floor.is_again AS _batch_is_again",
      ...floors.map(({ column }) => `floor.${column}`),
      `IFNULL(updates.${version} <= floor.version, FALSE) AS _batch_is_gone`,
    ].join(",\n    ")}
  FROM _batch_updates AS updates
  LEFT JOIN _batch_floors AS floor
    ON floor.key_hash = ${hash}
  WHERE
    updates.${ingest} >= ${merge.START}${goodBeside.map((condition) => `\n    AND ${condition}`).join("")}
)`;
    },
    /** What `heard` reads in a run: the window, and of whom a delete comes late all from before it. @type {(updates: string) => string} */
    windowAndAgain: (updates) => `(
    ${window}
    UNION ALL
    SELECT *
    FROM ${updates} AS _batch_row
    WHERE
      _batch_row.${ingest} >= _batch_from
      AND _batch_row.${ingest} < _read_from
      AND ${merge.keyHash(keys, "_batch_row")} IN (SELECT key_hash FROM _batch_again)
  )`,
    /** The window alone. */
    window: () => `(${window})`,
    /** The deletes and clears that are merged already; in a run also of whom all is read. @type {(tombstones: string, isRun?: boolean) => string} */
    knownFloors: (tombstones, isRun = false) =>
      [
        floors.length === 0
          ? `SELECT key_hash, version, FALSE FROM ${tombstones}`
          : `SELECT key_hash, leaf, version, FALSE FROM (${ofLeaves(tombstones)})`,
        ...(isRun
          ? [
              `SELECT key_hash, ${floors.length === 0 ? "" : "NULL, "}CAST(NULL AS TIMESTAMP), TRUE FROM _batch_again`,
            ]
          : []),
      ]
        .map((query) => `\n    UNION ALL\n    ${query}`)
        .join(""),
    /**
     * The check that a batch knows of its users' deletes and clears what is merged, and that it has all of whom one comes late (R6, R11).
     * @type {(name: string, tables: { temp: string, final: string, tombstones: string }) => string}
     */
    refuseStale: (name, tables) => {
      const isOlder = (/** @type {string} */ floor, /** @type {string} */ known) =>
        `IFNULL(${known} > ${floor}, ${known} IS NOT NULL)`;
      const older = [
        ...(deletes === undefined ? [] : [isOlder("batch._deleted_at", "tombstone.version")]),
        ...floors.map(({ column }) => isOlder(`batch.${column}`, `cleared.${column}`)),
      ];
      return progress.refuseIf(
        `EXISTS (
    SELECT 1
    FROM ${tables.temp} AS batch
    LEFT JOIN ${indent(flooredFinal(tables.final), 2)}
      ON ${merge.keysMatch(keys, "stored", "batch")}
    ${indent(joinKnown(tables.tombstones).replaceAll("known_hash", merge.keyHash(keys, "batch")), 2)}
    WHERE
      batch._batch IS NULL
      AND (
        ${older.join("\n        OR ")}
        OR NOT IFNULL(batch._batch_is_again, FALSE) AND (
          ${indent(merge.needsHistory(entity, "batch"), 10)}
        )
      )
  )`,
        `${name} holds the batch of an overlapping run, which knew less of deletes and clears than is merged - run again`,
      );
    },
    /** Final's leaves that have a policy, without what a delete or a clear takes (R11). */
    aboveFloor: () => indent(floored.map((leaf) => merge.aboveFloor(entity, leaf)).join(",\n"), 8),
    /** The columns in which the batch keeps clears, each behind a comma. */
    moreFloors: () => floors.map(({ column }) => `, ${column}`).join(""),
    /** Whether the batch has a delete or a clear. */
    hasFloor: () =>
      [...(deletes === undefined ? [] : ["_deleted_at"]), ...floors.map(({ column }) => column)]
        .map((column) => `${column} IS NOT NULL`)
        .join(" OR "),
    /** The leaves that are cleared and of which nothing newer is said. @type {(isMerged: boolean) => string} */
    orCleared: (isMerged) =>
      indent(
        floors.map(({ leaf, column }) => merge.orCleared(entity, leaf, column, isMerged)).join(",\n"),
        6,
      ),
    /** A user's clears, as an ARRAY of leaf and version. */
    clearedLeaves: () =>
      `[${floors.map(({ leaf, column }) => `STRUCT(${merge.literal(leaf.path)} AS leaf, batch.${column} AS version)`).join(", ")}]`,
    /** The columns that do not merge. */
    plainColumns: () => plainColumns.join(", "),
    /** All leaves, without those that a delete takes (R10). @type {(row: string, deletedAt: string) => string} */
    unlessDeleted: (row, deletedAt) => forAll(4, (leaf) => merge.unlessDeleted(leaf, row, deletedAt)),

    /** The batch's columns, from its gathered leaves. */
    batchColumns: () =>
      indent(entity.fields.map((field) => columnValue(field, leavesBelow(leaves), "")).join(",\n"), 2),
    /** What the batch stores of its versions. */
    batchVersions: () => indent(versionsOf(entity.fields, leavesBelow(leaves), encode, ""), 2),
    /** The plain form of a stored row's versions. */
    plainVersions: () => indent(versionsOf(entity.fields, leavesBelow(leaves), merge.decodeVersion, ""), 2),
    /** A stored row as the decisions take it; of final the row itself too. */
    storedRow: stored,
    /** The batch's and final's timestamps as one, and whether they alone are news (R7). */
    mergeTimes: () => {
      const newestIngest =
        deletes === undefined
          ? `batch.${ingest}`
          : merge.newest(`batch.${ingest}`, "tombstone.ingest_timestamp");
      const merged = [`${merge.newest(newestIngest, `final.${ingest}`)} AS ${ingest}`];
      const news = [`IFNULL(${newestIngest} > final.${ingest}, TRUE)`];
      if (event !== undefined) {
        merged.push(`${merge.newest(`batch.${event}`, `final.${event}`)} AS ${event}`);
        news.push(`IFNULL(batch.${event} > final.${event}, batch.${event} IS NOT NULL)`);
      }
      if (deletes !== undefined) {
        merged.push(`${merge.newest("batch._deleted_at", "tombstone.version")} AS _deleted_at`);
        merged.push(`${merge.newest("batch._alive_at", `final.${version}`)} AS _alive_at`);
        merged.push(`final.${ingest} IS NULL AS _is_missing`);
      }
      merged.push(...floors.map(({ column }) => `batch.${column}`));
      merged.push(`IF(final.${ingest} IS NULL, batch._base_version, final._base_version) AS _base_version`);
      return indent([...merged, `${news.join(" OR ")} AS _row_is_newer`].join(",\n"), 6);
    },
    /** The columns that do not merge, of a user whom final knows with what the batch says of him (R13). */
    overlaidTimes: () => {
      const batchIngest =
        deletes === undefined
          ? `batch.${ingest}`
          : merge.newest(`batch.${ingest}`, "tombstone.ingest_timestamp");
      const merged = [`${merge.newest(batchIngest, `final.${ingest}`)} AS ${ingest}`];
      if (event !== undefined) merged.push(`${merge.newest(`batch.${event}`, `final.${event}`)} AS ${event}`);
      if (deletes !== undefined) {
        merged.push(`${merge.newest("batch._deleted_at", "tombstone.version")} AS _deleted_at`);
        merged.push(`${merge.newest("batch._alive_at", `final.${version}`)} AS _alive_at`);
      }
      return indent(merged.join(",\n"), 4);
    },
    /** The same of a user whom only the batch knows. */
    batchTimes: () => {
      if (deletes === undefined)
        return [ingest, event]
          .filter((name) => name !== undefined)
          .map((name) => `batch.${name}`)
          .join(", ");
      const times = [`${merge.newest(`batch.${ingest}`, "tombstone.ingest_timestamp")} AS ${ingest}`];
      if (event !== undefined) times.push(`batch.${event}`);
      times.push(
        `${merge.newest("batch._deleted_at", "tombstone.version")} AS _deleted_at`,
        "batch._alive_at",
      );
      return indent(times.join(",\n"), 4);
    },
    /** The leaves of such a user. */
    batchLeaves: () => indent(wrap([...leaves.values()].map(({ alias }) => `batch.${alias}`)), 4),
    /** The schema's columns, from merged leaves. */
    mergedColumns: () =>
      indent(entity.fields.map((field) => columnValue(field, leavesBelow(leaves), "")).join(",\n"), 2),
    /** Their versions, in plain form. */
    mergedVersions: () =>
      indent(
        versionsOf(entity.fields, leavesBelow(leaves), ({ alias }) => `${alias}.version`, ""),
        2,
      ),
    /** All leaves of final, without those that a delete takes, which is news too (R10). */
    takeUnlessDeleted: () => forAll(6, merge.takeUnlessDeleted),
    /** Final's columns, from its merged leaves. */
    finalColumns: () =>
      indent(entity.fields.map((field) => columnValue(field, leavesBelow(leaves), "_final.")).join(",\n"), 4),
    /** What final stores of its versions. */
    finalVersions: () =>
      indent(versionsOf(entity.fields, leavesBelow(leaves), encode, "_final._own_versions"), 4),
    /** Whether any leaf is news (R7). */
    isNews: () => forAll(4, ({ alias }) => `${alias}.is_newer`, "\nOR "),
    /** What an UPDATE sets. @type {(row: string) => string} */
    assignments: (row) => {
      const keyNames = keys.map(({ sql }) => sql);
      const set = columns.filter((column) => !keyNames.includes(column));
      return indent([...set, "_own_versions"].map((column) => `${column} = ${row}.${column}`).join(",\n"), 2);
    },
    /** All columns of final, for INSERT. */
    insertColumns: () => indent(wrap([...columns, ...STORED]), 2),
    /** Their values. @type {(row: string) => string} */
    insertValues: (row) => indent(wrap([...columns, ...STORED].map((column) => `${row}.${column}`)), 2),
    /** All columns of the schema. */
    columns: () => indent(columns.join(",\n"), 2),

    /** The key's columns of whichever of two rows there is. @type {(left: string, right: string) => string} */
    eitherKeys: (left, right) =>
      keys.map(({ sql }) => `IFNULL(${left}.${sql}, ${right}.${sql}) AS ${sql}`).join(", "),
    /** The oldest update that is left, and the time from which on what any of those counts from that are gone may not be (R4). @type {(updates: string) => string} */
    updatesLeft: (updates) => {
      const oldest = `IFNULL(MIN(updates.${ingest}), TIMESTAMP '9000-01-01 00:00:00+00')`;
      const ahead = event === undefined ? 0 : (entity.ahead?.microseconds ?? 0);
      const isGood = merge.faultsOf(entity).map((fault) => fault.isGood);
      return `(
    -- updates may be trimmed: what is older than the oldest one that is left, nothing is compared with
    SELECT
      ${oldest} AS oldest,
      TIMESTAMP_ADD(${oldest}, INTERVAL ${ahead} MICROSECOND) AS counts_from
    FROM ${updates} AS updates
    WHERE
      ${isGood.join("\n      AND ")}
  ) AS left_over`;
    },
    /**
     * Empties final for a rebuild. R1: updates may be trimmed, so before, it fails, with how many users and which attributes, where only those
     * that are gone said something.
     * @type {(forces: boolean, name: string, final: string, temp: string, tombstones?: string) => string}
     */
    startAgain: (forces, name, final, temp, tombstones) => {
      const anew = `-- rebuild: final starts again from nothing\nTRUNCATE TABLE ${final};\n`;
      if (forces) return anew;
      const deletedAt = merge.newest("batch._deleted_at", "tombstone.version");
      const isGone =
        tombstones === undefined
          ? `batch.${keys[0]?.sql} IS NULL`
          : `NOT IFNULL(batch._alive_at > ${deletedAt}, batch._alive_at IS NOT NULL)
        AND IFNULL(final.${version} > ${deletedAt}, TRUE)`;
      const lost = [...leaves.values()].map((leaf) => {
        const [whole, rest] = [state(leaf, "final"), state(leaf, "batch")];
        const isAlive = tombstones === undefined ? "" : ` AND IFNULL(${whole.version} > deleted_at, TRUE)`;
        const floor = merge.floorOf(entity, leaf);
        const isUncleared = floor === undefined ? "" : ` AND IFNULL(${whole.version} > batch.${floor}, TRUE)`;
        // Of a set nobody knows what a delete or a clear takes of it that is new.
        const isKnown =
          hasFloors && leaf.isSet
            ? `${deletes === undefined ? "" : " AND NOT is_new_delete"}${floor === undefined ? "" : ` AND batch.${floor} IS NULL`}`
            : "";
        return `IF(LOGICAL_OR(NOT is_gone AND ${merge.isLost(leaf, whole, rest)}${isAlive}${isUncleared}${isKnown}), ${merge.literal(leaf.path)}, NULL)`;
      });
      return `-- R1: updates may be trimmed, and what only those said that are gone is not dropped in silence
CREATE TEMP TABLE given_up AS
SELECT users, ARRAY(SELECT leaf FROM UNNEST(lost) AS leaf WHERE leaf IS NOT NULL) AS leaves
FROM (
  SELECT
    COUNTIF(is_gone) AS users,
    [
      ${lost.join(",\n      ")}
    ] AS lost
  FROM (
    SELECT
      final,
      batch,
      ${tombstones === undefined ? "" : `${deletedAt} AS deleted_at,\n      `}${
        hasFloors && tombstones !== undefined
          ? "IFNULL(batch._deleted_at > tombstone.version, batch._deleted_at IS NOT NULL) AS is_new_delete,\n      "
          : ""
      }${isGone} AS is_gone
    FROM (SELECT ${stored("final")} FROM ${final} AS _batch_stored) AS final
    LEFT JOIN (SELECT ${stored("batch")} FROM ${temp} WHERE _batch IS NULL) AS batch
      ON ${merge.keysMatch(keys, "batch", "final")}${
        tombstones === undefined
          ? ""
          : `
    LEFT JOIN ${tombstones} AS tombstone
      ON tombstone.key_hash = ${merge.keyHash(keys, "final")}`
      }
  )
);
SELECT IF(
  _batch_change.old_key IS NULL -- R14: by another key nobody is found again
    AND (users > 0 OR ARRAY_LENGTH(leaves) > 0),
  ERROR(CONCAT(
    '${name} has ',
    IF(users > 0, CONCAT(CAST(users AS STRING), IF(users = 1, ' user', ' users')), ''),
    IF(users > 0 AND ARRAY_LENGTH(leaves) > 0, ', and of others ', ''),
    IF(ARRAY_LENGTH(leaves) > 0, CONCAT('values of ', ARRAY_TO_STRING(leaves, ', ')), ''),
    ' that no update says any more, and a rebuild would lose them; --vars=rebuild=true,force=true loses them'
  )),
  NULL
)
FROM given_up;

${anew}`;
    },
    /** Whether an outer join found no row. @type {(row: string) => string} */
    isMissing: (row) => `${row}.${keys[0]?.sql} IS NULL`,
    /** The paths of leaves that history and final do not agree on (R1), what updates from before a time may have said aside. @type {(oldest: string) => string} */
    differingLeaves: (oldest) =>
      forAll(8, (leaf) =>
        [
          "IF(",
          `  TO_JSON_STRING(STRUCT(${merge.comparable(leaf, `history.${leaf.alias}.value`)} AS value, history.${leaf.alias}.version AS version))`,
          `  != TO_JSON_STRING(STRUCT(${merge.comparable(leaf, `final.${leaf.column}`)} AS value, final._versions.${leaf.column} AS version))`,
          `  AND NOT IFNULL(${merge.isTrimmed(
            leaf,
            { value: `final.${leaf.column}`, version: `final._versions.${leaf.column}` },
            state(leaf, "history"),
            oldest,
          )}, FALSE),`,
          `  ${merge.literal(leaf.path)},`,
          "  NULL",
          ")",
        ].join("\n"),
      ),
  };
}

/**
 * The entity's SQL where it is asked for, else nothing in every place: what is not run need not be built.
 * @param {boolean} isAsked
 * @param {Entity} entity
 * @returns {ReturnType<typeof of>}
 */
function when(isAsked, entity) {
  const parts = of(entity);
  if (isAsked) return parts;
  const silent = Object.keys(parts).map((name) => [name, () => ""]);
  return Object.fromEntries(silent);
}

/**
 * A leaf's state in a row of inner queries.
 * @param {Leaf} leaf
 * @param {string} row
 * @returns {import("./merge.js").State}
 */
function state({ alias }, row) {
  return { value: `${row}.${alias}.value`, version: `${row}.${alias}.version` };
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

/**
 * A column's name as SQL writes it.
 * @param {Field} field
 */
function sqlOf({ name, sql = name }) {
  return sql;
}

/**
 * The leaves below a path, which a field's name then extends.
 * @typedef {{ readonly leaf: (name: string) => Leaf | undefined, readonly below: (name: string) => LeavesBelow, readonly all: () => readonly Leaf[] }} LeavesBelow
 * @param {ReadonlyMap<string, Leaf>} leaves
 * @param {string} path
 * @returns {LeavesBelow}
 */
function leavesBelow(leaves, path = "") {
  return {
    leaf: (name) => leaves.get(path + name),
    below: (name) => leavesBelow(leaves, `${path}${name}.`),
    all: () => [...leaves.values()].filter((leaf) => leaf.path.startsWith(path)),
  };
}

/**
 * A column with its value from the inner query's leaves: a RECORD is NULL exactly when all leaves in it are (R8). A STRUCT is
 * assigned by position, and final's fields stand in the order in which they came to the table: so in final's each is replaced
 * by its name.
 * @param {Field} field
 * @param {LeavesBelow} leaves
 * @param {string} stored Where final's own RECORD stands, with a dot; empty where there is none.
 * @returns {string}
 */
function columnValue(field, leaves, stored) {
  const name = sqlOf(field);
  if (field.role !== undefined) return name;
  const leaf = leaves.leaf(field.name);
  if (leaf !== undefined) {
    return `${leaf.alias}.value AS ${name}`;
  }
  const below = leaves.below(field.name);
  const own = stored === "" ? "" : `${stored}${name}.`;
  const children = (field.fields ?? []).map((child) => columnValue(child, below, own)).join(",\n");
  const isEmpty = below.all().map((inner) => merge.isEmpty(inner, `${inner.alias}.value`));
  const record =
    stored === ""
      ? `STRUCT(\n${indentAll(children, 4)}\n  )`
      : `(SELECT AS STRUCT ${stored}${name}.* REPLACE (\n${indentAll(children, 4)}\n  ))`;
  return `IF(\n  ${isEmpty.join("\n  AND ")},\n  NULL,\n  ${record}\n) AS ${name}`;
}

/**
 * Something of every leaf's version, as one STRUCT that mirrors the schema.
 * @param {readonly Field[]} fields
 * @param {LeavesBelow} leaves
 * @param {(leaf: Leaf) => string} versionOf
 * @param {string} stored Where final's own STRUCT of versions stands; empty where there is none.
 * @returns {string}
 */
function versionsOf(fields, leaves, versionOf, stored) {
  const versions = fields
    .filter(({ role }) => role === undefined)
    .map((field) => {
      const name = sqlOf(field);
      const leaf = leaves.leaf(field.name);
      if (leaf !== undefined) return `${versionOf(leaf)} AS ${name}`;
      const inner = stored === "" ? "" : `${stored}.${name}`;
      return `${versionsOf(field.fields ?? [], leaves.below(field.name), versionOf, inner)} AS ${name}`;
    });
  const list = indentAll(versions.join(",\n"), 2);
  return stored === "" ? `STRUCT(\n${list}\n)` : `(SELECT AS STRUCT ${stored}.* REPLACE (\n${list}\n))`;
}

/**
 * The columns' descriptions, as a Dataform config has them; those of a table, which has columns beside the schema's, with their
 * policy tags. A view has those of the tables that it reads.
 * @param {Entity} entity
 * @param {Readonly<Record<string, string>>} more The table's columns beside the schema's.
 * @param {boolean} isTable
 */
function describe(entity, more = {}, isTable = false) {
  return { ...descriptions(entity.fields, isTable), ...more };
}

/**
 * What fields say of themselves; one that says nothing is left out, since each is a line of the compiled graph four times.
 * @param {readonly Field[]} fields
 * @param {boolean} isTable
 * @returns {Record<string, unknown>}
 */
function descriptions(fields, isTable) {
  /** @type {Record<string, unknown>} */
  const said = {};
  for (const { name, description, policyTag, fields: children, inside } of fields) {
    const columns = descriptions(children ?? inside ?? [], isTable);
    const column = {
      ...(description === undefined ? {} : { description }),
      ...(isTable && policyTag !== undefined ? { bigqueryPolicyTags: [policyTag] } : {}),
      ...(Object.keys(columns).length === 0 ? {} : { columns }),
    };
    if (Object.keys(column).length > 0) said[name] = column;
  }
  return said;
}

/**
 * Names with commas, as many a line as fit.
 * @param {readonly string[]} names
 */
function wrap(names) {
  const lines = [""];
  for (const [index, name] of names.entries()) {
    const item = index === names.length - 1 ? name : `${name},`;
    const line = lines[lines.length - 1] ?? "";
    if (line === "") lines[lines.length - 1] = item;
    else if (line.length + 1 + item.length <= WIDTH) lines[lines.length - 1] = `${line} ${item}`;
    else lines.push(item);
  }
  return lines.join("\n");
}

/**
 * All lines but the first moved to the right: the first stands where the SQLX calls.
 * @param {string} sql
 * @param {number} depth
 */
function indent(sql, depth) {
  return sql.replaceAll("\n", `\n${" ".repeat(depth)}`);
}

/**
 * All lines moved to the right.
 * @param {string} sql
 * @param {number} depth
 */
function indentAll(sql, depth) {
  return indent(`\n${sql}`, depth).slice(1);
}

/** What tables hold beside the schema's columns: how versions are stored, so that people find their way in them. */
const finalColumns = {
  _base_version: "The version of every attribute that has a value and no version of its own.",
  _own_versions: "The version of each attribute whose version is not the base version.",
};
const batchColumns = {
  ...finalColumns,
  _batch: {
    description: "Where and when the batch was read, and what it found, in the one row that is no user's.",
    columns: Object.fromEntries(progress.BATCH.map(({ name, description }) => [name, description])),
  },
};
const versionColumns = { _versions: "For each attribute, the version of the update that set it." };

module.exports = { batchColumns, finalColumns, versionColumns, of, when, describe };
