/** R1, R10: updates that are trimmed, and tables that vanish: what runs, a rebuild, the audit and an erase make of it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { compileProject } from "../../generator/src/dataform/compiler.ts";
import { inTemporaryProject } from "../../generator/src/dataform/project-copy.ts";
import { type Server, startServer } from "../../local/src/server.ts";
import { type Action, planActions } from "./dataform.ts";
import { Endpoint } from "./endpoint.ts";
import type { Entity } from "./oracle.ts";
import { PROJECT, projectFiles, REPOSITORY } from "./project.ts";
import { updateFields } from "./runner.ts";
import type { Field, Row } from "./values.ts";

const day = (month: number, date: number): bigint => BigInt(Date.UTC(2026, month - 1, date)) * 1000n;
const base: readonly Field[] = [
  { name: "userId", type: "STRING" },
  { name: "at", type: "TIMESTAMP" },
  { name: "name", type: "STRING" },
  { name: "city", type: "STRING" },
];
const entity: Entity = { fields: base, key: ["userId"], ingestTimestamp: "at", lookback: 3_600_000_000n };
const ENTITIES: ReadonlyMap<string, Entity> = new Map([
  [
    "kept",
    {
      ...entity,
      fields: [
        ...base,
        { name: "best", type: "INT64", merge: "max" },
        { name: "tags", type: "STRING", mode: "REPEATED", merge: "union" },
      ],
    },
  ],
  ["gone", { ...entity, deleted: "isGone" }],
  [
    "floors",
    {
      ...entity,
      eventTimestamp: "happened",
      deleted: "isGone",
      clearedFields: "cleared",
      fields: [
        ...base,
        { name: "happened", type: "TIMESTAMP" },
        { name: "best", type: "INT64", merge: "max" },
        { name: "since", type: "INT64", merge: "first" },
        { name: "tags", type: "STRING", mode: "REPEATED", merge: "union" },
      ],
    },
  ],
  ["daily", { ...entity, deleted: "isGone", mergesDaily: true }],
]);
const RUNS = {
  plain: { audit: "true", auditShare: "1" },
  replay: { replayFrom: "2026-01-01T00:00:00Z" },
  rebuild: { rebuild: "true" },
  force: { force: "true" },
  "rebuild, force": { rebuild: "true", force: "true" },
} as const;
type Run = keyof typeof RUNS;

/** For how long the endpoint lets nobody change what was streamed in. */
let streamedMinutes = 30;
let server: Server;
let endpoint: Endpoint;
let plans: Readonly<Record<Run, readonly Action[]>>;
beforeAll(async () => {
  server = await startServer({ streamedMinutes: () => streamedMinutes });
  endpoint = new Endpoint(server.url, PROJECT);
  plans = await inTemporaryProject(await projectFiles(ENTITIES), REPOSITORY, async (root) => {
    const found: Partial<Record<Run, readonly Action[]>> = {};
    for (const [kind, vars] of Object.entries(RUNS) as [Run, Record<string, string>][])
      found[kind] = planActions(await compileProject(root, { vars }));
    return found as Record<Run, readonly Action[]>;
  });
});
afterAll(() => server?.close());

/** One entity's tables. */
class Tables {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  get #entity(): Entity {
    return ENTITIES.get(this.#name) as Entity;
  }

