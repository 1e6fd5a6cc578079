import { describe, expect, test } from "vitest";
import { badReason, type Entity, expectedFinal, Oracle, START } from "./oracle.ts";
import { compareValues, type Field, type Row, timestampText, toJsonString, type Value } from "./values.ts";

const HOUR = 3_600_000_000n;
const DAY = BigInt(Date.UTC(2024, 0, 1)) * 1000n;
const NOW = BigInt(Date.UTC(2026, 0, 1)) * 1000n;

function entity(fields: readonly Field[], options: Partial<Entity> = {}): Entity {
  return {
    fields: [{ name: "id", type: "STRING" }, { name: "ts", type: "TIMESTAMP" }, ...fields],
    key: ["id"],
    ingestTimestamp: "ts",
    lookback: HOUR,
    ...options,
  };
}

/** The only user's row, timestamps as they are. */
function only(shape: Entity, rows: readonly Row[]): Row | undefined {
  return [...expectedFinal(shape, rows).values()][0]?.row;
}

function versions(shape: Entity, rows: readonly Row[]): Record<string, bigint | null> {
  return Object.fromEntries([...expectedFinal(shape, rows).values()][0]?.versions ?? []);
}

/** Every order of the rows. */
function orders<T>(rows: readonly T[]): T[][] {
  if (rows.length < 2) return [[...rows]];
  return rows.flatMap((row, index) =>
    orders(rows.filter((_, other) => other !== index)).map((rest) => [row, ...rest]),
  );
}

const TEXT: Field = { name: "a", type: "STRING" };

describe("the worked example", () => {
  const shape: Entity = {
    fields: [
      { name: "userId", type: "STRING" },
      { name: "ingestTimestamp", type: "TIMESTAMP" },
      ...["attribute1", "attribute2", "attribute3"].map((name): Field => ({ name, type: "STRING" })),
    ],
    key: ["userId"],
    ingestTimestamp: "ingestTimestamp",
    lookback: HOUR,
  };
  const updates: Row[] = [
    ["userA", 1n, "xyz", "abc", "qwerty"],
    ["userB", 2n, "poc", "mvp", "ytrewq"],
    ["userC", 3n, "zyx", "pvm", "qywter"],
    ["userA", 4n, null, "ghj", null],
    ["userA", 5n, null, null, "lot"],
    ["userB", 6n, "cor", null, null],
    ["userA", 7n, null, "dat", null],
  ].map(([userId = null, time, attribute1 = null, attribute2 = null, attribute3 = null]) => ({
    userId,
    ingestTimestamp: DAY + (time as bigint),
    attribute1,
    attribute2,
    attribute3,
  }));
  const wanted = [
    { userId: "userA", ingestTimestamp: DAY + 7n, attribute1: "xyz", attribute2: "dat", attribute3: "lot" },
    {
      userId: "userB",
      ingestTimestamp: DAY + 6n,
      attribute1: "cor",
      attribute2: "mvp",
      attribute3: "ytrewq",
    },
    {
      userId: "userC",
      ingestTimestamp: DAY + 3n,
      attribute1: "zyx",
      attribute2: "pvm",
      attribute3: "qywter",
    },
  ];

  test("in one batch, in any order and twice", () => {
    for (const rows of [updates, [...updates].reverse(), [...updates, ...updates]]) {
      const rowsOfFinal = [...expectedFinal(shape, rows).values()].map(({ row }) => row);
      expect(rowsOfFinal.sort((a, b) => (`${a.userId}` < `${b.userId}` ? -1 : 1))).toEqual(wanted);
    }
  });

  test("in two batches, with the log of both runs", () => {
    const oracle = new Oracle(shape);
    oracle.load(updates.slice(0, 3));
    expect(oracle.run({ kind: "plain" }, NOW)).toEqual({
      readFrom: START,
      rowsRead: 3,
      usersRead: 3,
      futureRows: 0,
      badRows: 0,
      newBadRows: 0,
      missedRows: 0,
      watermarkBefore: START,
      watermarkAfter: DAY + 3n,
      rowsChanged: 3,
    });
    oracle.load(updates.slice(3));
    expect(oracle.run({ kind: "plain" }, NOW)).toMatchObject({
      readFrom: DAY + 3n - HOUR,
      rowsRead: 7,
      rowsChanged: 2,
    });
    expect([...oracle.final.values()].map(({ row }) => row)).toEqual(wanted);
    expect(oracle.run({ kind: "plain" }, NOW)).toMatchObject({ rowsRead: 7, rowsChanged: 0 });
  });

  test("each attribute keeps the version of the update that set it", () => {
    expect(versions(shape, updates)).toEqual({
      attribute1: DAY + 1n,
      attribute2: DAY + 7n,
      attribute3: DAY + 5n,
    });
  });
});

