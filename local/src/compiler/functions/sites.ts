import { refuse } from "./arguments.ts";
import type { AggregateCall, AnalyticCall, CompiledExpr } from "./types.ts";

/** An aggregate as it is written once it is known whether it has an OVER. */
export interface Site {
  readonly call: AggregateCall | AnalyticCall;
  /** `OVER (…)` with a leading space, or "". */
  readonly over: string;
}

/** Gives the DuckDB expression of an aggregate function, with or without OVER. */
export type SiteMapping = (site: Site) => string;

/** The n-th argument of an aggregate. */
export function argument(site: Site, index: number): CompiledExpr {
  const found = site.call.args[index];
  return found === undefined ? refuse(site.call, "without an argument") : found;
}

/** One DuckDB aggregate over the rows of the site, or over those of them for which the filter holds. */
export function over(site: Site, sql: string, filter?: string): string {
  const only = "only" in site.call ? site.call.only : undefined;
  const conditions = [filter, only].filter((each) => each !== undefined);
  const where = conditions.length === 0 ? "" : ` FILTER (WHERE ${conditions.join(" AND ")})`;
  return `${sql}${where}${site.over}`;
}

/** `name([DISTINCT] args [ORDER BY …]) [FILTER …] [OVER …]`: an aggregate with the call's own clauses. */
export function aggregate(site: Site, name: string, args: readonly string[], filter?: string): string {
  const distinct = site.call.distinct ? "DISTINCT " : "";
  return over(site, `${name}(${distinct}${args.join(", ")}${orderClause(site)})`, filter);
}

function orderClause(site: Site): string {
  if (site.over !== "" || site.call.orderBy.length === 0) return "";
  const { distinct, args } = site.call;
  // After DISTINCT DuckDB, as GoogleSQL, sorts by the argument alone, and knows it by its text.
  const keys = site.call.orderBy.map((item) =>
    distinct
      ? `${args[0]?.sql} ${item.descending ? "DESC" : "ASC"} NULLS ${item.nullsFirst ? "FIRST" : "LAST"}`
      : item.sql,
  );
  return ` ORDER BY ${keys.join(", ")}`;
}
