/** R5 by commit time: what only that cursor has: erased and removed rows, a range that is gone, a range without news, another cursor. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer } from "../../local/src/server.ts";
import { Endpoint } from "./endpoint.ts";
import type { Entity } from "./oracle.ts";
import { type CompiledEntity, compileEntities, PROJECT, type RunKind } from "./project.ts";
import { now, Warehouse } from "./runner.ts";
import type { Row } from "./values.ts";

const day = (month: number, date: number): bigint => BigInt(Date.UTC(2026, month - 1, date)) * 1000n;
const ENTITY: Entity = {
  fields: [
    { name: "userId", type: "STRING" },
    { name: "at", type: "TIMESTAMP" },
    { name: "name", type: "STRING" },
    { name: "city", type: "STRING" },
  ],
  key: ["userId"],
  ingestTimestamp: "at",
  lookback: 3_600_000_000n,
  byCommit: true,
};
const ENTITIES: ReadonlyMap<string, Entity> = new Map([
  ["commit", ENTITY],
  ["gone", { ...ENTITY, deleted: "isGone" }],
  ["daily", { ...ENTITY, mergesDaily: true }],
  ["once", { ...ENTITY, lookback: 0n }],
  ["stamp", { ...ENTITY, byCommit: false }],
]);
/** All runs replay from this day on. */
const REPLAY_FROM = day(3, 1);

let server: Server;
let endpoint: Endpoint;
let compiled: ReadonlyMap<string, CompiledEntity>;
beforeAll(async () => {
  server = await startServer();
  endpoint = new Endpoint(server.url, PROJECT);
  compiled = await compileEntities(ENTITIES, REPLAY_FROM);
});
afterAll(() => server?.close());

/** One entity's tables in a dataset of their own. */
class Tables {
  readonly warehouse: Warehouse;
  readonly #entity: string;
  readonly #dataset: string;

  constructor(entity: string, dataset: string) {
    this.#entity = entity;
    this.#dataset = dataset;
    this.warehouse = new Warehouse(endpoint, compiled.get(entity) as CompiledEntity, dataset);
  }

  /** With updates that are merged. */
  static async make(entity: string, dataset: string, rows: readonly Row[]): Promise<Tables> {
    const tables = new Tables(entity, dataset);
    await tables.warehouse.create();
    await tables.warehouse.load(rows);
    await tables.run();
    return tables;
  }

  name(table: string): string {
    return `\`${PROJECT}.${this.#dataset}.${table.replace("*", this.#entity)}\``;
  }

  /** A run, and what it logs and makes beside what the oracle says. */
  async run(kind: RunKind = "plain"): Promise<void> {
    await this.warehouse.run(kind);
    const mode = kind === "replayFrom" ? ({ kind, from: REPLAY_FROM } as const) : { kind };
    const expected = this.warehouse.oracle.run(mode, now());
    expect(await this.warehouse.differences()).toEqual([]);
    expect(await this.warehouse.viewDifferences()).toEqual([]);
    expect(await this.warehouse.logDifferences(expected)).toEqual([]);
  }

  async query(sql: string): Promise<(string | null)[][]> {
    const { rows } = await endpoint.query(sql);
    return rows.map((row) => row.map(({ v }) => v as string | null));
  }

  /** The keys of a table's rows. */
  async users(table: string): Promise<(string | null)[]> {
    const rows = await this.query(
      `SELECT userId FROM ${this.name(table)} WHERE userId IS NOT NULL ORDER BY userId`,
    );
    return rows.map(([userId = null]) => userId);
  }

  /** Expressions over the watermark's row and the batch's own. */
  async facts(...expressions: readonly string[]): Promise<(string | null)[]> {
    const [row = []] = await this.query(
      `SELECT ${expressions.map((expression) => `CAST(${expression} AS STRING)`).join(", ")}
      FROM ${this.name("*_watermark")} AS progress, ${this.name("temp_*_updates")} AS batch WHERE batch._batch.read_at IS NOT NULL`,
    );
    return row;
  }

  /** Lets the range that the next run would read be older than time travel. */
  async wait(): Promise<void> {
    await endpoint.query(
      `UPDATE ${this.name("*_watermark")} SET committed_until = TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 8 DAY) WHERE TRUE`,
    );
  }
}

const ADA = { userId: "ada", at: day(5, 1), name: "Ada", city: "Oslo" };
const BOB = { userId: "bob", at: day(5, 2), name: "Bob", city: "Bern" };