describe("R3: ties", () => {
  const cases: [string, Field, Value[]][] = [
    ["text by bytes, not UTF-16", TEXT, ["", "z", "\uffff", "\u{1f600}"]],
    [
      "NaN is the smallest",
      { name: "a", type: "FLOAT64" },
      [Number.NaN, -Infinity, -1, -0, 0, 1e300, Infinity],
    ],
    ["BOOL", { name: "a", type: "BOOL" }, [false, true]],
    ["INT64 not as text", { name: "a", type: "INT64" }, [-10n, -9n, 9n, 10n]],
    [
      "INTERVAL by length, then text",
      { name: "a", type: "INTERVAL" },
      [
        { months: 0n, days: 29n, micros: 0n },
        { months: 0n, days: 30n, micros: 0n },
        { months: 1n, days: 0n, micros: 0n },
      ],
    ],
    [
      "RANGE by its start, then its end; no start is the least, no end the greatest",
      { name: "a", type: "RANGE<DATE>" },
      [
        "[UNBOUNDED, 0001-01-02)",
        "[UNBOUNDED, UNBOUNDED)",
        "[0001-01-01, 9999-12-31)",
        "[2024-01-01, 2024-01-02)",
        "[2024-01-01, UNBOUNDED)",
        "[2024-01-02, 2024-01-03)",
      ],
    ],
    [
      "arrays of RANGEs by their text",
      { name: "a", type: "RANGE<DATE>", mode: "REPEATED" },
      [["[2024-01-01, UNBOUNDED)"], ["[UNBOUNDED, 2024-01-01)"]],
    ],
    ["JSON by its text", { name: "a", type: "JSON" }, ["1", "10", "2", '{"a":1}']],
    ["arrays by their text", { name: "a", type: "INT64", mode: "REPEATED" }, [[10n], [1n], [2n]]],
  ];
  test.each(cases)("%s", (_, field, ascending) => {
    const shape = entity([field]);
    for (const [index, value] of ascending.entries()) {
      for (const greater of ascending.slice(index + 1)) {
        expect(compareValues(field, value, greater)).toBeLessThan(0);
        for (const rows of orders([value, greater])) {
          expect(
            only(
              shape,
              rows.map((a) => ({ id: "u", ts: DAY, a })),
            )?.a,
          ).toEqual(greater);
        }
      }
    }
  });
});

