import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printJson } from "../../../src/compiler/functions/udf/json-print.ts";
import { parseJson } from "../../../src/compiler/functions/udf/json-value.ts";
import { limitDecimal, parseDecimal } from "../../../src/storage/decimal.ts";
import { canonicalWkt } from "../../../src/storage/geography.ts";
import { canonicalJson, parseExactJson } from "../../../src/storage/json-text.ts";
import { JsonRowReader } from "../../../src/storage/json-values.ts";
import {
  floatText,
  intervalText,
  parseRestFormat,
  rowEncoder,
  valueEncoder,
} from "../../../src/storage/rest-values.ts";
import { parseSchema } from "../../../src/storage/schema.ts";
import { parseEpochSeconds, parseTimestamp } from "../../../src/storage/temporal.ts";
import { parseText, ValueError } from "../../../src/storage/text-values.ts";
import type { ScalarKind, SqlType } from "../../../src/types.ts";
import type { SqlValue } from "../../../src/values.ts";

const FLOAT = parseRestFormat({});
const INT64 = parseRestFormat({ useInt64Timestamp: "true" });

function show(kind: ScalarKind, value: SqlValue, format = FLOAT): unknown {
  return JSON.parse(valueEncoder({ kind }, format)(value));
}

describe("values as REST prints them", () => {
  test.each<[ScalarKind, SqlValue, string]>([
    ["INT64", -(2n ** 63n), "-9223372036854775808"],
    ["BOOL", true, "true"],
    ["STRING", "", ""],
    ["STRING", '"\\\n\0é😀', '"\\\n\0é😀'],
    ["JSON", '{"a":"\\n"}', '{"a":"\\n"}'],
    ["BYTES", new Uint8Array([0, 255]), "AP8="],
    ["NUMERIC", 1_500_000_000n, "1.5"],
    ["NUMERIC", -1n, "-0.000000001"],
    ["NUMERIC", 10n ** 38n - 1n, "99999999999999999999999999999.999999999"],
    [
      "BIGNUMERIC",
      -(2n ** 255n),
      "-578960446186580977117854925043439539266.34992332820282019728792003956564819968",
    ],
    ["BIGNUMERIC", 10n ** 38n, "1"],
    ["DATE", -719_162n, "0001-01-01"],
    ["DATE", 2_932_896n, "9999-12-31"],
    ["TIME", 86_399_999_999n, "23:59:59.999999"],
    ["TIME", 500_000n, "00:00:00.500000"],
    ["DATETIME", 1_577_836_800_000_000n, "2020-01-01T00:00:00"],
    ["DATETIME", -1n, "1969-12-31T23:59:59.999999"],
    ["TIMESTAMP", 1_577_836_800_000_000n, "1.5778368E9"],
    ["TIMESTAMP", 1_577_836_800_123_456n, "1.577836800123456E9"],
    ["TIMESTAMP", 0n, "0.0"],
    ["TIMESTAMP", 1_500_000n, "1.5"],
    ["TIMESTAMP", -62_135_596_800_000_000n, "-6.21355968E10"],
    ["TIMESTAMP", 253_402_300_799_999_999n, "2.53402300799999999E11"],
    ["TIMESTAMP", 1n, "1.0E-6"],
  ])("%s %s is %s", (kind, value, want) => {
    expect(show(kind, value)).toBe(want);
  });

  test.each<[number, string]>([
    [1, "1.0"],
    [0.1, "0.1"],
    [-0, "-0.0"],
    [0, "0.0"],
    [1e7, "1.0E7"],
    [9_999_999, "9999999.0"],
    [123_456_789.125, "1.23456789125E8"],
    [0.001, "0.001"],
    [0.00012, "1.2E-4"],
    [5e-324, "5.0E-324"],
    [1.7976931348623157e308, "1.7976931348623157E308"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    [Number.NEGATIVE_INFINITY, "-Infinity"],
  ])("FLOAT64 %s is %s", (value, want) => {
    expect(floatText(value)).toBe(want);
  });

  test("every FLOAT64 is read back from its text", () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        expect(parseText("FLOAT64", floatText(value))).toBe(value);
      }),
    );
  });

  test("TIMESTAMP in the formats clients ask for", () => {
    expect(show("TIMESTAMP", 1_577_836_800_000_001n, INT64)).toBe("1577836800000001");
    const iso = parseRestFormat({ timestampOutputFormat: "ISO8601_STRING" });
    expect(show("TIMESTAMP", 1_577_836_800_000_001n, iso)).toBe("2020-01-01T00:00:00.000001Z");
  });

  test("INTERVAL has a sign for each part", () => {
    expect(intervalText({ months: 14, days: 3, micros: 14_706_789_000n })).toBe("1-2 3 4:5:6.789");
    expect(intervalText({ months: -14, days: -3, micros: -14_706_000_001n })).toBe("-1-2 -3 -4:5:6.000001");
    expect(intervalText({ months: 0, days: 0, micros: 0n })).toBe("0-0 0 0:0:0");
  });

  test("nested rows", () => {
    const type: SqlType = {
      kind: "ARRAY",
      element: { kind: "STRUCT", fields: [{ name: "a", type: { kind: "INT64" } }] },
    };
    expect(JSON.parse(rowEncoder([type, { kind: "STRING" }], FLOAT)([[[1n], [null]], null]))).toEqual({
      f: [{ v: [{ v: { f: [{ v: "1" }] } }, { v: { f: [{ v: null }] } }] }, { v: null }],
    });
    expect(JSON.parse(rowEncoder([type], FLOAT)([null]))).toEqual({ f: [{ v: [] }] });
  });
});

