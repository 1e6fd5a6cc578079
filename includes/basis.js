// A copy by `npm run generate` from user-info-updater 0.3.0: edit nothing here.
// @ts-check
/**
 * What decides the meaning of final, kept in the watermark's row, and what is due where the project means something else (R14).
 * R-numbers are rules of docs/rules.md.
 */
const merge = require("./merge.js");
const { bare, indent } = require("./sql/text.js");

/** @typedef {import("./merge.js").Entity} Entity */

/**
 * What is kept: of fields of the schema how they merge, of an option of entities.json what it is.
 * @type {readonly { readonly name: "paths" | "says", readonly type: "STRING", readonly description: string }[]}
 */
const FACT = [
  { name: "paths", type: "STRING", description: "Fields of the schema, or an option as `$.key`." },
  { name: "says", type: "STRING", description: "How these fields merge, or what the option is." },
];

/** @typedef {Readonly<Record<"paths" | "says", string>>} Fact */

/** How many characters of paths stand on a line. */
const WIDTH = 90;
const NONE = "none";
/** What is said of a RECORD whose leaves merge one by one, of one that moves as one value, and of what is in that. */
const [RECORD, ATOMIC, PART] = ["field by field", "atomic", "part"];
/** What `init` says of a field that older updates speak of already, and of a column by which they delete: no run has read it so. */
const UNREAD = "not read yet";

/**
 * What decides what final means.
 * @param {Entity} entity
 * @param {string} updates The name of the updates' table.
 * @returns {readonly Fact[]}
 */
function factsOf({ keys, ingest, event, ahead, deletes, fields }, updates) {
  const far = ahead?.keepsOut ? "kept out" : "from its ingest timestamp";
  const late = ahead === undefined ? "" : `; more than ${ahead.limit} ahead: ${far}`;
  /** @type {Map<string, string[]>} */
  const merged = new Map();
  const add = (/** @type {string} */ says, /** @type {string} */ path) => {
    const paths = merged.get(says) ?? [];
    paths.push(path);
    merged.set(says, paths);
  };
  /** @type {(list: readonly import("./merge.js").Field[], parent: string) => void} */
  const visit = (list, parent) => {
    for (const { name, role, merge: policy = "latest", fields: inner, parts = [] } of list) {
      if (role !== undefined) continue;
      const path = `${parent}${name}`;
      add(inner !== undefined ? RECORD : parts.length > 0 ? ATOMIC : policy, path);
      for (const part of parts) add(PART, `${path}.${bare(part).replace(/\[\]$/, "")}`);
      visit(inner ?? [], `${path}.`);
    }
  };
  visit(fields, "");
  return [
    { paths: "$.key", says: keys.map(({ sql }) => bare(sql)).join(", ") },
    { paths: "$.ingestTimestamp", says: bare(ingest) },
    { paths: "$.eventTimestamp", says: event === undefined ? NONE : `${bare(event)}${late}` },
    { paths: "$.deleted", says: deletes === undefined ? NONE : bare(deletes) },
    { paths: "$.updates", says: updates },
    ...[...merged].flatMap(([says, paths]) => linesOf(paths).map((line) => ({ paths: line, says }))),
  ];
}

/**
 * Facts as an ARRAY in SQL.
 * @param {readonly Fact[]} facts
 */
function list(facts) {
  const rows = facts.map(({ paths, says }) => `  (${merge.literal(paths)}, ${merge.literal(says)})`);
  return `${TYPE}[\n${rows.join(",\n")}\n]`;
}

const TYPE = `ARRAY<STRUCT<${FACT.map(({ name, type }) => `${name} ${type}`).join(", ")}>>`;
const CHANGE_TYPE = "STRUCT<init STRING, tables STRING, rebuild STRING, old_key STRING>";

/**
 * What is due between two lists of facts, as a query of one STRUCT (CHANGE_TYPE): the changes that ask for `init`, for other
 * tables and for a rebuild, and the key as it was where it is another one. All NULL where nothing was kept.
 * @param {string} was What was kept, as a FROM clause has it.
 * @param {string} now What holds now, likewise.
 */
function changeQuery(was, now) {
  const flat = (/** @type {string} */ facts) =>
    `SELECT path, says FROM ${facts}, UNNEST(SPLIT(paths, ', ')) AS path`;
  const changes = (/** @type {string} */ due) =>
    `STRING_AGG(IF(due = '${due}', what, NULL), ', ' ORDER BY what)`;
  return `SELECT AS STRUCT
    IF(MAX(was_key) IS NULL, NULL, ${changes("init")}) AS init,
    ${changes("tables")} AS tables,
    ${changes("rebuild")} AS rebuild,
    MAX(IF(due = 'rebuild', was_key, NULL)) AS old_key
  FROM (
    SELECT
      CASE
        WHEN was.says IS NULL THEN IF(STARTS_WITH(now.path, '$.'), NULL, 'init')
        WHEN LOWER(was.says) = LOWER(now.says) OR '${PART}' IN (was.says, now.says) THEN NULL
        WHEN now.path IN ('$.deleted', '$.updates') AND was.says != '${UNREAD}' THEN 'init'
        WHEN '${RECORD}' IN (was.says, now.says) THEN 'tables'
        ELSE 'rebuild'
      END AS due,
      CONCAT(REPLACE(now.path, '$.', ''), ' ', IF(was.says IS NULL, 'is new', CONCAT(was.says, ' -> ', now.says))) AS what,
      IF(now.path = '$.key', was.says, NULL) AS was_key
    FROM (${flat(now)}) AS now
    LEFT JOIN (${flat(was)}) AS was
      ON LOWER(was.path) = LOWER(now.path)
  )`;
}

