import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Harness } from "../scripting/harness.ts";

/** https://cloud.google.com/bigquery/docs/user-defined-functions#javascript-udfs */
let harness: Harness;
beforeAll(async () => {
  harness = await started();
});
afterAll(() => harness.close());

async function started(javaScriptTimeLimitMs?: number): Promise<Harness> {
  const made = await Harness.start({ javaScriptTimeLimitMs });
  await made.run("CREATE FUNCTION d.twice(x FLOAT64) RETURNS FLOAT64 LANGUAGE js AS 'return x * 2'");
  return made;
}

/** A query that calls `f`. */
function calling(signature: string, code: string, query: string): string {
  return `CREATE TEMP FUNCTION f(${signature.replace(" -> ", ") RETURNS ")} LANGUAGE js AS r"""${code}""";\nSELECT ${query}`;
}

describe("what a function gets", () => {
  it.each([
    ["x FLOAT64", "CAST('nan' AS FLOAT64)", "number NaN"],
    ["x FLOAT64", "CAST('-inf' AS FLOAT64)", "number -Infinity"],
    ["x FLOAT64", "3", "number 3"],
    ["x BOOL", "TRUE", "boolean true"],
    ["x STRING", "'ä😀\\n'", "string ä😀\n"],
    ["x BYTES", "b'a\\xff'", "string Yf8="],
    ["x NUMERIC", "9007199254740992", "number 9007199254740992"],
    ["x NUMERIC", "9007199254740993", "string 9007199254740993"],
    ["x NUMERIC", "-1.5", "string -1.5"],
    ["x BIGNUMERIC", "BIGNUMERIC '-7'", "number -7"],
    [
      "x BIGNUMERIC",
      "BIGNUMERIC '0.00000000000000000000000000000000000001'",
      "string 0.00000000000000000000000000000000000001",
    ],
    ["x ARRAY<STRING>", "['a', NULL]", 'object ["a",null]'],
    ["x STRUCT<a FLOAT64, b STRUCT<c STRING>>", "STRUCT(1, STRUCT('d'))", 'object {"a":1,"b":{"c":"d"}}'],
    ["x JSON", `JSON '{"a": [1, null]}'`, 'object {"a":[1,null]}'],
    ["x JSON", "JSON '9007199254740993'", "number 9007199254740992"],
    ["x FLOAT64", "NULL", "object null"],
    ["x ARRAY<FLOAT64>", "NULL", "object null"],
  ])("%s of %s", async (argument, value, expected) => {
    const code = "return typeof x + ' ' + (typeof x == 'object' ? JSON.stringify(x) : x);";
    expect(await harness.rows(calling(`${argument} -> STRING`, code, `f(${value})`))).toEqual([[expected]]);
  });

  it.each([
    ["x DATE", "DATE '0001-02-03'", "0001-02-03T00:00:00.000Z undefined"],
    ["x TIMESTAMP", "TIMESTAMP '1969-12-31 23:59:59.123456'", "1969-12-31T23:59:59.123Z 456"],
  ])("%s of %s, as a Date", async (argument, value, expected) => {
    const code = "return x.toISOString() + ' ' + x.microsecond;";
    expect(await harness.rows(calling(`${argument} -> STRING`, code, `f(${value})`))).toEqual([[expected]]);
  });

  it("is in UTC", async () => {
    const code = "return new Date(2020, 6, 1).toISOString() + ' ' + new Date(0).getHours();";
    expect(await harness.rows(calling(" -> STRING", code, "f()"))).toEqual([["2020-07-01T00:00:00.000Z 0"]]);
  });
});

