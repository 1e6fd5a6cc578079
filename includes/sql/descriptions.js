// A copy by `npm run generate` from user-info-updater 0.3.0: edit nothing here.
// @ts-check
/** What columns say of themselves, as a Dataform config has it. */
const progress = require("../progress.js");

/** @typedef {import("../merge.js").Entity} Entity */
/** @typedef {import("../merge.js").Field} Field */

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

module.exports = { describe, finalColumns, batchColumns, versionColumns };
