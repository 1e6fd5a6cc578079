import type { SchemaField } from "../project/schema.ts";
import { describeEntity } from "./describe.ts";
import { BATCH, mergeSql, typeOf } from "./merge-sql.ts";
import type { EntityModel } from "./model.ts";
import type { Column, LeafNode, TreeNode } from "./nodes.ts";
import { BASE_COLUMN, OWN_COLUMN } from "./own-tables.ts";
import { POLICIES } from "./policies.ts";
import { fillLines, renderTable, type TableColumn } from "./sql-table.ts";
import { sqlType, versionsType } from "./sql-type.ts";
import { timeLiteral, VALUE_TYPES } from "./value-types.ts";

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

/** The example's updates, as many users as a key tells apart: a BOOL knows two. */
function updatesOf({ keys }: EntityModel): readonly (typeof UPDATES)[number][] {
  const users = keys.every(({ field }) => field.type === "BOOL") ? 2 : USERS.length;
  return UPDATES.filter(({ user }) => user < users);
}

/** The example's batch is read from the start of history on, and on this day. */
const [READ_FROM, READ_AT] = ["'1900-01-01 00:00:00+00'", 8];

/** The example's words: by attribute, then by cell. */
const WORDS = [
  ["xyz", "poc", "zyx", "cor", "cor"],
  ["abc", "mvp", "pvm", "ghj", "dat"],
  ["qwerty", "ytrewq", "qywter", "lot", "lot"],
];

/** In an entity of more attributes only the first columns say something, up to about so many attributes. */
const MAX_SPEAKING = 12;

/** What a user's updates leave of a leaf: the cells that a merge keeps, and the time of the update that set them. */
interface Merged {
  readonly cells: readonly number[];
  readonly time?: number;
}

/** The inputs and the expected output of the generated `type: "test"`, as queries. */
export interface Example {
  readonly updates: string;
  readonly watermark: string;
  readonly batch: string;
}

/** Builds the worked example for an entity. */
export function buildExample(model: EntityModel): Example {
  const silent = silentLeaves(model);
  const history = updatesOf(model);
  const said = (leaf: LeafNode, user: number): readonly Said[] => {
    const index = model.leaves.indexOf(leaf);
    return history.flatMap((update) => {
      const cell = update.user === user && !silent.has(leaf) ? update.cells[index % 3] : undefined;
      return cell === undefined ? [] : [{ cell, time: update.time, rank: rankOf(leaf, index, cell) }];
    });
  };
  const merge = (leaf: LeafNode, user: number): Merged => {
    const [first, ...rest] = said(leaf, user);
    if (first === undefined) return { cells: [] };
    const { values, time } = POLICIES[leaf.policy].example<Said>([first, ...rest]);
    return { cells: values.map(({ cell }) => cell), time };
  };
  const cellsAt = (leaf: LeafNode, user: number, time: number): readonly number[] =>
    said(leaf, user).flatMap((one) => (one.time === time ? [one.cell] : []));

  const instructions = model.instructions.map(
    (column): TableColumn => ({
      name: column.sql,
      type: sqlType(column.field),
      values: history.map(() => (column.kind === "deleted" ? "FALSE" : "NULL")),
    }),
  );
  const times = {
    _read_from: READ_FROM,
    _read_at: timeText(READ_AT),
    ...(model.readsCommits ? { _batch_committed_from: READ_FROM } : {}),
  };
  const updates = [
    ...model.columns.map((column) =>
      tableColumn(
        column,
        model,
        silent,
        history.map(({ user, time }) => ({ user, time, cells: (leaf) => cellsAt(leaf, user, time) })),
      ),
    ),
    ...instructions,
    ...Object.entries(times).map(([name, value]) => ({
      name,
      type: "TIMESTAMP",
      values: history.map(() => value),
    })),
  ];
  const watermark = {
    watermark: READ_FROM,
    ...(model.readsCommits ? { read_at: READ_FROM } : {}),
    ...times,
  };
  const users = [...new Set(history.map(({ user }) => user))].sort().map((user) => {
    const rows = history.filter((update) => update.user === user);
    const time = Math.max(...rows.map((row) => row.time));
    return { user, time, cells: (leaf: LeafNode) => merge(leaf, user).cells };
  });
  /** The version that stands beside the base: NULL where it is the base, or where there is none. */
  const ownVersion = (node: TreeNode, user: number): string => {
    if (node.kind === "record") return tuple(node.children.map((child) => ownVersion(child, user)));
    const { time } = merge(node, user);
    return timeText(time === firstTime(user) ? undefined : time);
  };
  const batch = [
    ...model.columns.map((column) => tableColumn(column, model, silent, users)),
    { name: BASE_COLUMN.name, type: "TIMESTAMP", values: users.map(({ user }) => timeText(firstTime(user))) },
    {
      name: OWN_COLUMN.name,
      type: versionsType(model.tree),
      values: users.map(({ user }) => tuple(model.tree.map((node) => ownVersion(node, user)))),
    },
    ...(model.deletes === undefined
      ? []
      : [
          { name: "_deleted_at", type: "TIMESTAMP", values: users.map(() => "NULL") },
          { name: "_alive_at", type: "TIMESTAMP", values: users.map(({ time }) => timeText(time)) },
        ]),
    ...(model.hasFloors ? [{ name: "_batch_is_again", type: "BOOL", values: users.map(() => "NULL") }] : []),
    ...floorColumns(model).map((name) => ({ name, type: "TIMESTAMP", values: users.map(() => "NULL") })),
  ];
  return {
    updates: renderTable(updates.map(onOneLine)),
    watermark: `SELECT ${Object.entries(watermark)
      .map(([name, value]) => `TIMESTAMP ${value} AS ${name}`)
      .join(", ")}`,
    batch: `${renderTable(batch.map(onOneLine))}\nFULL OUTER UNION ALL BY NAME\n${exampleHeader(model)}`,
  };
}

