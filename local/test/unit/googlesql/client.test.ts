import { execFileSync } from "node:child_process";
import { afterAll, describe, expect, it } from "vitest";
import { Analyzer } from "../../../src/googlesql/analyzer.ts";
import { GoogleSqlClient } from "../../../src/googlesql/client.ts";
import { startServerProcess } from "../../../src/googlesql/process.ts";
import { createFixedSource } from "../../../src/googlesql/source.ts";

/** The process ids of GoogleSQL servers on this address. */
function serversAt(address: string): number[] {
  const lines = execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" }).split("\n");
  const port = address.split(":")[1];
  return lines
    .filter(
      (line) =>
        /remote_server\S* 127\.0\.0\.1/.test(line) &&
        line.trim().endsWith(` ${port}`) &&
        !line.includes("/bin/sh"),
    )
    .map((line) => Number.parseInt(line.trim(), 10));
}

it("ends the server's process when told to", async () => {
  const server = await startServerProcess();
  // The shell that watches over it needs a moment to start it.
  await expect.poll(() => serversAt(server.address), { timeout: 20_000 }).toHaveLength(1);
  await server.stop();
  expect(serversAt(server.address)).toEqual([]);
});

it("starts another server when the first one dies, with the catalogs that statements need", async () => {
  const client = new GoogleSqlClient();
  const analyzer = new Analyzer(client);
  const ref = { projectId: "p", datasetId: "d", tableId: "t" };
  const source = createFixedSource([{ ref, columns: [{ name: "x", type: { kind: "INT64" } }] }], {
    project: "p",
  });
  const env = { source, variables: new Map(), parameters: new Map(), defaultProject: "p" };
  try {
    await analyzer.analyzeStatement("SELECT x FROM d.t", env);
    const address = await client.address();
    const [pid] = serversAt(address);
    if (pid === undefined) throw new Error("no server to kill");
    process.kill(pid, "SIGKILL");
    const statements = Array.from({ length: 8 }, (_, i) =>
      analyzer.analyzeStatement(`SELECT x + ${i} FROM d.t`, env),
    );
    expect((await Promise.all(statements)).map(({ statement }) => statement.kind)).toEqual(
      Array(8).fill("QueryStmt"),
    );
    expect(await client.address()).not.toBe(address);
  } finally {
    await analyzer.close();
  }
});

it("refuses to work once it is closed", async () => {
  const client = new GoogleSqlClient();
  await client.close();
  await expect(client.call("getLanguageOptions", {})).rejects.toThrow("closed");
});

describe("an answer that does not come", () => {
  const env = {
    source: createFixedSource([], { project: "p" }),
    variables: new Map(),
    parameters: new Map(),
    defaultProject: "p",
  };

  it("fails its own statement; the server is replaced and other statements go on", async () => {
    const client = new GoogleSqlClient({ callLimitMs: 3000 });
    const analyzer = new Analyzer(client);
    try {
      await analyzer.analyzeStatement("SELECT 1", env);
      const address = await client.address();
      const [pid] = serversAt(address);
      if (pid === undefined) throw new Error("no server to stop");
      process.kill(pid, "SIGSTOP");
      const silent = analyzer.analyzeStatement("SELECT 2", env);
      await expect(silent).rejects.toThrow("Not enough resources for query planning");
      expect((await analyzer.analyzeStatement("SELECT 3", env)).statement.kind).toBe("QueryStmt");
      expect(await client.address()).not.toBe(address);
    } finally {
      await analyzer.close();
    }
  });

  it("does not cost the statements that waited with it theirs", async () => {
    const client = new GoogleSqlClient({ callLimitMs: 3000 });
    const analyzer = new Analyzer(client);
    try {
      await analyzer.analyzeStatement("SELECT 1", env);
      const [pid] = serversAt(await client.address());
      if (pid === undefined) throw new Error("no server to stop");
      process.kill(pid, "SIGSTOP");
      const silent = analyzer.analyzeStatement("SELECT 2", env).catch(() => "failed");
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const later = Array.from({ length: 4 }, (_, n) => analyzer.analyzeStatement(`SELECT ${n + 3}`, env));
      expect(await silent).toBe("failed");
      for (const { statement } of await Promise.all(later)) expect(statement.kind).toBe("QueryStmt");
    } finally {
      await analyzer.close();
    }
  });
});

describe("an error message longer than a header may be", () => {
  const analyzer = new Analyzer();
  const ref = { projectId: "p", datasetId: "d", tableId: "t" };
  const columns = [{ name: "day", type: { kind: "DATE" as const } }];
  const env = {
    source: createFixedSource([{ ref, columns }], { project: "p" }),
    variables: new Map(),
    parameters: new Map(),
    defaultProject: "p",
  };
  afterAll(() => analyzer.close());

  it.each([
    [
      "a literal for a DATE column",
      `SELECT * FROM d.t WHERE day = '${"x".repeat(70_000)}'`,
      /Could not cast literal/,
    ],
    [
      "a literal of a megabyte",
      `SELECT * FROM d.t WHERE day = '${"x".repeat(1_000_000)}'`,
      /Could not cast literal/,
    ],
    ["a literal that is percent-encoded", `SELECT * FROM d.t WHERE day = '${"é%".repeat(40_000)}'`, /é%é%é%/],
    ["a column's name", `SELECT ${"c".repeat(70_000)}`, /^Unrecognized name: ccc.* at \[1:8\]$/],
    ["a table's name", `SELECT * FROM d.${"t".repeat(70_000)}`, /was not found|ttt/],
    ["a hexadecimal literal", `SELECT 0x${"f".repeat(100_000)}`, /Invalid (hex )?integer literal/],
  ])("of %s comes, shortened, and the next statement is answered", async (_, sql, message) => {
    await expect(analyzer.analyzeStatement(sql, env)).rejects.toThrow(message);
    expect((await analyzer.analyzeStatement("SELECT 1", env)).statement.kind).toBe("QueryStmt");
  });
});
