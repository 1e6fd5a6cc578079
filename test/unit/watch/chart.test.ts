import { expect, it } from "vitest";
import { BYTE_UNITS } from "../../../generator/src/review/cost.ts";
import { type Chart, drawChart } from "../../../generator/src/watch/chart.ts";
import { TIME_UNITS } from "../../../generator/src/watch/durations.ts";

function axis(most: number, rest: Partial<Chart> = {}): readonly string[] {
  const chart = { title: "x", times: [0, 1], format: (value: number) => `${value}`, ...rest };
  const { markup } = drawChart({ ...chart, series: [{ name: "x", colour: "one", values: [0, most] }] });
  return [...markup.matchAll(/text-anchor="end">([^<]*)</g)].map(([, text = ""]) => text);
}

it.each([
  [3600, TIME_UNITS, ["0", "0.5 h", "1 h"]],
  [3000, TIME_UNITS, ["0", "20 min", "40 min", "60 min"]],
  [9, TIME_UNITS, ["0", "5 s", "10 s"]],
  [2.1e9, BYTE_UNITS, ["0", "0.5 GiB", "1 GiB", "1.5 GiB", "2 GiB"]],
  [2000, undefined, ["0", "500", "1000", "1500", "2000"]],
])("an axis up to %d counts in round numbers of a unit", (most, units, expected) => {
  expect(axis(most, { units })).toEqual(expected);
});

it("a limit above all values is within the axis", () => {
  expect(axis(600, { units: TIME_UNITS, limit: 7200 }).at(-1)).toBe("2 h");
});