  async #run(
    kind: Run,
    isWanted: (action: Action) => boolean,
    rewrite = (sql: string) => sql,
  ): Promise<void> {
    for (const action of plans[kind])
      if (action.target.schema === this.#name && isWanted(action))
        for (const job of action.incrementalJobs !== undefined ? [] : action.jobs)
          await endpoint.query(rewrite(job));
  }

  async create(): Promise<void> {
    await endpoint.createDataset(this.#name);
    await endpoint.createTable(this.#name, `${this.#name}_updates`, updateFields(this.#entity), "at");
  }

  run(kind: Run = "plain"): Promise<void> {
    const isPart = ({ kind: what, tags, target }: Action): boolean =>
      what !== "assertion" &&
      !tags.includes("audit") &&
      !tags.includes("erase") &&
      !target.name.endsWith("_guard");
    return this.#run(kind, isPart);
  }

  async load(rows: readonly Row[]): Promise<void> {
    await endpoint.load(this.#name, `${this.#name}_updates`, updateFields(this.#entity), rows);
  }

  async stream(row: Row): Promise<void> {
    await endpoint.stream(this.#name, `${this.#name}_updates`, updateFields(this.#entity), [row]);
  }

  /** Erases; rows that came since then may be in the streaming buffer, instead of those of the last 90 minutes. */
  erase(since?: string): Promise<void> {
    const ago = "TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 90 MINUTE)";
    const isErase = ({ tags }: Action): boolean => tags.includes("erase");
    return this.#run("plain", isErase, (sql) => {
      if (since !== undefined) expect(sql).toContain(ago);
      return since === undefined ? sql : sql.replace(ago, `TIMESTAMP '${since}'`);
    });
  }

  /** How many users the audit finds. */
  async audit(): Promise<number> {
    await this.#run("plain", ({ target }) => target.name.endsWith("_audit_findings"));
    return Number((await this.query(`SELECT COUNT(*) FROM T_audit_findings`))[0]);
  }

  /** The rows of a query, as text; `T` stands for the entity's tables. */
  async query(sql: string): Promise<string[]> {
    const { rows } = await endpoint.query(
      sql.replaceAll(
        /\bT(_\w+)?\b/g,
        (_, suffix = "") => `\`${PROJECT}.${this.#name}.${this.#name}${suffix}\``,
      ),
    );
    return rows.map((cells) =>
      cells.map(({ v }) => (Array.isArray(v) ? JSON.stringify(v) : String(v))).join(" "),
    );
  }
}

test("the audit leaves out what trimmed updates said, and a rebuild that would lose it stops", async () => {
  const tables = new Tables("kept");
  await tables.create();
  await tables.load([
    { userId: "gone", at: day(8, 1), name: "Ada" },
    { userId: "half", at: day(8, 1), name: "Bob", city: "Oslo", best: 9n, tags: ["x"] },
    { userId: "half", at: day(9, 2), name: "Bo", best: 3n, tags: ["y"] },
    { userId: "new", at: day(9, 3), name: "Cyd", city: "Bonn", best: 1n, tags: ["z"] },
  ]);
  await tables.run();
  const final = "SELECT userId, name, city, best, ARRAY_TO_STRING(tags, ',') FROM T ORDER BY userId";
  const whole = ["gone Ada null null ", "half Bo Oslo 9 x,y", "new Cyd Bonn 1 z"];
  expect(await tables.query(final)).toEqual(whole);
  expect(await tables.audit()).toBe(0);

  await tables.query("DELETE FROM T_updates WHERE `at` < TIMESTAMP '2026-09-01'");
  expect(await tables.audit()).toBe(0);
  await tables.run();
  await tables.run("replay");
  await expect(tables.run("rebuild")).rejects.toThrow(
    "kept_final has 1 user, and of others values of city, best, tags that no update says any more, and a rebuild would lose them; --vars=rebuild=true,force=true loses them",
  );
  expect(await tables.query(final)).toEqual(whole);

  // What differs without having been trimmed is still found.
  await tables.query("UPDATE T_final SET city = 'Rome' WHERE userId = 'new'");
  expect(await tables.audit()).toBe(1);
  await tables.query("DELETE FROM T_final WHERE userId = 'new'");
  expect(await tables.audit()).toBe(1);

  await tables.run("rebuild, force");
  const left = ["half Bo null 3 y", "new Cyd Bonn 1 z"];
  expect(await tables.query(final)).toEqual(left);
  await tables.run("rebuild");
  expect(await tables.audit()).toBe(0);

  // A final that was dropped is not made anew of fewer users in silence.
  await tables.query("DELETE FROM T_updates WHERE userId = 'half'");
  await tables.query("TRUNCATE TABLE T_final");
  await expect(tables.run()).rejects.toThrow(
    "kept_final was lost, and updates no longer name all of its users",
  );
  expect(await tables.query(final)).toEqual([]);
  await tables.run("force");
  expect(await tables.query(final)).toEqual(left.slice(1));
});

test("a late delete or clear over trimmed updates leaves what final shows to be newer, and of a union what is still said", async () => {
  const tables = new Tables("floors");
  await tables.create();
  const said = (date: number, row: Row): Row => ({
    userId: "a",
    at: day(8, date),
    happened: day(8, date),
    ...row,
  });
  await tables.load([
    said(1, { best: 9n, since: 1n, tags: ["old"] }),
    said(3, { best: 7n, since: 3n, tags: ["trimmed"] }),
    said(5, { best: 3n, since: 5n, tags: ["new"] }),
    { ...said(6, { userId: "b" }), best: 8n, since: 6n, tags: ["b"] },
  ]);
  await tables.run();
  const final = "SELECT userId, best, since, ARRAY_TO_STRING(tags, ',') FROM T ORDER BY userId";
  expect(await tables.query(final)).toEqual(["a 9 1 new,old,trimmed", "b 8 6 b"]);
  await tables.query("DELETE FROM T_updates WHERE `at` < TIMESTAMP '2026-08-04'");

  // The delete came late: of before it nothing counts, though final knows of nothing else than the oldest and the greatest.
  await tables.load([said(7, { happened: day(8, 2), isGone: true })]);
  await tables.run();
  const after = ["a 3 5 new", "b 8 6 b"];
  expect(await tables.query(final)).toEqual(after);
  expect(await tables.audit()).toBe(0);
  // Late rows from before and from after it.
  await tables.load([
    said(8, { happened: day(8, 1), best: 99n, since: 0n, tags: ["late"] }),
    said(8, { happened: day(8, 3), best: 6n, tags: ["later"] }),
  ]);
  await tables.run();
  const later = ["a 6 5 later,new", "b 8 6 b"];
  expect(await tables.query(final)).toEqual(later);
  for (const kind of ["replay", "rebuild", "plain"] as const) {
    await tables.run(kind);
    expect(await tables.query(final), kind).toEqual(later);
  }
  expect(await tables.audit()).toBe(0);

  // A clear that comes late too; its floor outlives the row that said it.
  await tables.load([said(9, { happened: day(8, 4), cleared: ["best", "tags"] })]);
  await tables.run();
  const cleared = ["a 3 5 new", "b 8 6 b"];
  expect(await tables.query(final)).toEqual(cleared);
  await tables.load([said(10, { happened: day(8, 4) - 1n, best: 50n, tags: ["late"] })]);
  for (const kind of ["plain", "replay", "rebuild", "plain"] as const) {
    await tables.run(kind);
    expect(await tables.query(final), kind).toEqual(cleared);
  }
  expect(await tables.audit()).toBe(0);
  await tables.erase();
  expect(await tables.query("SELECT COUNT(*) FROM T_updates WHERE userId = 'a'")).toEqual(["4"]);
  await tables.run("rebuild");
  expect(await tables.query(final)).toEqual(cleared);
  expect(await tables.audit()).toBe(0);

  // And a rebuild still stops where it would lose what is newer than both.
  await tables.query("DELETE FROM T_updates WHERE best = 3");
  await expect(tables.run("rebuild")).rejects.toThrow(
    "floors_final has values of best, since that no update says",
  );
  expect(await tables.query(final)).toEqual(cleared);
});

test.each(["gone", "daily"])(
  "of %s, deleted users stay so though updates are trimmed and tables vanish",
  async (name) => {
    const tables = new Tables(name);
    await tables.create();
    await tables.load([
      { userId: "a", at: day(8, 1), name: "Ada" },
      { userId: "b", at: day(8, 1), name: "Bob", city: "Oslo" },
      { userId: "c", at: day(8, 1), name: "Cyd" },
    ]);
    await tables.run();
    await tables.load([
      { userId: "b", at: day(8, 2), isGone: true },
      { userId: "c", at: day(8, 2), isGone: true },
      { userId: "a", at: day(9, 2), city: "Bonn" },
      { userId: "b", at: day(9, 2), name: "Bea" },
    ]);
    await tables.run("replay");
    await tables.query("DELETE FROM T_updates WHERE `at` < TIMESTAMP '2026-08-02'");
    expect(await tables.audit()).toBe(0);
    // A deleted user's row is streamed in again: BigQuery lets nobody delete it, so this user waits, and no other.
    streamedMinutes = 30;
    const [since = ""] = await tables.query("SELECT CAST(CURRENT_TIMESTAMP() AS STRING)");
    await tables.stream({ userId: "b", at: day(8, 1), name: "Bob" });
    const left =
      "SELECT STRING_AGG(userId ORDER BY userId), (SELECT waiting_users FROM T_watermark) FROM T_updates";
    await tables.erase(since);
    expect(await tables.query(left)).toEqual(["a,b,b,b 1"]);
    streamedMinutes = 0;
    await tables.erase();
    expect(await tables.query(left)).toEqual(["a,b 0"]);
    const people = "SELECT userId, name, city FROM T ORDER BY userId";
    const after = ["a Ada Bonn", "b Bea null"];
    expect(await tables.query(people)).toEqual(after);
    await expect(tables.run("rebuild")).rejects.toThrow(
      `${name}_final has values of name that no update says`,
    );
    expect(await tables.audit()).toBe(0);

    // A late row of what was deleted, and the table that would keep it out is gone.
    await tables.query("CREATE TABLE T_kept AS SELECT * FROM T_tombstones");
    await tables.query("DROP TABLE T_tombstones");
    await tables.load([{ userId: "b", at: day(9, 2) + 1n, city: "Rome" }]);
    const forgets = `${name}_tombstones remembers fewer deleted users than the last run left there`;
    for (const kind of ["plain", "replay", "rebuild"] as const)
      await expect(tables.run(kind)).rejects.toThrow(forgets);
    expect(await tables.query(people)).toEqual(after);

    // With the watermark gone too, nothing is known at all.
    await tables.query("CREATE TABLE T_mark AS SELECT * FROM T_watermark");
    await tables.query("DROP TABLE T_watermark");
    await expect(tables.run()).rejects.toThrow(`${name}_watermark is new, but ${name}_final has rows`);
    expect(await tables.query(people)).toEqual(after);
    await tables.query("DROP TABLE T_watermark");
    await tables.query("CREATE TABLE T_watermark AS SELECT * FROM T_mark");
    await tables.query("INSERT INTO T_tombstones SELECT * FROM T_kept");
    await tables.run("replay");
    expect(await tables.query(people)).toEqual(["a Ada Bonn", "b Bea Rome"]);
  },
);
