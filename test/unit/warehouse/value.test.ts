import type { TableField } from "@google-cloud/bigquery";
import { describe, expect, it } from "vitest";
import { findRowProblem } from "../../../generator/src/warehouse/load/value.ts";

const fields: TableField[] = [
  { name: "id", type: "STRING", mode: "REQUIRED" },
  { name: "int", type: "INTEGER" },
  { name: "float", type: "FLOAT" },
  { name: "num", type: "NUMERIC" },
  { name: "sum", type: "NUMERIC", precision: "10", scale: "2" },
  { name: "name", type: "STRING", maxLength: "3" },
  { name: "days", type: "DATE", mode: "REPEATED" },
  { name: "bool", type: "BOOLEAN" },
  { name: "day", type: "DATE" },
  { name: "clock", type: "TIME" },
  { name: "local", type: "DATETIME" },
  { name: "at", type: "TIMESTAMP" },
  { name: "raw", type: "BYTES" },
  { name: "doc", type: "JSON" },
  { name: "place", type: "GEOGRAPHY" },
  { name: "tags", type: "STRING", mode: "REPEATED" },
  { name: "span", type: "RANGE", rangeElementType: { type: "DATE" } },
  { name: "spans", type: "RANGE", rangeElementType: { type: "TIMESTAMP" }, mode: "REPEATED" },
  {
    name: "profile",
    type: "RECORD",
    fields: [
      { name: "city", type: "STRING" },
      { name: "age", type: "INTEGER" },
    ],
  },
];

/** What BigQuery's loader takes, after its documentation on JSON and CSV data types. */
const accepted: Record<string, unknown[]> = {
  int: [1, -1, "9223372036854775807", "-9223372036854775808", "-5", " 7 ", 1.0, "0x1F", "1e3", null],
  float: [1.5, "1e300", "NaN", "-inf", "Infinity", ".5"],
  num: ["12345678901234567890.123456789", 1.25, "-0.5", "1e3", "00099999999999999999999999999999", "123e-40"],
  sum: ["-12345678.919", "0.00123e10"],
  name: ["123", "\u{1f600}\u{1f600}\u{1f600}"],
  bool: [true, "false", "T", "yes", "0", 1],
  day: ["2026-02-28", "2024-02-29", "2000-2-29", "2026/12/31", "0001-01-01", "9999-12-31"],
  clock: ["00:00:00", "23:59:59.999999", "1:2:3", "23:59:60"],
  local: ["2026-01-31 10:11:12", "2026-01-31T10:11:12.5", "2026-01-31"],
  at: [
    "2026-01-31T10:11:12Z",
    "2026-01-31 10:11:12 UTC",
    "2026-01-31 10:11:12.123456+02:00",
    "2026-01-31T10:11:12-8",
    "2026-01-31 10:11:12 America/Los_Angeles",
    "2026/01/31 10:11:12",
    "2026-01-31",
    1767225600,
    1767225600.5,
    "1767225600",
  ],
  raw: ["aGk=", "", "_-8="],
  doc: [{ any: ["thing"] }, "text", 1, [1]],
  place: ["POINT(1 2)", { type: "Point", coordinates: [1, 2] }],
  tags: [[], ["a", "b"], null],
  span: [
    null,
    {},
    { start: "2026-01-31" },
    { Start: null, end: "2026-01-31" },
    { start: "2026-1-2", end: "2026-1-1" },
  ],
  spans: [
    [],
    [
      { start: "2026-01-31T10:11:12Z", end: "2026-01-31 10:11:12.001 UTC" },
      { start: 1767225600, end: "2026-01-31" },
      { start: "2026-01-31T10:11:12+02:00", end: "2026-01-31T09:11:12Z" },
    ],
  ],
  profile: [null, {}, { city: null }, { CITY: "x" }],
};

