import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TableLocks } from "../../../src/scripting/locks.ts";
import { Transaction } from "../../../src/scripting/transaction.ts";
import { field, Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.close());
beforeEach(async () => {
  await harness.table("t", [field("k", "INTEGER"), field("v", "STRING")]);
  await harness.table("log", [field("n", "INTEGER")]);
  await harness.run("INSERT INTO d.t VALUES (1, 'a'), (2, 'b')");
});

const all = "SELECT k, v FROM d.t ORDER BY k, v";

describe("a transaction", () => {
  it("sees its own changes, and keeps them when it commits", async () => {
    const outcome = await harness.run(`
      BEGIN TRANSACTION;
      UPDATE d.t SET v = 'x' WHERE k = 1;
      INSERT INTO d.log VALUES (7);
      SELECT v FROM d.t WHERE k = 1;
      COMMIT TRANSACTION;`);
    expect(outcome.children?.map(({ outcome }) => outcome?.statementType)).toEqual([
      "BEGIN_TRANSACTION",
      "UPDATE",
      "INSERT",
      "SELECT",
      "COMMIT_TRANSACTION",
    ]);
    expect(await outcome.rows?.page(0, 9)).toEqual([["x"]]);
    expect(await harness.rows(all)).toEqual([
      [1n, "x"],
      [2n, "b"],
    ]);
    expect(await harness.rows("SELECT n FROM d.log")).toEqual([[7n]]);
  });

  it.each([
    ["is rolled back", "ROLLBACK TRANSACTION;"],
    ["is never finished", ""],
  ])("leaves nothing when it %s", async (_, end) => {
    await harness.run(`BEGIN TRANSACTION; DELETE FROM d.t WHERE true; INSERT INTO d.log VALUES (1); ${end}`);
    expect(await harness.rows("SELECT COUNT(*) FROM d.t")).toEqual([[2n]]);
    expect(await harness.rows("SELECT COUNT(*) FROM d.log")).toEqual([[0n]]);
  });

  it("leaves nothing when a statement in it fails", async () => {
    const error = await harness.failure(
      "BEGIN TRANSACTION;\nDELETE FROM d.t WHERE true;\nSELECT 1 / 0;\nCOMMIT;",
    );
    expect(error.message).toBe("Query error: division by zero: 1 / 0 at [3:1]");
    expect(await harness.rows("SELECT COUNT(*) FROM d.t")).toEqual([[2n]]);
  });

  it("may still be committed by a handler of the statement that failed", async () => {
    await harness.run(`
      BEGIN
        BEGIN TRANSACTION;
        UPDATE d.t SET v = 'kept' WHERE k = 1;
        SELECT ERROR('no');
      EXCEPTION WHEN ERROR THEN
        COMMIT TRANSACTION;
      END;`);
    expect(await harness.rows(all)).toEqual([
      [1n, "kept"],
      [2n, "b"],
    ]);
  });

  it("may be rolled back by a handler, and another one begun", async () => {
    await harness.run(`
      BEGIN
        BEGIN TRANSACTION;
        DELETE FROM d.t WHERE true;
        SELECT ERROR('no');
      EXCEPTION WHEN ERROR THEN
        SELECT @@error.message;
        ROLLBACK TRANSACTION;
      END;
      BEGIN TRANSACTION;
      INSERT INTO d.log VALUES (1);
      COMMIT TRANSACTION;`);
    expect(await harness.rows("SELECT COUNT(*) FROM d.t")).toEqual([[2n]]);
    expect(await harness.rows("SELECT COUNT(*) FROM d.log")).toEqual([[1n]]);
  });

  it("cannot be nested, nor ended twice, nor begun alone", async () => {
    expect((await harness.failure("BEGIN TRANSACTION; BEGIN TRANSACTION;")).message).toContain(
      "already in progress",
    );
    expect((await harness.failure("SELECT 1; COMMIT TRANSACTION;")).message).toContain(
      "no active transaction",
    );
    expect((await harness.failure("BEGIN TRANSACTION")).message).toContain("only in scripts or sessions");
  });
});

