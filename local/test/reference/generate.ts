import type { Message } from "../../src/googlesql/client.ts";

/** A generator of numbers in [0, 1) that gives the same sequence for the same seed. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Values of each type that are likely to find a difference. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  TYPE_INT64: [
    "0",
    "1",
    "-1",
    "2",
    "3",
    "-5",
    "10",
    "64",
    "255",
    "1000000",
    "9223372036854775807",
    "(-9223372036854775807 - 1)",
    "CAST(NULL AS INT64)",
  ],
  TYPE_DOUBLE: [
    "0.0",
    "-0.0",
    "1.0",
    "-1.5",
    "0.1",
    "2.5",
    "3.7",
    "1e15",
    "1e-5",
    "123456.789",
    "1e308",
    "CAST('nan' AS FLOAT64)",
    "CAST('inf' AS FLOAT64)",
    "CAST('-inf' AS FLOAT64)",
    "CAST(NULL AS FLOAT64)",
  ],
  TYPE_NUMERIC: [
    "NUMERIC '0'",
    "NUMERIC '1'",
    "NUMERIC '-1.5'",
    "NUMERIC '0.000000001'",
    "NUMERIC '123456789.987654321'",
    "NUMERIC '99999999999999999999999999999.999999999'",
    "CAST(NULL AS NUMERIC)",
  ],
  TYPE_BIGNUMERIC: [
    "BIGNUMERIC '0'",
    "BIGNUMERIC '1'",
    "BIGNUMERIC '-1.5'",
    "BIGNUMERIC '1e-38'",
    "BIGNUMERIC '12345678901234567890.123456789012345'",
    "BIGNUMERIC '5e38'",
    "CAST(NULL AS BIGNUMERIC)",
  ],
  TYPE_BOOL: ["TRUE", "FALSE", "CAST(NULL AS BOOL)"],
  TYPE_STRING: [
    "''",
    "'a'",
    "'abc'",
    "'ABC def'",
    "' x '",
    "'éàü'",
    "'😀b'",
    "'a,b,c'",
    "'12'",
    "'-3.5'",
    "'aaa'",
    "'%'",
    "'b'",
    "'\\n'",
    "'{\"a\": 1}'",
    "'2020-01-02'",
    "CAST(NULL AS STRING)",
  ],
  TYPE_BYTES: [
    "b''",
    "b'a'",
    "b'abc'",
    "b'\\xff\\x00'",
    "b' x '",
    "b'aaa'",
    "b'\\xc3\\xa9'",
    "CAST(NULL AS BYTES)",
  ],
  TYPE_DATE: [
    "DATE '1970-01-01'",
    "DATE '2020-02-29'",
    "DATE '2019-12-30'",
    "DATE '0001-01-01'",
    "DATE '9999-12-31'",
    "DATE '1582-10-10'",
    "CAST(NULL AS DATE)",
  ],
  TYPE_DATETIME: [
    "DATETIME '1970-01-01 00:00:00'",
    "DATETIME '2020-02-29 23:59:59.999999'",
    "DATETIME '1960-06-15 12:30:45.123'",
    "DATETIME '9999-12-31 23:59:59'",
    "DATETIME '0001-01-01 00:00:00'",
    "CAST(NULL AS DATETIME)",
  ],
  TYPE_TIME: ["TIME '00:00:00'", "TIME '23:59:59.999999'", "TIME '12:30:45.5'", "CAST(NULL AS TIME)"],
  TYPE_TIMESTAMP: [
    "TIMESTAMP '1970-01-01 00:00:00+00'",
    "TIMESTAMP '2020-03-08 09:59:59.999999+00'",
    "TIMESTAMP '1960-06-15 12:30:45.123+00'",
    "TIMESTAMP '9999-12-31 23:59:59+00'",
    "TIMESTAMP '0001-01-01 00:00:00+00'",
    "CAST(NULL AS TIMESTAMP)",
  ],
  TYPE_INTERVAL: [
    "INTERVAL 0 DAY",
    "INTERVAL 5 DAY",
    "INTERVAL -3 MONTH",
    "INTERVAL '1-2 3 4:5:6.5' YEAR TO SECOND",
    "INTERVAL 90 MINUTE",
    "CAST(NULL AS INTERVAL)",
  ],
  TYPE_JSON: [
    "JSON '1'",
    "JSON '\"a\"'",
    "JSON 'null'",
    "JSON '[1, {\"a\": 2.5}]'",
    'JSON \'{"b": true, "a": null}\'',
    "JSON '1.0'",
    "CAST(NULL AS JSON)",
  ],
};

/** Values of RANGEs by the type of their bounds. */
const RANGES: Readonly<Record<string, readonly string[]>> = {
  TYPE_DATE: [
    "RANGE<DATE> '[2019-12-30, 2020-02-29)'",
    "RANGE<DATE> '[2020-02-01, UNBOUNDED)'",
    "RANGE<DATE> '[UNBOUNDED, 1970-01-01)'",
    "RANGE<DATE> '[UNBOUNDED, UNBOUNDED)'",
    "RANGE<DATE> '[9999-01-01, 9999-12-31)'",
    "CAST(NULL AS RANGE<DATE>)",
  ],
  TYPE_DATETIME: [
    "RANGE<DATETIME> '[2019-12-30 12:30:45.123, 2020-02-29 23:59:59.999999)'",
    "RANGE<DATETIME> '[2020-01-31, UNBOUNDED)'",
    "RANGE<DATETIME> '[0001-01-01, 0002-01-01)'",
    "RANGE<DATETIME> '[UNBOUNDED, 1960-06-15 12:30:45.123)'",
    "CAST(NULL AS RANGE<DATETIME>)",
  ],
  TYPE_TIMESTAMP: [
    "RANGE<TIMESTAMP> '[1969-12-31 23:59:59.999999+00, 1970-01-02 00:00:00+00)'",
    "RANGE<TIMESTAMP> '[1960-06-15 12:30:45.123+00, UNBOUNDED)'",
    "RANGE<TIMESTAMP> '[UNBOUNDED, UNBOUNDED)'",
    "RANGE<TIMESTAMP> '[2020-03-08 09:59:59+00, 2020-03-09 10:00:00+00)'",
    "CAST(NULL AS RANGE<TIMESTAMP>)",
  ],
};