describe("R4, R5: two clocks and progress", () => {
  const shape = entity([{ name: "event", type: "TIMESTAMP" }, TEXT, { ...TEXT, name: "b" }], {
    eventTimestamp: "event",
  });

  test("a late event fills only what nothing newer has set", () => {
    const rows: Row[] = [
      { id: "u", ts: DAY, event: DAY, a: "new" },
      { id: "u", ts: DAY + 5n, event: DAY - 5n, a: "old", b: "filled" },
    ];
    for (const order of orders(rows)) {
      expect(only(shape, order)).toEqual({ id: "u", ts: DAY + 5n, event: DAY, a: "new", b: "filled" });
    }
  });

  test("an event too far ahead counts from its ingest time, as a value, a clear and a delete do, or not at all", () => {
    const [LIMIT, END] = [24n * HOUR, BigInt(Date.UTC(9999, 0, 1)) * 1000n];
    const rows: Row[] = [
      { id: "u", ts: DAY, event: END, a: "absurd", b: "kept" },
      { id: "u", ts: DAY + 5n, event: DAY + 5n, a: "right" },
      { id: "u", ts: DAY + 6n, event: DAY + 6n + LIMIT, b: "at the limit" },
    ];
    const out = { ...shape, eventAhead: { limit: LIMIT, keepsOut: true } };
    for (const order of orders(rows)) {
      const right = { id: "u", ts: DAY + 6n, event: DAY + 6n + LIMIT, a: "right", b: "at the limit" };
      expect(only(shape, order)).toEqual(right);
      expect(only(out, order)).toEqual(right);
    }
    expect(only(shape, rows.slice(0, 1))).toEqual({ id: "u", ts: DAY, event: DAY, a: "absurd", b: "kept" });
    expect(only(out, rows.slice(0, 1))).toBe(undefined);
    const taking = { ...shape, clearedFields: "cleared", deleted: "gone" };
    const fact: Row = { id: "u", ts: DAY + 5n, event: DAY + 5n, a: "fact" };
    for (const absurd of [{ cleared: ["a"] }, { gone: true }] as Row[]) {
      expect(only(taking, [{ id: "u", ts: DAY, event: END, ...absurd }, fact])?.a).toBe("fact");
      expect(
        only(taking, [
          { ...fact, ts: DAY - 1n, event: DAY - 1n },
          { id: "u", ts: DAY, event: END, ...absurd },
        ])?.a ?? null,
      ).toBe(null);
    }
  });

  test("a row older than the lookback is read by a replay and not before", () => {
    const oracle = new Oracle(entity([TEXT]));
    oracle.load([{ id: "u", ts: DAY }]);
    oracle.run({ kind: "plain" }, NOW);
    oracle.load([{ id: "u", ts: DAY - HOUR - 1n, a: "late" }]);
    expect(oracle.run({ kind: "plain" }, NOW)).toMatchObject({ missedRows: 1 });
    expect(oracle.run({ kind: "plain" }, NOW)).toMatchObject({ missedRows: 0 });
    expect(oracle.final.get('"u"')?.row.a).toBe(null);
    oracle.run({ kind: "replayFrom", from: DAY - 2n * HOUR }, NOW);
    expect(oracle.final.get('"u"')?.row.a).toBe("late");
  });

  test("a row of the year 9999 is merged and blinds nothing", () => {
    const oracle = new Oracle(entity([TEXT]));
    oracle.load([{ id: "u", ts: BigInt(Date.UTC(9999, 11, 31)) * 1000n, a: "future" }]);
    expect(oracle.run({ kind: "plain" }, NOW)).toMatchObject({ futureRows: 1, watermarkAfter: START });
    oracle.load([{ id: "v", ts: DAY, a: "now" }]);
    oracle.run({ kind: "plain" }, NOW);
    expect([...oracle.final.values()].map(({ row }) => row.a)).toEqual(["future", "now"]);
  });

  test("a lost final is read again from the start", () => {
    const oracle = new Oracle(entity([TEXT]));
    oracle.load([
      { id: "u", ts: DAY - 9n * HOUR, a: "x" },
      { id: "v", ts: DAY },
    ]);
    oracle.run({ kind: "plain" }, NOW);
    oracle.loseFinal();
    expect(oracle.run({ kind: "plain" }, NOW)).toMatchObject({ readFrom: START, rowsRead: 2 });
    expect(oracle.final.size).toBe(2);
  });
});

