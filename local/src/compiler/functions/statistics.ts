import type { SqlType } from "../../types.ts";
import { duckType } from "../../values.ts";
import { FLOAT64 } from "./arguments.ts";
import { aggregate, over, type Site, type SiteMapping } from "./sites.ts";
import type { CompiledExpr, FunctionContext } from "./types.ts";

interface Statistic {
  readonly name: string;
  /** Of fewer values or pairs the result is NULL. */
  readonly least: 1 | 2;
  /** How often the arguments' unit is a factor of the result. */
  readonly degree: 0 | 1 | 2;
}

/** Squares of numbers between these are far from both ends of FLOAT64, and so are sums of many. */
const TINY = "1e-130";
const HUGE = "1e140";
/** A power of two, so that scaling by it loses no digit. */
const UNIT = `'${2 ** 560}'::DOUBLE`;

function toFloat(context: FunctionContext, { sql, type }: CompiledExpr): string {
  return type.kind === "BIGNUMERIC"
    ? `CAST(${context.own("bignumeric_text")}(${sql}) AS DOUBLE)`
    : `CAST(${sql} AS ${duckType(FLOAT64)})`;
}

/**
 * VAR_POP and its kin of floats. DuckDB fails where the result is not finite, so numbers whose squares could be that are scaled, and a
 * NaN or an infinity, which make the result NaN, are left out.
 */
function ofFloats(site: Site, { name, least, degree }: Statistic): string {
  const args = site.call.args.map((each) => toFloat(site.call.context, each));
  const isPair = args.map((arg) => `${arg} IS NOT NULL`).join(" AND ");
  const sizes = args.map((arg) => over(site, `max(abs(${arg}))`, isPair));
  const size = sizes.length === 1 ? sizes[0] : `greatest(${sizes.join(", ")})`;
  const count = aggregate(site, args.length === 1 ? "count" : "regr_count", args);
  const of = (limit: string, scaled: (arg: string) => string): string =>
    aggregate(
      site,
      name,
      args.map((arg) => `CASE WHEN abs(${arg}) ${limit} THEN ${scaled(arg)} END`),
    );
  const huge = `(${of("< 'infinity'::DOUBLE", (arg) => `${arg} / ${UNIT}`)}${` * ${UNIT}`.repeat(degree)})`;
  const tiny = `(${of(`< ${TINY}`, (arg) => `${arg} * ${UNIT}`)}${` / ${UNIT}`.repeat(degree)})`;
  const plain = of(`< ${HUGE}`, (arg) => arg);
  return site.call.context.once(
    size ?? "",
    (most) =>
      `(CASE WHEN ${count} < ${least} THEN NULL WHEN isnan(${most}) OR isinf(${most}) THEN 'nan'::DOUBLE ` +
      `WHEN ${most} >= ${HUGE} THEN ${huge} WHEN ${most} < ${TINY} THEN ${tiny} ELSE ${plain} END)`,
  );
}

/** The same of decimals, whose digits a float would lose: exact but for the last step. */
function ofDecimals(site: Site, { name }: Statistic): string {
  const args = site.call.args.map((arg) => ({ ...arg, sql: asBigNumeric(site.call.context, arg) }));
  const isPair = args.map((arg) => `${arg.sql} IS NOT NULL`).join(" AND ");
  if (args.length === 1)
    return `${site.call.context.own(`decimal_${name}`)}(${aggregate(site, "list", [args[0]?.sql ?? ""], isPair)})`;
  const lists = args.map((arg) => over(site, `list(${arg.sql})`, isPair));
  return `${site.call.context.own(`decimal_${name}`)}(${lists.join(", ")})`;
}

function asBigNumeric(context: FunctionContext, { sql, type }: CompiledExpr): string {
  return type.kind === "NUMERIC" ? `${context.own("bignumeric_from_numeric")}(${sql})` : sql;
}

const isDecimal = ({ kind }: SqlType): boolean => kind === "NUMERIC" || kind === "BIGNUMERIC";

function statistic(description: Statistic): SiteMapping {
  return (site) => {
    const exact = site.call.argTypes.every(isDecimal) && !(site.call.distinct && site.call.args.length > 1);
    return exact ? ofDecimals(site, description) : ofFloats(site, description);
  };
}

const DESCRIPTIONS: readonly Statistic[] = [
  { name: "stddev_pop", least: 1, degree: 1 },
  { name: "stddev_samp", least: 2, degree: 1 },
  { name: "var_pop", least: 1, degree: 2 },
  { name: "var_samp", least: 2, degree: 2 },
  { name: "covar_pop", least: 1, degree: 2 },
  { name: "covar_samp", least: 2, degree: 2 },
  { name: "corr", least: 2, degree: 0 },
];

/** Statistical aggregate functions. */
export const statistics: Readonly<Record<string, SiteMapping>> = Object.fromEntries(
  DESCRIPTIONS.map((description) => [description.name, statistic(description)]),
);
