import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Server, startServer } from "../../../src/server.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer({ faults: [] });
  await fetch(`${server.url}/projects/p/datasets`, {
    method: "POST",
    body: JSON.stringify({ datasetReference: { datasetId: "d" } }),
  });
});
afterAll(() => server.close());
beforeEach(async () => {
  await fetch(`${server.url}/-/faults`, { method: "DELETE" });
  await query("CREATE OR REPLACE TABLE d.t AS SELECT 1 AS n");
});

async function plan(...faults: object[]): Promise<number> {
  const response = await fetch(`${server.url}/-/faults`, {
    method: "POST",
    body: JSON.stringify({ faults }),
  });
  return response.status;
}

async function query(sql: string) {
  const response = await fetch(`${server.url}/projects/p/queries`, {
    method: "POST",
    body: JSON.stringify({ query: sql, useLegacySql: false }),
  });
  const body = (await response.json()) as { rows?: { f: { v: string }[] }[]; error?: { message: string } };
  return { status: response.status, message: body.error?.message, first: body.rows?.[0]?.f[0]?.v };
}

const sum = async () => (await query("SELECT SUM(n) FROM d.t")).first;

describe("planned faults", () => {
  it("fail a statement before it took effect", async () => {
    await plan({ kind: "statement", when: "before", matching: "INSERT", nth: 2 });
    expect((await query("INSERT d.t VALUES (10)")).status).toBe(200);
    expect((await query("INSERT d.t VALUES (100)")).message).toContain("Injected fault");
    expect((await query("INSERT d.t VALUES (1000)")).status).toBe(200);
    expect(await sum()).toBe("1011");
  });

  it("fail a statement after it took effect", async () => {
    await plan({ kind: "statement", when: "after", matching: "INSERT" });
    expect((await query("INSERT d.t VALUES (10)")).message).toContain("Injected fault");
    expect(await sum()).toBe("11");
  });

  it("fail a statement in the middle of a script, whose transaction is undone", async () => {
    await plan({ kind: "statement", when: "after", matching: "UPDATE" });
    const script =
      "BEGIN TRANSACTION; INSERT d.t VALUES (10); UPDATE d.t SET n = 5 WHERE TRUE; COMMIT TRANSACTION;";
    expect((await query(script)).message).toContain("Injected fault");
    expect(await sum()).toBe("1");
    expect((await query(script)).status).toBe(200);
    expect(await sum()).toBe("10");
  });

  it("abort a transaction at its commit", async () => {
    await plan({ kind: "abort-transaction" });
    const script = "BEGIN TRANSACTION; INSERT d.t VALUES (10); COMMIT TRANSACTION;";
    expect((await query(script)).message).toContain("Transaction is aborted due to concurrent update");
    expect(await sum()).toBe("1");
    expect((await query(script)).status).toBe(200);
    expect(await sum()).toBe("11");
  });

  it("lose a commit's answer: the transaction is there, its job has failed", async () => {
    await plan({ kind: "statement", when: "after", matching: "COMMIT" });
    expect((await query("BEGIN TRANSACTION; INSERT d.t VALUES (10); COMMIT TRANSACTION;")).status).not.toBe(
      200,
    );
    expect(await sum()).toBe("11");
  });

  it.each([503, 429] as const)("answer %i and do not handle the request", async (status) => {
    await plan({ kind: "status", status, matching: "POST /projects/p/queries", nth: 2, times: 2 });
    expect((await query("INSERT d.t VALUES (10)")).status).toBe(200);
    expect((await query("INSERT d.t VALUES (10)")).status).toBe(status);
    expect((await query("INSERT d.t VALUES (10)")).status).toBe(status);
    expect(await sum()).toBe("11");
  });

  it("drop the connection before or after the work", async () => {
    await plan({ kind: "drop", when: "before", matching: "queries" });
    await expect(query("INSERT d.t VALUES (10)")).rejects.toThrow("fetch failed");
    expect(await sum()).toBe("1");
    await plan({ kind: "drop", when: "after", matching: "queries" });
    await expect(query("INSERT d.t VALUES (10)")).rejects.toThrow("fetch failed");
    expect(await sum()).toBe("11");
  });

  it("are refused when they are not understood", async () => {
    expect(await plan({ kind: "statement" })).toBe(400);
    expect(await plan({ kind: "odd" })).toBe(400);
    expect(await plan({ kind: "status", status: 418 })).toBe(400);
  });
});
