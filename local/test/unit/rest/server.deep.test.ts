import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Server, startServer } from "../../../src/server.ts";

const CLI = fileURLToPath(new URL("../../../src/cli.ts", import.meta.url));
const TSX = import.meta.resolve("tsx");
const folder = mkdtempSync(path.join(tmpdir(), "server-test-"));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A join that takes hours, whose rows have this remainder. */
const hugeJoin = (remainder: number): string =>
  `(SELECT a FROM UNNEST(GENERATE_ARRAY(1, 1000000)) a, UNNEST(GENERATE_ARRAY(1, 1000000)) b WHERE MOD(a * b, 7) = ${remainder})`;

/** A started command: what it prints so far, and how it ends. */
interface Command {
  readonly child: ChildProcess;
  readonly output: () => { stdout: string; stderr: string };
  readonly ended: Promise<number | null>;
}

function run(...args: string[]): Command {
  const child = spawn(process.execPath, ["--import", TSX, CLI, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = once(child, "close").then(([code]) => code as number | null);
  return { child, output: () => ({ stdout, stderr }), ended };
}

/** Waits for the line that says the endpoint is ready; gives its address. */
async function ready(command: Command): Promise<string> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const url = /^BigQuery endpoint ready on (http:\S+)$/m.exec(command.output().stdout)?.[1];
    if (url !== undefined) return url;
    if (command.child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not ready: ${JSON.stringify(command.output())}`);
}

async function post(url: string, body: object): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function firstCell(url: string, query: string): Promise<unknown> {
  const { body } = await post(`${url}/projects/p/queries`, { query, useLegacySql: false });
  const rows = body.rows as { f: { v: unknown }[] }[] | undefined;
  if (rows === undefined) throw new Error(JSON.stringify(body));
  return rows[0]?.f[0]?.v;
}

describe("npm run local", () => {
  it.each([
    [["--port", "x"], "--port x"],
    [["--port", "70000"], "--port 70000"],
    [["--nope"], "--nope"],
    [["extra"], "extra"],
    [["--data="], "--data"],
  ])("tells wrong usage: %j", async (args, message) => {
    const command = run(...args);
    expect(await command.ended).toBe(2);
    expect(command.output().stderr).toContain(message);
    expect(command.output().stderr).toContain("Usage:");
    expect(command.output().stdout).toBe("");
  });

  it("tells how it is used", async () => {
    const command = run("--help");
    expect(await command.ended).toBe(0);
    expect(command.output().stdout).toContain("--data FILE");
  });

  it("says that a port is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const command = run("--port", String(port));
    expect(await command.ended).toBe(1);
    expect(command.output().stderr).toBe("The port is in use: choose another with --port, or 0.\n");
    other.close();
  });

  it.each(["SIGTERM", "SIGINT"] as const)(
    "ends at %s with the work it runs, and says nothing",
    async (signal) => {
      const command = run("--port", "0");
      const url = await ready(command);
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      const slow = fetch(`${url}/projects/p/queries`, {
        method: "POST",
        body: JSON.stringify({
          query: `SELECT COUNT(*) FROM ${hugeJoin(3)}`,
        }),
      }).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 300));
      const start = Date.now();
      command.child.kill(signal);
      expect(await command.ended).toBe(0);
      expect(Date.now() - start).toBeLessThan(10_000);
      expect(command.output().stderr).toBe("");
      await slow;
    },
  );

  it("keeps what it has acknowledged when it is killed, and has its file to itself", async () => {
    const file = path.join(folder, "kept.duckdb");
    const first = run("--port", "0", "--data", file);
    const url = await ready(first);
    await post(`${url}/projects/p/datasets`, { datasetReference: { datasetId: "d" } });
    expect(await firstCell(url, "CREATE TABLE d.t AS SELECT 1 AS n; SELECT COUNT(*) FROM d.t")).toBe("1");
    const second = run("--port", "0", "--data", file);
    expect(await second.ended).toBe(1);
    expect(second.output().stderr).toMatch(/^The data file .* is in use by .*\n$/);
    // Fed to whoever asks again under the same job id, which must not run twice.
    const slow = {
      jobReference: { jobId: "slow" },
      configuration: { query: { query: `INSERT d.t SELECT a FROM ${hugeJoin(7)}` } },
    };
    await post(`${url}/projects/p/jobs`, slow);
    let acknowledged = 1;
    const killed = once(first.child, "close");
    const writing = (async () => {
      for (;;) {
        await firstCell(url, `INSERT d.t VALUES (${acknowledged}); SELECT COUNT(*) FROM d.t`);
        acknowledged += 1;
      }
    })().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    first.child.kill("SIGKILL");
    await killed;
    await writing;
    const third = run("--port", "0", "--data", file);
    const again = await ready(third);
    const count = Number(await firstCell(again, "SELECT COUNT(*) FROM d.t"));
    // The last one may have been stored before its answer was lost.
    expect([acknowledged, acknowledged + 1]).toContain(count);
    expect(acknowledged).toBeGreaterThan(1);
    expect((await post(`${again}/projects/p/jobs`, slow)).status).toBe(409);
    const job = await (await fetch(`${again}/projects/p/jobs/slow`)).json();
    expect(job).toMatchObject({ status: { state: "DONE", errorResult: { reason: "stopped" } } });
  });
});

describe("the server", () => {
  let server: Server;
  const defects: unknown[] = [];

  beforeAll(async () => {
    server = await startServer({ onDefect: (error) => defects.push(error) });
    await post(`${server.url}/projects/p/datasets`, { datasetReference: { datasetId: "d" } });
    await firstCell(server.url, "CREATE TABLE d.t (n INT64, s STRING); SELECT 1");
  });
  afterAll(() => server.close());

  /** What the server answers to bytes as they are. */
  async function raw(bytes: string): Promise<string> {
    const socket = createConnection(server.port, "127.0.0.1");
    socket.end(bytes);
    let answer = "";
    for await (const chunk of socket) answer += chunk;
    return answer;
  }

  it("answers no web page", async () => {
    const request = (headers: string) =>
      raw(`GET /projects HTTP/1.1\r\n${headers}\r\nConnection: close\r\n\r\n`);
    expect(await request("Host: localhost")).toContain("200 OK");
    for (const headers of ["Host: evil.example", "Host: localhost\r\nOrigin: http://evil.example"]) {
      const answer = await request(headers);
      expect(answer).toContain("403 Forbidden");
      expect(answer).not.toContain("bigquery#");
    }
  });

  it("answers what is no HTTP as such", async () => {
    expect(await raw("hello\r\n\r\n")).toContain("400 Bad Request");
    expect(await raw(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(100_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 4/,
    );
  });

  it("refuses bodies that are too large, on the wire or once decompressed", async () => {
    const large = JSON.stringify({ query: "x".repeat(11 * 1024 * 1024) });
    const url = `${server.url}/projects/p/queries`;
    const plain = await fetch(url, { method: "POST", body: large });
    expect(plain.status).toBe(413);
    expect(await plain.json()).toMatchObject({
      error: { code: 413, errors: [{ reason: "uploadTooLarge" }] },
    });
    const zipped = await fetch(url, {
      method: "POST",
      body: gzipSync(large),
      headers: { "content-encoding": "gzip" },
    });
    expect(zipped.status).toBe(413);
    const broken = await fetch(url, {
      method: "POST",
      body: "no gzip",
      headers: { "content-encoding": "gzip" },
    });
    expect(broken.status).toBe(400);
    const good = await fetch(url, {
      method: "POST",
      body: gzipSync(JSON.stringify({ query: "SELECT 1" })),
      headers: { "content-encoding": "gzip" },
    });
    expect(good.status).toBe(200);
  });

  it("serves or refuses a thousand requests at once", async () => {
    const answers = await Promise.all(
      Array.from({ length: 1000 }, async (_, n) => {
        if (n % 2 === 0) return (await fetch(`${server.url}/projects/p/datasets/d`)).status;
        return (await post(`${server.url}/projects/p/queries`, { query: `SELECT ${n}`, timeoutMs: 60_000 }))
          .status;
      }),
    );
    expect(answers.filter((status) => status !== 200 && status !== 403)).toEqual([]);
    expect(answers.filter((status) => status === 200).length).toBeGreaterThan(500);
    expect(await firstCell(server.url, "SELECT 42")).toBe("42");
  });

  it("survives bad requests of every kind, with no 5xx and no path in its answers", async () => {
    const paths = [
      "projects",
      "p",
      "datasets",
      "d",
      "tables",
      "t",
      "jobs",
      "queries",
      "data",
      "insertAll",
      "..",
      "%00",
      "%2e%2e",
      "ä",
      "a".repeat(3000),
      "",
      "x:y",
      "-/faults",
    ];
    const bodies = [
      "",
      "{",
      "[]",
      "null",
      '"x"',
      "{}",
      '{"query":5}',
      '{"query":"\\u0000"}',
      '{"rows":[{"json":5}]}',
      '{"configuration":{"query":{"query":"SELECT"}}}',
      '{"tableReference":{"tableId":"\\ud800"}}',
      '{"schema":{"fields":[{}]}}',
      `{"a":${"[".repeat(5000)}${"]".repeat(5000)}}`,
      '{"labels":{"__proto__":"x"}}',
      '{"query":"SELECT 1","queryParameters":[{"parameterType":{"type":"ARRAY"}}]}',
    ];
    const queries = [
      "",
      "?maxResults=-1",
      "?maxResults=1e9",
      "?pageToken=%00",
      "?startIndex=99999999999999999999",
      "?selectedFields=,,",
      "?timeoutMs=x",
      "?a[b]=1&a=2",
    ];
    const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let seed = 7;
    const pick = <T>(items: readonly T[]): T => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return items[Math.floor((seed / 2_147_483_648) * items.length)] as T;
    };
    for (let attempt = 0; attempt < 600; attempt++) {
      const method = pick(methods);
      const parts = Array.from({ length: 1 + (attempt % 8) }, () => pick(paths));
      const prefix = pick([
        "/",
        "/bigquery/v2/",
        "/bigquery/v2/projects/p/datasets/d/tables/",
        "/projects/p/",
        "/upload/bigquery/v2/",
      ]);
      const url = `${server.url}${prefix}${parts.join("/")}${pick(queries)}`;
      // Nothing that works: the table must still be there at the end.
      if (method === "DELETE" && /tables\/t|datasets\/d/.test(url)) continue;
      const response = await fetch(url, {
        method,
        headers: {
          "content-type": pick(["application/json", "text/plain", "multipart/related; boundary=x"]),
        },
        ...(method === "GET" ? {} : { body: pick(bodies) }),
      });
      const text = await response.text();
      expect(response.status, `${method} ${url} ${text}`).toBeLessThan(500);
      expect(text).not.toMatch(/node_modules|\/work\/|\/home\/|\/tmp\/|\.ts:\d+/);
    }
    expect(await firstCell(server.url, "SELECT COUNT(*) FROM d.t")).toBe("0");
    expect(defects).toEqual([]);
  });

  it("has no route for faults unless it was started for them", async () => {
    expect((await post(`${server.url}/-/faults`, { faults: [] })).status).toBe(404);
  });
});
