import { BigQueryError } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { quoteName } from "../values.ts";
import type { PhysicalTable } from "./context.ts";
import type { NeededRows } from "./needed-rows.ts";
import { partitionBounds } from "./partition-bounds.ts";
import { columnExpression } from "./physical-columns.ts";
import { childOf, columnId, functionName, nodesOf, refId, textOf, walkTree } from "./tree-access.ts";
import { typeOf } from "./tree-types.ts";
import type { Unit } from "./unit.ts";

/** Functions of which the value never falls as the first argument grows: a filter on their value prunes like one on the column. */
const MONOTONE = new Set([
  "date",
  "timestamp",
  "datetime",
  "date_trunc",
  "datetime_trunc",
  "timestamp_trunc",
  "$extract_date",
]);
const TIMES = new Set(["DATE", "DATETIME", "TIMESTAMP"]);

const COMPARISONS: Readonly<Record<string, "<" | "<=" | ">" | ">=" | "=">> = {
  $less: "<",
  $less_or_equal: "<=",
  $greater: ">",
  $greater_or_equal: ">=",
  $equal: "=",
};
const FLIPPED = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=" } as const;

/**
 * The partitions that a scan reads: a DuckDB condition over the physical table `t`, true for all rows of a partition or for none;
 * undefined where all are read. BigQuery prunes by filters that compare the partitioning column with what is constant in the query, not
 * with a subquery's result, and does not look into arithmetic on the column (https://cloud.google.com/bigquery/docs/querying-partitioned-tables).
 * Rows outside of an integer range lie in one partition of which no bounds are known; it is always read.
 */
export function readPartitions(
  rows: NeededRows,
  scan: TreeNode,
  table: PhysicalTable,
  unit: Unit,
): string | undefined {
  const columns = partitioningColumns(scan, table);
  checkPartitionFilter(rows, scan, table);
  if (rows.length === 0) return "false";
  const pruner = new Pruner(columns, table, unit);
  const alternatives = rows.map((conditions) => pruner.all(conditions));
  if (alternatives.includes(undefined)) return undefined;
  const read = [...new Set(alternatives)].map((condition) => `(${condition})`).join(" OR ");
  const outside = outsideRange(table);
  return outside === undefined ? read : `${outside} OR ${read}`;
}

/** The columns of a scan that tell partitions apart, by id. */
function partitioningColumns(scan: TreeNode, table: PhysicalTable): ReadonlyMap<string, string> {
  const names = new Set(partitioningNames(table).map((name) => name.toLowerCase()));
  const columns = nodesOf(scan, "columnList").filter((column) =>
    names.has(textOf(column, "name").toLowerCase()),
  );
  return new Map(columns.map((column) => [columnId(column), textOf(column, "name")]));
}

function partitioningNames({
  partitioning: { timePartitioning, rangePartitioning },
}: PhysicalTable): readonly string[] {
  if (rangePartitioning !== undefined) return [rangePartitioning.field];
  if (timePartitioning === undefined) return [];
  // In the order in which BigQuery's message lists the pseudo columns.
  return timePartitioning.field === undefined
    ? ["_PARTITION_LOAD_TIME", "_PARTITIONDATE", "_PARTITIONTIME"]
    : [timePartitioning.field];
}

/**
 * Refuses to read a table that wants a filter for partitions where a statement has none: "There must be at least one predicate that only references a partition column": one side of an OR is not enough
 * (https://cloud.google.com/bigquery/docs/querying-partitioned-tables#require_a_partition_filter_in_queries).
 */
export function checkPartitionFilter(rows: NeededRows, scan: TreeNode, table: PhysicalTable): void {
  if (table.requirePartitionFilter !== true) return;
  const ids = new Set(partitioningColumns(scan, table).keys());
  const isFiltered = rows.every((conditions) => conditions.some((condition) => isAbout(condition, ids)));
  if (isFiltered) return;
  const { projectId, datasetId, tableId } = table.ref;
  const columns = partitioningNames(table)
    .map((name) => `'${name}'`)
    .join(", ");
  const message = `Cannot query over table '${projectId}.${datasetId}.${tableId}' without a filter over column(s) ${columns} that can be used for partition elimination`;
  throw new BigQueryError("invalidQuery", message, "query");
}

function isAbout(condition: TreeNode, ids: ReadonlySet<string>): boolean {
  let mentions = 0;
  let others = 0;
  walkTree(condition, (node) => {
    if (node.kind === "ColumnRef") {
      if (ids.has(refId(node))) mentions += 1;
      else others += 1;
    }
    return true;
  });
  return mentions > 0 && others === 0;
}

function outsideRange({ partitioning: { rangePartitioning } }: PhysicalTable): string | undefined {
  if (rangePartitioning === undefined) return undefined;
  const column = `t.${quoteName(rangePartitioning.field)}`;
  const { start, end } = rangePartitioning.range;
  return `${column} < ${start} OR ${column} >= ${end}`;
}

/** A value of the least and of the greatest row that a partition may hold. */
interface Ends {
  readonly least: string;
  readonly greatest: string;
}

class Pruner {
  readonly #ids: ReadonlySet<string>;
  readonly #columns: ReadonlyMap<string, string>;
  readonly #unit: Unit;
  readonly #least: Unit;
  readonly #greatest: Unit;
  readonly #isRange: boolean;

