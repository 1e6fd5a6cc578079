import { BigQueryError, unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { type MessagePart, raise } from "../raise.ts";
import { APPENDED, REMOVED } from "../storage/history.ts";
import type { SqlType } from "../types.ts";
import { literalSql, quoteName } from "../values.ts";
import type { PhysicalTable } from "./context.ts";
import { columnExpression } from "./physical-columns.ts";
import { childOf, columnId, nodeOf, nodesOf, textOf } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

const TIMESTAMP: SqlType = { kind: "TIMESTAMP" };

type Past = NonNullable<PhysicalTable["past"]>;

/** What is asked about the past of a table: the function or clause, by which it is refused. */
interface Question {
  readonly what: string;
  readonly table: PhysicalTable;
  readonly past: Past;
  readonly unit: Unit;
}

function ask(what: string, scan: TreeNode | undefined, unit: Unit): Question {
  if (scan?.kind !== "TableScan") throw unsupported(`${what} of a query`);
  const table = unit.context.physicalTable(textOf(childOf(scan, "table"), "name"));
  const { past } = table;
  if (past === undefined) {
    const { projectId, datasetId, tableId } = table.ref;
    const message = `${what} is supported for standard tables alone, which ${projectId}:${datasetId}.${tableId} is not`;
    throw new BigQueryError("invalidQuery", message, "query");
  }
  if (unit.context.inTransaction)
    throw new BigQueryError(
      "invalidQuery",
      `${what} is not supported within a multi-statement transaction`,
      "query",
    );
  return { what, table, past, unit };
}

function milliseconds(time: number): string {
  return literalSql(TIMESTAMP, BigInt(time) * 1000n);
}

/** A point in time, or the error for one that is too early, or yet to come. */
function checked(
  { what, table: { ref }, past, unit }: Question,
  time: string,
  limits: readonly (readonly [before: number, what: string])[],
): string {
  const now = Number(unit.now / 1000n);
  const earliest = now - past.windowMs;
  const name = `${ref.projectId}:${ref.datasetId}.${ref.tableId}`;
  const shown = { sql: `CAST(epoch_ms(${time}) AS VARCHAR)` };
  const tooEarly: readonly MessagePart[] = [
    "Invalid time travel timestamp ",
    shown,
    ` for table ${name}@`,
    shown,
    `. Cannot read before ${earliest}.`,
  ];
  const refused = limits
    .filter(([before]) => before > earliest)
    .map(
      ([before, why]) =>
        ` WHEN ${time} < ${milliseconds(before)} THEN ${raise(TIMESTAMP, unsupported(`${what} ${why}`).message)}`,
    );
  return (
    `(CASE WHEN ${time} < ${milliseconds(earliest)} THEN ${raise(TIMESTAMP, ...tooEarly)} ` +
    `WHEN ${time} > ${literalSql(TIMESTAMP, unit.now)} THEN ${raise(TIMESTAMP, `The timestamp of ${what} cannot be in the future`)}` +
    `${refused.join("")} ELSE ${time} END)`
  );
}

/** The numbers of changes that this condition over `time` holds for, with their times; looked for whether there are rows or not. */
function changes(name: string, condition: string): string {
  return `WITH ${name} AS MATERIALIZED (SELECT change, time FROM meta.commits WHERE ${condition})`;
}

/**
 * APPENDS: the rows that were appended in a range of time, whatever became of them later
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/time-series-functions#appends).
 */
export function compileAppendsScan(node: TreeNode, unit: Unit): string {
  const [relation, start, end] = nodesOf(node, "argumentList");
  const scan = nodeOf(relation ?? {}, "scan");
  if (nodeOf(scan ?? {}, "forSystemTimeExpr") !== undefined)
    throw unsupported("APPENDS of a table FOR SYSTEM_TIME AS OF");
  const question = ask("APPENDS", scan, unit);
  const { table, past } = question;
  const time = (argument: TreeNode | undefined): string | undefined => {
    const expr = nodeOf(argument ?? {}, "expr");
    const found = expr === undefined ? undefined : unit.expr(expr);
    return found === undefined || found.literal === null ? undefined : found.sql;
  };
  const from = `coalesce(${time(start) ?? "NULL"}, ${milliseconds(past.created)})`;
  const until = time(end);
  const low = unit.once(from, (at) =>
    checked(question, at, [
      [past.overwritten, "of a time when all rows of the table had yet to be replaced"],
    ]),
  );
  const high =
    until === undefined
      ? "'infinity'::TIMESTAMPTZ"
      : unit.once(until, (at) => `coalesce(${checked(question, at, [])}, 'infinity'::TIMESTAMPTZ)`);
  const range = unit.fresh("v");
  // Both are looked at, so that a wrong one is an error whatever the other is.
  const inRange = `list_transform([struct_pack(f0 := ${low}, f1 := ${high})], lambda ${range}: time >= ${range}.f0 AND time < ${range}.f1)[1]`;
  const columns = nodesOf(node, "columnList");
  const read = columns.map((column) => textOf(column, "name")).filter((name) => !(name in CHANGE_COLUMNS));
  const appended = `t.${quoteName(APPENDED)}`;
  const filter = `${appended} IN (SELECT change FROM meta.commits WHERE ${inRange})`;
  unit.reads.add(table.ref, read, filter, true);
  const items = columns.map((column) => {
    const name = textOf(column, "name");
    return unit.define(CHANGE_COLUMNS[name] ?? columnExpression(table, name), columnId(column));
  });
  const list = items.length === 0 ? `1 AS "none"` : items.join(", ");
  const rows = [table.sql, ...(past.past === undefined ? [] : [past.past])].map(
    (source) => `SELECT ${list} FROM ${source} AS t JOIN appends AS c ON c.change = ${appended}`,
  );
  return `${changes("appends", inRange)} ${rows.join(" UNION ALL ")}`;
}

const CHANGE_COLUMNS: Readonly<Record<string, string>> = {
  _CHANGE_TYPE: "'INSERT'",
  _CHANGE_TIMESTAMP: "c.time",
};

/**
 * FOR SYSTEM_TIME AS OF: the rows of a table at a point in time. Of an updated row there is no copy from between its append and now, so
 * the table is shown as it was since its last UPDATE
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#for_system_time_as_of).
 */
export function compilePastScan(
  scan: TreeNode,
  columns: (table: PhysicalTable) => string,
  unit: Unit,
): string {
  const question = ask("FOR SYSTEM_TIME AS OF", scan, unit);
  const { table, past } = question;
  const expr = unit.expr(childOf(scan, "forSystemTimeExpr"));
  const isNull = raise(TIMESTAMP, "The timestamp of FOR SYSTEM_TIME AS OF cannot be NULL");
  const time = unit.once(`coalesce(${expr.sql}, ${isNull})`, (at) =>
    checked(question, at, [
      [past.created, "a time before the table was made"],
      [past.overwritten, "a time before all rows of the table were replaced"],
      [past.reshaped, "a time before the table's schema was changed"],
      [past.updated, "a time before rows of the table were updated"],
    ]),
  );
  const names = nodesOf(scan, "columnList").map((column) => textOf(column, "name"));
  unit.reads.add(table.ref, names, undefined, true);
  const isLater = (column: string): string => `t.${quoteName(column)} IN (SELECT change FROM later)`;
  const wasThere = `(t.${quoteName(APPENDED)} IS NULL OR NOT ${isLater(APPENDED)})`;
  const rows = [`SELECT ${columns(table)} FROM ${table.sql} AS t WHERE ${wasThere}`];
  if (past.past !== undefined)
    rows.push(`SELECT ${columns(table)} FROM ${past.past} AS t WHERE ${isLater(REMOVED)} AND ${wasThere}`);
  return `${changes("later", `time > ${time}`)} ${rows.join(" UNION ALL ")}`;
}
