// A copy by `npm run generate` from user-info-updater 0.3.0: edit nothing here.
// @ts-check
/**
 * The SQL of one attribute, key or row: every decision of the merge stands here once, under its own name. The statements around
 * them stand in definitions/, what each entity consists of in includes/entities/. R-numbers are rules of docs/rules.md.
 *
 * Nothing here knows Dataform: an entity comes in, SQL comes out; commands and tests take the same functions.
 */

/**
 * How values of a type are put in order (R3): by `>` alone; a FLOAT64 with NaN and the two zeros; an INTERVAL, of which
 * different ones may compare as equal; by their JSON text, or by the text of a GEOGRAPHY.
 * @typedef {"plain" | "float" | "interval" | "json" | "geography"} Order
 */

/**
 * One column of the key.
 * @typedef {object} Key
 * @property {string} sql Its name as SQL writes it.
 * @property {boolean} [isFloat] FLOAT64: NaN is equal to itself here, and -0.0 to 0.0.
 */

/**
 * A column of the user's schema, or a field of a RECORD in it.
 * @typedef {object} Field
 * @property {string} name
 * @property {string} [sql] Its name as SQL writes it, where that is another text.
 * @property {string} [description]
 * @property {string} [policyTag] The policy tag that guards it, as BigQuery names it.
 * @property {"key" | "ingest" | "event"} [role] What a column is that does not merge.
 * @property {string} [merge] The policy of a leaf (R11); absent for `latest`.
 * @property {string} [as] What a nested leaf is called in the inner queries.
 * @property {Order} [order] How its values compare; absent for `plain`.
 * @property {Order} [elements] How the elements of a REPEATED leaf compare: present means REPEATED.
 * @property {readonly string[]} [parts] What an atomic RECORD holds, as paths below it; a REPEATED one ends with `[]`.
 * @property {readonly Field[]} [fields] The fields of a RECORD whose leaves merge one by one.
 * @property {readonly Field[]} [inside] The fields of a RECORD that moves as one value: for documentation only.
 */

/**
 * An entity: what includes/entities/<entity>.js says.
 * @typedef {object} Entity
 * @property {string} revision A digest of all else that is said here, descriptions and policy tags aside.
 * @property {readonly Key[]} keys
 * @property {string} ingest The ingest timestamp's column, as SQL writes it: what is new (R4).
 * @property {string} [event] The event timestamp's, where it has one: which value is newer (R4).
 * @property {Ahead} [ahead] What an event timestamp far ahead means; there where `event` is.
 * @property {boolean} [readsCommits] Whether runs read what was committed since the last merge, however it is stamped (R5).
 * @property {string} [clears] The column of updates that names cleared fields (R9).
 * @property {string} [deletes] The column of updates that deletes (R10).
 * @property {readonly Field[]} fields The columns of final, in the schema's order.
 */

/**
 * An event timestamp that is later than its ingest timestamp by more than a limit may not outrank what comes later (R4).
 * @typedef {object} Ahead
 * @property {string} limit As people write it: `1 day`.
 * @property {number} microseconds The same.
 * @property {boolean} [keepsOut] Such an update is a bad one; otherwise it counts from its ingest timestamp.
 */

/**
 * A field that moves as one value (R2).
 * @typedef {object} Leaf
 * @property {string} path As people write it, and `clearedFields` too: `profile.address.city`.
 * @property {string} column As SQL writes it, from the row on.
 * @property {string} alias Its column in the inner queries, a STRUCT of value and version.
 * @property {string} policy How it merges (R11).
 * @property {boolean} isSet A union: its elements are gathered by themselves, each once (R11).
 * @property {Order} order
 * @property {Order} [elements] The order of a REPEATED leaf's elements.
 * @property {readonly string[]} parts
 */

const { bare } = require("./sql/text.js");

/** Where history starts: rows from before are bad ones (R5, R12). */
const START = "TIMESTAMP '1900-01-01 00:00:00+00'";
/** Rows stamped later than this are reported (R5): a day after the batch was read. */
const FAR_AHEAD = "TIMESTAMP_ADD(_read_at, INTERVAL 1 DAY)";
/** The reason by which such rows are listed; they are no bad rows. */
const FAR_AHEAD_REASON = "ingest timestamp more than a day ahead";

/**
 * The leaves of an entity by their paths, in the schema's order.
 * @param {Entity} entity
 * @returns {Map<string, Leaf>}
 */
function leavesOf(entity) {
  /** @type {Map<string, Leaf>} */
  const leaves = new Map();
  /** @type {(fields: readonly Field[], path: string, column: string) => void} */
  const visit = (fields, path, column) => {
    for (const field of fields) {
      if (field.role !== undefined) continue;
      const sql = field.sql ?? field.name;
      if (field.fields !== undefined) {
        visit(field.fields, `${path}${field.name}.`, `${column}${sql}.`);
        continue;
      }
      const { as: alias = sql, order = "plain", elements, parts = [] } = field;
      leaves.set(`${path}${field.name}`, {
        path: `${path}${field.name}`,
        column: `${column}${sql}`,
        alias,
        policy: field.merge ?? "latest",
        isSet: field.merge === "union",
        order: elements === undefined ? order : "json",
        elements,
        parts,
      });
    }
  };
  visit(entity.fields, "", "");
  return leaves;
}