describe("transactions side by side", () => {
  it("never lose an update: who conflicts is aborted", async () => {
    await harness.table("counter", [field("n", "INTEGER")]);
    await harness.run("INSERT INTO d.counter VALUES (0)");
    const bump =
      "BEGIN TRANSACTION; UPDATE d.counter SET n = n + 1 WHERE true; SELECT n FROM d.counter; COMMIT TRANSACTION;";
    const results = await Promise.allSettled(Array.from({ length: 12 }, () => harness.run(bump)));
    const done = results.filter(({ status }) => status === "fulfilled").length;
    const messages = results.flatMap((result) =>
      result.status === "rejected" ? [String(result.reason)] : [],
    );
    expect(done).toBeGreaterThan(0);
    expect(await harness.rows("SELECT n FROM d.counter")).toEqual([[BigInt(done)]]);
    for (const message of messages) {
      expect(message).toContain("Transaction is aborted due to concurrent update against table p:d.counter");
    }
  });

  it("cannot commit once they have lost, whatever their handlers do", async () => {
    const { catalog, database } = harness.storage;
    const locks = new TableLocks();
    const entry = catalog.getTable({ projectId: "p", datasetId: "d", tableId: "t" });
    if (entry === undefined) throw new Error("no table");
    await database.use(async (connection) => {
      const transaction = await Transaction.begin({ catalog, locks }, connection);
      const insert = `INSERT INTO ${entry.physical} (k, v) VALUES (9, 'kept?')`;
      await transaction.write(entry, undefined, [insert], (writer) => writer.run(insert));
      locks.lockInTransaction({}, "p:d.t", locks.now);
      const update = `UPDATE ${entry.physical} SET v = 'x'`;
      const losing = transaction.write(entry, "updated", [update], (writer) => writer.run(update));
      await expect(losing).rejects.toThrow("concurrent update against table p:d.t");
      await expect(transaction.commit()).rejects.toThrow("concurrent update against table p:d.t");
    });
    expect(await harness.rows("SELECT COUNT(*) FROM d.t")).toEqual([[2n]]);
  });

  it("do not conflict when they only insert, even by MERGE", async () => {
    const insert = `BEGIN TRANSACTION;
      MERGE d.log USING (SELECT 5 AS n) AS s ON log.n = s.n WHEN NOT MATCHED THEN INSERT ROW;
      INSERT INTO d.log VALUES (6);
      COMMIT TRANSACTION;`;
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => harness.run(insert)));
    expect(results.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => "fulfilled"));
    expect(await harness.rows("SELECT COUNT(*) FROM d.log WHERE n = 6")).toEqual([[6n]]);
  });

  it("read the tables as they were when the transaction began", async () => {
    const { catalog, database } = harness.storage;
    await database.use(async (connection) => {
      const transaction = await Transaction.begin({ catalog, locks: new TableLocks() }, connection);
      await harness.run("INSERT INTO d.t VALUES (3, 'c')");
      const physical = catalog.getTable({ projectId: "p", datasetId: "d", tableId: "t" })?.physical;
      const count = await transaction.read((reader) =>
        reader.runAndReadAll(`SELECT count(*) FROM ${physical}`),
      );
      expect(count.getRows()).toEqual([[2n]]);
      await transaction.rollback();
    });
  });

  it("read a table that was replaced meanwhile as it was", async () => {
    const { catalog, database } = harness.storage;
    const ref = { projectId: "p", datasetId: "d", tableId: "t" };
    await database.use(async (connection) => {
      const transaction = await Transaction.begin({ catalog, locks: new TableLocks() }, connection);
      await harness.run("CREATE OR REPLACE TABLE d.t AS SELECT 3 AS k, 'c' AS v");
      const entry = transaction.catalog.getTable(ref);
      if (entry === undefined) throw new Error("no table");
      expect(entry.physical).not.toBe(catalog.getTable(ref)?.physical);
      const count = await transaction.read((reader) =>
        reader.runAndReadAll(`SELECT count(*) FROM ${entry.physical}`),
      );
      expect(count.getRows()).toEqual([[2n]]);
      expect((await transaction.catalog.contents(entry)).rows()).toBe(2);
      await transaction.rollback();
    });
  });

  it("lose against a table that was replaced meanwhile", async () => {
    const { catalog, database } = harness.storage;
    await database.use(async (connection) => {
      const transaction = await Transaction.begin({ catalog, locks: new TableLocks() }, connection);
      const entry = catalog.getTable({ projectId: "p", datasetId: "d", tableId: "t" });
      if (entry === undefined) throw new Error("no table");
      const insert = `INSERT INTO ${entry.physical} (k, v) VALUES (9, 'lost')`;
      await transaction.write(entry, undefined, [insert], (writer) => writer.run(insert));
      await harness.table("t", [field("k", "INTEGER"), field("v", "STRING")]);
      await expect(transaction.commit()).rejects.toThrow("concurrent update against table p:d.t");
    });
  });
});

describe("statements outside of transactions", () => {
  it("queue instead of failing", async () => {
    await harness.table("counter", [field("n", "INTEGER")]);
    await harness.run("INSERT INTO d.counter VALUES (0)");
    await Promise.all(
      Array.from({ length: 12 }, () => harness.run("UPDATE d.counter SET n = n + 1 WHERE true")),
    );
    expect(await harness.rows("SELECT n FROM d.counter")).toEqual([[12n]]);
  });

  it("count the rows they change", async () => {
    expect(await harness.run("UPDATE d.t SET v = 'z' WHERE k > 0")).toMatchObject({
      dml: { inserted: 0, updated: 2, deleted: 0 },
      numDmlAffectedRows: 2,
    });
    expect(await harness.rows("DELETE FROM d.t WHERE k = 1; SELECT @@row_count")).toEqual([[1n]]);
  });
});