describe("R8: nested", () => {
  const address: Field = {
    name: "address",
    type: "RECORD",
    fields: [
      { name: "city", type: "STRING" },
      { name: "zip", type: "STRING" },
    ],
  };
  const profile: Field = {
    name: "profile",
    type: "RECORD",
    fields: [{ name: "name", type: "STRING" }, address],
  };

  test("leaves merge at any depth, and a RECORD without any is NULL", () => {
    const shape = entity([profile]);
    const rows: Row[] = [
      { id: "u", ts: DAY, profile: { name: "n", address: { city: "c1" } } },
      { id: "u", ts: DAY + 1n, profile: { address: { zip: "z" } } },
      { id: "v", ts: DAY + 1n, profile: { address: {} } },
    ];
    const final = expectedFinal(shape, rows);
    expect(final.get('"u"')?.row.profile).toEqual({ name: "n", address: { city: "c1", zip: "z" } });
    expect(final.get('"v"')?.row.profile).toBe(null);
  });

  test("an atomic RECORD never mixes, and an empty one says nothing", () => {
    const shape = entity([{ ...address, merge: "atomic" }]);
    const rows: Row[] = [
      { id: "u", ts: DAY, address: { city: "c1", zip: "z1" } },
      { id: "u", ts: DAY + 1n, address: { city: "c2" } },
      { id: "u", ts: DAY + 2n, address: { city: null } },
    ];
    expect(only(shape, rows)?.address).toEqual({ city: "c2" });
  });
});

describe("R9: clears", () => {
  const shape = entity(
    [{ name: "r", type: "RECORD", fields: [TEXT, { name: "b", type: "INT64", mode: "REPEATED" }] }],
    { clearedFields: "cleared" },
  );

  test("a clear beats a value at the same version, and a later value beats the clear", () => {
    const rows: Row[] = [
      { id: "u", ts: DAY, r: { a: "x", b: [1n] } },
      { id: "u", ts: DAY + 1n, r: { a: "y" }, cleared: ["R"] },
      { id: "u", ts: DAY + 1n, r: { a: "z" } },
    ];
    for (const order of orders(rows)) {
      expect(only(shape, order)?.r).toBe(null);
      expect(versions(shape, order)).toEqual({ "r.a": DAY + 1n, "r.b": DAY + 1n });
      expect(only(shape, [...order, { id: "u", ts: DAY + 2n, r: { b: [2n] } }])?.r).toEqual({
        a: null,
        b: [2n],
      });
    }
  });

  test("an unknown path makes the row bad", () => {
    expect(badReason(shape, { id: "u", ts: DAY, cleared: ["r.a", "r.nope"] })).toBe("unknown path");
    expect(badReason(shape, { id: "u", ts: DAY, cleared: ["id"] })).toBe("unknown path");
    expect(badReason(shape, { id: "u", ts: DAY, cleared: ["r.A"] })).toBe(undefined);
  });
});

describe("R10: deletes", () => {
  const shape = entity([TEXT, { ...TEXT, name: "b" }], { deleted: "gone" });

  test("a delete removes what is not newer, wins ties, and a later update starts anew", () => {
    const rows: Row[] = [
      { id: "u", ts: DAY, a: "old", b: "old" },
      { id: "u", ts: DAY + 1n, gone: true, a: "ignored" },
      { id: "u", ts: DAY + 1n, a: "tie" },
    ];
    for (const order of orders(rows)) {
      expect(only(shape, order)).toBe(undefined);
      const reborn = only(shape, [...order, { id: "u", ts: DAY + 2n, a: "new", gone: false }]);
      expect(reborn).toEqual({ id: "u", ts: DAY + 2n, a: "new", b: null });
    }
  });
});

