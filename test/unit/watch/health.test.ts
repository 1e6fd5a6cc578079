import { describe, expect, it } from "vitest";
import type { EntityStatus } from "../../../generator/src/warehouse/status.ts";
import { formatDuration, parseDuration } from "../../../generator/src/watch/durations.ts";
import { judge, type Thresholds, worst } from "../../../generator/src/watch/health.ts";

const NOW = Date.parse("2026-01-02T12:00:00Z");
const HOUR = 3_600_000;

type Run = EntityStatus["runs"][number];

function run(hoursAgo: number, rest: Partial<Run> = {}): Run {
  const mergedAt = new Date(NOW - hoursAgo * HOUR).toISOString();
  return {
    runId: "r",
    usersRead: 3,
    kind: "update",
    mergedAt,
    rowsRead: 9,
    rowsChanged: 3,
    badRows: 0,
    futureRows: 0,
    missedRows: 0,
    ...rest,
  };
}

function entity(rest: Partial<EntityStatus> = {}): EntityStatus {
  return {
    entity: "customer",
    state: "up to date",
    watermark: "2026-01-02 11:00:00+00",
    waiting: 0,
    lagSeconds: 0,
    users: 5,
    badRows: 0,
    reportedRows: 0,
    missedRows: 0,
    missedFrom: null,
    waitingUsers: 0,
    expiring: [],
    runs: [run(0.5), run(1.5), run(2.5), run(3.5)],
    ...rest,
  };
}

