// A copy by `npm run generate` from user-info-updater 0.3.0: edit nothing here.
// @ts-check
/**
 * Deletes and clears as floors under policies, and whom a late one makes a run read again (R9, R10, R11). R-numbers are rules of
 * docs/rules.md.
 */
const merge = require("../merge.js");
const progress = require("../progress.js");
const { goodBeside, isAppended, updateOf } = require("./batch.js");
const { indent } = require("./text.js");

/** @typedef {import("../merge.js").Entity} Entity */
/** @typedef {import("../merge.js").Leaf} Leaf */

/**
 * What knows of floors.
 * @param {Entity} entity
 */
function of(entity) {
  const { keys, ingest, deletes, readsCommits = false } = entity;
  const version = merge.versionColumn(entity);
  const beside = goodBeside(entity);
  const floored = merge.flooredLeaves(entity);
  const floors = merge.floorsOf(entity);
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
        : [
            `LEFT JOIN ${tombstones} AS tombstone
    ON tombstone.key_hash = known_hash`,
          ]),
      ...(floors.length === 0
        ? []
        : [
            `LEFT JOIN (
    SELECT key_hash, ${newestClears.join(", ")}
    FROM (${ofLeaves(tombstones)} WHERE LENGTH(key_hash) > ${merge.HASH_LENGTH})
    GROUP BY key_hash
  ) AS cleared
    ON cleared.key_hash = known_hash`,
          ]),
    ].join("\n  ");
  /** @type {(final: string) => string} */
  const flooredFinal = (final) => `(
    SELECT
      ${[
        [...keys.map(({ sql }) => sql), version].join(", "),
        ...floored.map((leaf) => merge.stored(leaf, "final")),
      ].join(",\n      ")}
    FROM ${final} AS _batch_stored
  ) AS stored`;
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
  const window = `SELECT * EXCEPT (${readsCommits ? "_batch_committed_at, " : ""}_batch_row_hash) FROM _batch_read`;

  return {
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
        WHERE ${isAppended(entity, "_batch_row")}
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
        ${updateOf(entity, "        ")}
      FROM ${read} AS _batch_row
      WHERE ${isRead}
    ) AS updates${beside.length === 0 ? "" : `\n    WHERE\n      ${beside.join("\n      AND ")}`}
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
      const good = beside.map((condition) => `\n      AND ${condition}`).join("");
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
    ${updateOf(entity, "    ")}
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
    updates.${ingest} >= ${merge.START}${beside.map((condition) => `\n    AND ${condition}`).join("")}
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
  };
}

module.exports = { of };