test("a range without news is an empty batch; the cursor goes to its end, and no further", async () => {
  const tables = await Tables.make("once", "quiet", [ADA, BOB]);
  const facts = [
    "progress.committed_until = batch._batch.committed_until",
    "progress.committed_until = batch._batch.read_at",
    "batch._batch.row_count",
    "progress.committed_until <= progress.recent_runs[0].merged_at",
    "UNIX_MICROS(batch._batch.committed_from)",
    "UNIX_MICROS(progress.committed_until)",
  ];
  expect(await tables.facts(...facts)).toEqual([
    "true",
    "true",
    "2",
    "true",
    "-2208988800000000",
    expect.anything(),
  ]);
  const [until] = (await tables.facts("UNIX_MICROS(progress.committed_until)")) as string[];
  await tables.run();
  const quiet = await tables.facts(...facts);
  expect(quiet.slice(0, 5)).toEqual(["true", "true", "0", "true", until]);
  expect(BigInt(quiet[5] ?? 0)).toBeGreaterThan(BigInt(until ?? 0));
  await tables.warehouse.load([{ userId: "cid", at: day(1, 1), name: "Cid", city: null }]);
  await tables.run();
  expect(await tables.users("*_final")).toEqual(["ada", "bob", "cid"]);

  // What is changed in place is not appended: a rebuild reads it.
  const city = () => tables.query(`SELECT city FROM ${tables.name("*_final")} WHERE userId = 'cid'`);
  await endpoint.query(`UPDATE ${tables.name("*_updates")} SET city = 'Rome' WHERE userId = 'cid'`);
  await tables.warehouse.run("plain");
  expect(await city()).toEqual([[null]]);
  await tables.warehouse.run("rebuild");
  expect(await city()).toEqual([["Rome"]]);
});

test.each([
  ["reads neither updates nor final, where the range is empty", "once", []],
  ["reads no final, where the range has what is merged already", "commit", ["temp_commit_updates"]],
])("a run without news %s", async (_, entity, readers) => {
  const large = "x".repeat(100_000);
  const tables = await Tables.make(entity, `idle_${entity}`, [
    { ...ADA, name: large },
    { ...BOB, name: large },
  ]);
  // A first run knows no commit times, so the next one does not know yet that what it reads again is merged.
  await tables.run();
  const found: string[] = [];
  for (const { action, job } of tables.warehouse.jobs("plain"))
    if ((await endpoint.query(job)).bytes > large.length) found.push(action.target.name);
  expect(found).toEqual(readers);
});

// As of a pending stream: https://cloud.google.com/bigquery/docs/change-history
test.each([
  ["commit", ["ada", "bob"]],
  ["once", ["ada"]],
])("a row that shows up within the lookback after its commit time is read: %s", async (entity, users) => {
  const tables = await Tables.make(entity, `pending_${entity}`, [ADA]);
  await tables.warehouse.load([BOB]);
  await endpoint.query(
    `UPDATE ${tables.name("*_watermark")} SET committed_until = CURRENT_TIMESTAMP() WHERE TRUE`,
  );
  await tables.warehouse.run("plain");
  expect(await tables.users("*_final")).toEqual(users);
});

test("erased users come back from APPENDS, and into nothing of the project", async () => {
  const tables = await Tables.make("gone", "erased", [ADA, BOB]);
  await tables.warehouse.load([{ userId: "ada", at: day(5, 3), isGone: true }]);
  await tables.run();
  expect(await tables.warehouse.erase()).toEqual([]);
  for (const kind of ["plain", "replayFrom", "rebuild"] as const) {
    await tables.warehouse.run(kind);
    expect(await tables.users("temp_*_updates"), kind).not.toContain("ada");
    expect(await tables.warehouse.differences(), kind).toEqual([]);
  }
  await tables.warehouse.load([
    { userId: "ada", at: day(5, 1), name: "late" },
    { userId: "bob", at: day(1, 1), name: null, city: "late" },
    { userId: "cid", at: day(1, 1), name: "Cid" },
  ]);
  // Of cid no final can have anything yet.
  expect(await tables.warehouse.audit()).toBe(0);
  await tables.warehouse.run("plain");
  tables.warehouse.oracle.run({ kind: "plain" }, now());
  expect(await tables.warehouse.differences()).toEqual([]);
  const erased = await tables.query(
    `SELECT COUNT(*) FROM ${tables.name("temp_*_updates")} WHERE name = 'Ada' OR city = 'Oslo'`,
  );
  expect(erased).toEqual([["0"]]);
});