/**
 * The watermark from which a run goes on: that of another clock says nothing (R5).
 * @param {Entity} entity
 */
function watermarkOf({ ingest }) {
  return `IF(
    LOWER((SELECT says FROM UNNEST(progress.basis) WHERE paths = '$.ingestTimestamp')) != ${merge.literal(bare(ingest).toLowerCase())},
    ${merge.START},
    progress.watermark
  )`;
}

/**
 * The checks, each a statement with its message, over `_batch_change`: a run goes on only where it means what final was made by,
 * or where it makes all of final anew.
 * @param {string} entity The entity's name.
 * @param {{ isRebuild: boolean, isPartial: string, hasRows: string }} run Whether it makes final anew; as SQL, whether it reads
 *   less than all history, and whether final holds anybody.
 */
function refuseChange(entity, { isRebuild, isPartial, hasRows }) {
  const refuse = (
    /** @type {"init" | "tables" | "rebuild"} */ due,
    /** @type {string} */ when,
    /** @type {string} */ text,
  ) =>
    `SELECT IF(
  _batch_change.${due} IS NOT NULL${when},
  ERROR(CONCAT('${entity}: ', _batch_change.${due}, ${merge.literal(`: ${text}`)})),
  NULL
);`;
  const checks = [
    refuse("init", "", "due is npm run init, whose --plan says what else to do first"),
    refuse(
      "tables",
      ` AND ${hasRows}`,
      "due are another name for final in entities.json, and npm run init: BigQuery cannot change this of a table",
    ),
    ...(isRebuild
      ? []
      : [
          refuse(
            "rebuild",
            ` AND (${isPartial} OR ${hasRows})`,
            "final would mix both meanings; due are the statements that npm run review lists, and a rebuild: --vars=rebuild=true",
          ),
        ]),
  ];
  return checks.join("\n");
}

/**
 * What a run checks before it makes the batch: a declaration, the last of the script, and statements.
 * @param {Entity} entity
 * @param {{ name: string, updates: string, tables: { watermark: string, updates: string, final: string }, isRebuild: boolean }} run
 *   The entity's name and its updates', the tables as SQL names them, and whether the run makes final anew.
 */
function fence(entity, { name, updates, tables, isRebuild }) {
  const was = `${tables.watermark} AS progress, UNNEST(progress.basis)`;
  const change = changeQuery(was, `UNNEST(${indent(list(factsOf(entity, updates)), 2)})`);
  const isPartial = `_read_from > ${merge.START}`;
  const checks = refuseChange(name, {
    isRebuild,
    isPartial,
    hasRows: `EXISTS (SELECT 1 FROM ${tables.final})`,
  });
  return `DECLARE _batch_change ${CHANGE_TYPE} DEFAULT ( -- R14
  ${change}
);
${checks}${isRebuild ? `\n${refuseLeftBehind(entity, name, tables.updates)}` : ""}\n`;
}

/**
 * The variables of the same check in the transaction: what decides the meaning of final, and what has changed of it.
 * @param {readonly Fact[]} facts
 */
function declare(facts) {
  return `DECLARE _batch_basis ${TYPE} DEFAULT ${list(facts)};\nDECLARE _batch_change ${CHANGE_TYPE};`;
}

/**
 * The check itself, over what the transaction read of the watermark's row.
 * @param {string} entity The entity's name.
 * @param {boolean} isRebuild Whether the run makes final anew.
 */
function check(entity, isRebuild) {
  const isPartial = `IFNULL(_batch_facts.read_from > ${merge.START}, FALSE)`;
  return `-- R14: what final means may not change under what it holds
SET _batch_change = (
  ${changeQuery("UNNEST(_batch_facts.basis)", "UNNEST(_batch_basis)")}
);
${refuseChange(entity, { isRebuild, isPartial, hasRows: "_batch_facts.final_has_rows" })}\n`;
}

/**
 * The check of a rebuild by another key: updates that have the old key and lack the new one would be bad rows, and their users lost.
 * @param {Entity} entity
 * @param {string} name The entity's name.
 * @param {string} updates The table.
 */
function refuseLeftBehind({ keys, ingest }, name, updates) {
  const lacksKey = keys.map(({ sql }) => `updates.${sql} IS NULL`).join(" OR ");
  const due = `due is the statement that npm run review lists, or one of your own, then the rebuild`;
  const names = keys.map(({ sql }) => bare(sql)).join(", ");
  return `IF _batch_change.old_key IS NOT NULL THEN
  SELECT IF(
    EXISTS (
      SELECT 1 FROM ${updates} AS updates
      WHERE
        updates.${ingest} >= ${merge.START}
        AND (${lacksKey})
        AND NOT EXISTS (
          SELECT 1 FROM UNNEST(SPLIT(_batch_change.old_key, ', ')) AS part
          WHERE IFNULL(JSON_TYPE(TO_JSON(updates, stringify_wide_numbers => TRUE)[part]), 'null') = 'null'
        )
    ),
    ERROR(CONCAT('${name}: updates have the old key (', _batch_change.old_key, ${merge.literal(
      `) and lack the new one (${names}): ${due}`,
    )})),
    NULL
  );
END IF;`;
}

/**
 * Paths with commas, as many a line as fit.
 * @param {readonly string[]} paths
 */
function linesOf(paths) {
  /** @type {string[]} */
  const lines = [];
  for (const path of paths) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 2 + path.length <= WIDTH)
      lines[lines.length - 1] = `${last}, ${path}`;
    else lines.push(path);
  }
  return lines;
}

module.exports = { FACT, UNREAD, TYPE, factsOf, list, changeQuery, watermarkOf, fence, declare, check };
