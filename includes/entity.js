// A copy by `npm run generate` from user-info-updater 0.3.0: edit nothing here.
// @ts-check
/** One entity's part of the statements in definitions/: its leaves' decisions from merge.js by their paths, and what sql/ makes of it. */
const basis = require("./basis.js");
const merge = require("./merge.js");
const batch = require("./sql/batch.js");
const columns = require("./sql/columns.js");
const descriptions = require("./sql/descriptions.js");
const floored = require("./sql/floors.js");
const history = require("./sql/history.js");
const { indent, wrap } = require("./sql/text.js");

/** @typedef {import("./merge.js").Entity} Entity */
/** @typedef {import("./merge.js").Leaf} Leaf */

/**
 * The entity's SQL: one function for each place in a statement where it differs from other entities'.
 * @param {Entity} entity What includes/entities/<entity>.js says.
 */
function of(entity) {
  const leaves = merge.leavesOf(entity);
  const { keys, ingest, event, deletes, readsCommits = false } = entity;
  const version = merge.versionColumn(entity);
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
  const sets = [...leaves.values()].filter(({ isSet }) => isSet);
  const floors = merge.floorsOf(entity);
  const hasFloors = merge.hasFloors(entity);

  return {
    ...batch.of(entity),
    ...columns.of(entity),
    ...floored.of(entity),
    ...history.of(entity),
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
        : [...(from === undefined ? [] : [`updates.${ingest} >= ${since}`]), ...batch.goodBeside(entity)];
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
    /** All leaves, without those that a delete takes (R10). @type {(row: string, deletedAt: string) => string} */
    unlessDeleted: (row, deletedAt) => forAll(4, (leaf) => merge.unlessDeleted(leaf, row, deletedAt)),
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
    /** All leaves of final, without those that a delete takes, which is news too (R10). */
    takeUnlessDeleted: () => forAll(6, merge.takeUnlessDeleted),
    /** Whether any leaf is news (R7). */
    isNews: () => forAll(4, ({ alias }) => `${alias}.is_newer`, "\nOR "),
    /** The key's columns of whichever of two rows there is. @type {(left: string, right: string) => string} */
    eitherKeys: (left, right) =>
      keys.map(({ sql }) => `IFNULL(${left}.${sql}, ${right}.${sql}) AS ${sql}`).join(", "),
    /** Whether an outer join found no row. @type {(row: string) => string} */
    isMissing: (row) => `${row}.${keys[0]?.sql} IS NULL`,
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

module.exports = { ...descriptions, of, when };
