import { describe, expect, it } from "vitest";
import { microsecondsOf, SpanOfTimes } from "../../../generator/src/warehouse/load/removal.ts";

describe("microsecondsOf", () => {
  const same: [string, string][] = [
    ["2026-01-31T23:59:59Z", "2026-01-31 23:59:59.000000 UTC"],
    ["2026-01-31T23:59:59+02:00", "2026-01-31T21:59:59"],
    ["2026-01-31", "2026-01-31 00:00:00+00:00"],
  ];
  for (const [left, right] of same) {
    it(`takes ${left} for ${right}`, () => expect(microsecondsOf(left)).toBe(microsecondsOf(right)));
  }

  it("keeps microseconds", () => {
    expect(microsecondsOf("1970-01-01T00:00:00.000001Z")).toBe(1n);
    expect(microsecondsOf("1969-12-31T23:59:59.999999Z")).toBe(-1n);
  });

  it("knows not what it does not know", () => {
    for (const text of ["1769903999", "2026-01-31T23:59:59 Europe/Berlin", "soon", "2026-13-01"])
      expect(microsecondsOf(text)).toBeUndefined();
  });
});

describe("SpanOfTimes", () => {
  it("spans what it was given, and nothing once one time is unknown", () => {
    const times = new SpanOfTimes();
    expect(times.span).toBeUndefined();
    for (const second of [2, 1, 3]) times.add(`1970-01-01T00:00:0${second}Z`);
    expect(times.span).toEqual({ first: 1_000_000n, last: 3_000_000n });
    times.add(null);
    times.add("1970-01-01T00:00:04Z");
    expect(times.span).toBeUndefined();
  });
});
