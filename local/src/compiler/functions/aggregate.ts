import { approximates } from "./approximates.ts";
import { onceEach } from "./arguments.ts";
import { intervalDays, intervalMicros, intervalMonths } from "./calendar.ts";
import { exactArgument } from "./exact-argument.ts";
import { aggregate, argument, over, type Site, type SiteMapping } from "./sites.ts";
import { statistics } from "./statistics.ts";
import type { AggregateMapping, AnalyticMapping, CompiledExpr } from "./types.ts";

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
    return numericSum(
      site,
      (low) => low,
      (both) => `${site.call.context.own("numeric_from_sum")}(${both})`,
    );
  }
  if (type.kind === "BIGNUMERIC") return `${site.call.context.own("bignumeric_from_sum")}(${total})`;
  if (type.kind === "INTERVAL")
    return `${site.call.context.own("interval_sum")}(${intervalSum(site).join(", ")})`;
  if (type.kind !== "FLOAT64") return total;
  const infinite = `isinf(${total}) AND NOT ${over(site, `bool_or(isinf(${sql}))`)}`;
  return site.call.context.failWhen(infinite, type, ["double overflow"], total);
};

/** Months, days and microseconds add up by themselves; only a SUM must be in the range of an INTERVAL. */
function intervalSum(site: Site): readonly [months: string, days: string, micros: string] {
  const { sql } = argument(site, 0);
  // Equal INTERVALs, of which one counts, may differ in all three.
  const all = site.call.distinct ? aggregate(site, "list", [sql]) : undefined;
  const e = site.call.context.parameter("e");
  const part = (of: (value: string) => string): string => {
    const sum =
      all === undefined
        ? aggregate(site, "sum", [of(sql)])
        : `list_sum(list_transform(${all}, lambda ${e}: ${of(e)}))`;
    return `CAST(${sum} AS BIGINT)`;
  };
  return [part(intervalMonths), part(intervalDays), part(intervalMicros)];
}

/** A sum of NUMERICs: DuckDB's, or one of BIGNUMERICs where values could take it out of DuckDB's range. */
function numericSum(site: Site, near: (sum: string) => string, wide: (sum: string) => string): string {
  const { sql } = argument(site, 0);
  const isSmall = `abs(${sql}) < '100000000000000000000'::DECIMAL(38,9)`;
  const small = aggregate(site, "sum", [`CASE WHEN ${isSmall} THEN ${sql} END`]);
  const great = `CASE WHEN ${isSmall} THEN NULL ELSE ${site.call.context.own("bignumeric_from_numeric")}(${sql}) END`;
  return onceEach(site.call, [small, aggregate(site, "sum", [great])], (low = "", high = "") => {
    const both = `coalesce(${site.call.context.own("bignumeric_from_numeric")}(${low}) + ${high}, ${high})`;
    return `(CASE WHEN ${high} IS NULL THEN ${near(low)} ELSE ${wide(both)} END)`;
  });
}

const average: SiteMapping = (site) => {
  const { sql, type } = argument(site, 0);
  const n = aggregate(site, "count", [sql]);
  if (type.kind === "NUMERIC") {
    return numericSum(
      site,
      (low) =>
        `(CASE WHEN ${n} > 0 THEN ${site.call.context.own("numeric_divide")}(${low}, CAST(${n} AS DECIMAL(38,9))) END)`,
      (both) => `${site.call.context.own("numeric_mean")}(${both}, ${n})`,
    );
  }
  if (type.kind === "BIGNUMERIC") {
    return `(CASE WHEN ${n} > 0 THEN ${site.call.context.own("bignumeric_mean")}(${aggregate(site, "sum", [sql])}, ${n}) END)`;
  }
  if (type.kind === "INTERVAL") {
    return `(CASE WHEN ${n} > 0 THEN ${site.call.context.own("interval_mean")}(${intervalSum(site).join(", ")}, ${n}) END)`;
  }
  return aggregate(site, "avg", [sql]);
};

/** MIN and MAX: DuckDB takes NaN for the greatest number, in GoogleSQL one NaN makes the result NaN. */
function extreme(name: "min" | "max"): SiteMapping {
  return (site) => {
    const { sql, type } = argument(site, 0);
    const found = over(site, `${name}(${sql})`);
    if (type.kind !== "FLOAT64" || name === "max") return found;
    return `(CASE WHEN ${over(site, `bool_or(isnan(${sql}))`)} THEN 'nan'::DOUBLE ELSE ${found} END)`;
  };
}

/** The value beside the greatest or smallest key; where a key is NaN so is the extreme, and nothing equals it. */
function valueAt(site: Site, kind: "max" | "min", value: string, key: CompiledExpr): string {
  const found = over(site, `arg_${kind}_null(${value}, ${key.sql})`);
  return key.type.kind === "FLOAT64"
    ? `(CASE WHEN ${over(site, `bool_or(isnan(${key.sql}))`)} THEN NULL ELSE ${found} END)`
    : found;
}

const anyValue: SiteMapping = (site) => {
  const having = "having" in site.call ? site.call.having : undefined;
  return exactArgument(argument(site, 0), (sql) =>
    having === undefined ? over(site, `any_value(${sql})`) : valueAt(site, having.kind, sql, having.expr),
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
    return `${site.call.context.own("join_bytes")}(${list}, ${delimiter ?? "','::BLOB"})`;
  }
  const hasLimit = "limit" in site.call && site.call.limit !== undefined;
  if (!hasLimit) return aggregate(site, "string_agg", [sql, delimiter ?? "','"]);
  return `array_to_string(${limited(site, aggregate(site, "list", [sql], `${sql} IS NOT NULL`))}, ${delimiter ?? "','"})`;
};

const countIf: SiteMapping = (site) => {
  const { sql } = argument(site, 0);
  return site.call.distinct
    ? aggregate(site, "count", [`CASE WHEN ${sql} THEN true END`])
    : over(site, "count(*)", sql);
};

/** DuckDB's count of a frame whose end lies before its start is negative. */
const countStar: SiteMapping = (site) =>
  site.over === "" ? over(site, "count(*)") : `greatest(${over(site, "count(*)")}, 0)`;

/** `MAX_BY(x, y)`: https://cloud.google.com/bigquery/docs/reference/standard-sql/aggregate_functions#max_by */
function valueBy(kind: "max" | "min"): SiteMapping {
  return (site) => valueAt(site, kind, argument(site, 0).sql, argument(site, 1));
}

const SITES: Readonly<Record<string, SiteMapping>> = {
  $count_star: countStar,
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
  ...approximates,
  ...statistics,
  max_by: valueBy("max"),
  min_by: valueBy("min"),
};

function aggregateOf(mapping: SiteMapping): AggregateMapping {
  return (call) => mapping({ call, over: "" });
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
