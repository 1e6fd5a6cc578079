import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SessionRegistry } from "../../../src/scripting/sessions.ts";
import { LiveEndpoint } from "./live-endpoint.ts";

// https://cloud.google.com/bigquery/docs/sessions-intro and …/sessions-write-queries
let endpoint: LiveEndpoint;
beforeAll(async () => {
  endpoint = await LiveEndpoint.start();
  await endpoint.rows("CREATE TABLE d.t (n INT64); SELECT 1");
});
afterAll(async () => {
  await endpoint.close();
  expect(endpoint.defects).toEqual([]);
});

const inSession = (id: string) => ({ connectionProperties: [{ key: "session_id", value: id }] });

/** Makes a session; its id. */
async function create(query = "SELECT 1", more: object = {}): Promise<string> {
  const { body } = await endpoint.ask("POST", "/queries", {
    query,
    useLegacySql: false,
    createSession: true,
    ...more,
  });
  expect(body.error).toBeUndefined();
  return body.sessionInfo.sessionId;
}

/** Asks in a session; the rows, or the error's message. */
async function ask(id: string, query: string, more: object = {}): Promise<unknown[][] | string> {
  return endpoint.rows(query, { ...inSession(id), ...more }).catch((error: Error) => error.message);
}

describe("a session", () => {
  it("keeps temporary tables and functions, variables and system variables", async () => {
    const id = await create("CREATE TEMP TABLE kept AS SELECT 1 AS n");
    expect(await ask(id, "CREATE TEMP FUNCTION twice(x INT64) AS (x * 2)")).toEqual([]);
    expect(await ask(id, "DECLARE x INT64 DEFAULT 20")).toEqual([]);
    expect(await ask(id, "SET x = x + 1")).toEqual([]);
    expect(await ask(id, "SET @@dataset_id = 'd'; INSERT kept VALUES (2)")).toEqual([]);
    expect(await ask(id, "SELECT twice(x), (SELECT SUM(n) FROM kept), (SELECT COUNT(*) FROM t)")).toEqual([
      ["42", "3", "0"],
    ]);
    expect(await ask(id, "SELECT n FROM _SESSION.kept WHERE n > x - 20")).toEqual([["2"]]);
    expect(await ask(id, "SELECT @@session_id")).toEqual([[id]]);
    expect(
      await ask(id, "SELECT x + @p", {
        parameterMode: "NAMED",
        queryParameters: [{ name: "p", parameterType: { type: "INT64" }, parameterValue: { value: "1" } }],
      }),
    ).toEqual([["22"]]);
    // Nobody else sees any of it.
    const other = await create();
    expect(await ask(other, "SELECT x")).toContain("Unrecognized name: x");
    expect(await ask(other, "SELECT * FROM kept")).toContain("must be qualified with a dataset");
    await expect(endpoint.rows("SELECT * FROM _SESSION.kept")).rejects.toThrow("Not found");
  });

  it("lets variables of blocks go, and declares none twice", async () => {
    const id = await create("DECLARE outer_one INT64 DEFAULT 1");
    expect(await ask(id, "BEGIN DECLARE inner_one INT64 DEFAULT 5; SET outer_one = inner_one; END")).toEqual(
      [],
    );
    expect(await ask(id, "SELECT outer_one")).toEqual([["5"]]);
    expect(await ask(id, "SELECT inner_one")).toContain("Unrecognized name: inner_one");
    expect(await ask(id, "DECLARE outer_one STRING")).toContain("Variable 'outer_one' redeclaration");
  });

  it("has a transaction that several queries share", async () => {
    const id = await create();
    expect(await ask(id, "COMMIT TRANSACTION")).toContain("There is no active transaction");
    expect(await ask(id, "BEGIN TRANSACTION")).toEqual([]);
    expect(await ask(id, "INSERT d.t VALUES (1), (2)")).toEqual([]);
    expect(await ask(id, "SELECT COUNT(*) FROM d.t")).toEqual([["2"]]);
    expect(await endpoint.rows("SELECT COUNT(*) FROM d.t")).toEqual([["0"]]);
    expect(await ask(id, "SELECT 1 / 0")).toContain("division by zero");
    expect(await ask(id, "BEGIN TRANSACTION")).toContain("already in progress");
    expect(await ask(id, "COMMIT TRANSACTION")).toEqual([]);
    expect(await endpoint.rows("SELECT COUNT(*) FROM d.t")).toEqual([["2"]]);
    expect(await ask(id, "BEGIN TRANSACTION; DELETE FROM d.t WHERE true")).toEqual([]);
    expect(await ask(id, "ROLLBACK TRANSACTION")).toEqual([]);
    expect(await endpoint.rows("SELECT COUNT(*) FROM d.t")).toEqual([["2"]]);
    const job = await endpoint.job({
      query: { query: "BEGIN TRANSACTION", useLegacySql: false, ...inSession(id) },
    });
    expect(job.statistics).toMatchObject({
      sessionInfo: { sessionId: id },
      query: { statementType: "BEGIN_TRANSACTION" },
    });
    await ask(id, "ROLLBACK TRANSACTION");
  });

  it("loses against a change that was made meanwhile, and can begin again", async () => {
    const id = await create("BEGIN TRANSACTION");
    expect(await ask(id, "SELECT COUNT(*) FROM d.t")).toEqual([["2"]]);
    await endpoint.rows("UPDATE d.t SET n = 10 WHERE n = 1");
    expect(await ask(id, "UPDATE d.t SET n = 20 WHERE n = 1")).toContain("aborted due to concurrent update");
    expect(await ask(id, "COMMIT TRANSACTION")).toContain("aborted due to concurrent update");
    expect(await ask(id, "BEGIN TRANSACTION; UPDATE d.t SET n = 1 WHERE n = 10; COMMIT TRANSACTION")).toEqual(
      [],
    );
    expect(await endpoint.rows("SELECT n FROM d.t ORDER BY n")).toEqual([["1"], ["2"]]);
  });

  it("runs one query at a time", async () => {
    const id = await create();
    const slow =
      "SELECT COUNT(*) FROM UNNEST(GENERATE_ARRAY(1, 100000)) a, UNNEST(GENERATE_ARRAY(1, 1000000)) b WHERE MOD(a * b, 7) = 3";
    const job = (
      await endpoint.ask("POST", "/jobs", { configuration: { query: { query: slow, ...inSession(id) } } })
    ).body;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await ask(id, "SELECT 1")).toBe("Concurrent jobs in the same session are not allowed.");
    await endpoint.ask("POST", `/jobs/${job.jobReference.jobId}/cancel`);
    await endpoint.ask("GET", `/queries/${job.jobReference.jobId}`);
    expect(await ask(id, "SELECT 1")).toEqual([["1"]]);
  });

  it("ends by BQ.ABORT_SESSION, with what it has not committed", async () => {
    const own = await create("CREATE TEMP TABLE x AS SELECT 1 AS n");
    expect(await ask(own, "BEGIN TRANSACTION; INSERT d.t VALUES (99)")).toEqual([]);
    expect(await ask(own, "CALL BQ.ABORT_SESSION()")).toEqual([]);
    expect(await ask(own, "SELECT 1")).toBe(`Not found: Session ${own}`);
    const other = await create();
    await endpoint.rows(`CALL BQ.ABORT_SESSION('${other}')`);
    expect(await ask(other, "SELECT 1")).toBe(`Not found: Session ${other}`);
    await expect(endpoint.rows("CALL BQ.ABORT_SESSION()")).rejects.toThrow("needs a session");
    await expect(endpoint.rows("CALL BQ.ABORT_SESSION('nope')")).rejects.toThrow("Not found: Session nope");
    expect(await endpoint.rows("SELECT COUNT(*) FROM d.t")).toEqual([["2"]]);
    const { body } = await endpoint.ask("GET", "/datasets?all=true");
    const hidden = body.datasets.filter((item: { id: string }) => item.id.includes("_script"));
    expect(hidden.length).toBeLessThanOrEqual(2);
  });

  it("is not made by a dry run or by a query that fails; a dry run in it sees it", async () => {
    const dry = { query: "SELECT 1", useLegacySql: false, createSession: true, dryRun: true };
    expect((await endpoint.ask("POST", "/queries", dry)).body.sessionInfo).toBeUndefined();
    const id = await create("DECLARE y INT64 DEFAULT 1");
    const more = { ...inSession(id), dryRun: true };
    for (const query of ["SELECT y", "DECLARE z INT64; SET y = z", "BEGIN TRANSACTION"]) {
      expect((await endpoint.ask("POST", "/queries", { query, useLegacySql: false, ...more })).status).toBe(
        200,
      );
    }
    expect(await ask(id, "SELECT y")).toEqual([["1"]]);
    expect(await ask(id, "SELECT z")).toContain("Unrecognized name: z");
    expect(await ask(id, "COMMIT TRANSACTION")).toContain("no active transaction");
  });

  it("runs where it was made", async () => {
    const id = await create("SELECT 1", { location: "US" });
    expect(await ask(id, "SELECT 1", { location: "us" })).toEqual([["1"]]);
    expect(await ask(id, "SELECT 1", { location: "EU" })).toBe(`Not found: Session ${id}`);
  });

  it("is told of in INFORMATION_SCHEMA.JOBS", async () => {
    const id = await create();
    expect(
      await endpoint.rows(
        `SELECT COUNT(*) FROM \`region-us\`.INFORMATION_SCHEMA.JOBS WHERE session_info.session_id = '${id}'`,
      ),
    ).toEqual([["1"]]);
  });
});

