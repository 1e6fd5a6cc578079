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

it.each([
  ["2026-01-05T20:10:00Z", "2026-01-06T08:00:00Z", ["21:00", "Jan 6", "03:00", "06:00"]],
  ["2026-01-05T20:10:00Z", "2026-01-08T10:00:00Z", ["Jan 6", "12:00", "Jan 7", "12:00", "Jan 8"]],
  ["2026-01-05T00:10:00Z", "2026-01-25T00:00:00Z", ["Jan 11", "Jan 18", "Jan 25"]],
])("the axis from %s to %s names no two places alike without a day between them", (from, to, expected) => {
  const times = [from, to].map((time) => Date.parse(time));
  const series = [{ name: "x", colour: "one", values: [0, 1] }] as const;
  const { markup } = drawChart({ title: "x", times, format: String, series });
  expect([...markup.matchAll(/text-anchor="middle">([^<]*)</g)].map(([, text]) => text)).toEqual(expected);
});

it("a limit above all values is within the axis", () => {
  expect(axis(600, { units: TIME_UNITS, limit: 7200 }).at(-1)).toBe("2 h");
});
