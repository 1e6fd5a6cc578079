import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { assignedValues, dmlValue, partlyAssigned } from "./assignments.ts";
import type { CompiledDml, DmlStep } from "./compiled.ts";
import type { PhysicalTable } from "./context.ts";
import {
  AT_MOST_ONE_SOURCE_ROW,
  columnValue,
  DML_ROWS,
  DROP_ROWS,
  deleteSteps,
  dmlTarget,
  insertSql,
  targetRows,
  updateSteps,
  workOut,
} from "./dml.ts";
import { sizesBefore } from "./dml-contents.ts";
import type { Operand } from "./functions/types.ts";
import { identifiedRows } from "./row-identity.ts";
import { childOf, nodeOf, nodesOf, textOf } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

interface When {
  readonly match: "MATCHED" | "NOT_MATCHED_BY_SOURCE" | "NOT_MATCHED_BY_TARGET";
  readonly action: "INSERT" | "UPDATE" | "DELETE";
  readonly condition: string;
  /** New values of columns, by name. */
  readonly values: ReadonlyMap<string, Operand>;
}

/**
 * MERGE: the join is worked out once, each of its rows with the number of the first WHEN that takes it and the values that
 * this WHEN writes; then each WHEN deletes, updates or inserts from there.
 */
export function compileMerge(
  node: TreeNode,
  unit: Unit,
): Pick<CompiledDml, "verb" | "steps" | "cleanup"> & { table: PhysicalTable } {
  const target = dmlTarget(node, unit);
  const { table } = target;
  const clauses = nodesOf(node, "whenClauseList");
  const partly = clauses.flatMap((clause) => partlyAssigned(nodesOf(clause, "updateItemList")));
  const changesRows = clauses.some((clause) => actionType(clause) !== "INSERT");
  const pairs = joinedRows(node, targetRows(target, partly, unit, changesRows), unit);
  const { from, unit: inner } = identifiedRows(pairs, clauses, unit);
  const whens = clauses.map((clause) => compileWhen(clause, table, inner));
  const branches = whens.map(({ condition }, index) => `WHEN ${condition} THEN ${index}`).join(" ");
  const joined = `SELECT *, CASE ${branches} END AS act FROM ${from}`;
  const written = writtenColumns(whens, table, unit);
  const values = [...written.values()].map((cases, at) => `CASE act ${cases.join(" ")} END AS w${at}`);
  const places = new Map([...written.keys()].map((name, at) => [name, `w${at}`]));
  const updated = new Set(whens.flatMap((when) => (when.action === "UPDATE" ? [...when.values.keys()] : [])));
  const columns = ["rid", "pkey", "act", ...values, ...sizesBefore(target.scan, table, updated, inner)];
  const steps: DmlStep[] = [workOut(`SELECT ${columns.join(", ")} FROM (${joined}) WHERE act IS NOT NULL`)];
  if (whens.some(({ match }) => match === "MATCHED")) steps.push(AT_MOST_ONE_SOURCE_ROW);
  // Deleting first keeps the row ids that the other steps need.
  const order = { DELETE: 0, UPDATE: 1, INSERT: 2 };
  const numbered = whens.map((when, index) => ({ when, index }));
  numbered.sort((a, b) => order[a.when.action] - order[b.when.action]);
  steps.push(...numbered.flatMap(({ when, index }) => writeSteps(when, index, places, table, unit)));
  return { verb: "MERGE", table, steps, cleanup: [DROP_ROWS] };
}

/**
 * What is written to each column, by its name in lower case, as the cases of the WHENs that write to it: a row is written by one of them, so
 * that a column of what is worked out has room for all.
 */
function writtenColumns(
  whens: readonly When[],
  table: PhysicalTable,
  unit: Unit,
): ReadonlyMap<string, readonly string[]> {
  const columns = new Map<string, string[]>();
  for (const [index, { action, values }] of whens.entries()) {
    for (const [name, value] of values) {
      const sql = action === "UPDATE" ? columnValue(table, name, value, unit) : value.sql;
      const cases = columns.get(name.toLowerCase()) ?? [];
      cases.push(`WHEN ${index} THEN ${sql}`);
      columns.set(name.toLowerCase(), cases);
    }
  }
  return columns;
}

function writeSteps(
  { action, values }: When,
  index: number,
  places: ReadonlyMap<string, string>,
  table: PhysicalTable,
  unit: Unit,
): DmlStep[] {
  const taken = `${DML_ROWS} WHERE act = ${index}`;
  if (action === "DELETE") return deleteSteps(table, `(SELECT rid FROM ${taken})`);
  const names = [...values.keys()];
  if (action === "UPDATE") {
    const columns = names.map((name, position) => `${places.get(name.toLowerCase())} AS v${position}`);
    return updateSteps(table, names, `(SELECT *, ${columns.join(", ")} FROM ${taken})`);
  }
  const given = new Set(names.map((name) => name.toLowerCase()));
  const placeOf = (name: string) =>
    given.has(name.toLowerCase()) ? places.get(name.toLowerCase()) : undefined;
  const sql = insertSql(table, placeOf, taken, unit);
  return [{ sql, gives: "inserted" }];
}

function compileWhen(clause: TreeNode, table: PhysicalTable, unit: Unit): When {
  const match = matchType(clause);
  const action = actionType(clause);
  const matchExpr = nodeOf(clause, "matchExpr");
  const test = {
    MATCHED: "rid IS NOT NULL AND hit",
    NOT_MATCHED_BY_SOURCE: "hit IS NULL",
    NOT_MATCHED_BY_TARGET: "rid IS NULL",
  }[match];
  if (test === undefined) throw unsupported(`WHEN ${match}`);
  const condition = matchExpr === undefined ? test : `${test} AND ${unit.expr(matchExpr).sql}`;
  return { match, action, condition, values: writtenValues(clause, action, table, unit) };
}

function matchType(clause: TreeNode): When["match"] {
  return (textOf(clause, "matchType") || "MATCHED") as When["match"];
}

function actionType(clause: TreeNode): When["action"] {
  return (textOf(clause, "actionType") || "INSERT") as When["action"];
}

function writtenValues(
  clause: TreeNode,
  action: When["action"],
  table: PhysicalTable,
  unit: Unit,
): ReadonlyMap<string, Operand> {
  if (action === "DELETE") return new Map();
  if (action === "UPDATE") return assignedValues(nodesOf(clause, "updateItemList"), table, unit);
  const row = nodeOf(clause, "insertRow");
  const values = row === undefined ? [] : nodesOf(row, "valueList");
  return new Map(
    nodesOf(clause, "insertColumnList").map((column, index) => {
      const value = childOf(values[index] ?? {}, "value");
      return [textOf(column, "name"), dmlValue(value, column, table, unit)];
    }),
  );
}

/** The join of target and source as a FROM item, as wide as the WHEN clauses need it. */
function joinedRows(node: TreeNode, rows: string, unit: Unit): string {
  const matches = nodesOf(node, "whenClauseList").map(matchType);
  const source = `SELECT *, true AS hit FROM (${unit.scan(childOf(node, "fromScan"))})`;
  const unmatchedTarget = matches.includes("NOT_MATCHED_BY_SOURCE");
  const unmatchedSource = matches.includes("NOT_MATCHED_BY_TARGET");
  const join = unmatchedTarget ? (unmatchedSource ? "FULL" : "LEFT") : unmatchedSource ? "RIGHT" : "INNER";
  const on = unit.expr(childOf(node, "mergeExpr")).sql;
  return `(${rows}) AS tgt ${join} JOIN (${source}) AS src ON ${on}`;
}
