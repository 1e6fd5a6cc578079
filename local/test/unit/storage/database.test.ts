import { expect, it, vi } from "vitest";
import { Database } from "../../../src/storage/database.ts";

it("works with all cores on what is large, and with one thread on what is small", async () => {
  const database = await Database.open();
  const threads = (): Promise<unknown> =>
    database.use(async (connection) => {
      const reader = await connection.runAndReadAll("SELECT current_setting('threads')");
      return reader.getRows()[0]?.[0];
    });
  const [small, large] = [1_000, 1_000_000_000];
  expect(await database.working(small, threads)).toBe(1n);
  await database.working(large, async () => {
    expect(await threads()).toBeGreaterThan(2n);
    await database.working(large, threads);
    expect(await database.working(small, threads)).toBeGreaterThan(2n);
  });
  await expect(database.working(large, () => Promise.reject(new Error("failed")))).rejects.toThrow("failed");
  expect(await threads()).toBeGreaterThan(2n);
  await vi.waitFor(async () => expect(await threads()).toBe(1n), { timeout: 30_000 });
  await database.close();
});
