import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countGroups } from "../../../src/compiler/functions/regexp.ts";
import { exactDecimal } from "../../../src/compiler/functions/udf/decimal.ts";
import { farmFingerprint } from "../../../src/compiler/functions/udf/hash.ts";
import { parsePath } from "../../../src/compiler/functions/udf/json-path.ts";
import { printJson } from "../../../src/compiler/functions/udf/json-print.ts";
import { findJson, parseJson } from "../../../src/compiler/functions/udf/json-value.ts";
import { instantMicros, localMicros } from "../../../src/compiler/functions/udf/zones.ts";
import { jsonFloat } from "../../../src/storage/json-text.ts";
import { stringLiteral } from "../../../src/string-literal.ts";
import { decimalText } from "../../../src/values.ts";

describe("JSON", () => {
  test("what JSON.stringify prints is read and printed with its keys in order", () => {
    const key = fc.string({ maxLength: 5 }).filter((text) => text !== "__proto__");
    const sorted = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(sorted);
      if (value === null || typeof value !== "object") return value;
      const entries = Object.entries(value).map(([name, item]) => [name, sorted(item)] as const);
      return Object.fromEntries(entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    };
    fc.assert(
      fc.property(
        fc.object({ key, maxDepth: 3, values: [fc.string(), fc.integer(), fc.boolean(), fc.constant(null)] }),
        (value) => {
          expect(JSON.parse(printJson(parseJson(JSON.stringify(value))))).toEqual(
            JSON.parse(JSON.stringify(sorted(value))),
          );
        },
      ),
    );
  });

  test.each([
    ["18446744073709551615", "18446744073709551615"],
    ["18446744073709551616", "1.8446744073709552e+19"],
    ["-0", "-0.0"],
    ["1.50", "1.5"],
    ["1e2", "100.0"],
  ])("the number %s prints as %s", (source, shown) => {
    expect(printJson(parseJson(source))).toBe(shown);
  });

  test.each(["{", "[1,]", "01", '{"a" 1}', '"\n"', "nul", "1 2", "", '"\\u12g4"', "{1:2}", '"a'])(
    "%j is refused",
    (source) => {
      let thrown: unknown;
      try {
        parseJson(source);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toHaveProperty("message");
    },
  );

  test("every double prints as text that reads back the same", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => Number(jsonFloat(x)) === x),
    );
  });

  test("a search ends at what it looks for", () => {
    expect(findJson('{"a": [1, 2.50', parsePath("$.a[0]", false))).toEqual({ float: 1, text: "1" });
    expect(findJson('{"a": [1, 2.50', parsePath("$.b", false))).toBeUndefined();
  });
});

describe("numbers", () => {
  test("a double's exact expansion reads back as the double", () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        (x) => Number(exactDecimal(x)) === Math.abs(x),
      ),
    );
  });

  test.each([
    [1_500_000_000n, "1.5"],
    [-1n, "-0.000000001"],
    [0n, "0"],
    [100_000_000_000n, "100"],
  ])("NUMERIC %s prints as %s", (scaled, shown) => {
    expect(decimalText(scaled, 9)).toBe(shown);
  });
});

describe("zones", () => {
  const NEW_YORK = "America/New_York";
  const at = (text: string): bigint => BigInt(Date.parse(text)) * 1000n;

  test("a time that is skipped counts by the offset before the change", () => {
    expect(instantMicros(at("2020-03-08T02:30:00Z"), NEW_YORK)).toBe(at("2020-03-08T07:30:00Z"));
  });

  test("of a time that comes twice the first is meant", () => {
    expect(instantMicros(at("2020-11-01T01:30:00Z"), NEW_YORK)).toBe(at("2020-11-01T05:30:00Z"));
  });

  test("an instant is found again by what clocks show at it, but in the hour that repeats", () => {
    const micros = fc.bigInt({ min: at("1900-01-01T00:00:00Z"), max: at("2100-01-01T00:00:00Z") });
    fc.assert(
      fc.property(
        micros,
        fc.constantFrom(NEW_YORK, "Asia/Kolkata", "Australia/Lord_Howe", "+05:30", "UTC"),
        (instant, zone) => {
          const found = instantMicros(localMicros(instant, zone), zone);
          expect(found === instant || instant - found <= 3_600_000_000n).toBe(true);
        },
      ),
    );
  });
});

describe("patterns and literals", () => {
  test.each([
    ["(a)(b)", 2],
    ["(?:a)(b)", 1],
    ["(?P<x>a)", 1],
    ["\\(a[(]", 0],
    ["[]()](x)", 1],
    ["\\Q((\\E(a)", 1],
  ])("%s has %i capturing groups", (pattern, groups) => {
    expect(countGroups(pattern)).toBe(groups);
  });

  test("a literal chooses the quote that needs no escape", () => {
    expect(stringLiteral('say "x"')).toBe(`'say "x"'`);
    expect(stringLiteral("it's\n")).toBe(`"it's\\n"`);
  });

  test("the fingerprint of the empty text is the algorithm's constant", () => {
    expect(BigInt.asUintN(64, farmFingerprint(Buffer.alloc(0)))).toBe(0x9ae16a3b2f90404fn);
  });
});