/**
 * What holds for every row and names its partition: a table that requires a filter for partitions is read whole by no other condition
 * (https://cloud.google.com/bigquery/docs/querying-partitioned-tables#require_a_partition_filter_in_queries).
 * @param {string} ingest
 */
function anyPartition(ingest) {
  return `(${ingest} >= ${START} OR ${ingest} < ${START} OR ${ingest} IS NULL)`;
}

/**
 * A string as SQL writes it.
 * @param {string} text
 */
function literal(text) {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/**
 * The column that versions values: the event timestamp's, else the ingest timestamp's (R4).
 * @param {Entity} entity
 */
function versionColumn(entity) {
  return entity.event ?? entity.ingest;
}

/**
 * Whether an update's event timestamp is too far ahead of its ingest timestamp (R4); NULL where it lacks one. As a difference:
 * no time plus or minus another leaves the calendar.
 * @param {Entity} entity
 * @param {string} row
 */
function isAhead({ ingest, event, ahead }, row) {
  if (event === undefined || ahead === undefined) return "FALSE";
  return `TIMESTAMP_DIFF(${row}.${event}, ${row}.${ingest}, MICROSECOND) > ${ahead.microseconds}`;
}

/**
 * The time from which an update counts (R4).
 * @param {Entity} entity
 * @param {string} row A row as producers wrote it.
 */
function countsFrom(entity, row) {
  const version = `${row}.${versionColumn(entity)}`;
  return entity.event === undefined
    ? version
    : `IF(${isAhead(entity, row)}, ${row}.${entity.ingest}, ${version})`;
}

/**
 * The leaves that have a policy where something can be deleted or cleared: what that leaves must be known before the policy decides (R11);
 * `latest` alone knows by its version.
 * @param {Entity} entity
 * @returns {readonly Leaf[]}
 */
function flooredLeaves(entity) {
  const known = FLOORED.get(entity);
  if (known !== undefined) return known;
  const leaves = [...leavesOf(entity).values()].filter(
    ({ policy }) => policy !== "latest" && (entity.deletes !== undefined || entity.clears !== undefined),
  );
  FLOORED.set(entity, leaves);
  return leaves;
}

/** Each leaf's SQL asks for them. @type {WeakMap<Entity, readonly Leaf[]>} */
const FLOORED = new WeakMap();

/**
 * Whether there are such leaves.
 * @param {Entity} entity
 */
function hasFloors(entity) {
  return flooredLeaves(entity).length > 0;
}

/**
 * The column in inner queries and the batch that has the version of a user's newest clear of such a leaf; undefined where nothing is cleared.
 * @param {Entity} entity
 * @param {Leaf} leaf
 */
function floorOf(entity, leaf) {
  const index = flooredLeaves(entity).findIndex(({ path }) => path === leaf.path);
  return entity.clears === undefined || index < 0 ? undefined : `_batch_floor_${index}`;
}

/**
 * All such columns, with their leaves.
 * @param {Entity} entity
 */
function floorsOf(entity) {
  return flooredLeaves(entity).flatMap((leaf) => {
    const column = floorOf(entity, leaf);
    return column === undefined ? [] : [{ leaf, column }];
  });
}

/**
 * Whether an update is newer than the clears of its leaf; nothing where that is no question.
 * @param {Entity} entity
 * @param {Leaf} leaf
 */
function isAboveClear(entity, leaf) {
  const floor = floorOf(entity, leaf);
  return floor === undefined ? [] : [`IFNULL(updates.${versionColumn(entity)} > updates.${floor}, TRUE)`];
}

// ---- Keys

/**
 * The value of a key column in a row: `row.column`, or what a function says of the column and its place.
 * @typedef {string | ((key: Key, index: number) => string)} KeyRow
 * @param {KeyRow} row
 * @param {Key} key
 * @param {number} index
 */
function keyValue(row, key, index) {
  return typeof row === "string" ? `${row}.${key.sql}` : row(key, index);
}

/**
 * Whether two rows are of one user. NaN equals nothing, itself neither; as text it does, and adding 0.0 makes one of the zeros.
 * @param {readonly Key[]} keys
 * @param {KeyRow} left
 * @param {KeyRow} right
 */
function keysMatch(keys, left, right) {
  return keys
    .map((key, index) => {
      const [one, other] = [keyValue(left, key, index), keyValue(right, key, index)];
      return key.isFloat
        ? `TO_JSON_STRING(${one} + 0.0) = TO_JSON_STRING(${other} + 0.0)`
        : `${one} = ${other}`;
    })
    .join(" AND ");
}

/**
 * The key's columns of an update; one key has one value, whatever its zero's sign.
 * @param {readonly Key[]} keys
 */
function updateKeys(keys) {
  return keys.map(({ sql, isFloat }) => `updates.${sql}${isFloat ? ` + 0.0 AS ${sql}` : ""}`).join(", ");
}

/**
 * The key as one text, equal for equal keys.
 * @param {readonly Key[]} keys
 * @param {KeyRow} row
 */
function keyText(keys, row) {
  const parts = keys.map(
    (key, index) => `${keyValue(row, key, index)}${key.isFloat ? " + 0.0" : ""} AS ${key.sql}`,
  );
  return `TO_JSON_STRING(STRUCT(${parts.join(", ")}))`;
}

/** So many characters has what a tombstone keeps of a key; behind a space, the path of a leaf follows where that alone is cleared (R11). */
const HASH_LENGTH = 64;

/**
 * What a tombstone keeps of a key (R10): nothing can be read from it, and equal keys give equal ones.
 * @param {readonly Key[]} keys
 * @param {KeyRow} row
 */
function keyHash(keys, row) {
  return `TO_HEX(SHA256(${keyText(keys, row)}))`;
}

/**
 * Whether a row belongs to a sample of users, by a share from 0 to 1.
 * @param {readonly Key[]} keys
 * @param {string} row
 * @param {number} share
 */
function isSampled(keys, row, share) {
  return `ABS(MOD(FARM_FINGERPRINT(${keyText(keys, row)}), 1000000)) < ${share} * 1000000`;
}

// ---- Values of one leaf

/**
 * What the order of JSON texts is taken from: GEOGRAPHYs in an ARRAY have no JSON text of their own.
 * @param {Leaf} leaf
 * @param {string} value
 */
function jsonSource(leaf, value) {
  return leaf.elements === "geography"
    ? `ARRAY(SELECT ST_ASTEXT(element) FROM UNNEST(${value}) AS element WITH OFFSET AS position ORDER BY position)`
    : value;
}

/**
 * What a value of each order is sorted by, the first part first.
 * @type {Readonly<Record<Order, (leaf: Leaf, value: string) => readonly string[]>>}
 */
const SORT_KEYS = {
  plain: (_, value) => [value],
  // IEEE_DIVIDE tells -0.0 from 0.0, which compare as equal.
  float: (_, value) => [value, `IEEE_DIVIDE(1, ${value})`],
  interval: (_, value) => [value, `CAST(${value} AS STRING)`],
  json: (leaf, value) => [`TO_JSON_STRING(${jsonSource(leaf, value)})`],
  geography: (_, value) => [`ST_ASTEXT(${value})`],
};

/**
 * The order of a leaf's values, for an ORDER BY (R3).
 * @param {Leaf} leaf
 * @param {string} value
 * @param {"ASC" | "DESC"} direction
 */
function valueOrder(leaf, value, direction) {
  return SORT_KEYS[leaf.order](leaf, value)
    .map((part) => `${part} ${direction}`)
    .join(", ");
}

/**
 * Whether one of two values is the greater one (R3); NULL where one of them is.
 * @param {Leaf} leaf
 * @param {string} left
 * @param {string} right
 */
function isGreater(leaf, left, right) {
  const [one = left, tie] = SORT_KEYS[leaf.order](leaf, left);
  const [other = right, otherTie] = SORT_KEYS[leaf.order](leaf, right);
  if (tie === undefined) return `${one} > ${other}`;
  const nan = leaf.order === "float" ? ` OR (IS_NAN(${right}) AND NOT IS_NAN(${left}))` : "";
  return `(${one} > ${other}${nan} OR (${one} = ${other} AND ${tie} > ${otherTie}))`;
}

/**
 * Whether two values of a leaf are one, the sign of zero and NaN included.
 * @param {Leaf} leaf
 * @param {string} left
 * @param {string} right
 */
function isSame(leaf, left, right) {
  if (leaf.order === "float") {
    const zeros = `IEEE_DIVIDE(1, ${left}) = IEEE_DIVIDE(1, ${right})`;
    return `((${left} = ${right} AND ${zeros}) OR (IS_NAN(${left}) AND IS_NAN(${right})))`;
  }
  if (leaf.order === "interval") return `CAST(${left} AS STRING) = CAST(${right} AS STRING)`;
  return `${left} = ${right}`;
}

/**
 * Whether a value says something (R2): NULL and [] say nothing, nor does an atomic RECORD of nothing else.
 * @param {Leaf} leaf
 * @param {string} value
 */
function saysSomething(leaf, value) {
  if (leaf.elements !== undefined) return `ARRAY_LENGTH(${value}) > 0`;
  if (leaf.parts.length === 0) return `${value} IS NOT NULL`;
  const parts = leaf.parts.map((part) =>
    part.endsWith("[]") ? `ARRAY_LENGTH(${value}.${part.slice(0, -2)}) > 0` : `${value}.${part} IS NOT NULL`,
  );
  return `(${parts.join(" OR ")})`;
}

/**
 * Whether a stored value is none: NULL, or [] for REPEATED.
 * @param {Leaf} leaf
 * @param {string} value
 */
function isEmpty(leaf, value) {
  return leaf.elements === undefined ? `${value} IS NULL` : `IFNULL(ARRAY_LENGTH(${value}), 0) = 0`;
}

/**
 * The elements of a REPEATED leaf as a set, in order (R11).
 * @param {Leaf} leaf
 * @param {string} source
 */
function distinct(leaf, source) {
  const order = leaf.elements ?? "plain";
  if (order === "plain" || order === "float") {
    const element = order === "float" ? "element + 0.0 AS element" : "element";
    return `ARRAY(SELECT DISTINCT ${element} FROM UNNEST(${source}) AS element ORDER BY element)`;
  }
  const text = order === "geography" ? "ST_ASTEXT" : "TO_JSON_STRING";
  return `ARRAY(SELECT ANY_VALUE(element) FROM UNNEST(${source}) AS element GROUP BY ${text}(element) ORDER BY ${text}(ANY_VALUE(element)))`;
}

/**
 * A leaf's value in a form whose JSON text tells any two values apart, NULL from [] excepted.
 * @param {Leaf} leaf
 * @param {string} value
 */
function comparable(leaf, value) {
  if (leaf.elements === "geography" && !leaf.isSet) return jsonSource(leaf, value);
  if (leaf.elements !== undefined) return `IFNULL(${value}, [])`;
  return leaf.order === "geography" ? `ST_ASTEXT(${value})` : value;
}

// ---- Gathering: the state that a user's updates leave, of one leaf

/**
 * The paths that clear a leaf, in lower case: those of the RECORDs around it, from the outermost, and its own (R9).
 * @param {{ readonly path: string }} leaf
 */
function clearingPaths(leaf) {
  const names = leaf.path.toLowerCase().split(".");
  return names.map((_, index) => names.slice(0, index + 1).join("."));
}

/**
 * Whether an update clears a leaf: by its own path or by that of a RECORD around it (R9).
 * @param {Leaf} leaf
 */
function isCleared(leaf) {
  return clearingPaths(leaf)
    .map((path) => `${literal(path)} IN UNNEST(updates._cleared)`)
    .join(" OR ");
}

/**
 * Whether an update is of any account for a leaf: it says something, or clears it, and deletes nothing.
 * @param {Entity} entity
 * @param {Leaf} leaf
 */
function speaks(entity, leaf) {
  const says = saysSomething(leaf, `updates.${leaf.column}`);
  const heard =
    entity.clears === undefined || floorOf(entity, leaf) !== undefined
      ? says
      : `(${isCleared(leaf)} OR ${says})`;
  const isGone = hasFloors(entity) ? "_batch_is_gone" : "_deleted";
  return [
    ...(entity.deletes === undefined ? [] : [`NOT updates.${isGone}`]),
    ...isAboveClear(entity, leaf),
    heard,
  ].join(" AND ");
}

/**
 * The first in some order of the updates that speak of a leaf, as a STRUCT of value and version.
 * @param {Entity} entity
 * @param {Leaf} leaf
 * @param {string} order
 */
function firstBy(entity, leaf, order) {
  const value = `updates.${leaf.column}`;
  const said =
    entity.clears === undefined || floorOf(entity, leaf) !== undefined
      ? value
      : `IF(${isCleared(leaf)}, NULL, ${value})`;
  return [
    "ARRAY_AGG(",
    `  IF(${speaks(entity, leaf)}, STRUCT(${said} AS value, updates.${versionColumn(entity)} AS version), NULL)`,
    `  IGNORE NULLS ORDER BY ${order} LIMIT 1`,
    `)[SAFE_OFFSET(0)] AS ${leaf.alias}`,
  ].join("\n");
}

/**
 * The value of the newest update (R3): at equal versions a clear, else the greater value.
 * @param {Entity} entity
 * @param {Leaf} leaf
 */
function gatherLatest(entity, leaf) {
  const clears = entity.clears === undefined ? "" : ` (${isCleared(leaf)}) DESC,`;
  const values = valueOrder(leaf, `updates.${leaf.column}`, "DESC");
  return firstBy(entity, leaf, `updates.${versionColumn(entity)} DESC,${clears} ${values}`);
}

/**
 * The value of the oldest update, at equal versions the greater one (R11).
 * @param {Entity} entity
 * @param {Leaf} leaf
 */
function gatherFirst(entity, leaf) {
  const values = valueOrder(leaf, `updates.${leaf.column}`, "DESC");
  return firstBy(entity, leaf, `updates.${versionColumn(entity)}, ${values}`);
}

/**
 * The greatest value, with the newest version that says it (R11).
 * @param {Entity} entity
 * @param {Leaf} leaf
 */
function gatherGreatest(entity, leaf) {
  const values = valueOrder(leaf, `updates.${leaf.column}`, "DESC");
  return firstBy(entity, leaf, `${values}, updates.${versionColumn(entity)} DESC`);
}

/**
 * The smallest value, with the newest version that says it (R11).
 * @param {Entity} entity
 * @param {Leaf} leaf
 */
function gatherSmallest(entity, leaf) {
  const values = valueOrder(leaf, `updates.${leaf.column}`, "ASC");
  return firstBy(entity, leaf, `${values}, updates.${versionColumn(entity)} DESC`);
}

/**
 * The newest version of an update that says something of a set; its elements are gathered by themselves (R11).
 * @param {Entity} entity
 * @param {Leaf} leaf
 */
function gatherUnion(entity, leaf) {
  return `MAX(IF(${speaks(entity, leaf)}, updates.${versionColumn(entity)}, NULL)) AS ${leaf.alias}`;
}

/**
 * A query for a set's elements by user, each once before they are put together: all that updates say may be more than a value holds,
 * which is 100 MB.
 * @param {Leaf} leaf
 * @param {readonly Key[]} keys
 * @param {string} isGood What of `updates` counts.
 * @param {string} source Where they are.
 */
function gatherSet({ column, elements = "plain" }, keys, isGood, source) {
  const isPlain = elements === "plain" || elements === "float";
  const text = elements === "geography" ? "ST_ASTEXT" : "TO_JSON_STRING";
  const element = elements === "float" ? "element + 0.0" : isPlain ? "element" : "ANY_VALUE(element)";
  const ordinals = keys.map((_, index) => index + 1).join(", ");
  return [
    "SELECT",
    `  ${keys.map(({ sql }) => sql).join(", ")},`,
    `  ARRAY_AGG(_batch_element ORDER BY ${isPlain ? "_batch_element" : `${text}(_batch_element)`}) AS _batch_value`,
    "FROM (",
    `  SELECT ${updateKeys(keys)}, ${element} AS _batch_element`,
    `  FROM ${source} AS updates, UNNEST(updates.${column}) AS element`,
    `  WHERE ${isGood}`,
    `  GROUP BY ${ordinals}, ${isPlain ? keys.length + 1 : `${text}(element)`}`,
    ")",
    `GROUP BY ${ordinals}`,
  ].join("\n");
}

// ---- Versions: a row has a base, and each attribute stores its own version only where that is another one
//      (R2, docs/rules.md). NULL beside a value is the base, NULL beside none is no version; a clear stores its own.

/**
 * The version of a leaf in a stored row, in plain form.
 * @param {Leaf} leaf
 */
function decodeVersion(leaf) {
  return `IFNULL(_own_versions.${leaf.column}, IF(${isEmpty(leaf, leaf.column)}, NULL, _base_version))`;
}

/**
 * What is stored of the version of an inner query's leaf, beside its value and the row's base. Only a clear leaves a version
 * beside no value.
 * @param {Entity} entity
 * @param {Leaf} leaf
 */
function encodeVersion(entity, leaf) {
  const version = `${leaf.alias}.version`;
  const own = `NULLIF(${version}, _base_version)`;
  return entity.clears === undefined
    ? own
    : `IF(${isEmpty(leaf, `${leaf.alias}.value`)}, ${version}, ${own})`;
}

/**
 * A leaf of a stored row as the decisions below take it: a STRUCT of value, version, and whether it is news (R7), as the batch's
 * are where they win.
 * @param {Leaf} leaf
 * @param {"batch" | "final"} row
 */
function stored(leaf, row) {
  const isNews = row === "batch" ? "TRUE" : "FALSE";
  return `STRUCT(${leaf.column} AS value, ${decodeVersion(leaf)} AS version, ${isNews} AS is_newer) AS ${leaf.alias}`;
}

// ---- Deciding: what the batch and final make of one leaf

/**
 * A leaf's value or version in the batch, and the same in final.
 * @param {Leaf} leaf
 * @param {"value" | "version"} part
 * @returns {[batch: string, final: string]}
 */
function both({ alias }, part) {
  return [`batch.${alias}.${part}`, `final.${alias}.${part}`];
}

/**
 * Whether the batch's version of a leaf is the newer one; never so where the batch has none.
 * @param {Leaf} leaf
 */
function isNewer(leaf) {
  const [batch, final] = both(leaf, "version");
  return `IFNULL(${batch} > ${final}, ${batch} IS NOT NULL)`;
}

/**
 * The batch's leaf where `wins` holds, else final's.
 * @param {Leaf} leaf
 * @param {readonly string[]} wins Conditions, any of which is enough.
 */
function takeIf({ alias }, wins) {
  return ["IF(", `  ${wins.join("\n  OR ")},`, `  batch.${alias}, final.${alias}`, `) AS ${alias}`].join(
    "\n",
  );
}

/**
 * The newer value; at equal versions a clear beats a value, and the greater value the other one (R3, R9).
 * @param {Entity} entity
 * @param {Leaf} leaf
 */
function takeLatest(entity, leaf) {
  const [batch, final] = both(leaf, "value");
  const tie = both(leaf, "version").join(" = ");
  const greater = isGreater(leaf, batch, final);
  const better =
    entity.clears === undefined
      ? greater
      : `NOT ${isEmpty(leaf, final)} AND (${isEmpty(leaf, batch)} OR ${greater})`;
  return takeIf(leaf, [isNewer(leaf), `(${tie} AND ${better})`]);
}

/**
 * The older value, at equal versions the greater one (R11).
 * @param {Entity} _
 * @param {Leaf} leaf
 */
function takeFirst(_, leaf) {
  const [batch, final] = both(leaf, "version");
  const greater = isGreater(leaf, ...both(leaf, "value"));
  return takeIf(leaf, [
    `IFNULL(${batch} < ${final}, ${batch} IS NOT NULL)`,
    `(${batch} = ${final} AND ${greater})`,
  ]);
}

/**
 * The greater value, with its newer version (R11).
 * @param {Entity} _
 * @param {Leaf} leaf
 */
function takeGreatest(_, leaf) {
  return takeExtreme(leaf, isGreater(leaf, ...both(leaf, "value")));
}

/**
 * The smaller value, with its newer version (R11).
 * @param {Entity} _
 * @param {Leaf} leaf
 */
function takeSmallest(_, leaf) {
  const [batch, final] = both(leaf, "value");
  return takeExtreme(leaf, isGreater(leaf, final, batch));
}

/**
 * @param {Leaf} leaf
 * @param {string} wins Whether the batch's value is further out than final's; NULL where one has none.
 */
function takeExtreme(leaf, wins) {
  const [batch, final] = both(leaf, "version");
  const same = isSame(leaf, ...both(leaf, "value"));
  return takeIf(leaf, [`IFNULL(${wins}, ${batch} IS NOT NULL)`, `(${same} AND ${batch} > ${final})`]);
}

/**
 * The elements of both, with the newer version (R11).
 * @param {Entity} entity
 * @param {Leaf} leaf
 */
function takeUnion(entity, leaf) {
  const [batch, final] = both(leaf, "value");
  const all = distinct(leaf, `ARRAY_CONCAT(IFNULL(${final}, []), IFNULL(${batch}, []))`);
  return [
    "STRUCT(",
    `  ${all} AS value,`,
    `  ${newest(...both(leaf, "version"))} AS version,`,
    `  ${isNewer(leaf)}`,
    `  OR ARRAY_LENGTH(${all}) > ARRAY_LENGTH(${final})${hasFloors(entity) ? ` OR final.${leaf.alias}.is_newer` : ""} AS is_newer`,
    `) AS ${leaf.alias}`,
  ].join("\n");
}

// ---- What is gone with updates that are gone

/**
 * A leaf's state, as SQL.
 * @typedef {{ readonly value: string, readonly version: string }} State
 */

/**
 * Whether the state that all updates left has what the state of those that are left says less of, beside that it says nothing; by policy.
 * @type {Readonly<Record<string, (leaf: Leaf, whole: State, rest: State) => string | undefined>>}
 */
const TRIMMED = {
  latest: () => undefined,
  first: (_, whole, rest) => `${whole.version} < ${rest.version}`,
  max: (leaf, whole, rest) => isGreater(leaf, whole.value, rest.value),
  min: (leaf, whole, rest) => isGreater(leaf, rest.value, whole.value),
  union: (leaf, whole, rest) =>
    `ARRAY_LENGTH(${distinct(leaf, `ARRAY_CONCAT(IFNULL(${whole.value}, []), IFNULL(${rest.value}, []))`)}) > ARRAY_LENGTH(${rest.value})`,
};

/**
 * Whether a value would be lost by a recomputation from the updates that are left (R1).
 * @param {Leaf} leaf
 * @param {State} whole What final has.
 * @param {State} rest What the updates say.
 */
function isLost(leaf, whole, rest) {
  const less = TRIMMED[leaf.policy]?.(leaf, whole, rest);
  const gone = `${rest.version} IS NULL`;
  return `NOT ${isEmpty(leaf, whole.value)} AND ${less === undefined ? gone : `IFNULL(${less}, ${gone})`}`;
}

/**
 * Whether final may differ from a recomputation because an update from before a time is gone: a set by any element, another leaf
 * where its version is from before.
 * @param {Leaf} leaf
 * @param {State} whole What final has.
 * @param {State} rest What the updates say.
 * @param {string} oldest The time.
 */
function isTrimmed(leaf, whole, rest, oldest) {
  const lost = isLost(leaf, whole, rest);
  if (leaf.isSet) return lost;
  const isNewest = `IFNULL(${whole.version} > ${rest.version}, ${rest.version} IS NULL)`;
  return `${whole.version} < ${oldest} AND (${leaf.policy === "latest" ? isNewest : lost})`;
}

// ---- Rows

/**
 * The later of two times, either of which may be unknown.
 * @param {string} left
 * @param {string} right
 */
function newest(left, right) {
  return `GREATEST(IFNULL(${left}, ${right}), IFNULL(${right}, ${left}))`;
}

/**
 * The leaf, unless a delete takes it: a delete takes what is not newer (R10).
 * @param {Leaf} leaf
 * @param {string} row The row it stands in, with a dot, or nothing.
 * @param {string} deletedAt
 */
function unlessDeleted(leaf, row, deletedAt) {
  const source = `${row}${leaf.alias}`;
  return `IF(IFNULL(${source}.version > ${deletedAt}, TRUE), ${source}, NULL) AS ${leaf.alias}`;
}

/**
 * The same of what the batch and final make of a leaf: where a delete takes what final has, that is news (R7).
 * @param {Leaf} leaf
 */
function takeUnlessDeleted({ alias }) {
  const gone = `STRUCT(NULL AS value, NULL AS version, _batch_was.${alias}.version IS NOT NULL AS is_newer)`;
  return `IF(IFNULL(${alias}.version > _deleted_at, TRUE), ${alias}, ${gone}) AS ${alias}`;
}

/**
 * Whether a leaf that has a policy is cleared by what no delete takes (R9, R11): so it is where nothing newer is said.
 * @param {Entity} entity
 * @param {string} floor The version of the user's newest clear of it.
 * @param {string} row The row that has the user's newest delete, with a dot, or nothing.
 */
function isClearedAt(entity, floor, row) {
  return entity.deletes === undefined
    ? `${floor} IS NOT NULL`
    : `IFNULL(${floor} > ${row}_deleted_at, ${floor} IS NOT NULL)`;
}

/**
 * A leaf of final before its policy decides: no value where the user's newest delete or clear takes it. What a set's elements came with
 * nobody knows: where such a one came late, the batch has all that the user ever said (R11). What is gone is news (R7).
 * @param {Entity} entity
 * @param {Leaf} leaf
 */
function aboveFloor(entity, leaf) {
  const { alias, isSet } = leaf;
  const [value, version] = [`stored.${alias}.value`, `stored.${alias}.version`];
  const column = floorOf(entity, leaf);
  const floors = [
    ...(entity.deletes === undefined ? [] : ["_deleted_at"]),
    ...(column === undefined ? [] : [column]),
  ];
  const isKept = [
    ...floors.map((floor) => `IFNULL(${version} > batch.${floor}, TRUE)`),
    ...(isSet ? ["NOT IFNULL(batch._batch_is_again, FALSE)"] : []),
  ];
  if (column === undefined)
    return `IF(${isKept.join(" AND ")}, stored.${alias}, STRUCT(NULL AS value, NULL AS version, ${version} IS NOT NULL AS is_newer)) AS ${alias}`;
  const floor = `batch.${column}`;
  return [
    "IF(",
    `  NOT ${isEmpty(leaf, value)}`,
    ...isKept.map((condition, index) => `  AND ${condition}${index === isKept.length - 1 ? "," : ""}`),
    `  stored.${alias},`,
    "  STRUCT(",
    "    NULL AS value,",
    "    NULL AS version,",
    `    NOT ${isEmpty(leaf, value)}`,
    `    OR IF(${isClearedAt(entity, floor, "batch.")}, IFNULL(${version} != ${floor}, TRUE), ${version} IS NOT NULL) AS is_newer`,
    "  )",
    `) AS ${alias}`,
  ].join("\n");
}

/**
 * A leaf that has a policy, or where it has no value its clear (R9, R11).
 * @param {Entity} entity
 * @param {Leaf} leaf
 * @param {string} floor The version of the user's newest clear of it.
 * @param {boolean} isMerged Whether it knows if it is news (R7).
 */
function orCleared(entity, leaf, floor, isMerged) {
  const { alias } = leaf;
  return [
    "IF(",
    `  ${alias}.version IS NULL AND ${isClearedAt(entity, floor, "")},`,
    `  STRUCT(NULL AS value, ${floor} AS version${isMerged ? `, ${alias}.is_newer AS is_newer` : ""}),`,
    `  ${alias}`,
    `) AS ${alias}`,
  ].join("\n");
}

/**
 * Whether final has forgotten what a delete or a clear leaves of a leaf (R11): of a set, what of it is newer; of another leaf, whether
 * anything is, where what it kept is not.
 * @param {Entity} entity
 * @param {Leaf} leaf
 * @param {string} floor The delete's or clear's version.
 */
function isForgotten(entity, leaf, floor) {
  const [value, version] = [`stored.${leaf.alias}.value`, `stored.${leaf.alias}.version`];
  const newer = leaf.isSet
    ? [`${version} > ${floor}`]
    : [`${version} <= ${floor}`, `stored.${versionColumn(entity)} > ${floor}`];
  return [`NOT ${isEmpty(leaf, value)}`, ...newer].join(" AND ");
}

/**
 * Whether all that a user ever said must be read (R11): what final has forgotten of a leaf matters to a delete or a clear that is new.
 * @param {Entity} entity
 * @param {string} row The row that has the newest ones; `tombstone` and `cleared` have those that are merged, `stored` what final has.
 */
function needsHistory(entity, row) {
  const leaves = flooredLeaves(entity);
  const isNew = (/** @type {string} */ floor, /** @type {string} */ known) =>
    `IFNULL(${floor} > ${known}, ${floor} IS NOT NULL)`;
  const deletedAt = `${row}._deleted_at`;
  const ofDelete = leaves.map((leaf) => `(${isForgotten(entity, leaf, deletedAt)})`).join("\n    OR ");
  const conditions = [
    ...(entity.deletes === undefined
      ? []
      : [`(\n  ${isNew(deletedAt, "tombstone.version")}\n  AND (\n    ${ofDelete}\n  )\n)`]),
    ...leaves.flatMap((leaf) => {
      const floor = floorOf(entity, leaf);
      if (floor === undefined) return [];
      return `(\n  ${isNew(`${row}.${floor}`, `cleared.${floor}`)}\n  AND ${isForgotten(entity, leaf, `${row}.${floor}`)}\n)`;
    }),
  ];
  return conditions.join("\nOR ");
}

/**
 * Whether `clearedFields` names a path that the schema does not have (R9, R12).
 * @param {Entity} entity
 */
function clearsUnknown(entity) {
  const known = new Set([...leavesOf(entity).values()].flatMap(clearingPaths));
  return clearsAny(entity, "NOT IN", [...known]);
}

/**
 * Whether `clearedFields` names any path that is, or is not, one of those.
 * @param {Entity} entity
 * @param {"IN" | "NOT IN"} isOf
 * @param {readonly string[]} paths In lower case.
 */
function clearsAny(entity, isOf, paths) {
  const list = paths.map(literal).join(", ");
  return `EXISTS (SELECT 1 FROM UNNEST(updates.${entity.clears}) AS path WHERE LOWER(path) ${isOf} (${list}))`;
}

/**
 * Whether an update has a value for a leaf that it clears: the clear counts (R9), so that the value is lost.
 * @param {Entity} entity
 * @param {string} clears
 */
function clearsItsOwn(entity, clears) {
  /** @type {Map<string, string[]>} */
  const said = new Map();
  for (const leaf of leavesOf(entity).values()) {
    const says = saysSomething(leaf, `updates.${leaf.column}`);
    for (const path of clearingPaths(leaf)) said.set(path, [...(said.get(path) ?? []), says]);
  }
  const cases = [...said].map(([path, says]) => `  WHEN ${literal(path)} THEN ${says.join(" OR ")}`);
  const isSaid = ["CASE LOWER(path)", ...cases, "END"].join("\n");
  return `EXISTS (SELECT 1 FROM UNNEST(updates.${clears}) AS path WHERE ${isSaid})`;
}

/**
 * A fault for which an update never reaches final (R12), with the conditions that it has it and that it does not.
 * @typedef {{ readonly isBad: string, readonly isGood: string, readonly reason: string, readonly isOfIngest?: boolean }} Fault
 */

/**
 * Those faults, the first that holds giving the reason.
 * @param {Entity} entity
 * @returns {readonly Fault[]}
 */
function faultsOf(entity) {
  /** @type {(sql: string, reason: string) => Fault} */
  const missing = (sql, reason) => ({
    isBad: `updates.${sql} IS NULL`,
    isGood: `updates.${sql} IS NOT NULL`,
    reason,
  });
  const { ingest, event, ahead, clears } = entity;
  const tooFar = `(${isAhead(entity, "updates")})`;
  return [
    { ...missing(ingest, "no ingest timestamp"), isOfIngest: true },
    {
      isBad: `updates.${ingest} < ${START}`,
      isGood: `updates.${ingest} >= ${START}`,
      reason: "ingest timestamp before 1900",
      isOfIngest: true,
    },
    ...(event === undefined ? [] : [missing(event, "no event timestamp")]),
    ...(ahead?.keepsOut
      ? [{ isBad: tooFar, isGood: `NOT ${tooFar}`, reason: `event timestamp more than ${ahead.limit} ahead` }]
      : []),
    ...entity.keys.map(({ sql }) => missing(sql, `no ${bare(sql)}`)),
    ...(clears === undefined
      ? []
      : [
          {
            isBad: clearsUnknown(entity),
            isGood: `NOT ${clearsUnknown(entity)}`,
            reason: "clears a field that the schema does not have",
          },
        ]),
  ];
}

/**
 * Whether an update never reaches final (R12).
 * @param {Entity} entity
 */
function isBad(entity) {
  return faultsOf(entity)
    .map((fault) => fault.isBad)
    .join(" OR ");
}

/** So many characters of a bad update are kept, that ten thousand fit into a row. */
const MOST_DETAILS = 2000;

/**
 * What the row of a bad update says of it, as text.
 * @param {Entity} entity
 */
function details({ keys, event, clears, ingest }) {
  const named = [...keys.map(({ sql }) => sql), event, clears, ingest].filter(
    (column) => column !== undefined,
  );
  const row = `TO_JSON_STRING(STRUCT(${named.map((column) => `updates.${column}`).join(", ")}))`;
  return `LEFT(${row}, ${MOST_DETAILS})`;
}

/**
 * What is reported although it reaches final: updates that count from another time than they say, are stamped far ahead, or clear a
 * value of their own.
 * @param {Entity} entity
 * @returns {readonly { readonly holds: string, readonly reason: string }[]}
 */
function oddities(entity) {
  const { ahead, clears, ingest } = entity;
  return [
    ...(ahead === undefined || ahead.keepsOut
      ? []
      : [
          {
            holds: isAhead(entity, "updates"),
            reason: `event timestamp more than ${ahead.limit} ahead, counts from its ingest timestamp`,
          },
        ]),
    { holds: `updates.${ingest} > ${FAR_AHEAD}`, reason: FAR_AHEAD_REASON },
    ...(clears === undefined
      ? []
      : [
          {
            holds: clearsItsOwn(entity, clears),
            reason: "a value and a clear of one field: the clear counts",
          },
        ]),
  ];
}

module.exports = {
  START,
  anyPartition,
  literal,
  leavesOf,
  versionColumn,
  countsFrom,
  flooredLeaves,
  hasFloors,
  floorOf,
  floorsOf,
  isAboveClear,
  clearingPaths,
  clearsAny,
  isCleared,
  keysMatch,
  updateKeys,
  HASH_LENGTH,
  keyHash,
  isSampled,
  isGreater,
  isSame,
  saysSomething,
  isEmpty,
  distinct,
  comparable,
  decodeVersion,
  encodeVersion,
  stored,
  gatherLatest,
  gatherFirst,
  gatherGreatest,
  gatherSmallest,
  gatherUnion,
  gatherSet,
  isNewer,
  takeLatest,
  takeFirst,
  takeGreatest,
  takeSmallest,
  takeUnion,
  isLost,
  isTrimmed,
  newest,
  unlessDeleted,
  takeUnlessDeleted,
  aboveFloor,
  orCleared,
  needsHistory,
  faultsOf,
  isBad,
  details,
  oddities,
};