test.each(["once", "daily"])(
  "a row that is removed before any run reads it is never read, %s",
  async (entity) => {
    const tables = await Tables.make(entity, `removed_${entity}`, [ADA]);
    await endpoint.load(`removed_${entity}`, `${entity}_updates`, ENTITY.fields, [
      { userId: "eve", at: day(5, 4), name: "Eve", city: null },
    ]);
    await tables.warehouse.load([{ userId: "bob", at: day(2, 1), name: "early", city: null }]);
    await endpoint.query(`DELETE FROM ${tables.name("*_updates")} WHERE userId = 'eve'`);
    await tables.warehouse.run("plain");
    tables.warehouse.oracle.run({ kind: "plain" }, now());
    expect(await tables.users("temp_*_updates")).not.toContain("eve");
    expect(await tables.users(entity === "daily" ? "*" : "*_final")).toEqual(["ada", "bob"]);
    expect(await tables.warehouse.viewDifferences()).toEqual([]);
  },
);

test("a run that comes after time travel stops, and names the replay that reads what it would", async () => {
  const tables = await Tables.make("commit", "late", [ADA, BOB]);
  await tables.warehouse.load([{ userId: "ada", at: day(3, 7), name: null, city: "Rome" }]);
  await tables.wait();
  await expect(tables.warehouse.run("plain")).rejects.toThrow(
    /what was committed to commit_updates since .* cannot be read by commit time: .*Cannot read before.*--vars=replayFrom=2026-03-07T00:00:00Z/s,
  );
  expect(await tables.warehouse.differences()).toEqual([]);
  await tables.run("replayFrom");
  await tables.warehouse.load([{ userId: "cid", at: day(1, 1), name: "Cid", city: null }]);
  await tables.run();
  // What is stamped before the day that all runs here replay from, only a rebuild reads by its stamp.
  await tables.warehouse.load([{ userId: "dee", at: day(2, 1), name: "Dee", city: null }]);
  await tables.wait();
  await expect(tables.warehouse.run("replayFrom")).rejects.toThrow("--vars=replayFrom=2026-01-01T00:00:00Z");
  await tables.run("rebuild");
  await tables.run();
});

test("updates that BigQuery tells no history of stop the first run, which says what can read them", async () => {
  const tables = new Tables("commit", "cloned");
  await endpoint.createDataset("cloned");
  await endpoint.createTable("cloned", "rows", ENTITY.fields, "at");
  await endpoint.query(`CREATE TABLE ${tables.name("*_updates")} CLONE ${tables.name("rows")}`);
  await expect(tables.warehouse.run("plain")).rejects.toThrow(
    'commit_updates cannot be read by commit time, but can with "cursor": "ingestTimestamp"',
  );
});

test("a batch that leaves a gap after what is merged is refused", async () => {
  const tables = await Tables.make("once", "gap", [ADA]);
  await tables.warehouse.load([BOB]);
  for (const { action, job } of tables.warehouse.jobs("plain")) {
    if (action.target.name === "once_final") {
      await endpoint.query(
        `UPDATE ${tables.name("*_watermark")} SET committed_until = TIMESTAMP_SUB(committed_until, INTERVAL 1 MICROSECOND) WHERE TRUE`,
      );
      await expect(endpoint.query(job)).rejects.toThrow("leaves a gap after what is merged - run again");
      break;
    }
    await endpoint.query(job);
  }
  expect(await tables.warehouse.differences()).toEqual([]);
  await tables.run();
});

test("another cursor loses nothing and asks for nothing", async () => {
  const tables = await Tables.make("stamp", "turned", [ADA, BOB]);
  const late = { userId: "ada", at: day(1, 1), name: null, city: null };
  const turn = async (entity: "stamp" | "commit"): Promise<string | null | undefined> => {
    const jobs = compiled.get(entity)?.actions.plain ?? [];
    for (const { jobs: texts, kind, tags } of jobs) {
      if (kind === "assertion" || kind === "incremental" || tags.includes("audit")) continue;
      for (const text of texts)
        await endpoint.query(
          text
            .replaceAll(`\`${PROJECT}.${entity}.`, `\`${PROJECT}.turned.`)
            .replaceAll(/\b(temp_)?commit_/g, "$1stamp_"),
        );
    }
    return (await tables.facts("progress.recent_runs[0].missed_rows"))[0];
  };
  await tables.warehouse.load([{ ...late, userId: "late by stamp", name: "x" }]);
  expect(await turn("commit")).toBe("0");
  expect(await tables.users("*_final")).toEqual(["ada", "bob", "late by stamp"]);
  await tables.warehouse.load([{ ...late, userId: "late by commit", name: "x" }]);
  expect(await turn("commit")).toBe("0");
  expect(await tables.users("*_final")).toContain("late by commit");
  await tables.warehouse.load([{ ...late, userId: "missed", name: "x" }]);
  expect(await turn("stamp")).toBe("1");
  expect(await tables.users("*_final")).not.toContain("missed");
  expect(await turn("commit")).toBe("0");
  expect(await tables.users("*_final")).toContain("missed");
  expect(await tables.facts("progress.missed_rows")).toEqual(["0"]);
});