describe("connection properties", () => {
  it("that would change what a query means are refused by name", async () => {
    const ask = async (key: string, value: string, more: object = {}) => {
      const query = {
        query: "SELECT 1",
        useLegacySql: false,
        connectionProperties: [{ key, value }],
        ...more,
      };
      const { status, body } = await endpoint.ask("POST", "/queries", query);
      return status === 200 ? "runs" : body.error.message;
    };
    expect(await ask("time_zone", "UTC")).toBe("runs");
    expect(await ask("query_label", "a:b")).toBe("runs");
    for (const [key, value] of [
      ["time_zone", "Asia/Tokyo"],
      ["service_account", "a@b"],
      ["nope", "x"],
    ] as const) {
      expect(await ask(key, value)).toBe(
        `Not supported by the local BigQuery endpoint: the connection property ${key} = ${value}`,
      );
    }
    expect(await ask("session_id", "x", { createSession: true })).toContain("cannot both be set");
  });
});

describe("old sessions", () => {
  it("end after a day without queries, and after a week", async () => {
    const hour = 3_600_000;
    let now = 0;
    const registry = new SessionRegistry(() => now);
    const closed: string[] = [];
    // A session needs a connection and a catalog only once it has something to keep there.
    const connect = async () => ({
      run: async () => undefined,
      closeSync: () => closed.push("closed"),
    });
    const parts = { storage: { database: { connect }, catalog: { location: "US" } } } as never;
    const request = (session: object) => ({ projectId: "p", jobId: "j", session }) as never;
    const id = (await registry.run(parts, request({ create: true }), async ({ id }) => id)) ?? "";
    const use = () => registry.run(parts, request({ id }), async () => "there");
    for (let day = 0; day < 7; day++) {
      expect(await use()).toBe("there");
      now += 24 * hour;
    }
    now += 1;
    await expect(use()).rejects.toThrow("Not found: Session");
    now = 0;
    const idle = (await registry.run(parts, request({ create: true }), async ({ id }) => id)) ?? "";
    now = 24 * hour + 1;
    await expect(registry.run(parts, request({ id: idle }), async () => 1)).rejects.toThrow(
      "Not found: Session",
    );
    expect(closed).toEqual(["closed", "closed"]);
  });
});