const CASES: [
  name: string,
  status: EntityStatus,
  limits: Thresholds,
  word: string,
  reason: RegExp | undefined,
][] = [
  ["up to date, with no limits", entity(), {}, "well", undefined],
  [
    "a watermark of last week, with nothing that waits",
    entity({ watermark: "2025-12-26 11:00:00+00" }),
    { maxLagSeconds: 60 },
    "well",
    undefined,
  ],
  ["without tables", entity({ state: "no tables", runs: [] }), {}, "bad", /npm run init/],
  [
    "a meaning that changed, so that every run stops",
    entity({ changed: "key id -> userId" }),
    {},
    "bad",
    /^its runs stop, by what changed .* \(key id -> userId\): `npm run init -- --plan` lists what is due$/,
  ],
  [
    "a log of runs that nothing else knows of",
    entity({ state: "never run", users: 0, forgotten: { table: "customer_runs", runs: 3 }, runs: [] }),
    {},
    "bad",
    /^the log has 3 runs, .* the watermark was lost, .* or drop customer_runs to begin anew/,
  ],
  [
    "a table that will be gone",
    entity({ expiring: [{ table: "crm.customer_final", at: "2026-03-01T00:00:00.000Z" }] }),
    {},
    "look",
    /^`crm.customer_final` expires on 2026-03-01T00:00:00.000Z: `ALTER TABLE crm.customer_final SET/,
  ],
  [
    "a lag that is not known",
    entity({ state: "unknown", waiting: null, lagSeconds: null }),
    { maxLagSeconds: 7200 },
    "bad",
    /^lag: unknown, and the limit is 2 h$/,
  ],
  [
    "late rows that nobody can know of, with a limit for them",
    entity({ state: "unknown", runs: [run(0.5, { missedRows: undefined })] }),
    { maxMissed: 0 },
    "bad",
    /^missed rows: unknown, and the limit is 0$/,
  ],
  [
    "a row that reached final and is reported",
    entity({ reportedRows: 1 }),
    { maxBadRows: 0 },
    "bad",
    /^bad rows: 1, and the limit is 0$/,
  ],
  [
    "updates before the first run",
    entity({ state: "never run", users: 0, waiting: 2, runs: [] }),
    {},
    "look",
    /first run/,
  ],
  [
    "a lost watermark",
    entity({ state: "never run", users: 5, waiting: null, runs: [] }),
    {},
    "look",
    /final has 5 rows and no run is known .* the watermark was lost, .* reads all history/,
  ],
  ["nothing yet", entity({ state: "never run", users: 0, runs: [] }), {}, "well", undefined],
  [
    "a bad row that the last run found first",
    entity({ badRows: 1, runs: [run(0.5, { badRows: 1, newBadRows: 1 }), run(1.5)] }),
    {},
    "look",
    /^1 new bad row kept out of final: `npm run bad-rows -- customer`/,
  ],
  [
    "a bad row that was known before: it is counted, and all is well",
    entity({ badRows: 1, runs: [run(0.5, { badRows: 1, newBadRows: 0 }), run(1.5)] }),
    {},
    "well",
    undefined,
  ],
  [
    "a bad row in a log that does not say whether it is new",
    entity({ badRows: 1, runs: [run(0.5, { badRows: 1 })] }),
    {},
    "look",
    /^1 new bad row/,
  ],
  [
    "a bad row in an earlier run",
    entity({ runs: [run(0.5), run(1.5, { badRows: 1 })] }),
    {},
    "well",
    undefined,
  ],
  [
    "rows of the future",
    entity({ runs: [run(0.5, { futureRows: 1200 })] }),
    {},
    "look",
    /^1,200 rows stamped/,
  ],
  [
    "missed rows, whatever the last run found",
    entity({ state: "rows missed", missedRows: 2, missedFrom: "2025-12-01T00:00:00.000000Z" }),
    {},
    "look",
    /^2 rows behind the window of all later runs: `npm run update -- --tags customer --vars=replayFrom=2025-12-01T00:00:00.000000Z`$/,
  ],
  [
    "late rows that nobody can know of",
    entity({ state: "unknown" }),
    {},
    "look",
    /^whether rows came too late for the last run is unknown$/,
  ],
  ["updates that wait for the next run", entity({ waiting: 7, lagSeconds: 1800 }), {}, "well", undefined],
  [
    "runs that stopped",
    entity({ waiting: 7, lagSeconds: 9 * 3600, runs: [run(9), run(10), run(11)] }),
    {},
    "look",
    /no run for 9 h, and they came every 1 h/,
  ],
  [
    "runs that stopped with nothing to do",
    entity({ runs: [run(9), run(10), run(11)] }),
    {},
    "well",
    undefined,
  ],
  [
    "three runs by hand",
    entity({ waiting: 1, lagSeconds: 100, runs: [run(0.03), run(0.035), run(0.04)] }),
    {},
    "well",
    undefined,
  ],
  [
    "a lag over its limit",
    entity({ waiting: 7, lagSeconds: 7201 }),
    { maxLagSeconds: 7200 },
    "bad",
    /2 h, and the limit is 2 h/,
  ],
  [
    "bad rows at their limit",
    entity({ badRows: 3, runs: [run(0.5, { badRows: 3, newBadRows: 0 })] }),
    { maxBadRows: 3 },
    "well",
    undefined,
  ],
  [
    "bad rows over their limit",
    entity({ badRows: 4, runs: [run(0.5)] }),
    { maxBadRows: 3 },
    "bad",
    /bad rows: 4, and the limit is 3/,
  ],
  [
    "missed rows over their limit",
    entity({ state: "rows missed", missedRows: 1 }),
    { maxMissed: 0 },
    "bad",
    /missed rows: 1/,
  ],
];

describe("an entity's health", () => {
  it.each(CASES)("%s", (_, status, limits, word, reason) => {
    const health = judge(status, limits, NOW);
    expect([health.word, ...health.reasons.slice(0, 1)]).toEqual([
      word,
      ...(reason === undefined ? [] : [expect.stringMatching(reason)]),
    ]);
    expect(health.passed.length > 0).toBe(word === "bad" && Object.keys(limits).length > 0);
  });

  it("without tables, or without a watermark, is within no limit", () => {
    const limits = { maxLagSeconds: 7200, maxBadRows: 0, maxMissed: 0 };
    const lost = entity({ state: "never run", waiting: null, lagSeconds: null, runs: [] });
    expect(judge(lost, limits, NOW).passed).toHaveLength(3);
    const gone = entity({ state: "no tables", watermark: null, lagSeconds: null, users: null, runs: [] });
    expect(judge(gone, limits, NOW).passed).toHaveLength(3);
    expect(judge(gone, {}, NOW).passed).toEqual([]);
  });

  it("of all is that of the worst", () => {
    const words = (...list: ("well" | "look" | "bad")[]) =>
      worst(list.map((word) => ({ entity: "e", word, reasons: [], passed: [] })));
    expect([words(), words("well", "look"), words("look", "bad", "well")]).toEqual(["well", "look", "bad"]);
  });
});

describe("durations", () => {
  it.each([
    ["2h", 7200],
    ["90 min", 5400],
    ["1 day", 86_400],
    ["30s", 30],
    ["1.5h", 5400],
  ])("%s is %i seconds", (text, seconds) => {
    expect(parseDuration(text, "status: --max-lag")).toBe(seconds);
  });

  it.each(["", "2", "h", "2 weeks", "-1h"])("%j is none, and the error says what one is", (text) => {
    expect(() => parseDuration(text, "status: --max-lag")).toThrow(
      /status: --max-lag.*expected a time such as 2h/,
    );
  });

  it("are said in the largest unit that they fill", () => {
    expect([0, 59, 60, 7199, 90_000].map(formatDuration)).toEqual(["0 s", "59 s", "1 min", "1 h", "1 d"]);
  });
});
