import { unsupported } from "../../errors.ts";
import { duckType } from "../../values.ts";
import { refuse } from "./arguments.ts";
import { argument, over, type Site, type SiteMapping } from "./sites.ts";
import type { CompiledExpr } from "./types.ts";

/** The most quantiles that one call gives. */
const MOST_QUANTILES = 1_000_000n;

/** Each group of APPROX_TOP_SUM looks at all rows; so many comparisons take some seconds. */
const MOST_COMPARISONS = 20_000_000n;

/** Exact where BigQuery's own answer is approximate; of what is sorted NULL is the smallest, then NaN. */
const approxQuantiles: SiteMapping = (site) => {
  const [x, number] = [argument(site, 0), argument(site, 1).literal];
  if (typeof number !== "bigint") return refuse(site.call, "in this form");
  if (number > MOST_QUANTILES) return refuse(site.call, `with more than ${MOST_QUANTILES} quantiles`);
  const { context, distinct, nulls } = site.call;
  const [i, e] = [context.parameter("i"), context.parameter("e")];
  const isNumber = x.type.kind === "FLOAT64" ? `NOT isnan(${x.sql})` : "true";
  const keyed = `list(${distinct ? "DISTINCT " : ""}struct_pack(known := ${x.sql} IS NOT NULL, number := ${isNumber}, v := ${x.sql}))`;
  const all = over(site, keyed, nulls === "respect" ? undefined : `${x.sql} IS NOT NULL`);
  const sorted = `list_transform(list_sort(${all}), lambda ${e}: ${e}.v)`;
  return context.once(sorted, (list) => {
    const place = `greatest((${i} * len(${list}) + ${number - 1n}) // ${number}, 1)`;
    return `(CASE WHEN ${list} IS NOT NULL THEN list_transform(range(0, ${number + 1n}), lambda ${i}: ${list}[${place}]) END)`;
  });
};

function topNumber(site: Site, index: number): string {
  if (site.call.distinct || site.over !== "") return refuse(site.call, "in this form");
  return argument(site, index).sql;
}

/** A value in a form that is the same for equal ones. */
function distinguished({ sql, type }: CompiledExpr): string {
  return type.kind === "INTERVAL" ? `normalized_interval(${sql})` : sql;
}

/** Exact; of values that come equally often those that sort last stand first. */
const approxTopCount: SiteMapping = (site) => {
  const { type } = argument(site, 0);
  const sql = distinguished(argument(site, 0));
  // DuckDB's histogram takes a NaN that is no part of another value for whatever it is compared with.
  const isFloat = type.kind === "FLOAT64";
  const [key, field] = isFloat ? [`struct_pack(x := ${sql})`, ".x"] : [sql, ""];
  const number = topNumber(site, 1);
  const e = site.call.context.parameter("e");
  const counted = `list_transform(map_entries(${over(site, `histogram(${key})`, isFloat ? `${sql} IS NOT NULL` : undefined)}), lambda ${e}: struct_pack(n := CAST(${e}.value AS BIGINT), v := ${e}.key${field}))`;
  const unknown = `${over(site, "count(*)")} - ${over(site, `count(${sql})`)}`;
  const nulls = `CASE WHEN ${unknown} > 0 THEN [struct_pack(n := ${unknown}, v := CASE WHEN false THEN ${over(site, `any_value(${sql})`)} END)] ELSE [] END`;
  const top = `list_reverse_sort(list_concat(${counted}, ${nulls}))[1:${number}]`;
  return `list_transform(${top}, lambda ${e}: struct_pack(f0 := ${e}.v, f1 := ${e}.n))`;
};

/** Exact; a sum of nothing but NULLs stands last, of equal sums the value that sorts last stands first. */
const approxTopSum: SiteMapping = (site) => {
  const [value, weight, number] = [argument(site, 0), argument(site, 1), topNumber(site, 2)];
  const { context } = site.call;
  const [e, g] = [context.parameter("e"), context.parameter("g")];
  const isBad = `${weight.sql} < 0${weight.type.kind === "FLOAT64" ? ` OR isnan(${weight.sql})` : ""}`;
  const checked = context.failWhen(isBad, weight.type, ["Weight must be non-negative"], weight.sql);
  const all = over(site, `list(struct_pack(v := ${distinguished(value)}, w := ${checked}))`);
  return context.once(all, (rows) =>
    context.once(
      `list_distinct(list_transform(${rows}, lambda ${e}: struct_pack(v := ${e}.v)))`,
      (groups) => {
        const weights = `list_transform(list_filter(${rows}, lambda ${e}: ${e}.v IS NOT DISTINCT FROM ${g}.v), lambda ${e}: ${e}.w)`;
        const sum = `CAST(list_sum(${weights}) AS ${duckType(weight.type)})`;
        const summed = `list_transform(${groups}, lambda ${g}: struct_pack(known := ${sum} IS NOT NULL, n := ${sum}, v := ${g}.v))`;
        const top = `list_transform(list_reverse_sort(${summed})[1:${number}], lambda ${e}: struct_pack(f0 := ${e}.v, f1 := ${e}.n))`;
        const tooMany = unsupported("APPROX_TOP_SUM of so many values").message;
        return context.failWhen(
          `len(${groups}) * len(${rows}) > ${MOST_COMPARISONS}`,
          site.call.resultType,
          [tooMany],
          top,
        );
      },
    ),
  );
};

/** A hash of each value; of a number that is equal, and prints the same, in any form. */
const hllInit: SiteMapping = (site) => {
  const { sql, type } = argument(site, 0);
  const { context, args } = site.call;
  const hash = `CAST(CAST(hash(${sql}) AS HUGEINT) - 9223372036854775808 AS BIGINT)`;
  const hashes = over(site, `list(DISTINCT ${hash})`, `${sql} IS NOT NULL`);
  return `${context.own("hll_init")}(${hashes}, ${args[1]?.sql ?? "15::BIGINT"}, '${type.kind}')`;
};

function hllMerge(name: string): SiteMapping {
  return (site) => {
    const { sql } = argument(site, 0);
    return `${site.call.context.own(name)}(${over(site, `list(${sql})`, `${sql} IS NOT NULL`)})`;
  };
}

/** Approximate aggregate functions: https://cloud.google.com/bigquery/docs/reference/standard-sql/approximate_aggregate_functions */
export const approximates: Readonly<Record<string, SiteMapping>> = {
  // Exact answers are within any error bound.
  approx_count_distinct: (site) => over(site, `count(DISTINCT ${argument(site, 0).sql})`),
  approx_quantiles: approxQuantiles,
  approx_top_count: approxTopCount,
  approx_top_sum: approxTopSum,
  "hll_count.init": hllInit,
  "hll_count.merge": (site) => `coalesce(${hllMerge("hll_merge")(site)}, 0)`,
  "hll_count.merge_partial": hllMerge("hll_merge_partial"),
};
