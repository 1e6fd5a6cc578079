import { BigQueryError, unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { failWhen } from "../raise.ts";
import { AFTER_UPDATE, APPENDED, keepRows, type Loss } from "../storage/history.ts";
import { findField } from "../storage/schema.ts";
import { IS_STREAMED, streamedMessage } from "../storage/streaming-buffer.ts";
import { quoteName, quoteText } from "../values.ts";
import { assignedValues, defaultValue, dmlValue, partlyAssigned, tableColumn } from "./assignments.ts";
import type { CompiledDml, DmlStep, TableRead } from "./compiled.ts";
import type { PhysicalTable } from "./context.ts";
import { deletedContents, partitionOfRow, sizesBefore, updatedContents } from "./dml-contents.ts";
import type { Operand } from "./functions/types.ts";
import { partEqualValues } from "./loose-updates.ts";
import { checkPartitionFilter, readPartitions } from "./partition-filters.ts";
import { columnExpression } from "./physical-columns.ts";
import { identifiedRows } from "./row-identity.ts";
import { storedSql } from "./stored.ts";
import { tableName } from "./table-scans.ts";
import { childOf, columnId, nodeOf, nodesOf, textOf, textsOf } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

/** The rows that a DML statement has worked out, before it writes them. */
export const DML_ROWS = "temp.bq_dml_rows";

/** BigQuery's message where a row of the target has several candidates. */
const SEVERAL_SOURCE_ROWS = "UPDATE/MERGE must match at most one source row for each target row";

/** The target of a DML statement. */
export interface Target {
  readonly table: PhysicalTable;
  readonly scan: TreeNode;
  /** Ids of columns that get values and are not looked at. */
  readonly writtenOnly: ReadonlySet<string>;
}

/** The target of a DML statement; its columns count as read. */
export function dmlTarget(node: TreeNode, unit: Unit): Target {
  const scan = childOf(node, "tableScan");
  const table = unit.context.physicalTable(tableName(scan));
  if (table.isReadOnly === true) {
    const { projectId, datasetId, tableId } = table.ref;
    const message = `${projectId}:${datasetId}.${tableId} is not allowed for this operation because it is currently a SNAPSHOT.`;
    throw new BigQueryError("invalidQuery", message, "query");
  }
  const access = textsOf(node, "columnAccessList");
  const written = nodesOf(scan, "columnList").filter((_, index) => access[index] === "WRITE");
  return {
    scan,
    table,
    writtenOnly: new Set(written.map(columnId)),
  };
}

/**
 * The target's rows with their DuckDB row ids as `rid`, and the columns that are needed of them. A statement that changes rows is billed
 * for all columns of the partitions it scans (https://cloud.google.com/bigquery/docs/estimate-costs#dml_statements_on_partitioned_tables).
 */
export function targetRows(
  { scan, table, writtenOnly }: Target,
  extra: readonly TreeNode[],
  unit: Unit,
  changesRows = true,
): string {
  const columns = new Map(
    [...nodesOf(scan, "columnList"), ...extra].map((column) => [columnId(column), column]),
  );
  const items = [...columns].map(([id, column]) =>
    unit.define(columnExpression(table, textOf(column, "name")), id),
  );
  unit.reads.add(
    table.ref,
    changesRows
      ? table.schema.map(({ name }) => name)
      : [...columns].flatMap(([id, column]) => (writtenOnly.has(id) ? [] : [textOf(column, "name")])),
    readPartitions(unit.neededRows(scan), scan, table, unit),
  );
  return `SELECT ${["t.rowid AS rid", partitionOfRow(table), ...items].join(", ")} FROM ${table.sql} AS t`;
}

/** A value in the form in which a column keeps it. */
export function columnValue(table: PhysicalTable, name: string, value: Operand, unit: Unit): string {
  const { type } = tableColumn(table, name);
  const field = findField(table.schema, name);
  return field === undefined ? partitionTime(table, value.sql) : storedSql(value, type, field, unit);
}

/**
 * A value for the one column that is not in the schema, `_PARTITIONTIME`: it must be the start of a partition
 * (https://cloud.google.com/bigquery/docs/using-dml-with-partitioned-tables#inserting_data_into_ingestion-time_partitioned_tables).
 */
function partitionTime({ partitioning }: PhysicalTable, sql: string): string {
  const kind = partitioning?.timePartitioning?.type ?? "DAY";
  const wrong = `(${sql}) IS DISTINCT FROM date_trunc('${kind}', ${sql}) OR (${sql}) IS NULL`;
  const value = { sql: `coalesce(CAST(${sql} AS VARCHAR), 'NULL')` };
  const message = ["Invalid value for _PARTITIONTIME: ", value, ` is not the start of a ${kind} partition`];
  return failWhen(wrong, { kind: "TIMESTAMP" }, message, sql);
}

/** Fails the statement where a row of the target is to be changed more than once. */
export const AT_MOST_ONE_SOURCE_ROW: DmlStep = {
  sql: `SELECT '${SEVERAL_SOURCE_ROWS}' FROM ${DML_ROWS} WHERE rid IS NOT NULL GROUP BY rid HAVING count(*) > 1 LIMIT 1`,
  gives: "fail",
};

/** Drops the rows that a statement has worked out. */
export const DROP_ROWS = `DROP TABLE IF EXISTS ${DML_ROWS}`;

type Parts = Pick<CompiledDml, "verb" | "steps" | "cleanup"> & { readonly table: PhysicalTable };

/** INSERT … VALUES and INSERT … SELECT. */
export function compileInsert(node: TreeNode, unit: Unit): Parts {
  refuseExtras(node);
  const { table } = dmlTarget(node, unit);
  const columns = nodesOf(node, "insertColumnList");
  const query = nodeOf(node, "query");
  const source =
    query === undefined ? insertedRows(node, columns, table, unit) : insertedQuery(node, query, unit);
  const given = new Map(columns.map((column, index) => [textOf(column, "name").toLowerCase(), `s${index}`]));
  const sql = insertSql(table, (name) => given.get(name.toLowerCase()), `(${source})`, unit);
  return { verb: "INSERT", table, steps: [{ sql, gives: "inserted" }], cleanup: [] };
}

/** INSERT of rows from `from`; a column that gets no value gets its default. */
export function insertSql(
  table: PhysicalTable,
  sourceOf: (name: string) => string | undefined,
  from: string,
  unit: Unit,
): string {
  const names = table.schema.map((field) => field.name);
  const extra = table.columns.filter(
    ({ name, sql }) => findField(table.schema, name)?.name !== name && sql === undefined && sourceOf(name),
  );
  const all = [...names, ...extra.map(({ name }) => name)];
  const values = all.map((name) =>
    columnValue(table, name, columnOf(sourceOf(name)) ?? defaultValue(table, name, unit), unit),
  );
  return `INSERT INTO ${table.sql} (${all.map(quoteName).join(", ")}) SELECT ${values.join(", ")} FROM ${from}`;
}

function columnOf(name: string | undefined): Operand | undefined {
  return name === undefined ? undefined : { sql: name, hasColumns: true };
}

function insertedQuery(node: TreeNode, query: TreeNode, unit: Unit): string {
  const outputs = nodesOf(node, "queryOutputColumnList").map(
    (column, index) => `${unit.column(columnId(column))} AS s${index}`,
  );
  return `SELECT ${outputs.join(", ")} FROM (${unit.scan(query)})`;
}

function insertedRows(
  node: TreeNode,
  columns: readonly TreeNode[],
  table: PhysicalTable,
  unit: Unit,
): string {
  const rows = nodesOf(node, "rowList").map((row) => {
    const values = nodesOf(row, "valueList").map((value, index) =>
      dmlValue(childOf(value, "value"), columns[index] ?? {}, table, unit),
    );
    return `(${values.map(({ sql }) => sql).join(", ")})`;
  });
  return `SELECT * FROM (VALUES ${rows.join(", ")}) AS v(${columns.map((_, index) => `s${index}`).join(", ")})`;
}

/** UPDATE, with or without FROM. */
export function compileUpdate(node: TreeNode, unit: Unit): Parts {
  refuseExtras(node);
  const target = dmlTarget(node, unit);
  const { table } = target;
  const items = nodesOf(node, "updateItemList");
  const rows = `(${targetRows(target, partlyAssigned(items), unit)})`;
  const source = nodeOf(node, "fromScan");
  const { from, unit: inner } =
    source === undefined
      ? { from: rows, unit: unit.withRowId("rid") }
      : identifiedRows(
          `${rows} CROSS JOIN ${unit.from(source)}`,
          [...items, childOf(node, "whereExpr")],
          unit,
        );
  const values = assignedValues(items, table, inner);
  const names = [...values.keys()];
  const selected = [...values].map(
    ([name, value], index) => `${columnValue(table, name, value, unit)} AS v${index}`,
  );
  const where = inner.expr(childOf(node, "whereExpr")).sql;
  const columns = ["rid", "pkey", ...selected, ...sizesBefore(target.scan, table, names, inner)];
  const steps: DmlStep[] = [
    workOut(`SELECT ${columns.join(", ")} FROM ${from} WHERE ${where}`),
    ...(source === undefined ? [] : [AT_MOST_ONE_SOURCE_ROW]),
    ...updateSteps(table, names, DML_ROWS),
  ];
  return { verb: "UPDATE", table, steps, cleanup: [DROP_ROWS] };
}

/** The step that works out the rows that a statement changes, and what to. */
export function workOut(query: string): DmlStep {
  return { sql: `CREATE OR REPLACE TEMP TABLE bq_dml_rows AS ${query}` };
}

/**
 * UPDATE of columns to `v0`, `v1`, … of the rows with the row id `rid`, which a temporary table holds together with what `updatedContents`
 * needs.
 */
export function updateSteps(table: PhysicalTable, names: readonly string[], rows: string): DmlStep[] {
  const values = names.map((name, index) => `${quoteName(name)} = m.v${index}`);
  const set = [...values, `${quoteName(APPENDED)} = ${AFTER_UPDATE}`].join(", ");
  const sql = `UPDATE ${table.sql} AS t SET ${set} FROM ${rows} AS m WHERE t.rowid = m.rid`;
  return [
    ...keepSteps(table, rows, "updated"),
    ...partEqualValues(table, names, rows),
    { sql, gives: "updated", contents: updatedContents(table, names, rows) },
  ];
}

/** DELETE of the rows with the row id `rid`, which a temporary table holds. */
export function deleteSteps(table: PhysicalTable, rows: string): DmlStep[] {
  const sql = `DELETE FROM ${table.sql} AS t WHERE ${ridsOf(rows)}`;
  const contents = deletedContents(table, `SELECT m.rid FROM ${rows} AS m`);
  return [...keepSteps(table, rows, "removed"), { sql, gives: "deleted", contents }];
}

function deleteAll(table: PhysicalTable): DmlStep[] {
  const sql = `DELETE FROM ${table.sql}`;
  const kept = keepRows(table.sql, "true", "removed").map((each) => ({ sql: each }));
  return [notStreamed(table), ...kept, { sql, gives: "deleted", contents: { removesAll: true } }];
}

function ridsOf(rows: string): string {
  return `t.rowid IN (SELECT m.rid FROM ${rows} AS m)`;
}

/** Each row id is there once: DuckDB joins by it in less time than it looks it up. */
function keepSteps(table: PhysicalTable, rows: string, loss: Loss): DmlStep[] {
  const joined = ` JOIN (SELECT m.rid FROM ${rows} AS m) AS k ON t.rowid = k.rid`;
  return [notStreamed(table, joined), ...keepRows(table.sql, "true", loss, joined).map((sql) => ({ sql }))];
}

/** Fails the statement where it would change rows that were streamed in lately; `joined` are those that it changes. */
function notStreamed(table: PhysicalTable, joined = ""): DmlStep {
  const { projectId, datasetId, tableId } = table.ref;
  const message = quoteText(streamedMessage(`${projectId}.${datasetId}.${tableId}`));
  const sql = `SELECT ${message} FROM ${table.sql} AS t${joined} WHERE ${IS_STREAMED} LIMIT 1`;
  return { sql, gives: "fail", ofStreamed: true };
}

/** DELETE. */
export function compileDelete(node: TreeNode, unit: Unit): Parts {
  refuseExtras(node);
  const target = dmlTarget(node, unit);
  const { table } = target;
  const where = unit.withRowId("rid").expr(childOf(node, "whereExpr"));
  if (where.literal === true) {
    checkPartitionFilter(unit.neededRows(target.scan), target.scan, table);
    return { verb: "DELETE", table, steps: deleteAll(table), cleanup: [] };
  }
  const rows = `SELECT rid FROM (${targetRows(target, [], unit)}) WHERE ${where.sql}`;
  return {
    verb: "DELETE",
    table,
    steps: [workOut(rows), ...deleteSteps(table, DML_ROWS)],
    cleanup: [DROP_ROWS],
  };
}

/** TRUNCATE TABLE. */
export function compileTruncate(node: TreeNode, unit: Unit): Parts {
  if (nodeOf(node, "whereExpr") !== undefined) throw unsupported("TRUNCATE TABLE with WHERE");
  const { table } = dmlTarget(node, unit);
  return { verb: "TRUNCATE_TABLE", table, steps: deleteAll(table), cleanup: [] };
}

function refuseExtras(node: TreeNode): void {
  const mode = textOf(node, "insertMode");
  if (mode !== "" && mode !== "OR_ERROR") throw unsupported(`INSERT ${mode.replace("_", " ")}`);
  if (nodeOf(node, "assertRowsModified") !== undefined) throw unsupported("ASSERT_ROWS_MODIFIED");
  if (nodeOf(node, "returning") !== undefined) throw unsupported("THEN RETURN");
}

/** The statement as a whole. */
export function finishDml({ table, ...parts }: Parts, reads: readonly TableRead[]): CompiledDml {
  return { kind: "dml", target: table.ref, reads, ...parts };
}
