import { describe, expect, it } from "vitest";
import { TableLocks } from "../../../src/scripting/locks.ts";

const never = new AbortController().signal;

describe("locks of tables", () => {
  it("abort a transaction that meets another one on the same table", () => {
    const locks = new TableLocks();
    locks.lockInTransaction({}, "p:d.t", locks.now);
    expect(() => locks.lockInTransaction({}, "p:d.t", locks.now)).toThrow(
      "Transaction is aborted due to concurrent update against table p:d.t",
    );
    expect(() => locks.lockInTransaction({}, "p:d.other", locks.now)).not.toThrow();
  });

  it("abort a transaction whose snapshot is older than a committed change", () => {
    const locks = new TableLocks();
    const began = locks.now;
    const other = {};
    locks.lockInTransaction(other, "p:d.t", began);
    locks.release(other, true);
    expect(() => locks.lockInTransaction({}, "p:d.t", began)).toThrow("concurrent update");
    expect(() => locks.lockInTransaction({}, "p:d.t", locks.now)).not.toThrow();
  });

  it("forget a change that was rolled back", () => {
    const locks = new TableLocks();
    const began = locks.now;
    const other = {};
    locks.lockInTransaction(other, "p:d.t", began);
    locks.release(other, false);
    expect(() => locks.lockInTransaction({}, "p:d.t", began)).not.toThrow();
  });

  it("let statements outside of transactions wait their turn, one after another", async () => {
    const locks = new TableLocks();
    const order: number[] = [];
    const work = async (number: number): Promise<void> => {
      const owner = {};
      await locks.lock(owner, "p:d.t", never);
      order.push(number);
      await new Promise((resolve) => setTimeout(resolve, 5));
      order.push(number);
      locks.release(owner, true);
    };
    await Promise.all([1, 2, 3].map(work));
    expect(order).toHaveLength(6);
    for (const [index, number] of order.entries()) if (index % 2 === 1) expect(number).toBe(order[index - 1]);
  });

  it("are waited for no longer than the job lives", async () => {
    const locks = new TableLocks();
    await locks.lock({}, "p:d.t", never);
    const controller = new AbortController();
    const waiting = locks.lock({}, "p:d.t", controller.signal);
    controller.abort();
    await expect(waiting).rejects.toThrow();
  });
});
