/** Every BigQuery type at its extremes: loaded, merged and read back as what it was; and bad rows, told and kept out. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Server, startServer } from "../../local/src/server.ts";
import { EPOCH, extremes, TYPES } from "./arbitraries.ts";
import { Endpoint } from "./endpoint.ts";
import type { Entity } from "./oracle.ts";
import { compileEntities, PROJECT } from "./project.ts";
import { drawCases, REPLAY_FROM } from "./property.ts";
import { now, updateFields, Warehouse } from "./runner.ts";
import { type Field, parseTimestamp, type Row, type Value } from "./values.ts";
import { sqlLiteral } from "./wire.ts";

type Type = (typeof TYPES)[number];

/** A leaf of every type, an array of every type, and all types in a RECORD that moves as one. */
const allOf = (types: readonly Type[]): Entity => ({
  fields: [
    { name: "id", type: "STRING" },
    { name: "ts", type: "TIMESTAMP" },
    ...types.map((type): Field => ({ name: `leaf_${type}`, type })),
    ...types.map((type): Field => ({ name: `list_${type}`, type, mode: "REPEATED" })),
    {
      name: "whole",
      type: "RECORD",
      merge: "atomic",
      fields: types.map((type): Field => ({ name: `part_${type}`, type })),
    },
  ],
  key: ["id"],
  ingestTimestamp: "ts",
  lookback: 0n,
});

/** What one load job takes: it has no form for a RANGE. */
const LOADED = TYPES.filter((type) => !type.startsWith("RANGE<"));
const WAYS: Readonly<Record<string, readonly Type[]>> = {
  by_load: LOADED,
  by_stream: TYPES,
  by_insert: TYPES,
};

const BAD: Entity = {
  fields: [
    { name: "id", type: "STRING" },
    { name: "ts", type: "TIMESTAMP" },
    { name: "happened", type: "TIMESTAMP" },
    { name: "a", type: "STRING" },
  ],
  key: ["id"],
  ingestTimestamp: "ts",
  eventTimestamp: "happened",
  lookback: 3_600_000_000n,
};

let server: Server;
let endpoint: Endpoint;
let compiled: Awaited<ReturnType<typeof compileEntities>>;
beforeAll(async () => {
  server = await startServer({ streamedMinutes: () => 0 });
  endpoint = new Endpoint(server.url, PROJECT);
  const ways = Object.entries(WAYS).map(([name, types]) => [name, allOf(types)] as const);
  const entities = new Map([...ways, ["bad", BAD] as const]);
  compiled = await compileEntities(entities, REPLAY_FROM);
});
afterAll(() => server?.close());

async function warehouseOf(name: string): Promise<Warehouse> {
  const entity = compiled.get(name);
  if (entity === undefined) throw new Error(`no entity ${name}`);
  const warehouse = new Warehouse(endpoint, entity);
  await warehouse.create();
  return warehouse;
}

/** One user per value and place: as a leaf, as the only and as the last element, as a part of a whole. */
function rowsOf(types: readonly Type[]): Row[] {
  return types.flatMap((type) =>
    extremes(type).flatMap((value, index): Row[] => {
      const user = (place: string, cells: Record<string, Value>): Row => ({
        id: `${type} ${index} ${place}`,
        ts: EPOCH,
        ...cells,
      });
      return [
        user("leaf", { [`leaf_${type}`]: value }),
        user("list", { [`list_${type}`]: [value] }),
        user("lists", { [`list_${type}`]: [...extremes(type), value] }),
        user("part", { whole: { [`part_${type}`]: value } }),
      ];
    }),
  );
}

describe("every type at its extremes", () => {
  test.each(Object.entries(WAYS))(
    "%s: read back from final and from the view as written",
    async (name, types) => {
      const warehouse = await warehouseOf(name);
      const rows = rowsOf(types);
      if (name === "by_insert") await insert(warehouse, name, rows);
      else await warehouse.load(rows);
      for (const kind of ["plain", "plain", "rebuild"] as const) {
        await warehouse.run(kind);
        warehouse.oracle.run({ kind }, now());
        expect(await warehouse.differences()).toEqual([]);
      }
      expect(await warehouse.viewDifferences()).toEqual([]);
      expect(warehouse.oracle.final.size).toBe(rows.length);
    },
    300_000,
  );

  async function insert(warehouse: Warehouse, name: string, rows: readonly Row[]): Promise<void> {
    const fields = updateFields(allOf(TYPES));
    for (let start = 0; start < rows.length; start += 50) {
      const values = rows
        .slice(start, start + 50)
        .map((row) => `(${fields.map((field) => sqlLiteral(field, row[field.name] ?? null)).join(", ")})`);
      await endpoint.query(`INSERT INTO \`${PROJECT}.${name}.${name}_updates\` VALUES ${values.join(",\n")}`);
    }
    warehouse.oracle.load(rows);
  }
});

