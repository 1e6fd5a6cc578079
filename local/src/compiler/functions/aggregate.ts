import { failWhen } from "../../raise.ts";
import type { SqlType } from "../../types.ts";
import { duckType } from "../../values.ts";
import { FLOAT64, refuse } from "./arguments.ts";
import { intervalDays, intervalMicros, intervalMonths } from "./calendar.ts";
import { exactArgument } from "./exact-argument.ts";
import type {
  AggregateCall,
  AggregateMapping,
  AnalyticCall,
  AnalyticMapping,
  CompiledExpr,
} from "./types.ts";

/** An aggregate as it is written once it is known whether it has an OVER. */
interface Site {
  readonly call: AggregateCall | AnalyticCall;
  /** `OVER (…)` with a leading space, or "". */
  readonly over: string;
}

type SiteMapping = (site: Site) => string;

function argument(site: Site, index: number): CompiledExpr {
  const found = site.call.args[index];
  return found === undefined ? refuse(site.call, "without an argument") : found;
}

function orderClause(site: Site): string {
  if (site.over !== "" || site.call.orderBy.length === 0) return "";
  const { distinct } = site.call;
  // After DISTINCT DuckDB sorts by the argument alone.
  const keys = site.call.orderBy.map((item) =>
    distinct
      ? `${item.expr.sql} ${item.descending ? "DESC" : "ASC"} NULLS ${item.nullsFirst ? "FIRST" : "LAST"}`
      : item.sql,
  );
  return ` ORDER BY ${keys.join(", ")}`;
}

/** `name([DISTINCT] args [ORDER BY …]) [FILTER …] [OVER …]`. */
function aggregate(site: Site, name: string, args: readonly string[], filter?: string): string {
  const distinct = site.call.distinct ? "DISTINCT " : "";
  const where = filter === undefined ? "" : ` FILTER (WHERE ${filter})`;
  return `${name}(${distinct}${args.join(", ")}${orderClause(site)})${where}${site.over}`;
}

function native(name: string): SiteMapping {
  return (site) =>
    aggregate(
      site,
      name,
      site.call.args.map((arg) => arg.sql),
    );
}

const count: SiteMapping = (site) => aggregate(site, "count", [argument(site, 0).sql]);

const sum: SiteMapping = (site) => {
  const { sql, type } = argument(site, 0);
  const total = aggregate(site, "sum", [sql]);
  if (type.kind === "INT64") return `CAST(${total} AS BIGINT)`;
  if (type.kind === "NUMERIC") {
    // DuckDB lets the sum leave the range of its own type.
    const limit = "'99999999999999999999999999999.999999999'::DECIMAL(38,9)";
    return failWhen(`abs(${total}) > ${limit}`, type, ["numeric overflow: SUM"], total);
  }
  if (type.kind === "BIGNUMERIC") return `bq_bignumeric_check(${total})`;
  if (type.kind === "INTERVAL") return `bq_interval_sum(${intervalSum(site).join(", ")})`;
  if (type.kind !== "FLOAT64") return total;
  const infinite = `isinf(${total}) AND NOT bool_or(isinf(${sql}))${site.over}`;
  return failWhen(infinite, type, ["double overflow"], total);
};

/** Months, days and microseconds add up by themselves; only a SUM must be in the range of an INTERVAL. */
function intervalSum(site: Site): readonly [months: string, days: string, micros: string] {
  const { sql } = argument(site, 0);
  const part = (of: string): string => `CAST(${aggregate(site, "sum", [of])} AS BIGINT)`;
  return [part(intervalMonths(sql)), part(intervalDays(sql)), part(intervalMicros(sql))];
}

const average: SiteMapping = (site) => {
  const { sql, type } = argument(site, 0);
  const n = aggregate(site, "count", [sql]);
  if (type.kind === "NUMERIC") {
    return `(CASE WHEN ${n} > 0 THEN bq_numeric_divide(${aggregate(site, "sum", [sql])}, CAST(${n} AS DECIMAL(38,9))) END)`;
  }
  if (type.kind === "BIGNUMERIC") {
    return `(CASE WHEN ${n} > 0 THEN bq_bignumeric_divide(${aggregate(site, "sum", [sql])}, bq_bignumeric_from_int(${n})) END)`;
  }
  if (type.kind === "INTERVAL") {
    return `(CASE WHEN ${n} > 0 THEN bq_interval_mean(${intervalSum(site).join(", ")}, ${n}) END)`;
  }
  return aggregate(site, "avg", [sql]);
};

