import { describe, expect, it } from "vitest";
import {
  billedOf,
  bytesOfDay,
  HOURLY,
  monthlyCosts,
  runsAMonth,
} from "../../../generator/src/warehouse/cost.ts";

const TIB = 1024 ** 4;
const PRICE = { dollarsPerTib: 6.25, asOf: "2023-07-05" };
const MEASURED = {
  users: 1e8,
  finalBytes: TIB / 10,
  batchBytes: TIB / 10_000,
  readBytes: TIB / 100_000,
  dayBytes: TIB / 1000,
  withNews: 1,
};

describe("a month", () => {
  it("of hourly merges reads final as often, of daily ones thirty times", () => {
    const [every, daily] = monthlyCosts(MEASURED, [HOURLY], PRICE);
    expect([every?.runs, every?.mergeRuns, daily?.runs, daily?.mergeRuns]).toEqual([730, 730, 730, 30]);
    expect((every?.bytes ?? 0) / TIB).toBeCloseTo(730 * (0.1 + 0.0002 + 0.00001), 6);
    expect((daily?.bytes ?? 0) / TIB).toBeCloseTo(730 * (0.001 + 0.00001) + (730 / 24) * (0.1 + 0.0002), 6);
    expect(every?.dollars).toBeCloseTo(((every?.bytes ?? 0) / TIB) * 6.25, 6);
  });

  it("of runs without news never reads final", () => {
    for (const { bytes } of monthlyCosts({ ...MEASURED, withNews: 0, dayBytes: 0 }, [HOURLY], PRICE))
      expect(bytes / TIB).toBeCloseTo(730 * 0.00001, 6);
  });
});

describe("a day's updates", () => {
  const at = (hour: number, rowsRead: number) => ({
    mergedAt: `2026-01-01 ${String(hour).padStart(2, "0")}:00:00+00`,
    rowsRead,
  });
  const updates = { rows: 1000, bytes: 50_000 };

  it("are what the last runs read, over the hours between them", () => {
    expect(bytesOfDay([at(4, 30), at(2, 10), at(0, 900)], updates)).toBe((40 / 4) * 24 * 50);
  });

  it("are no more than there is, and nothing where no time went by", () => {
    expect(bytesOfDay([at(1, 500), at(0, 500)], updates)).toBe(50_000);
    expect(bytesOfDay([at(1, 500)], updates)).toBe(0);
    expect(bytesOfDay([at(1, 500), at(0, 500)], { rows: 0, bytes: 0 })).toBe(0);
  });
});

it("what runs were billed is the mean of those whose log says it", () => {
  const bills = [{ batchBytesBilled: 30, mergeBytesBilled: 50 }, { mergeBytesBilled: 7 }];
  expect(billedOf([...bills, { batchBytesBilled: 10, mergeBytesBilled: 30 }])).toEqual({ billedBytes: 60 });
  expect(billedOf([{}])).toEqual({});
});

describe("a cron schedule", () => {
  it.each([
    ["7 * * * *", 730],
    ["*/15 * * * *", 4 * 730],
    ["0 6,18 * * *", 2 * (730 / 24)],
    ["30 8-17/3 * * 1-5", (4 * (730 / 24) * 5) / 7],
    ["0 0 1 * *", 730 / 24 / 31],
  ])("%s starts %d runs", (cron, runs) => {
    expect(runsAMonth(cron)).toBeCloseTo(runs, 6);
  });

  it.each(["hourly", "* * * *", "a * * * *"])("refuses %s", (cron) => {
    expect(() => runsAMonth(cron)).toThrow(/is no/);
  });
});
