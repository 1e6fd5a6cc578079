import { sqlxIdentifier, sqlxLiteral } from "../project/names.ts";
import type { SchemaField } from "../project/schema.ts";
import type { Column, EntityModel, LeafNode, PlainColumn, TreeNode } from "./model.ts";

/**
 * The worked example of the design, for any schema: three users, seven updates. A cell is the index of a value; attribute
 * number n of a schema takes the part of attribute number n modulo 3.
 */
const UPDATES = [
  { user: 0, time: 1, cells: [0, 0, 0] },
  { user: 1, time: 2, cells: [1, 1, 1] },
  { user: 2, time: 3, cells: [2, 2, 2] },
  { user: 0, time: 4, cells: [undefined, 3, undefined] },
  { user: 0, time: 5, cells: [undefined, undefined, 3] },
  { user: 1, time: 6, cells: [3, undefined, undefined] },
  { user: 0, time: 7, cells: [undefined, 4, undefined] },
] as const;

const USERS = ["userA", "userB", "userC"];

/** The example's words: by attribute, then by cell. */
const WORDS = [
  ["xyz", "poc", "zyx", "cor", "cor"],
  ["abc", "mvp", "pvm", "ghj", "dat"],
  ["qwerty", "ytrewq", "qywter", "lot", "lot"],
];

/** A named value as the templates print it; a record prints its children, or one NULL where it is NULL. */
interface ExampleValue {
  readonly sql: string;
  readonly literal?: string;
  readonly field?: SchemaField;
  readonly children?: readonly ExampleValue[];
  readonly isNull?: boolean;
}

/** The input and the expected output of the generated `type: "test"`. */
export interface Example {
  readonly updates: readonly { columns: readonly ExampleValue[] }[];
  readonly batch: readonly {
    columns: readonly ExampleValue[];
    versions: readonly ExampleValue[];
    rowCount: number;
    newestIngest: string;
  }[];
}

/** What an update says about a leaf: the cells that a merge keeps, and the time of the update that set them. */
interface Merged {
  readonly cells: readonly number[];
  readonly time?: number;
}

/** Builds the worked example for an entity. */
export function buildExample(model: EntityModel): Example {
  return {
    updates: UPDATES.map((update) => ({
      columns: model.columns.map((column) =>
        columnValue(column, model, update.user, update.time, (leaf, index) => {
          const cell = update.cells[index % 3];
          return leafLiteral(leaf, index, cell === undefined ? [] : [cell]);
        }),
      ),
    })),
    batch: USERS.map((_, user) => {
      const rows = UPDATES.filter((update) => update.user === user);
      const newest = Math.max(...rows.map((row) => row.time));
      const merged = model.leaves.map((leaf, index) => mergeCells(leaf, index, user));
      return {
        columns: model.columns.map((column) =>
          columnValue(column, model, user, newest, (leaf, index) =>
            leafLiteral(leaf, index, merged[index]?.cells ?? []),
          ),
        ),
        versions: model.tree.map((node) => versionValue(node, model, merged)),
        rowCount: rows.length,
        newestIngest: timeLiteral(newest),
      };
    }),
  };
}