describe("what a function gives", () => {
  it.each([
    ["INT64", "7", 7n],
    ["INT64", "'9223372036854775807'", 9223372036854775807n],
    ["INT64", "-(2 ** 53)", -9007199254740992n],
    ["INT64", "12345678901234567890n / 10n", 1234567890123456789n],
    ["FLOAT64", "0.1 + 0.2", 0.30000000000000004],
    ["FLOAT64", "-0", -0],
    ["FLOAT64", "NaN", Number.NaN],
    ["BOOL", "false", false],
    ["STRING", "'a\\u0000b'", "a\0b"],
    ["STRING", "[1, [2]]", "1,2"],
    ["STRING", "({})", "[object Object]"],
    ["BYTES", "'AP8='", Buffer.from([0, 255])],
    ["BYTES", "''", Buffer.from([])],
    ["NUMERIC", "0.1", 100_000_000n],
    ["NUMERIC", "'-99999999999999999999999999999.999999999'", -(10n ** 38n - 1n)],
    ["BIGNUMERIC", "'1e-38'", 1n],
    ["DATE", "new Date(Date.UTC(2024, 1, 29, 23))", 19_782n],
    ["TIMESTAMP", "new Date(-1)", -1000n],
    ["TIMESTAMP", "Object.assign(new Date(-1), {microsecond: 7})", -993n],
    ["JSON", "({b: 1.50, a: [undefined]})", '{"a":[null],"b":1.5}'],
    ["ARRAY<FLOAT64>", "[1, 2.5]", [1, 2.5]],
    ["STRUCT<a INT64, b ARRAY<STRING>>", "({b: ['x'], c: 1})", [null, ["x"]]],
    [
      "ARRAY<STRUCT<a BYTES, b TIMESTAMP>>",
      "[{a: 'YQ==', b: new Date(5)}, {}]",
      [
        [Buffer.from("a"), 5000n],
        [null, null],
      ],
    ],
    ["STRUCT<a FLOAT64>", "({a: -Infinity})", [Number.NEGATIVE_INFINITY]],
    ["FLOAT64", "null", null],
    ["STRING", "undefined", null],
    ["JSON", "undefined", null],
    ["STRUCT<a INT64>", "null", null],
    ["STRING", "Promise.resolve('later').then((x) => x + '!')", "later!"],
    ["INT64", "(async () => { await null; return 4; })()", 4n],
  ])("%s from %s", async (type, code, expected) => {
    expect(await harness.rows(calling(` -> ${type}`, `return ${code}`, "f()"))).toEqual([[expected]]);
  });

  it.each([
    ["INT64", "1.5", "Failed to coerce output value 1.5 to type INT64"],
    ["INT64", "'x'", 'Failed to coerce output value "x" to type INT64'],
    ["INT64", "9223372036854775808n", "Failed to coerce output value 9223372036854775808 to type INT64"],
    ["INT64", "NaN", "Failed to coerce output value NaN to type INT64"],
    ["FLOAT64", "'x'", 'Failed to coerce output value "x" to type FLOAT64'],
    ["BOOL", "0", "Failed to coerce output value 0 to type BOOL"],
    ["BYTES", "'%'", 'Failed to coerce output value "%" to type BYTES'],
    ["NUMERIC", "1e30", "Failed to coerce output value 1e+30 to type NUMERIC"],
    ["DATE", "new Date(NaN)", "Failed to coerce output value Invalid Date to type DATE"],
    [
      "TIMESTAMP",
      "new Date(8.64e15)",
      "Failed to coerce output value +275760-09-13T00:00:00.000Z to type TIMESTAMP",
    ],
    ["ARRAY<STRING>", "'a'", 'Failed to coerce output value "a" to type ARRAY<STRING>'],
    ["STRUCT<a STRING>", "[1]", "Failed to coerce output value 1 to type STRUCT<a STRING>"],
    ["STRING", "Symbol()", "Failed to coerce output value Symbol to type STRING"],
  ])("%s from %s is an error", async (type, code, message) => {
    const error = await harness.failure(calling(` -> ${type}`, `return ${code}`, "f()"));
    expect([error.reason, error.message]).toEqual(["invalidQuery", message]);
  });

  it("no NULL within an ARRAY", async () => {
    const error = await harness.failure(calling(" -> ARRAY<STRING>", "return ['a', null]", "f()"));
    expect(error.message).toContain("Array cannot have a null element");
  });
});

describe("an error in the code", () => {
  it.each([
    // As a public test of BigQuery itself shows: the line counts from the opening quotes, the columns are those of the throw.
    ["\n  if (x) {\n    throw new Error('no');\n  }", "Error: no at UDF$1(STRING) line 3, columns 4-5"],
    ["throw new RangeError('far')", "RangeError: far at UDF$1(STRING) line 1, columns 0-1"],
    [
      "\n\n  return undefined.geometry;",
      "TypeError: Cannot read property 'geometry' of undefined at UDF$1(STRING) line 3, columns 19-20",
    ],
    ["\n  return nope;", "ReferenceError: nope is not defined at UDF$1(STRING) line 2"],
    ["\n  return 1 +;", "SyntaxError: unexpected token in expression: ';' at UDF$1(STRING) line 2"],
    ["throw 'text'", "text at UDF$1(STRING)"],
    ["throw { toString() { throw 1 } }", "Error at UDF$1(STRING)"],
    ["return Promise.reject(new Error('late'))", "Error: late at UDF$1(STRING) line 1"],
    ["return new Promise(() => {})", "The Promise that the JavaScript function returned is never settled"],
    ["}); (function () { return 'x'", "SyntaxError: Unexpected token '}' at UDF$1(STRING)"],
    [
      "return (function g(n) { return g(n + 1) + 1 })(0)",
      "RangeError: Maximum call stack size exceeded at UDF$1(STRING) line 1",
    ],
    ["return new Uint8Array(3e8).length", "Resources exceeded during query execution: UDF out of memory."],
  ])("%j", async (code, message) => {
    const error = await harness.failure(calling("x STRING -> STRING", code, "f('a')"));
    expect([error.reason, error.message]).toEqual(["invalidQuery", message]);
    expect(await harness.rows("SELECT d.twice(1)")).toEqual([[2]]);
  });

  it("names its function by place and argument types", async () => {
    const sql = `CREATE TEMP FUNCTION g(x ARRAY<STRUCT<a BYTES>>, y JSON) RETURNS BOOL LANGUAGE js AS "throw new Error('g')";
      SELECT d.twice(1), g([], JSON '1')`;
    expect((await harness.failure(sql)).message).toBe(
      "Error: g at UDF$2(ARRAY<STRUCT<a BYTES>>, JSON) line 1, columns 0-1",
    );
  });

  it("is none where the function is not called", async () => {
    const code = "throw new Error('called')";
    expect(
      await harness.rows(calling("x FLOAT64 -> FLOAT64", code, "IF(x > 1, f(x), x) FROM UNNEST([1.0]) AS x")),
    ).toEqual([[1]]);
  });

  it("can be handled by a script", async () => {
    const sql = `CREATE TEMP FUNCTION f() RETURNS BOOL LANGUAGE js AS "throw new Error('no')";
      BEGIN SELECT f(); EXCEPTION WHEN ERROR THEN SELECT @@error.message; END`;
    expect(await harness.rows(sql)).toEqual([
      ["Query error: Error: no at UDF$1() line 1, columns 0-1 at [2:13]"],
    ]);
  });
});

