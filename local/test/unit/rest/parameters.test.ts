import { describe, expect, it } from "vitest";
import { readParameters } from "../../../src/jobs/parameters.ts";
import type { ParameterValue } from "../../../src/jobs/ports.ts";

function one(type: object, value: object | undefined): ParameterValue {
  const parameters = [{ parameterType: type, parameterValue: value }];
  const [parameter] = readParameters(parameters as never, undefined) as readonly ParameterValue[];
  if (parameter === undefined) throw new Error("no parameter");
  return parameter;
}

describe("readParameters", () => {
  it.each([
    ["INT64", "9223372036854775807", 9223372036854775807n],
    ["INTEGER", "-1", -1n],
    ["FLOAT64", "1.5e3", 1500],
    ["FLOAT64", "Infinity", Number.POSITIVE_INFINITY],
    ["FLOAT64", "NaN", Number.NaN],
    ["BOOL", "true", true],
    ["STRING", "", ""],
    ["BYTES", "AAE=", new Uint8Array([0, 1])],
    ["DATE", "1970-01-02", 1n],
    ["TIME", "00:00:01.5", 1_500_000n],
    ["DATETIME", "1970-01-01T00:00:01", 1_000_000n],
    ["TIMESTAMP", "1970-01-01 00:00:01+00:00", 1_000_000n],
    ["TIMESTAMP", "1970-01-01T00:00:01.000001Z", 1_000_001n],
    ["NUMERIC", "1.5", 1_500_000_000n],
    ["BIGNUMERIC", "1e-38", 1n],
    ["JSON", '{"b": 1, "a": [true]}', '{"a":[true],"b":1}'],
  ])("%s %s", (type, value, expected) => {
    const parameter = one({ type }, { value });
    expect(parameter.value instanceof Uint8Array ? new Uint8Array(parameter.value) : parameter.value).toEqual(
      expected,
    );
  });

  it.each([
    ["INT64", "9223372036854775808"],
    ["INT64", "x"],
    ["BOOL", "maybe"],
    ["DATE", "2026-02-30"],
    ["NUMERIC", "1e40"],
    ["JSON", "{"],
  ])("refuses %s %s", (type, value) => {
    expect(() => one({ type }, { value })).toThrow("Invalid value for query parameter");
  });

  it("reads arrays and structs, in each other", () => {
    const type = {
      type: "ARRAY",
      arrayType: {
        type: "STRUCT",
        structTypes: [
          { name: "x", type: { type: "INT64" } },
          { name: "y", type: { type: "ARRAY", arrayType: { type: "STRING" } } },
        ],
      },
    };
    const value = {
      arrayValues: [
        { structValues: { x: { value: "1" }, y: { arrayValues: [{ value: "a" }] } } },
        { structValues: { x: {}, y: {} } },
      ],
    };
    expect(one(type, value).value).toEqual([
      [1n, ["a"]],
      [null, []],
    ]);
    expect(one(type, {}).value).toEqual([]);
  });

  it.each([
    [{ start: { value: "1970-01-02" }, end: { value: "1970-01-03" } }, [1n, 2n]],
    [{ start: { value: "1970-01-02" } }, [1n, null]],
    [{ start: { value: null }, end: { value: "1970-01-03" } }, [null, 2n]],
    [{ start: { value: "UNBOUNDED" }, end: { value: "null" } }, [null, null]],
    [{}, [null, null]],
  ])("reads the range %j", (rangeValue, expected) => {
    const type = { type: "RANGE", rangeElementType: { type: "DATE" } };
    expect(one(type, { rangeValue })).toEqual({
      type: { kind: "RANGE", element: { kind: "DATE" } },
      value: expected,
    });
  });

  it.each([
    [
      { rangeValue: { start: { value: "1970-01-03" }, end: { value: "1970-01-03" } } },
      "must be before its end",
    ],
    [{ rangeValue: { start: { value: "x" } } }, 'r.start: could not parse "x" as DATE'],
    [{ value: "[1970-01-01, UNBOUNDED)" }, "a RANGE has a rangeValue"],
  ])("refuses the range %j", (value, message) => {
    const parameter = {
      name: "r",
      parameterType: { type: "RANGE", rangeElementType: { type: "DATE" } },
      parameterValue: value,
    };
    expect(() => readParameters([parameter], undefined)).toThrow(message);
  });

  it("reads NULL of every type", () => {
    expect(one({ type: "RANGE", rangeElementType: { type: "TIMESTAMP" } }, {}).value).toBeNull();
    expect(one({ type: "INT64" }, undefined)).toEqual({ type: { kind: "INT64" }, value: null });
    expect(one({ type: "STRUCT", structTypes: [] }, {}).value).toBeNull();
  });

  it("takes names whatever their case, and only once", () => {
    const named = (name: string) => ({
      name,
      parameterType: { type: "INT64" },
      parameterValue: { value: "1" },
    });
    expect([...(readParameters([named("Abc")], "NAMED") as ReadonlyMap<string, unknown>).keys()]).toEqual([
      "abc",
    ]);
    expect(() => readParameters([named("a"), named("A")], undefined)).toThrow("Duplicate");
    expect(() => readParameters([named("a")], "POSITIONAL")).toThrow("Positional");
    expect(() => readParameters([named("a")], "ODD")).toThrow("parameterMode");
    expect(() => readParameters([{ parameterType: { type: "INT64" } }], "NAMED")).toThrow("name");
  });

  it.each([
    [{ type: "WHAT" }, "unknown type"],
    [{ type: "ARRAY" }, "arrayType"],
    [{ type: "RANGE" }, "rangeElementType whose type is one of DATE, DATETIME, TIMESTAMP"],
    [{ type: "RANGE", rangeElementType: { type: "TIME" } }, "rangeElementType"],
    [{ type: "ARRAY", arrayType: { type: "ARRAY", arrayType: { type: "INT64" } } }, "ARRAY of ARRAYs"],
  ])("refuses the type %j", (type, message) => {
    expect(() => one(type, { value: "1" })).toThrow(message);
  });
});
