import type { SqlType } from "../../types.ts";
import { arg, kindOf, literalText, onceAll, onceEach, refuse, STRING, sqlOf } from "./arguments.ts";
import type { Scope } from "./calendar.ts";
import type { CompiledExpr, FunctionCall, ScalarMapping } from "./types.ts";

type Operator = "=" | "<>" | "<" | "<=" | ">" | ">=";

/** An operand of a comparison; a literal tells that it is no NaN. */
type Operand = Pick<CompiledExpr, "sql" | "type" | "literal">;

function maybeNan(operand: Operand): boolean {
  return (
    operand.type.kind === "FLOAT64" &&
    !(typeof operand.literal === "number" && !Number.isNaN(operand.literal))
  );
}

/**
 * `a = b` as GoogleSQL means it: NaN equals nothing, a STRUCT or ARRAY compares part by part with NULL unknown
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/operators#comparison_operators).
 */
export function equalSql(scope: Scope, a: Operand, b: Operand): string {
  if (a.type.kind === "STRUCT")
    return equalStructs(
      scope,
      a,
      b,
      a.type.fields.map((field) => field.type),
    );
  if (a.type.kind === "ARRAY") return equalArrays(scope, a, b, a.type.element);
  if (!maybeNan(a) || !maybeNan(b)) return `(${a.sql} = ${b.sql})`;
  return onceEach(
    scope,
    [a.sql, b.sql],
    (x, y) => `(CASE WHEN ${x} = ${y} THEN NOT isnan(${x}) ELSE ${x} = ${y} END)`,
  );
}

function equalStructs(scope: Scope, a: Operand, b: Operand, types: readonly SqlType[]): string {
  return onceEach(scope, [a.sql, b.sql], (x, y) => {
    const fields = types.map((type, index) =>
      equalSql(scope, { sql: `(${x}).f${index}`, type }, { sql: `(${y}).f${index}`, type }),
    );
    return `(CASE WHEN ${x} IS NOT NULL AND ${y} IS NOT NULL THEN ${fields.join(" AND ") || "true"} END)`;
  });
}

function equalArrays(scope: Scope, a: Operand, b: Operand, type: SqlType): string {
  return onceEach(scope, [a.sql, b.sql], (x, y) => {
    const pair = scope.context.parameter("p");
    const same = equalSql(scope, { sql: `${pair}[1]`, type }, { sql: `${pair}[2]`, type });
    const elements = scope.context.once(
      `list_transform(list_zip(${x}, ${y}), lambda ${pair}: ${same})`,
      (list) =>
        `(CASE WHEN list_contains(${list}, false) THEN false WHEN list_count(${list}) < len(${list}) THEN NULL ELSE true END)`,
    );
    return `(CASE WHEN ${x} IS NULL OR ${y} IS NULL THEN NULL WHEN len(${x}) <> len(${y}) THEN false ELSE ${elements} END)`;
  });
}

/** A comparison as GoogleSQL means it; DuckDB takes NaN for the greatest number, GoogleSQL for one that compares with nothing. */
function compareSql(scope: Scope, operator: Operator, a: Operand, b: Operand): string {
  const composite = a.type.kind === "STRUCT" || a.type.kind === "ARRAY";
  if (operator === "=") return equalSql(scope, a, b);
  if (operator === "<>") {
    if (!composite && !(maybeNan(a) && maybeNan(b))) return `(${a.sql} <> ${b.sql})`;
    return `(NOT ${equalSql(scope, a, b)})`;
  }
  // Only the side that would have to be the greater one can be a NaN that makes the comparison true.
  const greaterIsLeft = operator.startsWith(">");
  if (!maybeNan(greaterIsLeft ? a : b)) return `(${a.sql} ${operator} ${b.sql})`;
  return onceEach(scope, [a.sql, b.sql], (x, y) => {
    const compared = `${x} ${operator} ${y}`;
    return `(CASE WHEN ${compared} THEN NOT isnan(${greaterIsLeft ? x : y}) ELSE ${compared} END)`;
  });
}

