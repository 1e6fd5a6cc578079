import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, it } from "vitest";
import type { RangeElementKind, SqlType } from "../../../src/types.ts";
import { duckType, fromDuck, literalSql, type SqlValue } from "../../../src/values.ts";

const scalar = (kind: string): SqlType => ({ kind }) as SqlType;
const range = (kind: RangeElementKind): SqlType => ({ kind: "RANGE", element: { kind } });
const struct = (...types: SqlType[]): SqlType => ({
  kind: "STRUCT",
  fields: types.map((type) => ({ name: "", type })),
});

const CASES: readonly (readonly [string, SqlType, SqlValue])[] = [
  ["the smallest INT64", scalar("INT64"), -(2n ** 63n)],
  ["the greatest INT64", scalar("INT64"), 2n ** 63n - 1n],
  ["minus zero", scalar("FLOAT64"), -0],
  ["NaN", scalar("FLOAT64"), Number.NaN],
  ["minus infinity", scalar("FLOAT64"), Number.NEGATIVE_INFINITY],
  ["a denormal number", scalar("FLOAT64"), 1e-320],
  ["text with quotes, NUL and a line end", scalar("STRING"), "a'b\0c\n\\"],
  ["NUL alone", scalar("STRING"), "\0"],
  ["bytes", scalar("BYTES"), new Uint8Array([0, 255, 39])],
  ["no bytes", scalar("BYTES"), new Uint8Array()],
  ["0001-01-01", scalar("DATE"), -719162n],
  ["the first DATETIME", scalar("DATETIME"), -62135596800000000n],
  ["the last TIMESTAMP", scalar("TIMESTAMP"), 253402300799999999n],
  ["the last TIME", scalar("TIME"), 86399999999n],
  ["the smallest NUMERIC", scalar("NUMERIC"), -(10n ** 38n - 1n)],
  ["the least positive NUMERIC", scalar("NUMERIC"), 1n],
  ["the smallest BIGNUMERIC", scalar("BIGNUMERIC"), -(2n ** 255n)],
  ["a small BIGNUMERIC", scalar("BIGNUMERIC"), 7n],
  ["JSON", scalar("JSON"), '{"a":[1,null]}'],
  ["an INTERVAL of three signs", scalar("INTERVAL"), { months: -14, days: 3, micros: -5n }],
  ["a RANGE", range("DATE"), [-719162n, 2932896n]],
  ["a RANGE without a start", range("TIMESTAMP"), [null, -1n]],
  ["a RANGE without an end", range("DATETIME"), [253402300799999999n, null]],
  ["a RANGE of everything", range("DATE"), [null, null]],
  ["NULL for a RANGE", range("TIMESTAMP"), null],
  ["an ARRAY of RANGEs", { kind: "ARRAY", element: range("DATE") }, [[1n, null], null]],
  ["an empty ARRAY", { kind: "ARRAY", element: scalar("INT64") }, []],
  ["an ARRAY with NULL", { kind: "ARRAY", element: scalar("INT64") }, [1n, null]],
  [
    "a STRUCT of NULL and ARRAY",
    struct(scalar("INT64"), { kind: "ARRAY", element: scalar("STRING") }),
    [null, ["x"]],
  ],
  ["a STRUCT without fields", struct(), []],
  ["NULL", scalar("BYTES"), null],
];

describe("a value written as a DuckDB literal", async () => {
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  await connection.run("SET TimeZone = 'UTC'");

  it.each(CASES)("comes back as it was: %s", async (_, type, value) => {
    const reader = await connection.runAndReadAll(
      `SELECT ${literalSql(type, value)}, NULL::${duckType(type)}`,
    );
    const [written, empty] = reader.getRows()[0] ?? [];
    const back = fromDuck(type, written);
    const plain = (each: SqlValue): unknown => (each instanceof Uint8Array ? [...each] : each);
    expect(plain(back)).toStrictEqual(plain(value));
    expect(empty).toBeNull();
    expect(String(reader.columnType(0))).toBe(String(reader.columnType(1)));
  });
});