describe("the sandbox", () => {
  it.each([
    "process",
    "require",
    "fetch",
    "XMLHttpRequest",
    "WebAssembly",
    "Worker",
    "setTimeout",
    "std",
    "os",
    "print",
    "console",
    "Buffer",
  ])("has no %s", async (name) => {
    expect(await harness.rows(calling(" -> STRING", `return typeof ${name}`, "f()"))).toEqual([
      ["undefined"],
    ]);
  });

  it("cannot import", async () => {
    const code = "return import('node:fs').then((fs) => Object.keys(fs).join())";
    expect((await harness.failure(calling(" -> STRING", code, "f()"))).message).toMatch(
      /^(TypeError|ReferenceError): /,
    );
  });

  it("leads to no host by its constructors", async () => {
    const code = "return Object.getPrototypeOf(function () {}).constructor('return typeof process')()";
    expect(await harness.rows(calling(" -> STRING", code, "f()"))).toEqual([["undefined"]]);
  });

  it("lasts as long as the statement, for one function alone", async () => {
    const count = "globalThis.n = (globalThis.n || 0) + 1; return globalThis.n;";
    const sql = `CREATE TEMP FUNCTION f() RETURNS INT64 LANGUAGE js AS "${count}";
      CREATE TEMP FUNCTION g() RETURNS INT64 LANGUAGE js AS "${count} // another";
      SELECT f() + f() + g();`;
    // f() gives 1 and 2, in whichever order.
    expect(await harness.rows(sql)).toEqual([[4n]]);
    expect(await harness.rows(`${sql} ${sql.slice(sql.indexOf("SELECT"))}`)).toEqual([[4n]]);
  });

  it("is its user's to break", async () => {
    const code =
      "Object.prototype.start = 1; JSON.parse = JSON.stringify = null; Array.isArray = () => false; Promise.prototype.then = null; return [x]";
    expect(
      await harness.rows(calling("x STRING -> ARRAY<STRING>", code, "f(x) FROM UNNEST(['a', 'b']) AS x")),
    ).toEqual([[["a"]], [["b"]]]);
    const broken = "Object.defineProperty(Array.prototype, 'toJSON', { value: () => 'forged' }); return x";
    expect((await harness.failure(calling("x STRING -> STRING", broken, "f('a')"))).message).toBe(
      "The JavaScript function has broken its environment",
    );
  });
});

const ENDLESS = [
  ["a loop", "while (true) {}"],
  ["a loop that catches all", "for (;;) { try { for (;;) {} } catch { } }"],
  ["a regular expression", "return /(a+)+$/.test('a'.repeat(40) + 'b')"],
  ["Promises", "const again = () => Promise.resolve().then(again); return again()"],
  // The interpreter does not look up within a built-in function: its thread is ended.
  ["a built-in function", "return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)"],
] as const;

describe("a function without end", () => {
  it.each(ENDLESS)("ends when its job is cancelled, and holds up nobody: %s", async (_, code) => {
    const controller = new AbortController();
    const job = harness.failure(calling(" -> STRING", code, "f()"), { signal: controller.signal });
    // While it runs, the endpoint answers, other functions too.
    expect(await harness.rows("SELECT d.twice(21)")).toEqual([[42]]);
    controller.abort();
    expect((await job).reason).toBe("stopped");
    expect(await harness.rows("SELECT d.twice(4)")).toEqual([[8]]);
  });

  describe("with a time limit", () => {
    let limited: Harness;
    beforeAll(async () => {
      limited = await started(1_000);
    });
    afterAll(() => limited.close());

    it.each(ENDLESS)("ends there: %s", async (_, code) => {
      const error = await limited.failure(calling(" -> STRING", code, "f()"));
      expect([error.reason, error.message]).toEqual([
        "invalidQuery",
        "Resources exceeded during query execution: the JavaScript function did not end within 1 seconds.",
      ]);
    });

    it("leaves room for others, however many there are", async () => {
      const jobs = Array.from({ length: 6 }, () =>
        limited.failure(calling(" -> STRING", "for (;;) {}", "f()")),
      );
      for (const error of await Promise.all(jobs)) expect(error.message).toContain("did not end within");
      expect(await limited.rows("SELECT d.twice(5)")).toEqual([[10]]);
    });
  });
});
