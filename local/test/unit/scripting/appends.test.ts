import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { changeSchema, copyTable } from "../../../src/storage/tables.ts";
import type { SqlValue } from "../../../src/values.ts";
import { field, Harness, ref } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.close());
beforeEach(async () => {
  await harness.table("t", [field("k", "INTEGER"), field("v", "STRING")]);
});

async function now(): Promise<string> {
  const [[micros]] = (await harness.rows("SELECT UNIX_MICROS(CURRENT_TIMESTAMP())")) as [[bigint]];
  return `TIMESTAMP_MICROS(${micros})`;
}

/** The keys that were appended in a range, in order. */
async function appended(range = "NULL, NULL"): Promise<SqlValue[]> {
  return (await harness.rows(`SELECT k FROM APPENDS(TABLE d.t, ${range}) ORDER BY k, v`)).flat();
}

async function asOf(time: string): Promise<SqlValue[][]> {
  return await harness.rows(`SELECT k, v FROM d.t FOR SYSTEM_TIME AS OF ${time} ORDER BY k, v`);
}

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/time-series-functions#appends */
describe("APPENDS", () => {
  it("gives rows with what was done and when, and shows neither an UPDATE nor a DELETE", async () => {
    await harness.run("INSERT INTO d.t VALUES (1, 'a'), (2, 'b'), (3, 'c')");
    await harness.run("UPDATE d.t SET v = 'x' WHERE k = 1");
    await harness.run("UPDATE d.t SET v = 'y' WHERE k = 1");
    await harness.run("DELETE FROM d.t WHERE k <= 2");
    expect(await harness.rows("SELECT k, v, _CHANGE_TYPE FROM APPENDS(TABLE d.t) ORDER BY k")).toEqual([
      [1n, "a", "INSERT"],
      [2n, "b", "INSERT"],
      [3n, "c", "INSERT"],
    ]);
    const { schema } = await harness.run("SELECT * FROM APPENDS(TABLE d.t, NULL, NULL)");
    expect(schema?.map(({ name, type }) => [name, type])).toEqual([
      ["k", "INTEGER"],
      ["v", "STRING"],
      ["_CHANGE_TYPE", "STRING"],
      ["_CHANGE_TIMESTAMP", "TIMESTAMP"],
    ]);
    await harness.run("TRUNCATE TABLE d.t");
    expect(await appended()).toEqual([1n, 2n, 3n]);
  });

  it("reads from the start on and up to the end, which is not part of the range", async () => {
    await harness.run("INSERT INTO d.t (k) VALUES (1)");
    const first = await now();
    await harness.run("INSERT INTO d.t (k) VALUES (2)");
    const second = await now();
    await harness.run("MERGE d.t USING (SELECT 3 AS n) ON k = n WHEN NOT MATCHED THEN INSERT (k) VALUES (n)");
    expect(await appended(`NULL, ${first}`)).toEqual([1n]);
    expect(await appended(`${first}, ${second}`)).toEqual([2n]);
    expect(await appended(`${second}, NULL`)).toEqual([3n]);
    const [[at]] = (await harness.rows(
      "SELECT UNIX_MICROS(_CHANGE_TIMESTAMP) FROM APPENDS(TABLE d.t) WHERE k = 2",
    )) as [[bigint]];
    expect(await appended(`TIMESTAMP_MICROS(${at}), TIMESTAMP_MICROS(${at + 1n})`)).toEqual([2n]);
    expect(await appended(`${first}, TIMESTAMP_MICROS(${at})`)).toEqual([]);
    expect(await appended("TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 6 DAY), CURRENT_TIMESTAMP()")).toEqual(
      [1n, 2n, 3n],
    );
  });

  it("gives all rows of a transaction the time of its commit, and misses none of overlapping ones", async () => {
    const start = await now();
    await harness.run(
      "BEGIN TRANSACTION; INSERT INTO d.t (k) VALUES (1); INSERT INTO d.t (k) VALUES (2); UPDATE d.t SET v = 'u' WHERE k = 2; DELETE FROM d.t WHERE k = 1; COMMIT TRANSACTION;",
    );
    expect(await harness.rows("SELECT k, v FROM APPENDS(TABLE d.t)")).toEqual([[2n, "u"]]);
    let from = start;
    const found: SqlValue[] = [];
    const writers = Array.from({ length: 40 }, (_, index) =>
      harness.run(`INSERT INTO d.t (k) VALUES (${index + 100})`),
    );
    for (let read = 0; read < 20; read++) {
      const until = await now();
      found.push(...(await appended(`${from}, ${until}`)));
      from = until;
    }
    await Promise.all(writers);
    found.push(...(await appended(`${from}, NULL`)));
    expect(found.map(Number).toSorted((a, b) => a - b)).toEqual([
      2,
      ...Array.from({ length: 40 }, (_, index) => index + 100),
    ]);
  });

  it("counts what was appended in the range, in the columns that are read", async () => {
    await harness.run("INSERT INTO d.t (k) VALUES (1), (2)");
    const time = await now();
    await harness.run("INSERT INTO d.t (k) VALUES (3)");
    const bytes = async (sql: string): Promise<number> => (await harness.run(sql)).bytesProcessed;
    expect(await bytes("SELECT k FROM APPENDS(TABLE d.t)")).toBe(24);
    expect(await bytes(`SELECT k FROM APPENDS(TABLE d.t, ${time})`)).toBe(8);
    expect(await bytes(`SELECT _CHANGE_TIMESTAMP FROM APPENDS(TABLE d.t, ${time})`)).toBe(0);
    expect(await bytes(`SELECT k FROM APPENDS(TABLE d.t, NULL, ${time})`)).toBe(16);
  });

  it("has the columns that the table has now, and all rows of a copy as appended at once", async () => {
    await harness.run("INSERT INTO d.t VALUES (1, 'a'), (2, 'b'); DELETE FROM d.t WHERE k = 1");
    await harness.storage.catalog.change((change) =>
      changeSchema(change, change.needTable(ref("t")), [
        field("w", "STRING"),
        field("k", "INTEGER"),
        field("v", "STRING"),
      ]),
    );
    await harness.run("INSERT INTO d.t VALUES ('w', 3, 'c')");
    expect(await harness.rows("SELECT w, k, v FROM APPENDS(TABLE d.t) ORDER BY k")).toEqual([
      [null, 1n, "a"],
      [null, 2n, "b"],
      ["w", 3n, "c"],
    ]);
    const time = await now();
    await harness.storage.catalog.change((change) =>
      copyTable(change, change.needTable(ref("t")), ref("copy"), true),
    );
    expect(await harness.rows(`SELECT k FROM APPENDS(TABLE d.copy, ${time}) ORDER BY k`)).toEqual([
      [2n],
      [3n],
    ]);
  });

  it("refuses times that are too early or yet to come, whether there are rows or not", async () => {
    const early = await harness.failure(
      "SELECT * FROM APPENDS(TABLE d.t, TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 8 DAY))",
    );
    expect(early.message).toMatch(
      /^Invalid time travel timestamp \d+ for table p:d\.t@\d+\. Cannot read before \d+\.$/,
    );
    const late = await harness.failure(
      "SELECT * FROM APPENDS(TABLE d.t, NULL, TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR))",
    );
    expect(late.message).toBe("The timestamp of APPENDS cannot be in the future");
    await harness.storage.catalog.change(async (change) => {
      const entry = change.needTable(ref("t"));
      change.putTable({ ...entry, creationTime: entry.creationTime - 8 * 86_400_000 });
    });
    expect((await harness.failure("SELECT * FROM APPENDS(TABLE d.t)")).message).toMatch(/Cannot read before/);
  });

  it.each([
    [
      "BEGIN TRANSACTION; SELECT * FROM APPENDS(TABLE d.t); COMMIT TRANSACTION;",
      /within a multi-statement transaction/,
    ],
    ["CREATE VIEW d.v AS SELECT 1 AS x; SELECT * FROM APPENDS(TABLE d.v)", /currently a VIEW/],
    ["CREATE SNAPSHOT TABLE d.s CLONE d.t; SELECT * FROM APPENDS(TABLE d.s)", /standard tables alone/],
    ["CREATE TABLE d.c CLONE d.t; SELECT * FROM APPENDS(TABLE d.c)", /standard tables alone/],
    ["SELECT * FROM APPENDS((SELECT * FROM d.t), NULL, NULL)", /Not supported .* APPENDS of a query/],
  ])("refuses %s", async (sql, message) => {
    expect((await harness.failure(sql)).message).toMatch(message);
    for (const name of ["v", "s", "c"])
      await harness.run(`DROP TABLE IF EXISTS d.${name}`).catch(() => undefined);
    await harness.run("DROP VIEW IF EXISTS d.v; DROP SNAPSHOT TABLE IF EXISTS d.s").catch(() => undefined);
  });
});

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#for_system_time_as_of */
describe("FOR SYSTEM_TIME AS OF", () => {
  it("shows a table before rows were appended and removed", async () => {
    await harness.run("INSERT INTO d.t VALUES (1, 'a'), (2, 'b')");
    const first = await now();
    await harness.run("INSERT INTO d.t VALUES (3, 'c')");
    await harness.run("DELETE FROM d.t WHERE k = 1");
    const second = await now();
    await harness.run("TRUNCATE TABLE d.t");
    expect(await asOf(first)).toEqual([
      [1n, "a"],
      [2n, "b"],
    ]);
    expect(await asOf(second)).toEqual([
      [2n, "b"],
      [3n, "c"],
    ]);
    expect(await asOf("CURRENT_TIMESTAMP()")).toEqual([]);
  });

  it("shows a table as it is since its last UPDATE, and refuses a time before that", async () => {
    await harness.run("INSERT INTO d.t VALUES (1, 'a'), (2, 'b')");
    const before = await now();
    await harness.run("UPDATE d.t SET v = 'x' WHERE k = 1");
    const after = await now();
    await harness.run("DELETE FROM d.t WHERE true");
    expect(await asOf(after)).toEqual([
      [1n, "x"],
      [2n, "b"],
    ]);
    expect((await harness.failure(`SELECT * FROM d.t FOR SYSTEM_TIME AS OF ${before}`)).message).toBe(
      "Not supported by the local BigQuery endpoint: FOR SYSTEM_TIME AS OF a time before rows of the table were updated",
    );
  });

  it("refuses a time before the table was there, and NULL", async () => {
    const time = await now();
    await harness.table("t", [field("k", "INTEGER")]);
    expect((await harness.failure(`SELECT * FROM d.t FOR SYSTEM_TIME AS OF ${time}`)).message).toMatch(
      /FOR SYSTEM_TIME AS OF a time before the table was made$/,
    );
    expect(
      (await harness.failure("SELECT * FROM d.t FOR SYSTEM_TIME AS OF CAST(NULL AS TIMESTAMP)")).message,
    ).toBe("The timestamp of FOR SYSTEM_TIME AS OF cannot be NULL");
  });
});

it("the history of a data file is there again when it is opened", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "history-"));
  const file = path.join(folder, "data");
  try {
    const writer = await Harness.start({}, file);
    await writer.table("t", [field("k", "INTEGER")]);
    await writer.run("INSERT INTO d.t VALUES (1), (2)");
    await writer.run("DELETE FROM d.t WHERE k = 1");
    await writer.close();
    const reader = await Harness.start({}, file);
    await reader.run("INSERT INTO d.t VALUES (3)");
    expect(await reader.rows("SELECT k FROM APPENDS(TABLE d.t) ORDER BY k")).toEqual([[1n], [2n], [3n]]);
    expect(await reader.rows("SELECT COUNT(DISTINCT _CHANGE_TIMESTAMP) FROM APPENDS(TABLE d.t)")).toEqual([
      [2n],
    ]);
    await reader.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