function mergeCells(leaf: LeafNode, index: number, user: number): Merged {
  const said = UPDATES.flatMap((update) => {
    const cell = update.user === user ? update.cells[index % 3] : undefined;
    return cell === undefined ? [] : [{ cell, time: update.time, rank: rankOf(leaf, index, cell) }];
  });
  const [first, last] = [said[0], said.at(-1)];
  if (first === undefined || last === undefined) return { cells: [] };
  if (leaf.policy === "union") {
    const cells = new Map(said.sort((a, b) => compare(a.rank, b.rank)).map(({ rank, cell }) => [rank, cell]));
    return { cells: [...cells.values()], time: last.time };
  }
  if (leaf.policy === "latest" || leaf.policy === "first") {
    const winner = leaf.policy === "first" ? first : last;
    return { cells: [winner.cell], time: winner.time };
  }
  const sign = leaf.policy === "max" ? 1 : -1;
  const winner = said.reduce((best, one) => (sign * compare(one.rank, best.rank) >= 0 ? one : best));
  return { cells: [winner.cell], time: winner.time };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Equal for equal values, and in their order. */
function rankOf(leaf: LeafNode, index: number, cell: number): string {
  if (leaf.field.type === "STRING") return word(index, cell);
  // A union orders RECORDs by their JSON text, and so by the first words in them, as their literals do.
  if (leaf.field.type === "STRUCT") return scalarLiteral(leaf.field, cell, index);
  return leaf.field.type === "BOOL" ? String(cell % 2) : String(cell);
}

function word(index: number, cell: number): string {
  return WORDS[index % 3]?.[cell] ?? "";
}

function columnValue(
  column: Column,
  model: EntityModel,
  user: number,
  time: number,
  literalOf: (leaf: LeafNode, index: number) => string | undefined,
): ExampleValue {
  if (column.kind === "record" || column.kind === "leaf") {
    return nodeValue(column, (leaf) => literalOf(leaf, model.leaves.indexOf(leaf)));
  }
  return { sql: column.sql, literal: plainLiteral(column, user, time) };
}

function plainLiteral(column: PlainColumn, user: number, time: number): string {
  if (column.kind !== "key") return timeLiteral(time);
  return column.field.type === "STRING"
    ? sqlxLiteral(USERS[user] ?? "")
    : scalarLiteral(column.field, user, 0);
}

function nodeValue(node: TreeNode, literalOf: (leaf: LeafNode) => string | undefined): ExampleValue {
  if (node.kind === "leaf") return { sql: node.sql, literal: literalOf(node) ?? nullLiteral(node.field) };
  const isNull = node.leaves.every((leaf) => literalOf(leaf) === undefined);
  return {
    sql: node.sql,
    field: node.field,
    isNull,
    children: node.children.map((child) => nodeValue(child, literalOf)),
  };
}

function versionValue(node: TreeNode, model: EntityModel, merged: readonly Merged[]): ExampleValue {
  if (node.kind === "record") {
    return { sql: node.sql, children: node.children.map((child) => versionValue(child, model, merged)) };
  }
  const time = merged[model.leaves.indexOf(node)]?.time;
  return { sql: node.sql, literal: time === undefined ? "CAST(NULL AS TIMESTAMP)" : timeLiteral(time) };
}

function leafLiteral(leaf: LeafNode, index: number, cells: readonly number[]): string | undefined {
  if (cells.length === 0) return undefined;
  const values = cells.map((cell) => scalarLiteral(leaf.field, cell, index));
  return leaf.isRepeated ? `[${values.join(", ")}]` : values[0];
}

function timeLiteral(second: number): string {
  return `TIMESTAMP '2024-01-01 00:00:0${second}+00'`;
}

function nullLiteral(field: SchemaField): string {
  return `CAST(NULL AS ${typeText(field)})`;
}

function typeText(field: SchemaField): string {
  const fields = field.fields.map((inner) => `${sqlxIdentifier(inner.name)} ${typeText(inner)}`);
  const type = field.type === "STRUCT" ? `STRUCT<${fields.join(", ")}>` : field.type;
  return field.mode === "REPEATED" ? `ARRAY<${type}>` : type;
}

/** A value of the field's type, the mode aside; a greater cell gives a greater value. */
function scalarLiteral(field: SchemaField, cell: number, index: number): string {
  const digit = cell + 1;
  switch (field.type) {
    case "STRING":
      return sqlxLiteral(word(index, cell));
    case "BYTES":
      return `b'${"x".repeat(digit)}'`;
    case "BOOL":
      return cell % 2 === 0 ? "FALSE" : "TRUE";
    case "INT64":
      return `${digit}`;
    case "FLOAT64":
      return `${digit}.5`;
    case "NUMERIC":
    case "BIGNUMERIC":
      return `${field.type} '${digit}'`;
    case "DATE":
      return `DATE '2024-01-0${digit}'`;
    case "DATETIME":
      return `DATETIME '2024-01-0${digit} 00:00:00'`;
    case "TIME":
      return `TIME '00:00:0${digit}'`;
    case "TIMESTAMP":
      return timeLiteral(digit);
    case "INTERVAL":
      return `INTERVAL ${digit} DAY`;
    case "RANGE<DATE>":
    case "RANGE<DATETIME>":
    case "RANGE<TIMESTAMP>":
      return `${field.type} '[2024-01-0${digit}, UNBOUNDED)'`;
    case "JSON":
      return `JSON '${digit}'`;
    case "GEOGRAPHY":
      return `ST_GEOGPOINT(${digit}, ${digit})`;
    case "STRUCT": {
      const fields = field.fields.map((inner) => {
        const value = scalarLiteral(inner, cell, index);
        return `${inner.mode === "REPEATED" ? `[${value}]` : value} AS ${sqlxIdentifier(inner.name)}`;
      });
      return `STRUCT(${fields.join(", ")})`;
    }
  }
}