describe("R5: late rows", () => {
  test("are unknown where the metadata is missing or the past is not to be had, and never none", async () => {
    const entity = compiled.get("bad");
    if (entity === undefined) throw new Error("no entity");
    const warehouse = new Warehouse(endpoint, entity, "late");
    await warehouse.create();
    const row = (id: string, ts: bigint): Row => ({ id, ts, happened: ts, a: id });
    const known = async (): Promise<unknown> => {
      const { rows } = await endpoint.query(
        `SELECT recent_runs[OFFSET(0)].missed_rows AS found, missed_rows, missed_from FROM \`${PROJECT}.late.bad_watermark\``,
      );
      return rows[0]?.map(({ v }) => v);
    };
    await warehouse.load([row("u", EPOCH)]);
    await warehouse.run("plain");
    const DAY = 86_400_000_000n;
    await warehouse.load([row("v", EPOCH - 2n * DAY)]);
    warehouse.rewrite((sql) => sql.replaceAll("INFORMATION_SCHEMA.PARTITIONS", "INFORMATION_SCHEMA.NONE"));
    await warehouse.run("plain");
    expect(await known()).toEqual([null, "0", null]);
    // The metadata alone names the day from which a replay reads all that can be late.
    warehouse.rewrite((sql) => sql.replaceAll("FROM APPENDS(TABLE `exactness", "FROM APPENDS(TABLE `none"));
    await warehouse.run("plain");
    const midnight = ((EPOCH - 2n * DAY) / DAY) * DAY;
    expect(await known()).toEqual([null, "0", `${midnight}`]);
    expect((await warehouse.assertions()).get("bad_bad_rows")).toBe(1);
    await warehouse.run("plain");
    expect((await warehouse.assertions()).get("bad_bad_rows"), "red once").toBe(0);
    // The next run that can look finds what came in all that time.
    warehouse.rewrite((sql) => sql);
    await warehouse.run("plain");
    expect(await known()).toEqual(["1", "1", `${midnight}`]);
    await warehouse.run("rebuild");
    expect(await known()).toEqual(["0", "0", null]);
  });
});

describe("R5, R12: poisoned rows in any batch", () => {
  const good = (id: string, hour: number, a: string): Row => {
    const ts = EPOCH + BigInt(hour) * 3_600_000_000n;
    return { id, ts, happened: ts, a };
  };
  const END = parseTimestamp("9999-12-31T23:59:59.999999");
  const EVENT_AHEAD = "event time in the year 9999";
  const POISON: [name: string, rows: Row[], bad: number][] = [
    ["ingest time in the year 9999", [{ id: "p", ts: END, happened: EPOCH, a: "future" }], 0],
    [EVENT_AHEAD, [{ id: "u", ts: EPOCH + 7n, happened: END, a: "counts from its ingest time" }], 0],
    [
      "event time in the year 0001",
      [{ id: "p", ts: EPOCH + 7n, happened: parseTimestamp("0001-01-01T00:00:00"), a: "always oldest" }],
      0,
    ],
    [
      "ingest time in the year 0001",
      [{ id: "p", ts: parseTimestamp("0001-01-01T00:00:00"), happened: EPOCH, a: "x" }],
      1,
    ],
    ["no key", [{ ts: EPOCH + 7n, happened: EPOCH, a: "x" }], 1],
    ["no ingest time", [{ id: "p", happened: EPOCH, a: "x" }], 1],
    [
      "no event time",
      [
        { id: "p", ts: EPOCH + 7n, a: "x" },
        { id: "q", ts: EPOCH + 7n, a: "x" },
      ],
      2,
    ],
  ];

  test.each(drawCases(POISON, 3))(
    "%s",
    async (name, rows, bad) => {
      const entity = compiled.get("bad");
      if (entity === undefined) throw new Error("no entity");
      for (const when of [0, 1, 2]) {
        const dataset = `bad_${POISON.findIndex(([other]) => other === name)}_${when}`;
        const warehouse = new Warehouse(endpoint, entity, dataset);
        await warehouse.create();
        for (const batch of [0, 1, 2]) {
          const poison = batch === when ? rows : [];
          await warehouse.load([good("u", batch, `a${batch}`), good(`v${batch}`, batch, "new"), ...poison]);
          await warehouse.run("plain");
          const expected = warehouse.oracle.run({ kind: "plain" }, now());
          expect(await warehouse.differences(), `poison in batch ${when}, after batch ${batch}`).toEqual([]);
          expect(await warehouse.logDifferences(expected)).toEqual([]);
          if (batch !== when) {
            expect((await warehouse.assertions()).get("bad_bad_rows"), "red once").toBe(0);
            continue;
          }
          const { rows: log } = await endpoint.query(
            `SELECT run.bad_rows, run.future_rows FROM \`${PROJECT}.${dataset}.bad_watermark\`, UNNEST(recent_runs) AS run WITH OFFSET AS age WHERE age = 0`,
          );
          const isFuture = name === "ingest time in the year 9999";
          expect(log).toEqual([[{ v: `${bad}` }, { v: isFuture ? "1" : "0" }]]);
          const isReported = isFuture || name === EVENT_AHEAD;
          expect((await warehouse.assertions()).get("bad_bad_rows")).toBe(isReported ? 1 : bad);
        }
        expect(warehouse.oracle.final.get('"u"')?.row.a, "later updates still arrive").toBe("a2");
      }
    },
    300_000,
  );
});
