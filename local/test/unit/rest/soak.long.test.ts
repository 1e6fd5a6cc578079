import { execFileSync, spawn } from "node:child_process";
import { Agent, request } from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const CLI = fileURLToPath(new URL("../../../src/cli.ts", import.meta.url));
const QUERIES = Number(process.env.SOAK_QUERIES ?? 50_000);
const CLIENTS = 200;
/** The server has compiled its own code by then, and has had all clients at once. */
const WARM = 1_000;
const HOURS = 60 * 60 * 1000;

const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });

/** Each text is new; each third reads a table, each hundredth changes it. */
function statement(number: number): string {
  if (number % 100 === 0) return `UPDATE d.t SET v = ${number} WHERE id = ${number % 50}`;
  if (number % 3 === 0) return `SELECT ${number} AS n, COUNT(*) AS c FROM d.t WHERE id > ${number % 50}`;
  return `SELECT ${number} AS n, CONCAT('a', 'b') AS s`;
}

function query(url: string, sql: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(
      `${url}/bigquery/v2/projects/p/queries`,
      { method: "POST", agent, headers: { "content-type": "application/json" } },
      (response) => {
        response.resume();
        response.on("end", () =>
          response.statusCode === 200
            ? resolve()
            : reject(new Error(`status ${response.statusCode}: ${sql}`)),
        );
      },
    );
    asked.on("error", reject);
    asked.end(JSON.stringify({ query: sql, useLegacySql: false, timeoutMs: 200_000 }));
  });
}

/** Kilobytes of memory that a process holds. */
function residentOf(pid: number | undefined): number {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" }));
}

it(
  `${QUERIES} queries of ${CLIENTS} clients leave the server as large as it was`,
  async () => {
    const server = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), CLI, "--port", "0"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      let url = "";
      for await (const line of createInterface({ input: server.stdout })) {
        url = /ready on (http\S+)/.exec(line)?.[1] ?? "";
        if (url !== "") break;
      }
      server.stdout.resume();
      await query(
        url,
        "CREATE SCHEMA d; CREATE TABLE d.t AS SELECT x AS id, x AS v FROM UNNEST(GENERATE_ARRAY(1, 100)) AS x",
      );
      let next = 0;
      const run = async (end: number): Promise<void> => {
        const client = async (): Promise<void> => {
          while (next < end) await query(url, statement(next++));
        };
        await Promise.all(Array.from({ length: CLIENTS }, client));
      };
      await run(WARM);
      const before = residentOf(server.pid);
      await run(QUERIES);
      const after = residentOf(server.pid);
      process.stdout.write(`${before} KB after ${WARM} queries, ${after} KB after ${QUERIES}\n`);
      expect(after / before).toBeLessThan(1.2);
    } finally {
      server.kill("SIGTERM");
    }
  },
  2 * HOURS,
);
