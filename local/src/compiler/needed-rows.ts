import type { TreeNode } from "../googlesql/tree.ts";
import {
  childOf,
  columnId,
  flagOf,
  functionName,
  nodeOf,
  nodesOf,
  refId,
  textOf,
  walkTree,
} from "./tree-access.ts";

/**
 * Which rows of a scan a statement needs: those that satisfy every condition of at least one alternative. An empty
 * alternative needs all rows, no alternative at all needs none. Conditions refer to columns of the scan alone.
 */
export type NeededRows = readonly (readonly TreeNode[])[];

/** All rows. */
export const ALL_ROWS: NeededRows = [[]];

/** What stands for a reference to a column one scan further down; undefined where nothing does. */
type Replace = (id: string, ref: TreeNode) => TreeNode | undefined;

/**
 * The rows that a tree needs of each of its table scans: filters are followed down through projections, joins, unions, WITH queries, and
 * through grouping and windows by the columns that these keep apart. `outputs` are the rows needed of a query's result, whose columns
 * they call `outputId(0)`, `outputId(1)`, …
 */
export function findNeededRows(
  tree: TreeNode,
  outputs: NeededRows = ALL_ROWS,
): ReadonlyMap<TreeNode, NeededRows> {
  const finder = new Finder();
  if (tree.kind === "MergeStmt") finder.merge(tree);
  else if (tree.kind === "UpdateStmt" || tree.kind === "DeleteStmt") finder.change(tree);
  else if (nodeOf(tree, "query") !== undefined && nodesOf(tree, "outputColumnList").length > 0)
    finder.query(tree, outputs);
  else finder.scansBelow(tree);
  return finder.found;
}

/** The id by which `findNeededRows` calls a column of a query's result. */
export function outputId(position: number): string {
  return `output ${position}`;
}

/** The same rows, with their conditions about other columns; conditions that mention a column without a replacement are dropped. */
export function renameColumns(rows: NeededRows, replace: Replace): NeededRows {
  return rows.map((conditions) =>
    conditions.flatMap((condition) => {
      const replaced = substitute(condition, replace);
      return replaced === undefined ? [] : [replaced as TreeNode];
    }),
  );
}

/** A reference to a column. */
export function refTo(id: string, ref: TreeNode): TreeNode {
  return { ...ref, kind: "ColumnRef", column: { ...childOf(ref, "column"), columnId: id } };
}

class Finder {
  readonly found = new Map<TreeNode, NeededRows>();
  /** What each WITH query is asked for, reference by reference. */
  readonly #asked = new Map<string, NeededRows>();

  query(tree: TreeNode, outputs: NeededRows): void {
    const columns = nodesOf(tree, "outputColumnList").map((output) => columnId(childOf(output, "column")));
    const positions = new Map(columns.map((id, position) => [outputId(position), id]));
    const rows = renameColumns(outputs, (id, ref) => renamed(positions, id, ref));
    this.#scan(childOf(tree, "query"), rows);
  }

  /** UPDATE and DELETE. */
  change(tree: TreeNode): void {
    const where = childOf(tree, "whereExpr");
    const rows: NeededRows = [conjuncts(where)];
    this.#target(tree, rows);
    const from = nodeOf(tree, "fromScan");
    if (from !== undefined) this.#scan(from, rows);
    this.scansBelow({ where, items: tree.updateItemList });
  }

  /**
   * MERGE. WHEN NOT MATCHED needs the target's rows that the condition of the join can be true for, WHEN MATCHED those of them that also
   * pass its own condition, WHEN NOT MATCHED BY SOURCE those that pass its condition, whatever the join says
   * (https://cloud.google.com/bigquery/docs/using-dml-with-partitioned-tables#pruning_partitions_when_using_a_merge_statement).
   */
  merge(tree: TreeNode): void {
    const on = childOf(tree, "mergeExpr");
    const clauses = nodesOf(tree, "whenClauseList");
    const rows = clauses.flatMap((clause): NeededRows => {
      const match = nodeOf(clause, "matchExpr");
      const own = match === undefined ? [] : conjuncts(match);
      if (textOf(clause, "matchType") === "NOT_MATCHED_BY_SOURCE") return [own];
      if (isFalse(on)) return [];
      return [
        textOf(clause, "matchType") === "NOT_MATCHED_BY_TARGET" ? conjuncts(on) : [...conjuncts(on), ...own],
      ];
    });
    this.#target(tree, rows);
    this.#scan(childOf(tree, "fromScan"), ALL_ROWS);
    this.scansBelow({ on, clauses });
  }