const micros = fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n });
const VALUES: [ScalarKind, fc.Arbitrary<SqlValue>][] = [
  ["INT64", fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  ["BOOL", fc.boolean()],
  ["STRING", fc.string()],
  ["BYTES", fc.uint8Array()],
  ["NUMERIC", fc.bigInt({ min: 1n - 10n ** 38n, max: 10n ** 38n - 1n })],
  ["BIGNUMERIC", fc.bigInt({ min: -(2n ** 255n), max: 2n ** 255n - 1n })],
  ["DATE", fc.bigInt({ min: -719_162n, max: 2_932_896n })],
  ["TIME", fc.bigInt({ min: 0n, max: 86_399_999_999n })],
  ["DATETIME", micros],
  ["TIMESTAMP", micros],
  [
    "INTERVAL",
    fc.record({
      months: fc.integer({ min: -120_000, max: 120_000 }),
      days: fc.integer({ min: -3_660_000, max: 3_660_000 }),
      micros: fc.bigInt({ min: -316_224_000_000_000_000n, max: 316_224_000_000_000_000n }),
    }),
  ],
];

test.each(VALUES)("every %s is read back from what REST prints", (kind, values) => {
  fc.assert(
    fc.property(values, (value) => {
      const text = String(show(kind, value));
      const back = parseText(kind, text);
      expect(back instanceof Uint8Array ? new Uint8Array(back) : back).toEqual(value);
      if (kind === "TIMESTAMP") {
        expect(parseEpochSeconds(text)).toBe(value);
        const iso = show(kind, value, parseRestFormat({ timestampOutputFormat: "ISO8601_STRING" }));
        expect(parseTimestamp(String(iso))).toBe(value);
      }
    }),
  );
});

describe("texts of times", () => {
  test.each<[string, string]>([
    ["2020-07-01 12:00:00+02:00", "2020-07-01T10:00:00"],
    ["2020-07-01T12:00:00-0330", "2020-07-01T15:30:00"],
    ["2020-07-01 12:00:00 UTC", "2020-07-01T12:00:00"],
    ["2020-07-01 12:00:00 Europe/Berlin", "2020-07-01T10:00:00"],
    ["2020-01-01 12:00:00 Europe/Berlin", "2020-01-01T11:00:00"],
    ["2020-1-2", "2020-01-02T00:00:00"],
    ["2020-01-02t03:04z", "2020-01-02T03:04:00"],
    ["2020-01-02 03:04:05.1234567", "2020-01-02T03:04:05.123456"],
  ])("%s", (text, want) => {
    expect(show("DATETIME", parseTimestamp(text) ?? null)).toBe(want);
  });

  test.each<[string, string]>([
    ["2016-12-31 23:59:60", "2017-01-01T00:00:00"],
    ["2016-12-31 23:59:60.5", "2017-01-01T00:00:00"],
    ["2016-12-31 12:59:60", "2016-12-31T13:00:00"],
  ])("the leap second of %s is the next minute's start", (text, want) => {
    expect(show("DATETIME", parseText("DATETIME", text) ?? null)).toBe(want);
    const fraction = text.includes(".") ? ".500000" : "";
    expect(show("DATETIME", parseTimestamp(text) ?? null)).toBe(`${want}${fraction}`);
    expect(show("TIME", parseText("TIME", text.slice(11)) ?? null)).toBe(want.slice(11));
  });

  test("no leap second ends the year 9999", () => {
    expect(parseText("DATETIME", "9999-12-31 23:59:60")).toBeUndefined();
    expect(parseTimestamp("9999-12-31 23:59:60")).toBeUndefined();
  });

  test.each([
    "2020-02-30",
    "2020-01-01 24:00:00",
    "0000-01-01",
    "10000-01-01",
    "2020-01-01 00:00:00+15:00",
    "2020-01-01 x/y",
    "0001-01-01 00:00:00+01:00",
    "",
    "12:00:00",
  ])("%s is no TIMESTAMP", (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });
});

describe("decimals", () => {
  test("are rounded half away from zero and bounded", () => {
    expect(parseDecimal("NUMERIC", "0.0000000005")).toBe(1n);
    expect(parseDecimal("NUMERIC", "-0.0000000005")).toBe(-1n);
    expect(parseDecimal("NUMERIC", "0.00000000049999")).toBe(0n);
    expect(parseDecimal("NUMERIC", "99999999999999999999999999999.9999999995")).toBeUndefined();
    expect(parseDecimal("NUMERIC", "1e-400")).toBe(0n);
    expect(parseDecimal("NUMERIC", "1e400")).toBeUndefined();
    expect(parseDecimal("NUMERIC", `1${"0".repeat(500)}e-500`)).toBe(10n ** 9n);
    expect(parseDecimal("NUMERIC", ".")).toBeUndefined();
    expect(
      parseDecimal(
        "BIGNUMERIC",
        "578960446186580977117854925043439539266.34992332820282019728792003956564819968",
      ),
    ).toBeUndefined();
  });

  test("NUMERIC(p, s)", () => {
    expect(limitDecimal(1_234_500_000n, 9, 3, 2)).toBe(1_230_000_000n);
    expect(limitDecimal(-1_235_000_000n, 9, 3, 2)).toBe(-1_240_000_000n);
    expect(limitDecimal(9_995_000_000n, 9, 3, 2)).toBeUndefined();
    expect(limitDecimal(1_500_000_000n, 9, 1, 0)).toBe(2_000_000_000n);
  });
});

describe("JSON", () => {
  test("is kept as GoogleSQL's functions print it", () => {
    fc.assert(
      fc.property(fc.json({ depthSize: "small" }), (text) => {
        expect(canonicalJson(parseExactJson(text))).toBe(printJson(parseJson(text)));
      }),
    );
  });

  test.each([
    '{"b":1,"a":2,"a":3}',
    "-0",
    "1.0",
    "1e2",
    "1e15",
    "123456789012345678",
    "18446744073709551616",
    "1e-7",
    '"\\u0041\\/"',
    "[ ]",
  ])("%s", (text) => {
    expect(canonicalJson(parseExactJson(text))).toBe(printJson(parseJson(text)));
  });

  test.each(["", "{", '{"a"}', "[1,]", "01", "1.", "'a'", '"\n"', '"\\x"', "nul", "1 2", "NaN"])(
    "%j is refused",
    (text) => {
      expect(() => parseExactJson(text)).toThrow();
    },
  );

  test("deep nesting is refused, not overflowed", () => {
    expect(() => parseExactJson("[".repeat(100_000))).toThrow(/nested too deeply/);
  });
});

test("WKT", () => {
  expect(canonicalWkt("linestring( 1 2,3.50 4 )")).toBe("LINESTRING(1 2, 3.5 4)");
  expect(canonicalWkt("POINT(190 10)")).toBe("POINT(-170 10)");
  expect(canonicalWkt("POINT(0 91)")).toBeUndefined();
  expect(canonicalWkt("point empty")).toBe("GEOMETRYCOLLECTION EMPTY");
  expect(canonicalWkt("POLYGON((0 0, 1 1)")).toBeUndefined();
  expect(canonicalWkt("hello")).toBeUndefined();
});

describe("rows of insertAll", () => {
  const schema = parseSchema([
    { name: "id", type: "INT64", mode: "REQUIRED" },
    { name: "r", type: "RECORD", fields: [{ name: "x", type: "DATE" }] },
    { name: "l", type: "STRING", mode: "REPEATED" },
    { name: "j", type: "JSON" },
  ]);
  const reader = new JsonRowReader({ ignoreUnknownValues: false, words: "insert" });

  test("are read whatever the case of their names", () => {
    expect(reader.row(schema, parseExactJson('{"ID":"7","R":{"X":"2020-01-01"},"L":["a"]}'))).toEqual([
      7n,
      [18_262n],
      ["a"],
      null,
    ]);
  });

  test.each([
    ['"{\\"b\\": 1.50, \\"a\\": 12345678901234567890}"', '{"a":12345678901234567890,"b":1.5}'],
    ['"[1, null]"', "[1,null]"],
    ['"\\"text\\""', '"text"'],
    ['"null"', "null"],
    ["5", "5"],
    ["true", "true"],
  ])("give JSON as text: %s", (sent, kept) => {
    expect(reader.row(schema, parseExactJson(`{"id":1,"j":${sent}}`))[3]).toBe(kept);
  });

  test.each<[string, string, string]>([
    ["{}", "id", "Missing required field: id."],
    ['{"id":1,"zz":1}', "zz", "no such field: zz."],
    ['{"id":"x"}', "id", "Could not convert value to integer."],
    ['{"id":1,"r":5}', "r", "This field is not a record."],
    ['{"id":1,"r":{"x":"y"}}', "r.x", "Invalid date: 'y'"],
    ['{"id":[1]}', "id", "Array specified for non-repeated field."],
    ['{"id":1,"j":{"a":1}}', "j", "This field: j is not a record."],
    ['{"id":1,"j":[1]}', "j", "Array specified for non-repeated field."],
    ['{"id":1,"j":"{"}', "j", "Invalid JSON value: '{'"],
  ])("%s", (json, path, message) => {
    let found: unknown;
    try {
      reader.row(schema, parseExactJson(json));
    } catch (error) {
      found = error;
    }
    expect(found).toBeInstanceOf(ValueError);
    expect(found).toMatchObject({ path, message });
  });
});