/** MIN and MAX: DuckDB takes NaN for the greatest number, in GoogleSQL one NaN makes the result NaN. */
function extreme(name: "min" | "max"): SiteMapping {
  return (site) => {
    const { sql, type } = argument(site, 0);
    const found = `${name}(${sql})${site.over}`;
    if (type.kind !== "FLOAT64" || name === "max") return found;
    return `(CASE WHEN bool_or(isnan(${sql}))${site.over} THEN 'nan'::DOUBLE ELSE ${found} END)`;
  };
}

/** The value beside the greatest or smallest key; where a key is NaN so is the extreme, and nothing equals it. */
function valueAt(kind: "max" | "min", value: string, key: CompiledExpr): string {
  const found = `arg_${kind}_null(${value}, ${key.sql})`;
  return key.type.kind === "FLOAT64"
    ? `(CASE WHEN bool_or(isnan(${key.sql})) THEN NULL ELSE ${found} END)`
    : found;
}

const anyValue: SiteMapping = (site) => {
  const having = "having" in site.call ? site.call.having : undefined;
  return exactArgument(argument(site, 0), (sql) =>
    having === undefined ? `any_value(${sql})${site.over}` : valueAt(having.kind, sql, having.expr),
  );
};

function limited(site: Site, list: string): string {
  const limit = "limit" in site.call ? site.call.limit : undefined;
  if (limit === undefined) return list;
  // Of no elements there is no array, not an empty one.
  return limit.literal === 0n ? `(CASE WHEN false THEN ${list} END)` : `(${list})[1:${limit.sql}]`;
}

const arrayAgg: SiteMapping = (site) => {
  const { sql } = argument(site, 0);
  return limited(
    site,
    aggregate(site, "list", [sql], site.call.nulls === "ignore" ? `${sql} IS NOT NULL` : undefined),
  );
};

const arrayConcatAgg: SiteMapping = (site) => {
  const { sql } = argument(site, 0);
  return `flatten(${limited(site, aggregate(site, "list", [sql], `${sql} IS NOT NULL`))})`;
};

const stringAgg: SiteMapping = (site) => {
  const { sql, type } = argument(site, 0);
  const delimiter = site.call.args[1]?.sql;
  if (type.kind === "BYTES") {
    const list = limited(site, aggregate(site, "list", [sql], `${sql} IS NOT NULL`));
    return `bq_join_bytes(${list}, ${delimiter ?? "','::BLOB"})`;
  }
  const hasLimit = "limit" in site.call && site.call.limit !== undefined;
  if (!hasLimit) return aggregate(site, "string_agg", [sql, delimiter ?? "','"]);
  return `array_to_string(${limited(site, aggregate(site, "list", [sql], `${sql} IS NOT NULL`))}, ${delimiter ?? "','"})`;
};

const countIf: SiteMapping = (site) => {
  const { sql } = argument(site, 0);
  return site.call.distinct
    ? aggregate(site, "count", [`CASE WHEN ${sql} THEN true END`])
    : `count(*) FILTER (WHERE ${sql})${site.over}`;
};

/** Exact where BigQuery's own answer is approximate. */
const approxQuantiles: SiteMapping = (site) => {
  const { sql } = argument(site, 0);
  const number = site.call.args[1]?.literal;
  if (typeof number !== "bigint" || site.call.distinct || site.call.nulls === "respect")
    return refuse(site.call, "in this form");
  const points = Array.from({ length: Number(number) + 1 }, (_, index) => index / Number(number));
  return `quantile_disc(${sql}, [${points.map((p) => `${p}::DOUBLE`).join(", ")}])${site.over}`;
};

function statistic(name: string): SiteMapping {
  return (site) => {
    const args = site.call.args.map(({ sql, type }) => toFloat(sql, type));
    return aggregate(site, name, args);
  };
}

/** Of fewer than two pairs there is no correlation; DuckDB says NaN. */
const correlation: SiteMapping = (site) => {
  const args = site.call.args.map(({ sql, type }) => toFloat(sql, type));
  return `(CASE WHEN ${aggregate(site, "regr_count", args)} > 1 THEN ${aggregate(site, "corr", args)} END)`;
};

/** Exact; of values that come equally often those that sort last stand first. */
const approxTopCount: SiteMapping = (site) => {
  const { sql } = argument(site, 0);
  const [number] = site.call.args.slice(1);
  if (site.call.distinct || site.over !== "" || number === undefined)
    return refuse(site.call, "in this form");
  const e = site.call.context.fresh("e");
  const counted = `list_transform(map_entries(histogram(${sql})), lambda ${e}: struct_pack(n := CAST(${e}.value AS BIGINT), v := ${e}.key))`;
  const nulls = `CASE WHEN count(*) > count(${sql}) THEN [struct_pack(n := count(*) - count(${sql}), v := CASE WHEN false THEN any_value(${sql}) END)] ELSE [] END`;
  const top = `list_reverse_sort(list_concat(${counted}, ${nulls}))[1:${number.sql}]`;
  return `list_transform(${top}, lambda ${e}: struct_pack(f0 := ${e}.v, f1 := ${e}.n))`;
};