  /** The target of DML, which the tree does not call a scan. */
  #target(tree: TreeNode, rows: NeededRows): void {
    const scan = childOf(tree, "tableScan");
    this.found.set(scan, toColumns(rows, scan));
  }

  /** Scans inside of expressions and of what knows no filters. */
  scansBelow(part: unknown): void {
    walkTree(part, (node) => {
      if (!/Scan$/.test(node.kind ?? "")) return true;
      this.#scan(node, ALL_ROWS);
      return false;
    });
  }

  #scan(node: TreeNode, rows: NeededRows): void {
    const { inputScan, ...rest } = node;
    const parts = Object.values(rest);
    switch (node.kind) {
      case "TableScan":
        this.found.set(node, toColumns(rows, node));
        break;
      case "FilterScan": {
        const own = conjuncts(childOf(node, "filterExpr"));
        const passed = rows.map((conditions) => [...conditions, ...own]);
        this.#over(inputScan, passed, parts);
        break;
      }
      case "ProjectScan":
        this.#over(inputScan, throughExpressions(rows, nodesOf(node, "exprList")), parts);
        break;
      case "AggregateScan":
        this.#over(inputScan, throughGroups(rows, node), parts);
        break;
      case "AnalyticScan":
        this.#over(inputScan, onlyColumns(rows, partitionedBy(node)), parts);
        break;
      case "ArrayScan":
      case "OrderByScan":
      case "SampleScan":
        this.#over(inputScan, rows, parts);
        break;
      case "JoinScan":
        this.#join(node, rows);
        break;
      case "SetOperationScan":
        this.#setOperation(node, rows);
        break;
      case "WithScan":
        this.#with(node, rows);
        break;
      case "WithRefScan":
        this.#withRef(node, rows);
        break;
      default:
        // What a LIMIT or a pivot lets through depends on rows that a filter above it would drop.
        this.#over(inputScan, ALL_ROWS, parts);
    }
  }

  /** A scan over another one, and the expressions that stand beside it. */
  #over(inputScan: unknown, rows: NeededRows, parts: readonly unknown[]): void {
    this.scansBelow(parts);
    if (inputScan !== undefined) this.#input(inputScan as TreeNode, rows);
  }

  #input(scan: TreeNode, rows: NeededRows): void {
    this.#scan(scan, toColumns(rows, scan));
  }

  #join(node: TreeNode, rows: NeededRows): void {
    const condition = nodeOf(node, "joinExpr");
    const kind = textOf(node, "joinType") || "INNER";
    this.scansBelow(condition);
    const on = condition === undefined ? [] : conjuncts(condition);
    const joined = rows.map((conditions) => [...conditions, ...on]);
    const whole = kind === "FULL" ? ALL_ROWS : undefined;
    // The rows of an outer join's preserved side stay whatever ON says; what a filter above says of the other side, it says of NULLs too.
    this.#input(
      childOf(node, "leftScan"),
      whole ?? (kind === "LEFT" ? rows : kind === "RIGHT" ? [on] : joined),
    );
    this.#input(
      childOf(node, "rightScan"),
      whole ?? (kind === "RIGHT" ? rows : kind === "LEFT" ? [on] : joined),
    );
  }

  #setOperation(node: TreeNode, rows: NeededRows): void {
    const targets = nodesOf(node, "columnList").map(columnId);
    for (const item of nodesOf(node, "inputItemList")) {
      const names = new Map(
        nodesOf(item, "outputColumnList").map((column, index) => [targets[index] ?? "", columnId(column)]),
      );
      this.#input(
        childOf(item, "scan"),
        renameColumns(rows, (id, ref) => renamed(names, id, ref)),
      );
    }
  }

  #with(node: TreeNode, rows: NeededRows): void {
    this.#input(childOf(node, "query"), rows);
    // Later queries may refer to earlier ones.
    for (const entry of nodesOf(node, "withEntryList").toReversed()) {
      const scan = childOf(entry, "withSubquery");
      const asked = this.#asked.get(textOf(entry, "withQueryName").toLowerCase()) ?? ALL_ROWS;
      const columns = nodesOf(scan, "columnList").map(columnId);
      const positions = new Map(columns.map((id, position) => [outputId(position), id]));
      this.#scan(
        scan,
        renameColumns(asked, (id, ref) => renamed(positions, id, ref)),
      );
    }
  }

  #withRef(node: TreeNode, rows: NeededRows): void {
    const name = textOf(node, "withQueryName").toLowerCase();
    const positions = new Map(
      nodesOf(node, "columnList").map((column, index) => [columnId(column), outputId(index)]),
    );
    const asked = renameColumns(rows, (id, ref) => renamed(positions, id, ref));
    this.#asked.set(name, [...(this.#asked.get(name) ?? []), ...asked]);
  }
}

