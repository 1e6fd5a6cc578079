import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { displayName, functionCall } from "./calls.ts";
import { checkedLimit } from "./checked-literals.ts";
import { compileExpr } from "./expressions.ts";
import { exactArgument } from "./functions/exact-argument.ts";
import { aggregateFunctions } from "./functions/table.ts";
import type { AggregateCall, CompiledExpr } from "./functions/types.ts";
import { orderItems } from "./ordering.ts";
import { compileAggregateBody } from "./routines.ts";
import { identifiedRows } from "./row-identity.ts";
import { compileFrom } from "./scans.ts";
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
import type { Unit } from "./unit.ts";

/** GROUP BY, with or without grouping sets. */
export function compileAggregateScan(node: TreeNode, outerUnit: Unit): string {
  const { from: input, unit } = identifiedRows(
    compileFrom(childOf(node, "inputScan"), outerUnit),
    [...nodesOf(node, "groupByList"), ...nodesOf(node, "aggregateList")],
    outerUnit,
  );
  const keys = nodesOf(node, "groupByList").map((item) => {
    const id = columnId(childOf(item, "column"));
    return { id, name: `k_${unit.column(id)}`, sql: compileExpr(childOf(item, "expr"), unit).sql };
  });
  const outer = outerValues(nodesOf(node, "aggregateList"), unit);
  const inner = unit.withColumns(outer.columns).withArguments(outer.functionArguments);
  const extremes: string[] = [];
  const aggregates = nodesOf(node, "aggregateList").map((item) => {
    const id = columnId(childOf(item, "column"));
    const onlyExtremes = (having: Having): string => {
      if (nodesOf(node, "groupingSetList").length > 0)
        throw unsupported(`HAVING ${having.kind.toUpperCase()} with grouping sets`);
      const name = unit.fresh("h");
      extremes.push(`${isExtreme(having, keys)} AS ${name}`);
      return name;
    };
    return unit.define(compileAggregate(childOf(item, "expr"), id, inner, onlyExtremes), id);
  });
  const groupings = nodesOf(node, "groupingCallList").map((item) => {
    const key = keys.find(({ id }) => id === refId(childOf(item, "groupByColumn")));
    return unit.define(`grouping(${key?.name})`, columnId(childOf(item, "outputColumn")));
  });
  const items = [...keys.map((key) => unit.define(key.name, key.id)), ...aggregates, ...groupings];
  if (items.length === 0) items.push(`count(*) AS "none"`);
  // Keys are named first, so that GROUP BY means them and not a column or an alias of the same name.
  const named = [...keys.map((key) => `${key.sql} AS ${key.name}`), ...outer.named];
  const from = [named, extremes].reduce(
    (rows, more) =>
      more.length === 0 ? rows : `(SELECT *, ${more.join(", ")} FROM ${rows}) AS ${unit.fresh("q")}`,
    input,
  );
  const grouped = `SELECT ${items.join(", ")} FROM ${from}${groupBy(node, keys)}`;
  return `SELECT ${unit.columnList(nodesOf(node, "columnList"))} FROM (${grouped})`;
}

interface OuterValues {
  readonly columns: ReadonlyMap<string, string>;
  readonly functionArguments: ReadonlyMap<string, CompiledExpr>;
  /** The SELECT items that name them. */
  readonly named: readonly string[];
}

/**
 * Names for what aggregates use of outer queries: their columns, and arguments of a function whose body this is. To DuckDB,
 * as to standard SQL, an aggregate of nothing but an outer query's columns belongs to that query; to GoogleSQL it belongs
 * where it stands.
 */
function outerValues(aggregates: readonly TreeNode[], unit: Unit): OuterValues {
  const columns = new Map<string, string>();
  const functionArguments = new Map<string, CompiledExpr>();
  const named: string[] = [];
  walkTree(aggregates, (node) => {
    if (node.kind === "ArgumentRef") {
      const key = textOf(node, "name").toLowerCase();
      const argument = unit.functionArguments.get(key);
      if (argument === undefined || argument.literal !== undefined || functionArguments.has(key))
        return false;
      const name = unit.fresh("o");
      functionArguments.set(key, { ...argument, sql: name });
      named.push(`${argument.sql} AS ${name}`);
    } else if (node.isCorrelated === true && !columns.has(refId(node))) {
      const name = unit.fresh("o");
      columns.set(refId(node), name);
      named.push(`${unit.columnSql(refId(node))} AS ${name}`);
    }
    return node.kind !== "SubqueryExpr";
  });
  return { columns, functionArguments, named };
}

function groupBy(node: TreeNode, keys: readonly { id: string; name: string }[]): string {
  const sets = nodesOf(node, "groupingSetList");
  if (sets.length === 0)
    return keys.length === 0 ? "" : ` GROUP BY ${keys.map(({ name }) => name).join(", ")}`;
  const nameOf = (ref: TreeNode): string => keys.find(({ id }) => id === refId(ref))?.name ?? "";
  const together = (list: readonly TreeNode[]): string => `(${list.map(nameOf).join(", ")})`;
  const rendered = sets.map((set) => {
    const rollup = nodesOf(set, "rollupColumnList");
    if (rollup.length > 0)
      return `ROLLUP (${rollup.map((item) => together(nodesOf(item, "columnList"))).join(", ")})`;
    const cube = nodesOf(set, "cubeColumnList");
    if (cube.length > 0)
      return `CUBE (${cube.map((item) => together(nodesOf(item, "columnList"))).join(", ")})`;
    return together(nodesOf(set, "groupByColumnList"));
  });
  return ` GROUP BY GROUPING SETS (${rendered.join(", ")})`;
}