/** The columns in which the batch keeps clears of attributes with a policy: nothing is cleared here. */
function floorColumns(model: EntityModel): readonly string[] {
  return mergeSql.floorsOf(describeEntity(model)).map(({ column }) => column);
}

/** What the example's batch says of itself. */
function exampleHeader(model: EntityModel): string {
  const history = updatesOf(model);
  const values: Readonly<Record<string, string>> = {
    read_from: `TIMESTAMP ${READ_FROM}`,
    read_at: `TIMESTAMP ${timeText(READ_AT)}`,
    newest_ingest: `TIMESTAMP ${timeText(Math.max(...history.map(({ time }) => time)))}`,
    ...(model.readsCommits
      ? { committed_from: `TIMESTAMP ${READ_FROM}`, committed_until: `TIMESTAMP ${timeText(READ_AT)}` }
      : {}),
    row_count: `${history.length}`,
    future_rows: "0",
    bad_rows: "0",
  };
  const fields = BATCH.map((column) => {
    const value = values[column.name] ?? `CAST(NULL AS ${oneLine(typeOf(column))})`;
    return `${value} AS ${column.name}`;
  });
  return `SELECT STRUCT(\n  ${fillLines(fields)}\n) AS _batch`;
}

/** The column with its type on one line, as a row of the table is. */
function onOneLine(column: TableColumn): TableColumn {
  return {
    ...column,
    type: oneLine(column.type),
  };
}

function oneLine(type: string): string {
  return type
    .replaceAll(/<\n\s*/g, "<")
    .replaceAll(/\n\s*>/g, ">")
    .replaceAll(/\n\s*/g, " ");
}

/** What an update says of a leaf. */
interface Said {
  readonly cell: number;
  readonly time: number;
  readonly rank: string;
}

/** One row of the example, as far as a column's value depends on it. */
interface ExampleRow {
  readonly user: number;
  readonly time: number;
  readonly cells: (leaf: LeafNode) => readonly number[];
}

function silentLeaves(model: EntityModel): ReadonlySet<LeafNode> {
  const silent = new Set<LeafNode>();
  let speaking = 0;
  for (const node of model.tree) {
    const leaves = node.kind === "leaf" ? [node] : node.leaves;
    if (speaking >= MAX_SPEAKING) for (const leaf of leaves) silent.add(leaf);
    speaking += leaves.length;
  }
  return silent;
}

function tableColumn(
  column: Column,
  model: EntityModel,
  silent: ReadonlySet<LeafNode>,
  rows: readonly ExampleRow[],
): TableColumn {
  const [name, type] = [column.sql, sqlType(column.field)];
  if (column.kind === "leaf" || column.kind === "record") {
    const leaves = column.kind === "leaf" ? [column] : column.leaves;
    if (leaves.every((leaf) => silent.has(leaf))) return { name, type };
    return { name, type, values: rows.map((row) => nodeValue(column, model, row)) };
  }
  const values = rows.map(({ user, time }) => {
    if (column.kind !== "key") return timeText(time);
    return scalarLiteral(column.field, user, USERS[user] ?? "");
  });
  return { name, type, values };
}

function rankOf(leaf: LeafNode, index: number, cell: number): string {
  if (leaf.field.type === "STRING") return word(index, cell);
  // A union orders RECORDs by their JSON text, and so by the first words in them, as their literals do.
  if (leaf.field.type === "STRUCT") return scalarLiteral(leaf.field, cell, word(index, cell));
  return leaf.field.type === "BOOL" ? String(cell % 2) : String(cell);
}

function word(index: number, cell: number): string {
  return WORDS[index % 3]?.[cell] ?? "";
}

function nodeValue(node: TreeNode, model: EntityModel, row: ExampleRow): string {
  if (node.kind === "record") {
    if (node.leaves.every((leaf) => row.cells(leaf).length === 0)) return "NULL";
    return tuple(node.children.map((child) => nodeValue(child, model, row)));
  }
  const index = model.leaves.indexOf(node);
  const values = row.cells(node).map((cell) => scalarLiteral(node.field, cell, word(index, cell)));
  if (node.field.mode === "REPEATED") return values.length === 0 ? "NULL" : array(node.field, values);
  return values[0] ?? "NULL";
}

/** A REPEATED field's value: GoogleSQL makes no TIMESTAMP of a text in an array, so where there is one the type is said. */
function array(field: SchemaField, values: readonly string[]): string {
  const list = `[${values.join(", ")}]`;
  const isOwn = field.type !== "TIMESTAMP" && field.type !== "STRUCT";
  return isOwn ? list : `${oneLine(sqlType(field))}${list}`;
}

/** A STRUCT's value; parentheses alone make none of one field. */
function tuple(values: readonly string[]): string {
  return values.length === 1 ? `STRUCT(${values[0]})` : `(${values.join(", ")})`;
}

function firstTime(user: number): number {
  return Math.min(...UPDATES.filter((update) => update.user === user).map(({ time }) => time));
}

function timeText(day: number | undefined): string {
  return day === undefined ? "NULL" : timeLiteral(day);
}

/** A value of the field's type, the mode aside; a greater cell gives a greater value. */
function scalarLiteral(field: SchemaField, cell: number, text: string): string {
  const example = VALUE_TYPES[field.type].example;
  if (example !== undefined) return example(cell, text);
  return tuple(
    field.fields.map((inner) => {
      const value = scalarLiteral(inner, cell, text);
      return inner.mode === "REPEATED" ? array(inner, [value]) : value;
    }),
  );
}