/** The parts of a condition that must all be true. */
function conjuncts(filter: TreeNode): readonly TreeNode[] {
  if (filter.kind !== "FunctionCall" || functionName(filter).name !== "$and") return [filter];
  return nodesOf(filter, "argumentList").flatMap(conjuncts);
}

function isFalse(expr: TreeNode): boolean {
  const value = nodeOf(nodeOf(expr, "value") ?? {}, "value");
  return expr.kind === "Literal" && value?.value === "boolValue" && !flagOf(value, "boolValue");
}

function renamed(names: ReadonlyMap<string, string>, id: string, ref: TreeNode): TreeNode | undefined {
  const name = names.get(id);
  return name === undefined ? undefined : refTo(name, ref);
}

function toColumns(rows: NeededRows, scan: TreeNode): NeededRows {
  return onlyColumns(rows, new Set(nodesOf(scan, "columnList").map(columnId)));
}

function onlyColumns(rows: NeededRows, ids: ReadonlySet<string>): NeededRows {
  return renameColumns(rows, (id, ref) => (ids.has(id) ? ref : undefined));
}

function throughExpressions(rows: NeededRows, computed: readonly TreeNode[]): NeededRows {
  const known = expressionsOf(computed);
  return renameColumns(rows, (id, ref) => known.get(id) ?? ref);
}

/** A group has one value of each key: what is asked of a key is asked of the rows. */
function throughGroups(rows: NeededRows, node: TreeNode): NeededRows {
  const isPlain =
    nodesOf(node, "groupingSetList").length === 0 && nodesOf(node, "rollupColumnList").length === 0;
  if (!isPlain) return ALL_ROWS;
  const keys = expressionsOf(nodesOf(node, "groupByList"));
  return renameColumns(rows, (id) => keys.get(id));
}

function expressionsOf(computed: readonly TreeNode[]): ReadonlyMap<string, TreeNode> {
  return new Map(computed.map((item) => [columnId(childOf(item, "column")), childOf(item, "expr")]));
}

/** The columns by which every window of a scan is partitioned. */
function partitionedBy(node: TreeNode): ReadonlySet<string> {
  const groups = nodesOf(node, "functionGroupList").map((group) => {
    const list = nodesOf(nodeOf(group, "partitionBy") ?? {}, "partitionByList");
    return new Set(list.flatMap((ref) => (ref.kind === "ColumnRef" ? [refId(ref)] : [])));
  });
  const [first, ...others] = groups;
  return new Set([...(first ?? [])].filter((id) => others.every((group) => group.has(id))));
}

/** A copy of an expression with its references to columns replaced; undefined where one cannot be, or a subquery is in it. */
function substitute(value: unknown, replace: Replace): unknown {
  if (value === null || typeof value !== "object" || Buffer.isBuffer(value)) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => substitute(item, replace));
    return items.includes(undefined) ? undefined : items;
  }
  const node = value as TreeNode;
  if (node.kind === "SubqueryExpr") return undefined;
  if (node.kind === "ColumnRef") return flagOf(node, "isCorrelated") ? undefined : replace(refId(node), node);
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(node)) {
    const inner = key === "type" || key === "signature" ? item : substitute(item, replace);
    if (inner === undefined && item !== undefined) return undefined;
    copy[key] = inner;
  }
  return copy;
}