describe("R11: policies", () => {
  const number = (merge: Field["merge"]): Entity => entity([{ name: "a", type: "FLOAT64", merge }]);
  const rows: Row[] = [
    { id: "u", ts: DAY, a: 2 },
    { id: "u", ts: DAY + 1n, a: 3 },
    { id: "u", ts: DAY + 2n, a: 1 },
    { id: "u", ts: DAY + 3n, a: 3 },
    { id: "u", ts: DAY, a: 1 },
  ];
  test.each([
    ["latest", 3, 3n],
    ["first", 2, 0n],
    ["max", 3, 3n],
    ["min", 1, 2n],
  ] as const)("%s", (merge, value, offset) => {
    for (const order of orders(rows)) {
      expect(only(number(merge), order)?.a).toBe(value);
      expect(versions(number(merge), order)).toEqual({ a: DAY + offset });
    }
  });

  test("union: each element once, in order, at the newest contribution's version", () => {
    const shape = entity([{ name: "a", type: "INT64", mode: "REPEATED", merge: "union" }]);
    const sets: Row[] = [
      { id: "u", ts: DAY, a: [10n, 9n] },
      { id: "u", ts: DAY + 1n, a: [9n, 9n, -1n] },
      { id: "u", ts: DAY + 2n, a: [] },
    ];
    for (const order of orders(sets)) {
      expect(only(shape, order)?.a).toEqual([-1n, 9n, 10n]);
      expect(versions(shape, order)).toEqual({ a: DAY + 1n });
    }
  });
});

describe("R12: bad rows", () => {
  test("a run tells those that it finds, and of them those that no run had found", () => {
    const oracle = new Oracle(entity([TEXT]));
    oracle.load([{ ts: DAY }, { id: "u" }, { id: "u", ts: DAY + 2n * HOUR }]);
    expect(oracle.run({ kind: "plain" }, NOW)).toMatchObject({ badRows: 2, newBadRows: 2 });
    oracle.load([{ ts: DAY + 3n * HOUR }]);
    expect(oracle.run({ kind: "plain" }, NOW)).toMatchObject({ badRows: 2, newBadRows: 1 });
    expect(oracle.run({ kind: "rebuild" }, NOW)).toMatchObject({ badRows: 3, newBadRows: 0 });
  });

  const shape = entity([{ name: "event", type: "TIMESTAMP" }, TEXT], { eventTimestamp: "event" });
  test.each([
    ["null key", { id: null, ts: DAY, event: DAY }],
    ["no ingest time", { id: "u", event: DAY }],
    ["before the first watermark", { id: "u", ts: START - 1n, event: DAY }],
    ["no event time", { id: "u", ts: DAY, event: null }],
  ] as const)("%s", (reason, row) => {
    expect(badReason(shape, row)).toBe(reason);
    const good = { id: "u", ts: START, event: START, a: "good" };
    expect(expectedFinal(shape, [row])).toEqual(new Map());
    expect([...expectedFinal(shape, [row, good, row]).values()].map((final) => final.row)).toEqual([good]);
  });
});

describe("TO_JSON_STRING", () => {
  const of = (type: Field["type"], value: Value): string => toJsonString({ name: "a", type }, value);
  test.each([
    [of("INT64", 2n ** 53n), "9007199254740992"],
    [of("INT64", 2n ** 53n + 1n), '"9007199254740993"'],
    [of("FLOAT64", 0.1), "0.1"],
    [of("FLOAT64", 1e20), "1e+20"],
    [of("FLOAT64", 0.1 + 0.2), "0.30000000000000004"],
    [of("FLOAT64", 1.5e-7), "1.5e-07"],
    [of("FLOAT64", 100), "100"],
    [of("FLOAT64", Number.NaN), '"NaN"'],
    [of("NUMERIC", 1_500_000_000n), '"1.5"'],
    [of("NUMERIC", -2_000_000_000n), "-2"],
    [of("BYTES", "00ff"), '"AP8="'],
    [of("TIMESTAMP", DAY + 120_000n), '"2024-01-01T00:00:00.120Z"'],
    [of("DATETIME", "2024-01-01T00:00:00.000000"), '"2024-01-01T00:00:00"'],
    [of("STRING", 'a"\u2028'), '"a\\"\\u2028"'],
    [of("INTERVAL", { months: 14n, days: -3n, micros: 3_723_500_000n }), '"P1Y2M-3DT1H2M3.5S"'],
  ])("%s is %s", (actual, wanted) => {
    expect(actual).toBe(wanted);
  });

  test("years of one digit", () => {
    expect(timestampText(BigInt(Date.parse("0001-01-01T00:00:00Z")) * 1000n)).toBe(
      "0001-01-01T00:00:00.000000",
    );
  });
});
