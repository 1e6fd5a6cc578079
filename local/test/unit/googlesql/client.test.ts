import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
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
  expect(serversAt(server.address)).toHaveLength(1);
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