function comparison(operator: Operator): ScalarMapping {
  return (call) => {
    const kind = arg(call, 0).type.kind;
    if ((kind === "STRUCT" || kind === "ARRAY") && operator !== "=" && operator !== "<>") {
      return refuse({ name: operator }, `between ${kind} values`);
    }
    return compareSql(call, operator, arg(call, 0), arg(call, 1));
  };
}

const between: ScalarMapping = (call) => {
  if (arg(call, 0).type.kind !== "FLOAT64") {
    return `(${sqlOf(call, 0)} BETWEEN ${sqlOf(call, 1)} AND ${sqlOf(call, 2)})`;
  }
  return call.context.once(sqlOf(call, 0), (sql) => {
    const x = { ...arg(call, 0), sql };
    return `(${compareSql(call, ">=", x, arg(call, 1))} AND ${compareSql(call, "<=", x, arg(call, 2))})`;
  });
};

const isIn: ScalarMapping = (call) => {
  const [x, ...list] = call.args;
  if (x === undefined) return refuse(call);
  const composite = x.type.kind === "STRUCT" || x.type.kind === "ARRAY";
  if (!composite && !maybeNan(x)) return `(${x.sql} IN (${list.map((item) => item.sql).join(", ")}))`;
  return call.context.once(
    x.sql,
    (sql) => `(${list.map((item) => equalSql(call, { ...x, sql }, item)).join(" OR ")})`,
  );
};

const isInArray: ScalarMapping = (call) => {
  const x = arg(call, 0);
  const plain = x.type.kind !== "STRUCT" && x.type.kind !== "ARRAY" && !maybeNan(x);
  return onceAll(call, (value, array) => {
    const e = call.context.parameter("e");
    const same = equalSql(call, { ...x, sql: value }, { sql: e, type: x.type });
    const equals = `list_transform(${array}, lambda ${e}: ${same})`;
    const found = plain ? `list_contains(${array}, ${value})` : `list_contains(${equals}, true)`;
    const unknown = plain ? `list_count(${array}) < len(${array})` : `list_count(${equals}) < len(${array})`;
    return (
      `(CASE WHEN coalesce(len(${array}), 0) = 0 THEN false WHEN ${value} IS NULL THEN NULL ` +
      `WHEN ${found} THEN true WHEN ${unknown} THEN NULL ELSE false END)`
    );
  });
};

/** GREATEST and LEAST: NULL if any argument is NULL, NaN if any is NaN. */
function extreme(name: "greatest" | "least"): ScalarMapping {
  return (call) => {
    if (call.args.length === 1) return sqlOf(call, 0);
    if (call.resultType.kind === "ARRAY" || call.resultType.kind === "STRUCT")
      return refuse(call, "on this type");
    return onceAll(call, (...operands) => {
      const anyNull = operands.map((operand) => `${operand} IS NULL`).join(" OR ");
      const nanTest = operands.map((operand) => `isnan(${operand})`).join(" OR ");
      const nan = call.resultType.kind === "FLOAT64" ? ` WHEN ${nanTest} THEN 'nan'::DOUBLE` : "";
      // DuckDB compares INTERVALs by their fields here, and by their lengths in its operators. Of equal ones the first stands.
      const [first = "", ...others] = operands;
      const isBeaten = name === "greatest" ? "<" : ">";
      const longest = others.reduce(
        (best, x) =>
          onceEach(call, [best], (b) => `(CASE WHEN ${b} ${isBeaten} ${x} THEN ${x} ELSE ${b} END)`),
        first,
      );
      const found = call.resultType.kind === "INTERVAL" ? longest : `${name}(${operands.join(", ")})`;
      return `(CASE WHEN ${anyNull} THEN NULL${nan} ELSE ${found} END)`;
    });
  };
}

