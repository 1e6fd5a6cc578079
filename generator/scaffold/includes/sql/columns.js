// @ts-check
/** An entity's columns, RECORDs and versions as lists of SQL, aligned for the place where they stand. */
const merge = require("../merge.js");
const { indent, indentAll, wrap } = require("./text.js");

/** @typedef {import("../merge.js").Entity} Entity */
/** @typedef {import("../merge.js").Field} Field */
/** @typedef {import("../merge.js").Leaf} Leaf */

/** What final stores of versions (R2). */
const STORED = ["_base_version", "_own_versions"];

/**
 * The lists of columns, by what they are of.
 * @param {Entity} entity
 */
function of(entity) {
  const leaves = merge.leavesOf(entity);
  const columns = entity.fields.map(sqlOf);
  /** @type {(leaf: Leaf) => string} */
  const encode = (leaf) => merge.encodeVersion(entity, leaf);
  return {
    /** The columns that do not merge. */
    plainColumns: () => plainColumns(entity).join(", "),
    /** The batch's columns, from its gathered leaves. */
    batchColumns: () =>
      indent(entity.fields.map((field) => columnValue(field, leavesBelow(leaves), "")).join(",\n"), 2),
    /** What the batch stores of its versions. */
    batchVersions: () => indent(versionsOf(entity.fields, leavesBelow(leaves), encode, ""), 2),
    /** The plain form of a stored row's versions. */
    plainVersions: () => indent(versionsOf(entity.fields, leavesBelow(leaves), merge.decodeVersion, ""), 2),
    /** A stored row as the decisions take it; of final the row itself too. */
    /** @type {(row: "batch" | "final") => string} */
    storedRow: (row) => storedRow(entity, row),
    /** The schema's columns, from merged leaves. */
    mergedColumns: () =>
      indent(entity.fields.map((field) => columnValue(field, leavesBelow(leaves), "")).join(",\n"), 2),
    /** Their versions, in plain form. */
    mergedVersions: () =>
      indent(
        versionsOf(entity.fields, leavesBelow(leaves), ({ alias }) => `${alias}.version`, ""),
        2,
      ),
    /** Final's columns, from its merged leaves. */
    finalColumns: () =>
      indent(entity.fields.map((field) => columnValue(field, leavesBelow(leaves), "_final.")).join(",\n"), 4),
    /** What final stores of its versions. */
    finalVersions: () =>
      indent(versionsOf(entity.fields, leavesBelow(leaves), encode, "_final._own_versions"), 4),
    /** What an UPDATE sets. @type {(row: string) => string} */
    assignments: (row) => {
      const keyNames = entity.keys.map(({ sql }) => sql);
      const set = columns.filter((column) => !keyNames.includes(column));
      return indent([...set, "_own_versions"].map((column) => `${column} = ${row}.${column}`).join(",\n"), 2);
    },
    /** All columns of final, for INSERT. */
    insertColumns: () => indent(wrap([...columns, ...STORED]), 2),
    /** Their values. @type {(row: string) => string} */
    insertValues: (row) => indent(wrap([...columns, ...STORED].map((column) => `${row}.${column}`)), 2),
    /** All columns of the schema. */
    columns: () => indent(columns.join(",\n"), 2),
  };
}

/**
 * The columns that do not merge.
 * @param {Entity} entity
 */
function plainColumns({ fields }) {
  return fields.filter(({ role }) => role !== undefined).map(sqlOf);
}

/**
 * A stored row as the decisions take it; of final the row itself too.
 * @param {Entity} entity
 * @param {"batch" | "final"} row
 */
function storedRow(entity, row) {
  const more =
    row === "final"
      ? ["_batch_stored"]
      : [
          ...(entity.deletes === undefined ? [] : ["_deleted_at", "_alive_at"]),
          ...(merge.hasFloors(entity) ? ["_batch_is_again"] : []),
          ...merge.floorsOf(entity).map(({ column }) => column),
        ];
  const leaves = [...merge.leavesOf(entity).values()].map((leaf) => merge.stored(leaf, row));
  return indent([[...plainColumns(entity), "_base_version", ...more].join(", "), ...leaves].join(",\n"), 6);
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

module.exports = { of, storedRow };
