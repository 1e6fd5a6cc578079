// @ts-check
/** Final beside what all updates say: what a rebuild would lose, and what the audit finds (R1). R-numbers are rules of docs/rules.md. */
const merge = require("../merge.js");
const { storedRow } = require("./columns.js");
const { indent } = require("./text.js");

/** @typedef {import("../merge.js").Entity} Entity */
/** @typedef {import("../merge.js").Leaf} Leaf */

/**
 * What compares them.
 * @param {Entity} entity
 */
function of(entity) {
  const leaves = [...merge.leavesOf(entity).values()];
  const { keys, ingest, event, deletes } = entity;
  const version = merge.versionColumn(entity);
  const hasFloors = merge.hasFloors(entity);
  return {
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
      const lost = leaves.map((leaf) => {
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
    FROM (SELECT ${storedRow(entity, "final")} FROM ${final} AS _batch_stored) AS final
    LEFT JOIN (SELECT ${storedRow(entity, "batch")} FROM ${temp} WHERE _batch IS NULL) AS batch
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
    /** The paths of leaves that history and final do not agree on (R1), what updates from before a time may have said aside. @type {(oldest: string) => string} */
    differingLeaves: (oldest) =>
      indent(
        leaves
          .map((leaf) =>
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
          )
          .join(",\n"),
        8,
      ),
  };
}

/**
 * A leaf's state in a row of inner queries.
 * @param {Leaf} leaf
 * @param {string} row
 * @returns {import("../merge.js").State}
 */
function state({ alias }, row) {
  return { value: `${row}.${alias}.value`, version: `${row}.${alias}.version` };
}

module.exports = { of };