/** The escape character of LIKE is the backslash in GoogleSQL; DuckDB has none unless told. */
function likeSql(call: FunctionCall, text: string, pattern: CompiledExpr): string {
  if (arg(call, 0).type.kind === "BYTES") return `${call.context.own("like_bytes")}(${text}, ${pattern.sql})`;
  const literal = literalText(pattern);
  if (literal !== undefined && /\\$/.test(literal.replaceAll("\\\\", ""))) {
    return call.context.raise(call.resultType, "LIKE pattern ends with a backslash");
  }
  if (literal !== undefined && !literal.includes("\\")) return `(${text} LIKE ${pattern.sql})`;
  if (literal !== undefined) return `(${text} LIKE ${pattern.sql} ESCAPE '\\')`;
  return call.context.once(pattern.sql, (p) =>
    call.context.failWhen(
      // An odd number of backslashes at the end: the last one escapes nothing.
      `suffix(${p}, '\\') AND length(${p}) % 2 <> length(rtrim(${p}, '\\')) % 2 AND ${text} IS NOT NULL`,
      call.resultType,
      ["LIKE pattern ends with a backslash"],
      `(${text} LIKE ${p} ESCAPE '\\')`,
    ),
  );
}

function likeMany(joiner: " OR " | " AND "): ScalarMapping {
  return (call) =>
    call.context.once(sqlOf(call, 0), (text) => {
      const tests = call.args.slice(1).map((pattern) => likeSql(call, text, pattern));
      return `(${tests.join(joiner)})`;
    });
}

/**
 * `x [NOT] LIKE ANY|ALL UNNEST(patterns)`; no patterns, or none known, are no match
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/operators#semantic_rules_quant_like).
 */
function likeArray(decides: boolean, isNot: boolean): ScalarMapping {
  return (call) =>
    onceAll(call, (text, patterns) => {
      const e = call.context.parameter("e");
      const type = kindOf(call, 0) === "BYTES" ? ({ kind: "BYTES" } as const) : STRING;
      const matches = likeSql(call, text, { sql: e, type });
      const tests = `list_transform(${patterns}, lambda ${e}: ${isNot ? `(NOT ${matches})` : matches})`;
      return call.context.once(tests, (found) => {
        const none = `coalesce(len(${patterns}), 0) = 0 THEN ${isNot}`;
        const unknown = `len(list_filter(${found}, lambda ${e}: ${e} IS NULL)) > 0`;
        return (
          `(CASE WHEN ${none} WHEN ${text} IS NULL THEN NULL WHEN list_contains(${found}, ${decides}) THEN ${decides} ` +
          `WHEN ${unknown} THEN NULL ELSE ${!decides} END)`
        );
      });
    });
}

/** Comparison operators, IN, LIKE, GREATEST and LEAST. */
export const comparisonFunctions: Readonly<Record<string, ScalarMapping>> = {
  $equal: comparison("="),
  $not_equal: comparison("<>"),
  $less: comparison("<"),
  $less_or_equal: comparison("<="),
  $greater: comparison(">"),
  $greater_or_equal: comparison(">="),
  $between: between,
  $in: isIn,
  $in_array: isInArray,
  $is_distinct_from: (call) => `(${sqlOf(call, 0)} IS DISTINCT FROM ${sqlOf(call, 1)})`,
  $is_not_distinct_from: (call) => `(${sqlOf(call, 0)} IS NOT DISTINCT FROM ${sqlOf(call, 1)})`,
  $like: (call) => likeSql(call, sqlOf(call, 0), arg(call, 1)),
  $like_any: likeMany(" OR "),
  $like_all: likeMany(" AND "),
  $like_any_array: likeArray(true, false),
  $like_all_array: likeArray(false, false),
  $like_not_any_array: likeArray(true, true),
  $like_not_all_array: likeArray(false, true),
  greatest: extreme("greatest"),
  least: extreme("least"),
};