  constructor(columns: ReadonlyMap<string, string>, table: PhysicalTable, unit: Unit) {
    const bounds = [...columns].map(([id, name]) => ({ id, ...partitionBounds(table, name) }));
    this.#ids = new Set(columns.keys());
    this.#columns = new Map([...columns].map(([id, name]) => [id, columnExpression(table, name)]));
    this.#unit = unit;
    this.#least = unit.withColumns(new Map(bounds.map(({ id, least }) => [id, least])));
    this.#greatest = unit.withColumns(new Map(bounds.map(({ id, greatest }) => [id, greatest])));
    this.#isRange = table.partitioning.rangePartitioning !== undefined;
  }

  /** A condition for the partitions that may hold rows with all these conditions; undefined for all partitions. */
  all(conditions: readonly TreeNode[]): string | undefined {
    const parts = conditions
      .map((condition) => this.#condition(condition))
      .filter((part) => part !== undefined);
    return parts.length === 0 ? undefined : parts.join(" AND ");
  }

  #condition(node: TreeNode): string | undefined {
    if (node.kind !== "FunctionCall") return undefined;
    const { name } = functionName(node);
    const args = nodesOf(node, "argumentList");
    const [first, ...others] = args;
    if (first === undefined) return undefined;
    const operator = COMPARISONS[name];
    if (operator !== undefined) return this.#comparison(first, operator, others[0] ?? {});
    switch (name) {
      case "$and":
        return this.all(args);
      case "$or":
        return this.#any(args);
      case "$between":
        return and(this.#ordered(first, ">=", others[0] ?? {}), this.#ordered(first, "<=", others[1] ?? {}));
      case "$in":
        return or(others.map((value) => this.#ordered(first, "=", value)));
      case "$in_array":
        return this.#inArray(first, others[0] ?? {});
      case "$is_null":
        return this.#isNull(first, "IS NULL");
      case "$not": {
        const isNull = first.kind === "FunctionCall" && functionName(first).name === "$is_null";
        return isNull ? this.#isNull(nodesOf(first, "argumentList")[0] ?? {}, "IS NOT NULL") : undefined;
      }
      default:
        return undefined;
    }
  }

  #any(args: readonly TreeNode[]): string | undefined {
    return or(args.map((arg) => this.#condition(arg)));
  }

  #isNull(node: TreeNode, test: string): string | undefined {
    const column = node.kind === "ColumnRef" ? this.#columns.get(refId(node)) : undefined;
    return column === undefined ? undefined : `${column} ${test}`;
  }

  #comparison(left: TreeNode, operator: keyof typeof FLIPPED, right: TreeNode): string | undefined {
    return this.#ordered(left, operator, right) ?? this.#ordered(right, FLIPPED[operator], left);
  }

  #ordered(node: TreeNode, operator: keyof typeof FLIPPED, value: TreeNode): string | undefined {
    const ends = this.#ends(node);
    const constant = this.#constant(value);
    if (ends === undefined || constant === undefined) return undefined;
    if (operator === "=") return `(${ends.least} <= ${constant} AND ${ends.greatest} >= ${constant})`;
    return `${operator.startsWith(">") ? ends.greatest : ends.least} ${operator} ${constant}`;
  }

  #inArray(node: TreeNode, array: TreeNode): string | undefined {
    const ends = this.#ends(node);
    const constant = this.#constant(array);
    if (ends === undefined || constant === undefined) return undefined;
    const item = this.#unit.fresh("p");
    return `len(list_filter(${constant}, lambda ${item}: ${ends.least} <= ${item} AND ${ends.greatest} >= ${item})) > 0`;
  }

  #ends(node: TreeNode): Ends | undefined {
    if (!this.#isMonotone(node)) return undefined;
    return {
      least: `(${this.#least.expr(node).sql})`,
      greatest: `(${this.#greatest.expr(node).sql})`,
    };
  }

  #isMonotone(node: TreeNode): boolean {
    if (node.kind === "ColumnRef") return this.#ids.has(refId(node));
    if (this.#isRange) return false;
    if (node.kind === "Cast") return isTime(node) && this.#isMonotone(childOf(node, "expr"));
    if (node.kind !== "FunctionCall" || !MONOTONE.has(functionName(node).name)) return false;
    const [first, ...others] = nodesOf(node, "argumentList");
    return first !== undefined && this.#isMonotone(first) && others.every((arg) => !mentionsColumn(arg));
  }

  #constant(node: TreeNode): string | undefined {
    if (node.kind === undefined || mentionsColumn(node)) return undefined;
    const { sql } = this.#unit.expr(node);
    // An argument of a function may be a column or a subquery where the function is called.
    return this.#unit.isConstant(sql) ? `(${sql})` : undefined;
  }
}

function isTime(node: TreeNode): boolean {
  return TIMES.has(typeOf(node).kind);
}

function mentionsColumn(expr: TreeNode): boolean {
  let found = false;
  walkTree(expr, (node) => {
    if (node.kind === "ColumnRef" || node.kind === "SubqueryExpr") found = true;
    return !found;
  });
  return found;
}

function and(left: string | undefined, right: string | undefined): string | undefined {
  return left === undefined || right === undefined ? undefined : `(${left} AND ${right})`;
}

function or(parts: readonly (string | undefined)[]): string | undefined {
  return parts.includes(undefined) ? undefined : `(${parts.join(" OR ")})`;
}
