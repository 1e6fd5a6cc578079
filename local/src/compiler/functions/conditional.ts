import { arg, sqlOf } from "./arguments.ts";
import { equalSql } from "./comparison.ts";
import type { CompiledExpr, FunctionCall, ScalarMapping } from "./types.ts";

function joined(operator: "AND" | "OR"): ScalarMapping {
  return (call) => `(${call.args.map((each) => each.sql).join(` ${operator} `)})`;
}

/** DuckDB evaluates a branch of a CASE only for the rows that take it. */
function caseSql(branches: readonly string[], otherwise: CompiledExpr | undefined): string {
  return `(CASE ${branches.join(" ")}${otherwise === undefined ? "" : ` ELSE ${otherwise.sql}`} END)`;
}

const caseNoValue: ScalarMapping = (call) => {
  const branches: string[] = [];
  for (let index = 0; index + 1 < call.args.length; index += 2) {
    branches.push(`WHEN ${sqlOf(call, index)} THEN ${sqlOf(call, index + 1)}`);
  }
  return caseSql(branches, call.args.length % 2 === 1 ? call.args.at(-1) : undefined);
};

const caseWithValue: ScalarMapping = (call) =>
  call.context.once(sqlOf(call, 0), (sql) => {
    const value = { ...arg(call, 0), sql };
    const branches: string[] = [];
    for (let index = 1; index + 1 < call.args.length; index += 2) {
      branches.push(`WHEN ${equalSql(call, value, arg(call, index))} THEN ${sqlOf(call, index + 1)}`);
    }
    return caseSql(branches, call.args.length % 2 === 0 ? call.args.at(-1) : undefined);
  });

const nullIf: ScalarMapping = (call) =>
  call.context.once(sqlOf(call, 0), (sql) => {
    const value = { ...arg(call, 0), sql };
    return `(CASE WHEN ${equalSql(call, value, arg(call, 1))} THEN NULL ELSE ${sql} END)`;
  });

const coalesce: ScalarMapping = (call) => `coalesce(${call.args.map((each) => each.sql).join(", ")})`;

function zeroOf(call: FunctionCall): string {
  return call.resultType.kind === "BIGNUMERIC" ? "'0'::BIGNUM" : "0";
}

/** AND, OR, NOT, IS, IF, CASE, COALESCE and their kin. */
export const conditionalFunctions: Readonly<Record<string, ScalarMapping>> = {
  $and: joined("AND"),
  $or: joined("OR"),
  $not: (call) => `(NOT ${sqlOf(call, 0)})`,
  $is_null: (call) => `(${sqlOf(call, 0)} IS NULL)`,
  $is_true: (call) => `(${sqlOf(call, 0)} IS TRUE)`,
  $is_false: (call) => `(${sqlOf(call, 0)} IS FALSE)`,
  if: (call) => `(CASE WHEN ${sqlOf(call, 0)} THEN ${sqlOf(call, 1)} ELSE ${sqlOf(call, 2)} END)`,
  $case_no_value: caseNoValue,
  $case_with_value: caseWithValue,
  coalesce,
  ifnull: coalesce,
  nullif: nullIf,
  zeroifnull: (call) => `coalesce(${sqlOf(call, 0)}, ${zeroOf(call)})`,
  nullifzero: (call) =>
    call.context.once(sqlOf(call, 0), (x) => `(CASE WHEN ${x} = ${zeroOf(call)} THEN NULL ELSE ${x} END)`),
};