/** What an ANY argument may be, the same for all of one call. */
const ANY_TYPES = [
  "TYPE_INT64",
  "TYPE_DOUBLE",
  "TYPE_STRING",
  "TYPE_NUMERIC",
  "TYPE_DATE",
  "TYPE_BYTES",
  "TYPE_TIMESTAMP",
  "TYPE_BOOL",
];
const SQL_NAMES: Readonly<Record<string, string>> = { TYPE_DOUBLE: "FLOAT64" };

const DATE_PARTS = [
  "YEAR",
  "QUARTER",
  "MONTH",
  "WEEK",
  "WEEK(MONDAY)",
  "WEEK(THURSDAY)",
  "ISOWEEK",
  "ISOYEAR",
  "DAY",
];
const TIME_PARTS = ["HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND"];

/** Operators, by the name they have in a resolved tree. */
const OPERATORS: Readonly<Record<string, string>> = {
  $add: "($1 + $2)",
  $subtract: "($1 - $2)",
  $multiply: "($1 * $2)",
  $divide: "($1 / $2)",
  $unary_minus: "(- $1)",
  $equal: "($1 = $2)",
  $not_equal: "($1 != $2)",
  $less: "($1 < $2)",
  $less_or_equal: "($1 <= $2)",
  $greater: "($1 > $2)",
  $greater_or_equal: "($1 >= $2)",
  $between: "($1 BETWEEN $2 AND $3)",
  $in: "($1 IN ($*))",
  $in_array: "($1 IN UNNEST($2))",
  $like: "($1 LIKE $2)",
  $and: "($1 AND $2)",
  $or: "($1 OR $2)",
  $not: "(NOT $1)",
  $is_null: "($1 IS NULL)",
  $is_true: "($1 IS TRUE)",
  $is_false: "($1 IS FALSE)",
  $is_distinct_from: "($1 IS DISTINCT FROM $2)",
  $is_not_distinct_from: "($1 IS NOT DISTINCT FROM $2)",
  $bitwise_and: "($1 & $2)",
  $bitwise_or: "($1 | $2)",
  $bitwise_xor: "($1 ^ $2)",
  $bitwise_not: "(~ $1)",
  $bitwise_left_shift: "($1 << $2)",
  $bitwise_right_shift: "($1 >> $2)",
  $concat_op: "($1 || $2)",
  $array_at_offset: "$1[OFFSET($2)]",
  $array_at_ordinal: "$1[ORDINAL($2)]",
  $safe_array_at_offset: "$1[SAFE_OFFSET($2)]",
  $safe_array_at_ordinal: "$1[SAFE_ORDINAL($2)]",
  $case_no_value: "CASE WHEN $1 THEN $2 END",
  $case_with_value: "CASE $1 WHEN $2 THEN $3 END",
  $extract: "EXTRACT($2 FROM $1)",
  date_add: "DATE_ADD($1, INTERVAL $2 $3)",
  date_sub: "DATE_SUB($1, INTERVAL $2 $3)",
  datetime_add: "DATETIME_ADD($1, INTERVAL $2 $3)",
  datetime_sub: "DATETIME_SUB($1, INTERVAL $2 $3)",
  time_add: "TIME_ADD($1, INTERVAL $2 $3)",
  time_sub: "TIME_SUB($1, INTERVAL $2 $3)",
  timestamp_add: "TIMESTAMP_ADD($1, INTERVAL $2 $3)",
  timestamp_sub: "TIMESTAMP_SUB($1, INTERVAL $2 $3)",
};