const refused: [Record<string, unknown>, RegExp][] = [
  [{ int: "twelve" }, /^int: INTEGER: expected a whole number, got "twelve"/],
  [{ int: 1.5 }, /^int: INTEGER/],
  [{ span: "[2026-01-31, UNBOUNDED)" }, /^span: RANGE<DATE>: expected \{"start": …, "end": …\}, or in CSV/],
  [{ span: { from: "2026-01-31" } }, /^span\.from: no such column/],
  [{ span: { start: "soon" } }, /^span\.start: DATE: expected "2026-01-31", got "soon"/],
  [{ span: { start: "2026-01-31", end: "2026-01-31" } }, /^span: RANGE: the start must be before the end/],
  [
    { spans: [{}, { start: "2026-01-31T10:11:12+02:00", end: "2026-01-31T08:11:11Z" }] },
    /^spans\[1\]: RANGE: the start must be before the end/,
  ],
  [{ int: true }, /^int: INTEGER/],
  [{ float: "1,5" }, /^float: FLOAT: expected a number/],
  [{ num: "abc" }, /^num: NUMERIC/],
  [{ bool: "maybe" }, /^bool: BOOLEAN: expected true or false, got "maybe"/],
  [{ day: "31.01.2026" }, /^day: DATE: expected "2026-01-31"/],
  [{ day: "2026-13-01" }, /^day: DATE/],
  [{ clock: "noon" }, /^clock: TIME/],
  [{ at: "yesterday" }, /^at: TIMESTAMP: expected "2026-01-31T23:59:59Z", got "yesterday"/],
  [{ raw: "not base64!" }, /^raw: BYTES/],
  [{ tags: "a" }, /^tags: REPEATED: expected an array, got "a"/],
  [{ tags: ["a", null] }, /^tags\[1\]: an array in BigQuery cannot hold NULL/],
  [{ int: [1] }, /^int: INTEGER: expected a whole number, got an array/],
  [{ profile: "x" }, /^profile: RECORD: expected an object/],
  [{ profile: { age: "old" } }, /^profile\.age: INTEGER/],
  [{ profile: { town: "x" } }, /^profile\.town: no such column in the table; it has city, age/],
  [{ profile: { citi: "x" } }, /^profile\.citi: no such column in the table; did you mean city\?/],
  [{ nope: 1 }, /^nope: no such column/],
  [
    { int: 1e20 },
    /^int: INTEGER: expected a whole number from -9223372036854775808 to 9223372036854775807, got/,
  ],
  [
    { int: "9223372036854775808" },
    /^int: INTEGER: expected a whole number from .*, got "9223372036854775808"/,
  ],
  [{ int: "-9223372036854775809" }, /^int: INTEGER: expected a whole number from/],
  [{ num: "123456789012345678901234567890" }, /^num: NUMERIC: expected at most 29 digits before the point/],
  [{ num: 1e29 }, /^num: NUMERIC: expected at most 29 digits/],
  [
    { sum: "123456789" },
    /^sum: NUMERIC: expected at most 8 digits before the point and 2 behind it, as precision/,
  ],
  [{ name: "four" }, /^name: STRING: expected at most 3 characters, got "four"/],
  [{ day: "2026-02-29" }, /^day: DATE: expected a day that the calendar has, .*, got "2026-02-29"/],
  [{ day: "1900-02-29" }, /^day: DATE: expected a day that the calendar has/],
  [{ day: "0000-01-01" }, /^day: DATE: expected a day that the calendar has/],
  [{ days: ["2026-02-28", "2026-04-31"] }, /^days\[1\]: DATE: expected a day that the calendar has/],
  [{ local: "2026-02-30 10:11:12" }, /^local: DATETIME: expected a day that the calendar has/],
  [{ at: "2026-02-30T10:00:00Z" }, /^at: TIMESTAMP: expected a day that the calendar has/],
  [{ at: "2026-02-28T24:00:00Z" }, /^at: TIMESTAMP: expected "2026-01-31T23:59:59Z"/],
  [{ clock: "10:60:00" }, /^clock: TIME: expected/],
  [{ span: { start: "2026-02-30" } }, /^span\.start: DATE: expected a day that the calendar has/],
];

describe("findRowProblem", () => {
  for (const [name, values] of Object.entries(accepted)) {
    it(`lets ${name} pass as BigQuery does`, () => {
      for (const value of values)
        expect(findRowProblem({ id: "a", [name]: value }, fields), String(value)).toBeUndefined();
    });
  }

  for (const [row, message] of refused) {
    it(`refuses ${JSON.stringify(row)}`, () => {
      const problem = findRowProblem({ id: "a", ...row }, fields);
      expect(`${problem?.path}: ${problem?.message}`).toMatch(message);
    });
  }

  it("misses a REQUIRED column, left out or null", () => {
    expect(findRowProblem({}, fields)).toEqual({
      path: "id",
      message: "REQUIRED, but the row has no value for it",
    });
    // What every object inherits is no value of the row.
    expect(findRowProblem({}, [{ name: "constructor", type: "STRING", mode: "REQUIRED" }])).toMatchObject({
      path: "constructor",
    });
    expect(findRowProblem({ id: null }, fields)).toEqual({
      path: "id",
      message: "REQUIRED, but the value is null",
    });
    expect(findRowProblem({ ID: "a" }, fields)).toBeUndefined();
  });

  it("wants one object per row", () => {
    expect(findRowProblem([{ id: "a" }], fields)?.message).toMatch(/one JSON object per line, got an array/);
  });
});
