import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { aggregateCall, aggregateSql, firstElementSql, HAVING_KNOWN } from "./aggregate-calls.ts";
import { isVolatileFunction } from "./function-facts.ts";
import type { AggregateCall, CompiledExpr, Operand } from "./functions/types.ts";
import { compileAggregateBody } from "./routines.ts";
import { identifiedRows } from "./row-identity.ts";
import { childOf, columnId, functionName, nodesOf, refId, textOf, walkTree } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

/** GROUP BY, with or without grouping sets. */
export function compileAggregateScan(node: TreeNode, outerUnit: Unit): string {
  const { from: input, unit } = identifiedRows(
    outerUnit.from(childOf(node, "inputScan")),
    [...nodesOf(node, "groupByList"), ...nodesOf(node, "aggregateList")],
    outerUnit,
  );
  const keys = groupingKeys(node, unit);
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
    const inColumns = (args: readonly CompiledExpr[]): readonly CompiledExpr[] =>
      args.map((arg) => {
        if (arg.isVolatile !== true) return arg;
        const name = unit.fresh("o");
        outer.named.push(`${arg.sql} AS ${name}`);
        return { ...arg, sql: name };
      });
    const preparation = { inColumns, onlyExtremes, outside: unit };
    return unit.define(compileAggregate(childOf(item, "expr"), id, inner, preparation), id);
  });
  const groupings = nodesOf(node, "groupingCallList").map((item) => {
    const key = keys.find(({ id }) => id === refId(childOf(item, "groupByColumn")));
    return unit.define(`grouping(${key?.name})`, columnId(childOf(item, "outputColumn")));
  });
  const items = [...keys.map((key) => unit.define(key.name, key.id)), ...aggregates, ...groupings];
  // The body of a user's function may aggregate nothing.
  if (keys.length === 0) items.push(`count(*) AS "none"`);
  // Keys are named first, so that GROUP BY means them and not a column or an alias of the same name.
  const named = [...new Set(keys.map((key) => `${key.sql} AS ${key.name}`)), ...outer.named];
  const from = [named, extremes].reduce(
    (rows, more) =>
      more.length === 0 ? rows : `(SELECT *, ${more.join(", ")} FROM ${rows}) AS ${unit.fresh("q")}`,
    input,
  );
  const grouped = `SELECT ${items.join(", ")} FROM ${from}${groupBy(node, keys)}`;
  return `SELECT ${unit.columnList(nodesOf(node, "columnList"))} FROM (${grouped})`;
}

interface GroupingKey {
  readonly id: string;
  /** Of the column that holds its values. */
  readonly name: string;
  readonly sql: string;
}

/** The keys of GROUP BY. An expression and its alias in the SELECT list are one: a grouping set with either has the values of both. */
function groupingKeys(node: TreeNode, unit: Unit): readonly GroupingKey[] {
  const names = new Map<string, string>();
  const known = new Map<string, GroupingKey>();
  const hasSets = nodesOf(node, "groupingSetList").length > 0;
  for (const item of hasSets ? nodesOf(childOf(node, "inputScan"), "exprList") : [])
    names.set(columnId(childOf(item, "column")), meaningOf(childOf(item, "expr"), new Map()) ?? "");
  return nodesOf(node, "groupByList").map((item) => {
    const id = columnId(childOf(item, "column"));
    const expr = childOf(item, "expr");
    const key = { id, name: `k_${unit.column(id)}`, sql: unit.expr(expr).sql };
    const meaning = hasSets ? meaningOf(expr, names) : undefined;
    const same = meaning === undefined ? undefined : known.get(meaning);
    if (meaning !== undefined && same === undefined) known.set(meaning, key);
    return same === undefined ? key : { ...same, id };
  });
}

/**
 * Equal for expressions that say the same wherever they stand; undefined where each evaluation gives another value. `names`: what columns
 * of the input are computed from.
 */
function meaningOf(expr: TreeNode, names: ReadonlyMap<string, string>): string | undefined {
  if (expr.kind === "ColumnRef") {
    const named = names.get(refId(expr));
    if (named !== undefined) return named === "" ? undefined : named;
  }
  let isVolatile = false;
  walkTree(expr, (node) => {
    if (node.function === undefined) return true;
    const { group, name } = functionName(node);
    isVolatile ||= group !== "ZetaSQL" || isVolatileFunction(name.toLowerCase());
    return true;
  });
  if (isVolatile) return undefined;
  return JSON.stringify(expr, (field, value) => (field === "parseLocationRange" ? undefined : value));
}

interface OuterValues {
  readonly columns: ReadonlyMap<string, Operand>;
  readonly functionArguments: ReadonlyMap<string, CompiledExpr>;
  /** The SELECT items that name them. */
  readonly named: string[];
}

/**
 * Names for what aggregates use of outer queries: their columns, and arguments of a function whose body this is. To DuckDB,
 * as to standard SQL, an aggregate of nothing but an outer query's columns belongs to that query; to GoogleSQL it belongs
 * where it stands.
 */
function outerValues(aggregates: readonly TreeNode[], unit: Unit): OuterValues {
  const columns = new Map<string, Operand>();
  const functionArguments = new Map<string, CompiledExpr>();
  const named: string[] = [];
  walkTree(aggregates, (node) => {
    if (node.kind === "ArgumentRef") {
      const key = textOf(node, "name").toLowerCase();
      const argument = unit.functionArguments.get(key);
      if (argument === undefined || argument.literal !== undefined || functionArguments.has(key))
        return false;
      const name = unit.fresh("o");
      functionArguments.set(key, { sql: name, type: argument.type, hasColumns: true });
      named.push(`${argument.sql} AS ${name}`);
    } else if (node.isCorrelated === true && !columns.has(refId(node))) {
      const name = unit.fresh("o");
      columns.set(refId(node), { sql: name, hasColumns: true });
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

interface Preparation {
  /** Gives arguments that differ at every evaluation, and may be written several times, a value of their own for each row. */
  inColumns(args: readonly CompiledExpr[]): readonly CompiledExpr[];
  /** The column that says whether HAVING leaves a row. */
  onlyExtremes(having: Having): string;
  /** The place of what is not aggregated. */
  readonly outside: Unit;
}

function compileAggregate(expr: TreeNode, id: string, unit: Unit, preparation: Preparation): string {
  if (functionName(expr).group !== "ZetaSQL") return compileAggregateBody(expr, unit, preparation.outside);
  const called = aggregateCall(expr, unit);
  const plain = { ...called, args: preparation.inColumns(called.args) };
  const isFiltered = plain.having !== undefined && !HAVING_KNOWN.has(plain.name);
  const call =
    isFiltered && plain.having ? { ...plain, only: preparation.onlyExtremes(plain.having) } : plain;
  return unit.firstElements.has(id) ? firstElementSql(call) : aggregateSql(call);
}
