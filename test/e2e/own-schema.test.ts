import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { BigQuery } from "@google-cloud/bigquery";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { plain } from "../../generator/src/warehouse/plain.ts";
import { writeParquet } from "../write-parquet.ts";
import { linkPackages, REPOSITORY, runProgram } from "./harness.ts";
import type { CommandResult } from "./in-process.ts";

/** The README's "your own schema", done by the letter: a copy of the project, npm commands, an endpoint in a terminal. */
describe("a schema of one's own", () => {
  let root = "";
  let terminal: ChildProcess | undefined;
  let url = "";

  const npm = async (...args: string[]): Promise<CommandResult> => {
    const [command = "", ...rest] = args;
    return runProgram("npm", ["run", "--silent", command, "--", ...rest], {
      cwd: root,
      env: { BIGQUERY_EMULATOR_HOST: url },
    });
  };
  const succeed = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await npm(...args);
    expect(exitCode, `${args.join(" ")}: ${stderr || stdout}`).toBe(0);
    return stdout;
  };
  const write = (file: string, content: string | Uint8Array) => writeFile(path.join(root, file), content);

  beforeAll(async () => {
    root = await mkdtemp(path.join(tmpdir(), "own-"));
    const parts = [
      "package.json",
      "tool.js",
      "tsconfig.json",
      "dataform.json",
      "entities.json",
      "schemas",
      "definitions",
    ];
    for (const part of [...parts, "compiled", "includes", "generator", "local"]) {
      await cp(path.join(REPOSITORY, part), path.join(root, part), { recursive: true });
    }
    await linkPackages(root);
  });
  afterAll(async () => {
    if (terminal !== undefined && terminal.exitCode === null) {
      terminal.kill("SIGTERM");
      await once(terminal, "exit");
    }
    await rm(root, { recursive: true, force: true });
  });

  it("starts the local endpoint", async () => {
    terminal = spawn(
      process.execPath,
      ["local/bin/bigquery-local.js", "--port", "0", "--data", "data.duckdb"],
      {
        cwd: root,
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    for await (const text of terminal.stdout ?? []) {
      url = /BigQuery endpoint ready on (http:\/\/127\.0\.0\.1:\d+)/.exec(String(text))?.[1] ?? "";
      if (url !== "") break;
    }
    expect(url).toMatch(/^http/);
  });

  it("generates, creates, loads every format, updates, and shows each customer's latest state", async () => {
    await write(
      "schemas/customer.json",
      JSON.stringify([
        { name: "tenant", type: "INTEGER", mode: "REQUIRED" },
        { name: "customer", type: "STRING", mode: "REQUIRED" },
        { name: "received", type: "TIMESTAMP", mode: "REQUIRED" },
        { name: "happened", type: "TIMESTAMP" },
        { name: "limit", type: "NUMERIC" },
        { name: "tags", type: "STRING", mode: "REPEATED" },
        { name: "vip", type: "BOOLEAN" },
        {
          name: "contact",
          type: "RECORD",
          fields: [
            { name: "mail", type: "STRING" },
            {
              name: "postal",
              type: "RECORD",
              merge: "atomic",
              fields: [
                { name: "street", type: "STRING" },
                { name: "zip", type: "STRING" },
              ],
            },
          ],
        },
      ]),
    );
    await write(
      "entities.json",
      JSON.stringify({
        entities: [
          {
            name: "customer",
            schema: "schemas/customer.json",
            key: ["tenant", "customer"],
            ingestTimestamp: "received",
            eventTimestamp: "happened",
            lookback: "2 hours",
            dataset: "crm",
          },
        ],
      }),
    );
    await write(
      "dataform.json",
      JSON.stringify({
        warehouse: "bigquery",
        defaultDatabase: "acme",
        defaultSchema: "crm",
        assertionSchema: "crm_checks",
        defaultLocation: "EU",
      }),
    );
    expect(await succeed("generate")).toMatch(/removed definitions\/user_info\//);
    await succeed("generate", "--check");
    await succeed("compile");
    expect(await succeed("init", "--plan")).toMatch(/dataset crm +│ create +│ in EU/);
    await succeed("init");

    await write(
      "one.ndjson.gz",
      gzipSync(
        [
          {
            tenant: 1,
            customer: "ann",
            received: "2026-03-01T10:00:00Z",
            happened: "2026-03-01T09:00:00Z",
            limit: "100.5",
            tags: ["a", "b"],
            contact: { mail: "ann@x", postal: { street: "Old 1", zip: "1" } },
          },
          {
            tenant: 2,
            customer: "ann",
            received: "2026-03-01T10:00:00Z",
            happened: "2026-03-01T09:00:00Z",
            vip: true,
          },
        ]
          .map((row) => JSON.stringify(row))
          .join("\n"),
      ),
    );
    await write(
      "two.csv",
      "customer,tenant,happened,received,vip,limit\nann,1,2026-03-01 09:30:00,2026-03-01 10:30:00,yes,\n",
    );
    expect(await succeed("load", "customer", "one.ndjson.gz", "two.csv")).toContain("3 rows of 2 files");
    await succeed("update");

    // A late event: it happened before what is known, so it fills only what nothing newer has set.
    await write(
      "late.ndjson",
      '{"tenant":1,"customer":"ann","received":"2026-03-01T11:00:00Z","happened":"2026-03-01T08:00:00Z","limit":1,"vip":false,"contact":{"mail":"old@x"}}\n{"tenant":2,"customer":"ann","received":"2026-03-01T11:00:00Z","happened":"2026-03-01T08:00:00Z","limit":7}\n',
    );
    await writeParquet(path.join(root, "three.parquet"), PARQUET_UPDATE);
    expect(await succeed("load", "customer", "late.ndjson", "three.parquet")).toContain("3 rows of 2 files");
    await succeed("update");

    const client = new BigQuery({ projectId: "acme", apiEndpoint: url });
    client.baseUrl = url;
    const [rows] = await client.query({
      query: "SELECT * EXCEPT (received, happened) FROM crm.customer ORDER BY tenant, customer",
      location: "EU",
    });
    expect(rows.map(plain)).toEqual([
      {
        tenant: 1,
        customer: "ann",
        limit: "100.5",
        tags: ["a", "b"],
        vip: true,
        contact: { mail: "ann@x", postal: { street: null, zip: "2" } },
      },
      { tenant: 2, customer: "ann", limit: "7", tags: [], vip: true, contact: null },
    ]);
    const status = JSON.parse(await succeed("status", "--json")) as { state: string; users: number }[];
    expect(status).toMatchObject([{ entity: "customer", state: "up to date", users: 2 }]);
    const plainRun = await runProgram("npx", ["dataform", "run"], {
      cwd: root,
      env: { BIGQUERY_EMULATOR_HOST: url },
    });
    expect(plainRun.exitCode, plainRun.stderr).toBe(0);
  });
});

/** One update as Parquet: a newer postal address without a street, and lists as Parquet has them. */
const PARQUET_UPDATE = `SELECT 1::BIGINT AS tenant, 'ann' AS customer, TIMESTAMPTZ '2026-03-01 12:00:00+00' AS received,
  TIMESTAMPTZ '2026-03-01 11:00:00+00' AS happened, []::VARCHAR[] AS tags,
  {mail: NULL::VARCHAR, postal: {street: NULL::VARCHAR, zip: '2'}} AS contact`;