type Having = NonNullable<AggregateCall["having"]>;

/** Whether a row has the greatest or smallest value of its group; where one is NaN so is the extreme, and nothing equals it. */
function isExtreme({ kind, expr }: Having, keys: readonly { readonly name: string }[]): string {
  const over = `OVER (${keys.length === 0 ? "" : `PARTITION BY ${keys.map(({ name }) => name).join(", ")}`})`;
  const isNone = expr.type.kind === "FLOAT64" ? ` AND NOT (bool_or(isnan(${expr.sql})) ${over})` : "";
  return `(${expr.sql} = ${kind}(${expr.sql}) ${over}${isNone})`;
}

function compileAggregate(
  expr: TreeNode,
  id: string,
  unit: Unit,
  onlyExtremes: (having: Having) => string,
): string {
  if (functionName(expr).group !== "ZetaSQL") return compileAggregateBody(expr, unit);
  const plain = aggregateCall(expr, unit);
  const isFiltered = plain.having !== undefined && !HAVING_KNOWN.has(plain.name);
  const call = isFiltered && plain.having ? { ...plain, only: onlyExtremes(plain.having) } : plain;
  return unit.firstElements.has(id) ? firstElementSql(call) : aggregateSql(call);
}

/** A call of an aggregate function as its mapping sees it. */
export function aggregateCall(node: TreeNode, unit: Unit): AggregateCall {
  const { group } = functionName(node);
  if (group !== "ZetaSQL") throw unsupported(`the aggregate function ${functionName(node).name}`);
  if (nodeOf(node, "withGroupRowsSubquery") !== undefined) throw unsupported("WITH GROUP ROWS");
  const limit = nodeOf(node, "limit");
  const having = nodeOf(node, "havingModifier");
  return {
    ...functionCall(node, unit),
    distinct: flagOf(node, "distinct"),
    nulls: nullHandling(node),
    orderBy: orderItems(node, unit),
    ...(limit === undefined ? {} : { limit: checkedLimit(compileExpr(limit, unit)) }),
    ...(having === undefined
      ? {}
      : {
          having: {
            kind: having.kind === "MIN" ? ("min" as const) : ("max" as const),
            expr: compileExpr(childOf(having, "havingExpr"), unit),
          },
        }),
  };
}

/** IGNORE NULLS or RESPECT NULLS of a call. */
export function nullHandling(node: TreeNode): "default" | "ignore" | "respect" {
  const modifier = textOf(node, "nullHandlingModifier");
  if (modifier === "IGNORE_NULLS") return "ignore";
  return modifier === "RESPECT_NULLS" ? "respect" : "default";
}

/** Functions that look for the extreme by themselves. */
const HAVING_KNOWN = new Set(["any_value"]);

/** The DuckDB aggregate of a call. */
export function aggregateSql(call: AggregateCall): string {
  if (call.having !== undefined && call.only === undefined && !HAVING_KNOWN.has(call.name))
    throw unsupported(`${displayName(call.node)} with HAVING ${call.having.kind.toUpperCase()} here`);
  const mapping = aggregateFunctions.get(call.name);
  if (mapping === undefined) throw unsupported(displayName(call.node));
  return mapping(call);
}

const POINTS_IN_TIME: readonly string[] = ["TIMESTAMP", "DATETIME", "DATE"];

/** The element that ARRAY_AGG would put first, or NULL where the array would be empty. */
function firstElementSql(call: AggregateCall): string {
  const [element] = call.args as readonly [CompiledExpr];
  const ignoresNulls = call.nulls === "ignore";
  const [key, ...more] = call.orderBy;
  if (key === undefined)
    return exactArgument(element, (sql) => `${ignoresNulls ? "any_value" : "first"}(${sql})`);
  // Without "_null" DuckDB passes over rows whose element is NULL.
  const suffix = ignoresNulls ? "" : "_null";
  const isPlain = POINTS_IN_TIME.includes(key.expr.type.kind) && key.nullsFirst === !key.descending;
  if (more.length === 0 && isPlain) {
    // No time is infinite in GoogleSQL, so infinity can stand for NULL, the smallest.
    const time = `coalesce(${key.expr.sql}, '-infinity')`;
    return exactArgument(
      element,
      (sql) => `${key.descending ? "arg_max" : "arg_min"}${suffix}(${sql}, ${time})`,
    );
  }
  const keys = call.orderBy.flatMap(({ expr, descending, nullsFirst }) => {
    const nulls = nullsFirst ? "NULLS FIRST" : "NULLS LAST";
    // Sort keys, unlike ORDER BY, tell 30 days from a month.
    const value = expr.type.kind === "INTERVAL" ? `normalized_interval(${expr.sql})` : expr.sql;
    const order = `${value}, '${descending ? "DESC" : "ASC"} ${nulls}'`;
    if (expr.type.kind !== "FLOAT64") return [order];
    return [`isnan(${expr.sql}), '${descending ? "ASC" : "DESC"} ${nulls}'`, order];
  });
  return exactArgument(element, (sql) => `arg_min${suffix}(${sql}, create_sort_key(${keys.join(", ")}))`);
}