/** Functions whose result is not a function of their arguments, or that need no DuckDB at all. */
const NOT_COMPARABLE =
  /^(rand|generate_uuid|current_|session_user|error$|iserror|nulliferror|iferror|typeof|\$make_array|format$|keys\.|aead\.|deterministic_|st_|s2_|hll|d3a|\$proto|\$safe_proto|\$subscript|\$interval|generate_timestamp_array|generate_date_array|make_interval|json_object|normalize|\$extract_|json_set|json_array_|json_strip)/;

/** Where the reference implementation is wrong: it cuts the parts of a TIME, DATE and DATETIME to 32 bits. */
const REFERENCE_IS_WRONG = /^SELECT (TIME|DATE|DATETIME)\(.*922337203685477580[78]/;

interface Argument {
  readonly kind: string;
  readonly type?: {
    readonly typeKind: string;
    readonly arrayType?: { readonly elementType: { readonly typeKind: string } };
    readonly rangeType?: { readonly elementType: { readonly typeKind: string } };
  };
  readonly options: {
    readonly cardinality: string;
    readonly argumentName?: string;
    readonly argumentNameIsMandatory?: boolean;
  };
}

interface Signature {
  readonly argument?: readonly Argument[];
  readonly returnType?: Argument;
  readonly options?: { readonly isDeprecated?: boolean };
}

/** Queries over every scalar function and operator of the analyzer, each signature with random edge values. */
export function generateQueries(
  functions: readonly Message[],
  seed: number,
  perSignature: number,
): readonly string[] {
  const random = seededRandom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const queries: string[] = [];
  for (const each of functions) {
    const name = (each.namePath as readonly string[]).join(".");
    if (
      each.mode !== "SCALAR" ||
      NOT_COMPARABLE.test(name) ||
      (name.startsWith("$") && OPERATORS[name] === undefined)
    )
      continue;
    for (const signature of (each.signature ?? []) as readonly Signature[]) {
      for (let round = 0; round < perSignature; round++) {
        const args = chooseArguments(signature, pick, random);
        if (args === undefined) break;
        const query = writeQuery(name, args, random() < 0.5);
        if (!REFERENCE_IS_WRONG.test(query)) queries.push(query);
      }
    }
  }
  return queries;
}

/** Values for one call, or undefined where an argument cannot be written. */
function chooseArguments(
  signature: Signature,
  pick: <T>(items: readonly T[]) => T,
  random: () => number,
): readonly string[] | undefined {
  const kinds = [...(signature.argument ?? []), signature.returnType].map((each) => each?.kind);
  const any = pick(kinds.includes("ARG_RANGE_TYPE_ANY") ? Object.keys(RANGES) : ANY_TYPES);
  const chosen: string[] = [];
  for (const argument of signature.argument ?? []) {
    const { cardinality, argumentNameIsMandatory } = argument.options;
    if (argumentNameIsMandatory === true) break;
    if (cardinality === "OPTIONAL" && random() < 0.5) break;
    const value = chooseValue(argument, any, signature, pick);
    if (value === undefined) return undefined;
    chosen.push(value);
  }
  return chosen;
}

function chooseValue(
  argument: Argument,
  any: string,
  signature: Signature,
  pick: <T>(items: readonly T[]) => T,
): string | undefined {
  if (
    argument.kind === "ARG_TYPE_ANY_1" ||
    argument.kind === "ARG_TYPE_ANY_2" ||
    argument.kind === "ARG_TYPE_ARBITRARY"
  ) {
    return pick(VALUES[any] ?? []);
  }
  if (argument.kind === "ARG_ARRAY_TYPE_ANY_1") return arrayOf(any, pick);
  if (argument.kind === "ARG_RANGE_TYPE_ANY") return pick(RANGES[any] ?? []);
  if (argument.kind !== "ARG_TYPE_FIXED" || argument.type === undefined) return undefined;
  const { typeKind, arrayType, rangeType } = argument.type;
  if (typeKind === "TYPE_RANGE") return pick(RANGES[rangeType?.elementType.typeKind ?? ""] ?? []);
  if (typeKind === "TYPE_ARRAY") return arrayOf(arrayType?.elementType.typeKind ?? "", pick);
  if (typeKind !== "TYPE_ENUM")
    return VALUES[typeKind] === undefined ? undefined : pick(VALUES[typeKind] ?? []);
  const first = signature.argument?.[0]?.type?.typeKind;
  if (first === "TYPE_DATE") return pick(DATE_PARTS);
  return first === "TYPE_TIME" ? pick(TIME_PARTS) : pick([...DATE_PARTS, ...TIME_PARTS]);
}

function arrayOf(typeKind: string, pick: <T>(items: readonly T[]) => T): string | undefined {
  const values = VALUES[typeKind];
  if (values === undefined) return undefined;
  const name = SQL_NAMES[typeKind] ?? typeKind.replace("TYPE_", "");
  const items = Array.from({ length: pick([0, 1, 3]) }, () => pick(values));
  return pick([
    `ARRAY<${name}>[${items.join(", ")}]`,
    `ARRAY<${name}>[${items.join(", ")}]`,
    `CAST(NULL AS ARRAY<${name}>)`,
  ]);
}

/** A call of constants, or of columns: what DuckDB computes while it plans and what it computes over rows may differ. */
function writeQuery(name: string, args: readonly string[], overRows: boolean): string {
  const isPart = (arg: string): boolean => DATE_PARTS.includes(arg) || TIME_PARTS.includes(arg);
  const names = args.map((arg, index) =>
    overRows && !isPart(arg) && !/ARRAY</.test(arg) ? `x.a${index}` : arg,
  );
  const call = writeCall(name, names);
  const columns = args.flatMap((arg, index) => (names[index] === arg ? [] : [`${arg} AS a${index}`]));
  return columns.length === 0
    ? `SELECT ${call}`
    : `SELECT ${call} FROM UNNEST([STRUCT(${columns.join(", ")})]) x`;
}

function writeCall(name: string, args: readonly string[]): string {
  const form = OPERATORS[name];
  if (form === undefined) return `${name.toUpperCase()}(${args.join(", ")})`;
  return form
    .replace("$*", args.slice(1).join(", "))
    .replace(/\$(\d)/g, (_, n: string) => args[Number(n) - 1] ?? "NULL");
}