/** `MAX_BY(x, y)`: https://cloud.google.com/bigquery/docs/reference/standard-sql/aggregate_functions#max_by */
function valueBy(kind: "max" | "min"): SiteMapping {
  return (site) => valueAt(kind, argument(site, 0).sql, argument(site, 1));
}

/** Exact; a sum of nothing but NULLs stands last, of equal sums the value that sorts last stands first. */
const approxTopSum: SiteMapping = (site) => {
  const [value, weight, number] = [argument(site, 0), argument(site, 1), argument(site, 2)];
  if (site.call.distinct || site.over !== "") return refuse(site.call, "in this form");
  const [e, g] = [site.call.context.fresh("e"), site.call.context.fresh("g")];
  const isBad = `${weight.sql} < 0${weight.type.kind === "FLOAT64" ? ` OR isnan(${weight.sql})` : ""}`;
  const checked = failWhen(isBad, weight.type, ["Weight must be non-negative"], weight.sql);
  return site.call.context.once(`list(struct_pack(v := ${value.sql}, w := ${checked}))`, (rows) => {
    const groups = `list_distinct(list_transform(${rows}, lambda ${e}: struct_pack(v := ${e}.v)))`;
    const weights = `list_transform(list_filter(${rows}, lambda ${e}: ${e}.v IS NOT DISTINCT FROM ${g}.v), lambda ${e}: ${e}.w)`;
    const sum = `CAST(list_sum(${weights}) AS ${duckType(weight.type)})`;
    const summed = `list_transform(${groups}, lambda ${g}: struct_pack(known := ${sum} IS NOT NULL, n := ${sum}, v := ${g}.v))`;
    return `list_transform(list_reverse_sort(${summed})[1:${number.sql}], lambda ${e}: struct_pack(f0 := ${e}.v, f1 := ${e}.n))`;
  });
};

function toFloat(sql: string, type: SqlType): string {
  return type.kind === "BIGNUMERIC"
    ? `CAST(bq_bignumeric_text(${sql}) AS DOUBLE)`
    : `CAST(${sql} AS ${duckType(FLOAT64)})`;
}

const SITES: Readonly<Record<string, SiteMapping>> = {
  $count_star: (site) => `count(*)${site.over}`,
  count,
  countif: countIf,
  sum,
  avg: average,
  min: extreme("min"),
  max: extreme("max"),
  any_value: anyValue,
  array_agg: arrayAgg,
  array_concat_agg: arrayConcatAgg,
  string_agg: stringAgg,
  logical_or: native("bool_or"),
  logical_and: native("bool_and"),
  bit_and: native("bit_and"),
  bit_or: native("bit_or"),
  bit_xor: native("bit_xor"),
  // Exact answers are within any error bound.
  approx_count_distinct: (site) => `count(DISTINCT ${argument(site, 0).sql})${site.over}`,
  approx_quantiles: approxQuantiles,
  stddev_pop: statistic("stddev_pop"),
  stddev_samp: statistic("stddev_samp"),
  var_pop: statistic("var_pop"),
  var_samp: statistic("var_samp"),
  covar_pop: statistic("covar_pop"),
  covar_samp: statistic("covar_samp"),
  corr: correlation,
  approx_top_count: approxTopCount,
  approx_top_sum: approxTopSum,
  max_by: valueBy("max"),
  min_by: valueBy("min"),
};

const HAVING_KNOWN = new Set(["any_value"]);

function aggregateOf(mapping: SiteMapping): AggregateMapping {
  return (call) => {
    if (call.having !== undefined && !HAVING_KNOWN.has(call.name))
      return refuse(call, `with HAVING ${call.having.kind.toUpperCase()}`);
    return mapping({ call, over: "" });
  };
}

function windowed(mapping: SiteMapping): AnalyticMapping {
  return (call) => mapping({ call, over: ` OVER ${call.over}` });
}

/** Aggregate functions. */
export const aggregates: Readonly<Record<string, AggregateMapping>> = Object.fromEntries(
  Object.entries(SITES).map(([name, mapping]) => [name, aggregateOf(mapping)]),
);

/** Aggregate functions with OVER. */
export const windowedAggregates: Readonly<Record<string, AnalyticMapping>> = Object.fromEntries(
  Object.entries(SITES).map(([name, mapping]) => [name, windowed(mapping)]),
);
