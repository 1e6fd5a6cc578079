import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { compileAggregateScan } from "./aggregates.ts";
import { compileAnalyticScan } from "./analytic.ts";
import { compileArrayScan } from "./array-scans.ts";
import { checkedLimit } from "./checked-literals.ts";
import { compileJoinScan } from "./joins.ts";
import { orderClause, orderItems } from "./ordering.ts";
import { compilePivotScan, compileUnpivotScan } from "./pivots.ts";
import { identifiedRows } from "./row-identity.ts";
import { compileSampleScan } from "./samples.ts";
import { compileRecursiveRefScan, compileSetOperationScan } from "./set-operations.ts";
import { compileTableFunctionScan } from "./table-functions.ts";
import { compileTableScan } from "./table-scans.ts";
import { childOf, columnId, nodeOf, nodesOf } from "./tree-access.ts";
import type { Unit } from "./unit.ts";
import { compileWithRefScan, compileWithScan } from "./with-queries.ts";

type ScanCompiler = (node: TreeNode, unit: Unit) => string;

/** A scan of the resolved tree as a DuckDB SELECT whose columns are the scan's, named by their ids. */
export function compileScan(node: TreeNode, unit: Unit): string {
  const compile = SCANS[node.kind ?? ""];
  if (compile === undefined) throw unsupported(`the scan ${node.kind}`);
  const sql = compile(node, unit);
  if (unit.activeGuard === undefined || !GUARDED.has(node.kind ?? "")) return sql;
  return `SELECT * FROM (${sql}) AS ${unit.fresh("q")} WHERE ${unit.activeGuard}`;
}

/** Where rows come from, and where one comes to be of none. */
const GUARDED: ReadonlySet<string> = new Set(["TableScan", "ArrayScan", "TVFScan", "AggregateScan"]);

function compileSingleRowScan(): string {
  return `SELECT 1 AS "none"`;
}

function compileFilterScan(node: TreeNode, unit: Unit): string {
  const input = childOf(node, "inputScan");
  const filter = childOf(node, "filterExpr");
  const { from, unit: inner } = identifiedRows(unit.from(input), [filter], unit);
  const columns = unit.columnList(nodesOf(node, "columnList"));
  const { sql: condition, isVolatile } = inner.expr(filter);
  if (isVolatile !== true) return `SELECT ${columns} FROM ${from} WHERE ${condition}`;
  // DuckDB would decide by RAND() below an UNNEST or a GROUP BY, of many rows at once; a column of that value stays in its place.
  const name = unit.fresh("f");
  return `SELECT ${columns} FROM (SELECT *, ${condition} AS ${name} FROM ${from}) AS ${unit.fresh("q")} WHERE ${name}`;
}

function compileProjectScan(node: TreeNode, unit: Unit): string {
  const computed = new Map(
    nodesOf(node, "exprList").map((item) => [columnId(childOf(item, "column")), childOf(item, "expr")]),
  );
  const input = childOf(node, "inputScan");
  const rows =
    input.kind === "SingleRowScan"
      ? undefined
      : identifiedRows(unit.from(input), [...computed.values()], unit);
  const wanted = nodesOf(node, "columnList").map(columnId);
  const items = [...new Set(wanted)].map((id) => {
    const expr = computed.get(id);
    if (expr === undefined) return unit.define(unit.columnSql(id), id);
    return unit.define((rows?.unit ?? unit).keptExpr(expr).sql, id);
  });
  const list = items.length === 0 ? `1 AS "none"` : items.join(", ");
  if (rows !== undefined) return `SELECT ${list} FROM ${rows.from}`;
  return unit.activeGuard === undefined ? `SELECT ${list}` : `SELECT ${list} WHERE ${unit.activeGuard}`;
}

function compileOrderByScan(node: TreeNode, unit: Unit): string {
  const columns = unit.columnList(nodesOf(node, "columnList"));
  const from = unit.from(childOf(node, "inputScan"));
  return `SELECT ${columns} FROM ${from}${orderClause(orderItems(node, unit))}`;
}

function compileLimitOffsetScan(node: TreeNode, unit: Unit): string {
  const input = childOf(node, "inputScan");
  const columns = nodesOf(node, "columnList");
  const limit = nodeOf(node, "limit");
  const offset = nodeOf(node, "offset");
  const rows =
    (limit === undefined ? "" : ` LIMIT ${checkedLimit(unit.expr(limit)).sql}`) +
    (offset === undefined ? "" : ` OFFSET ${checkedLimit(unit.expr(offset)).sql}`);
  // The ORDER BY of the input and the LIMIT in one SELECT let DuckDB keep only the first rows.
  if (input.kind === "OrderByScan") {
    const from = unit.from(childOf(input, "inputScan"));
    return `SELECT ${unit.columnList(columns)} FROM ${from}${orderClause(orderItems(input, unit))}${rows}`;
  }
  return `SELECT ${unit.columnList(columns)} FROM ${unit.from(input)}${rows}`;
}

const SCANS: Readonly<Record<string, ScanCompiler>> = {
  SingleRowScan: compileSingleRowScan,
  TableScan: compileTableScan,
  FilterScan: compileFilterScan,
  ProjectScan: compileProjectScan,
  JoinScan: compileJoinScan,
  ArrayScan: compileArrayScan,
  AggregateScan: compileAggregateScan,
  AnalyticScan: compileAnalyticScan,
  OrderByScan: compileOrderByScan,
  LimitOffsetScan: compileLimitOffsetScan,
  SetOperationScan: compileSetOperationScan,
  WithScan: compileWithScan,
  WithRefScan: compileWithRefScan,
  RecursiveRefScan: compileRecursiveRefScan,
  PivotScan: compilePivotScan,
  UnpivotScan: compileUnpivotScan,
  SampleScan: compileSampleScan,
  TVFScan: compileTableFunctionScan,
  RelationArgumentScan: () => {
    throw unsupported("a table as an argument of a table function");
  },
};
