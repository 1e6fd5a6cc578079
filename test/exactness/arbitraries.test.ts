import fc from "fast-check";
import { expect, test } from "vitest";
import {
  EPOCH,
  entityArbitrary,
  keyValue,
  type Scenario,
  scenarioArbitrary,
  withKey,
} from "./arbitraries.ts";
import { badReason, type Entity, expectedFinal, isAhead, leavesOf, userOf } from "./oracle.ts";
import { type Field, type Row, toJsonString } from "./values.ts";
import { decodeRow, ndjsonLine, sqlLiteral } from "./wire.ts";

const SEED = 20240310;

function walk(fields: readonly Field[], depth: number): { field: Field; depth: number }[] {
  return fields.flatMap((field) => [{ field, depth }, ...walk(field.fields ?? [], depth + 1)]);
}

test("random schemas cover every type, depth 4, every policy and every kind of key", () => {
  const entities = fc.sample(entityArbitrary(), { numRuns: 400, seed: SEED });
  const seen = new Set<string>();
  for (const entity of entities) {
    for (const { field, depth } of walk(entity.fields, 1)) {
      seen
        .add(`${field.type}${field.mode === "REPEATED" ? "[]" : ""}`)
        .add(`depth ${depth}`)
        .add(`${field.merge}`);
      if (entity.key.includes(field.name)) seen.add(`key ${field.type}`);
    }
    seen.add(`${entity.key.length} keys`).add(`event ${entity.eventTimestamp !== undefined}`);
    const names = entity.fields.map(({ name }) => name.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
    expect(leavesOf(entity).length).toBeGreaterThan(0);
  }
  const types =
    "INT64 FLOAT64 BOOL STRING BYTES DATE DATETIME TIME TIMESTAMP NUMERIC BIGNUMERIC JSON INTERVAL RECORD RANGE<DATE> RANGE<DATETIME> RANGE<TIMESTAMP>";
  const wanted = [
    ...types.split(" ").flatMap((type) => [type, `${type}[]`]),
    ..."GEOGRAPHY,depth 4,latest,first,max,min,union,atomic,key BOOL,key FLOAT64,key BYTES,3 keys,event true,event false".split(
      ",",
    ),
  ];
  expect(wanted.filter((name) => !seen.has(name))).toEqual([]);
});

function rowsOf({ entity, histories }: Scenario): Row[] {
  return histories.flatMap((history, index) => history.map((update) => withKey(entity, index, update)));
}

test("random histories hold ties, late rows, rows that say nothing and bad rows", () => {
  const seen = new Map<string, number>();
  const count = (name: string): unknown => seen.set(name, (seen.get(name) ?? 0) + 1);
  for (const options of [{}, { clears: true, deletes: true }]) {
    for (const scenario of fc.sample(scenarioArbitrary(options, 20), { numRuns: 40, seed: SEED })) {
      const { entity } = scenario;
      const special = new Set([...entity.key, entity.ingestTimestamp, entity.eventTimestamp]);
      for (const row of rowsOf(scenario)) {
        count(badReason(entity, row) ?? "good");
        if (isAhead(entity, row) && badReason(entity, row) === undefined)
          count("counts from its ingest time");
        if (Object.keys(row).every((name) => special.has(name) || row[name] === null)) count("says nothing");
        if (((row[entity.ingestTimestamp] ?? EPOCH) as bigint) > EPOCH * 2n) count("future");
        if (entity.deleted !== undefined && row[entity.deleted] === true) count("delete");
      }
      count(`users ${expectedFinal(entity, rowsOf(scenario)).size > 0}`);
      for (const history of scenario.histories) {
        const times = history.map(({ row }) => row[entity.ingestTimestamp]);
        if (new Set(times).size < times.length) count("tie");
        if (history.some((update, index) => index > 0 && update.batch < (history[index - 1]?.batch ?? 0)))
          count("out of order");
      }
    }
  }
  const wanted = [
    "null key",
    "no ingest time",
    "before the first watermark",
    "no event time",
    "event time ahead",
    "counts from its ingest time",
    "unknown path",
  ];
  for (const name of [...wanted, "good", "says nothing", "future", "delete", "tie", "out of order"]) {
    expect(seen.get(name) ?? 0, name).toBeGreaterThan(5);
  }
});

test("each history has its own user", () => {
  for (const kind of [
    "STRING",
    "INT64",
    "FLOAT64",
    "NUMERIC",
    "DATE",
    "TIME",
    "TIMESTAMP",
    "BYTES",
    "RANGE<DATE>",
  ] as const) {
    const entity: Entity = {
      fields: [{ name: "k", type: kind }],
      key: ["k"],
      ingestTimestamp: "t",
      lookback: 0n,
    };
    const users = Array.from({ length: 600 }, (_, index) => userOf(entity, { k: keyValue(kind, index) }));
    expect(new Set(users).size, kind).toBe(600);
  }
});

test("values cross the wire unchanged", () => {
  const fields: Field[] = [
    { name: "t", type: "TIMESTAMP" },
    { name: "i", type: "INTERVAL" },
    { name: "n", type: "NUMERIC" },
    { name: "f", type: "FLOAT64" },
    { name: "d", type: "DATETIME" },
    { name: "b", type: "BYTES" },
    { name: "s", type: "RANGE<TIMESTAMP>" },
    { name: "r", type: "RECORD", mode: "REPEATED", fields: [{ name: "x", type: "INT64" }] },
  ];
  const row: Row = {
    t: EPOCH + 1n,
    i: { months: -14n, days: 3n, micros: -3_723_500_000n },
    n: -1n,
    f: -0,
    d: "2024-01-01T00:00:00.120000",
    b: "00ff",
    s: "[2024-03-10T12:00:00.000001, UNBOUNDED)",
    r: [{ x: 1n }, { x: null }],
  };
  expect(ndjsonLine(fields, row)).toBe(
    '{"t":"2024-03-10T12:00:00.000001Z","i":"-1-2 3 -1:2:3.500","n":"-0.000000001","f":-0.0,"d":"2024-01-01T00:00:00.120000",' +
      '"b":"AP8=","s":{"start":"2024-03-10T12:00:00.000001Z","end":null},"r":[{"x":"1"},{}]}',
  );
  const cells = [
    { v: `${EPOCH + 1n}` },
    { v: "-1-2 3 -1:2:3.500" },
    { v: "-0.000000001" },
    { v: "-0.0" },
    { v: "2024-01-01T00:00:00.120" },
    { v: "AP8=" },
    { v: `[${EPOCH + 1n}, UNBOUNDED)` },
    { v: [{ v: { f: [{ v: "1" }] } }, { v: { f: [{ v: null }] } }] },
  ];
  expect(decodeRow(fields, cells)).toEqual(row);
  expect(sqlLiteral(fields[7] as Field, row.r ?? null)).toBe(
    "ARRAY<STRUCT<`x` INT64>>[STRUCT<`x` INT64>(1), STRUCT<`x` INT64>(CAST(NULL AS INT64))]",
  );
  expect(sqlLiteral(fields[6] as Field, row.s ?? null)).toBe(
    "RANGE<TIMESTAMP> '[2024-03-10T12:00:00.000001Z, NULL)'",
  );
  expect(sqlLiteral({ name: "s", type: "STRING" }, "\u{1f600}'\"")).toBe('"\\U0001f600\'\\""');
  expect(toJsonString(fields[7] as Field, row.r ?? null)).toBe('[{"x":1},{"x":null}]');
});
