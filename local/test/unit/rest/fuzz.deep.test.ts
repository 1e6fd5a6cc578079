import { createConnection } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LiveEndpoint } from "./live-endpoint.ts";

let endpoint: LiveEndpoint;
beforeAll(async () => {
  endpoint = await LiveEndpoint.start();
  await endpoint.rows("CREATE TABLE d.t (k STRING, n INT64, j JSON, a ARRAY<INT64>); SELECT 1");
});
afterAll(async () => {
  expect(await endpoint.rows("SELECT 42")).toEqual([["42"]]);
  expect(endpoint.defects).toEqual([]);
  await endpoint.close();
});

/** Reproducible: the same requests each time. */
function random(seed: number): <T>(items: readonly T[]) => T {
  let state = seed;
  return (items) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return items[(state >>> 0) % items.length] as (typeof items)[number];
  };
}

/** What an answer may never be or hold: a fault of the server, a path, a stack, DuckDB's words. */
function check(status: number, text: string, what: string): void {
  expect(status, `${what} ${text}`).toBeLessThan(500);
  expect(text, what).not.toMatch(
    /node_modules|\/work\/|\/home\/|\/tmp\/|\.ts:\d+|failed to run this|\bbq\.t\d/,
  );
}

const REF = { projectId: "p", datasetId: "d", tableId: "made" };
/** Requests that are right; each of their members is then made wrong. */
const REQUESTS: readonly (readonly [string, string, object])[] = [
  [
    "PATCH",
    "/datasets/d",
    { labels: { a: "b" }, access: [{ role: "READER" }], defaultTableExpirationMs: null },
  ],
  [
    "POST",
    "/datasets/d/tables",
    {
      tableReference: REF,
      schema: {
        fields: [
          {
            name: "k",
            type: "NUMERIC",
            mode: "NULLABLE",
            precision: "10",
            scale: "2",
            policyTags: { names: [] },
          },
          { name: "r", type: "RECORD", mode: "REPEATED", fields: [{ name: "d", type: "DATE" }] },
        ],
      },
      timePartitioning: { type: "DAY", expirationMs: "1000" },
      rangePartitioning: null,
      clustering: { fields: ["k"] },
      expirationTime: "99999999999999",
      view: null,
    },
  ],
  [
    "POST",
    "/datasets/d/tables/t/insertAll",
    { templateSuffix: "", rows: [{ insertId: "1", json: { k: "a", j: {}, a: [1] } }] },
  ],
  [
    "POST",
    "/queries",
    {
      query: "SELECT @a",
      parameterMode: "NAMED",
      queryParameters: [
        {
          name: "a",
          parameterType: {
            type: "ARRAY",
            arrayType: { type: "STRUCT", structTypes: [{ name: "x", type: { type: "DATE" } }] },
          },
          parameterValue: { arrayValues: [{ structValues: { x: { value: "2026-01-01" } } }] },
        },
      ],
      defaultDataset: { datasetId: "d" },
      formatOptions: { useInt64Timestamp: true },
      connectionProperties: [{ key: "time_zone", value: "UTC" }],
      createSession: false,
      maximumBytesBilled: "100000000",
      requestId: null,
      labels: { a: "b" },
    },
  ],
  [
    "POST",
    "/jobs",
    {
      jobReference: { location: "US" },
      configuration: {
        query: {
          query: "SELECT 1 AS n",
          destinationTable: REF,
          writeDisposition: "WRITE_TRUNCATE",
          schemaUpdateOptions: [],
          timePartitioning: { type: "DAY" },
          rangePartitioning: { field: "n", range: { start: "0", end: "9", interval: "1" } },
          clustering: { fields: ["n"] },
        },
        copy: null,
        labels: {},
      },
    },
  ],
  [
    "POST",
    "/jobs",
    { configuration: { copy: { sourceTables: [{ ...REF, tableId: "t" }], destinationTable: REF } } },
  ],
];
const WRONG = [
  null, true, 5, -1, 1.5, 1e300, "", "x", "\0", "\ud800", "..", "a/b", "`", "$", "x".repeat(2000), [], [null], [[]],
  {}, { a: 1 }, { fields: [] }, "9223372036854775808", "-1", "NaN", "🙂", { __proto__: null, constructor: 1 },
] as const; // biome-ignore format: one long list

function pathsOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, child]) => pathsOf(child, [...path, key]))];
}

function withValue(value: unknown, [key, ...rest]: readonly string[], wrong: unknown): unknown {
  if (key === undefined) return wrong;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>;
  copy[key] = withValue(copy[key], rest, wrong);
  return copy;
}

describe("requests with a member of the wrong kind", () => {
  it.each(REQUESTS)("%s %s", async (method, path, body) => {
    const pick = random(17);
    for (const place of pathsOf(body)) {
      for (let attempt = 0; attempt < 3; attempt++) {
        const changed = withValue(body, place, pick(WRONG)) as object;
        const answer = await endpoint.ask(method, path, changed);
        check(answer.status, JSON.stringify(answer.body), JSON.stringify(changed));
        const { jobId } = answer.body.jobReference ?? {};
        if (path === "/jobs" && jobId !== undefined) {
          const done = await endpoint.ask("GET", `/queries/${jobId}?maxResults=0`);
          check(done.status, JSON.stringify(done.body), JSON.stringify(changed));
        }
        if (path === "/datasets/d/tables") await endpoint.ask("DELETE", "/datasets/d/tables/made");
      }
    }
    await endpoint.ask("DELETE", "/datasets/d/tables/made");
  });
});

describe("JSON that nests deeply", () => {
  const type = (depth: number) =>
    `${'{"type":"STRUCT","structTypes":[{"name":"a","type":'.repeat(depth)}{"type":"INT64"}${"}]}".repeat(depth)}`;
  it.each([10, 90, 150, 2_000, 100_000])("%i levels of parameters", async (depth) => {
    const body = `{"query":"SELECT @a IS NULL","queryParameters":[{"name":"a","parameterType":${type(depth)}}]}`;
    const response = await fetch(`${endpoint.server.url}/projects/p/queries`, { method: "POST", body });
    const text = await response.text();
    check(response.status, text, `${depth}`);
    expect(response.status).toBe(depth < 20 ? 200 : 400);
  });

  it("counts no brackets that stand in texts", async () => {
    const body = JSON.stringify({ query: `SELECT '${"[{".repeat(1000)}', "\\"[[[\\\\"` });
    const response = await fetch(`${endpoint.server.url}/projects/p/queries`, { method: "POST", body });
    expect(response.status).toBe(200);
  });
});

describe("SQL with a piece out of place", () => {
  const STATEMENTS = [
    "SELECT k, SUM(n) OVER (PARTITION BY k ORDER BY n ROWS 1 PRECEDING) AS s FROM d.t WHERE n > 1 ORDER BY 1",
    "SELECT * EXCEPT (k) REPLACE (n + 1 AS n) FROM d.t QUALIFY ROW_NUMBER() OVER (ORDER BY n) = 1",
    "MERGE d.t USING (SELECT 'a' k, 1 n) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET n = s.n WHEN NOT MATCHED THEN INSERT (k, n) VALUES (k, n)",
    "DECLARE x INT64 DEFAULT 1; FOR r IN (SELECT 1 AS n) DO SET x = x + r.n; END FOR; SELECT x",
    "BEGIN SELECT 1 / 0; EXCEPTION WHEN ERROR THEN SELECT @@error.message; END",
    "CREATE TEMP TABLE z (a INT64 OPTIONS (description = 'x'), b STRUCT<c INT64>, ts TIMESTAMP) PARTITION BY DATE(ts) CLUSTER BY a",
    "WITH RECURSIVE x AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM x WHERE n < 3) SELECT * FROM x",
    "SELECT ARRAY_AGG(STRUCT(n, k) ORDER BY n LIMIT 1)[SAFE_OFFSET(0)].k, JSON_VALUE(j, '$.a') FROM d.t, UNNEST(a) x GROUP BY j",
    "EXECUTE IMMEDIATE 'SELECT ?' USING 1",
  ];
  const PIECES = [
    "", "(", ")", ",", "NULL", "-1", "'x'", "b'\\xff'", "[]", "STRUCT()", "*", ".", "SELECT", "d.t", "UNNEST([1])", "AS",
    "OVER ()", "9223372036854775807", "1e400", "'\0'", "🙂", "\ud800", "`", "@p", "?", "@@error", "--", "/*", ";",
    "INTERVAL 1 DAY", "JSON '{}'", "CAST(NULL AS ARRAY<STRUCT<a INT64>>)", "(SELECT 1)", "NUMERIC '1'",
  ] as const; // biome-ignore format: one long list

  it("is refused, or runs", async () => {
    const pick = random(23);
    for (let attempt = 0; attempt < 250; attempt++) {
      const pieces = pick(STATEMENTS).match(/'[^']*'|[\w.@]+|\s+|[^\s\w]/g) ?? [];
      pieces.splice(pick([...pieces.keys()]), pick([0, 1]), ` ${pick(PIECES)} `);
      const query = pieces.join("");
      const { status, body } = await endpoint.ask("POST", "/queries", { query, timeoutMs: 30_000 });
      check(status, JSON.stringify(body), query);
      expect(body.jobComplete, query).not.toBe(false);
    }
  }, 30_000);
});

describe("what is no proper HTTP", () => {
  /** What the server answers to bytes as they are; nothing where it only closes. */
  async function raw(bytes: string): Promise<string> {
    const socket = createConnection(endpoint.server.port, "127.0.0.1");
    socket.end(bytes);
    let answer = "";
    try {
      for await (const chunk of socket) answer += chunk;
    } catch {
      // Reset: the answer is what came before.
    }
    return answer;
  }
  const POST = "POST /projects/p/queries HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
  const GET = (path: string, more = "") =>
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${more}\r\n`;
  it.each([
    ["a chunk cut off", `${POST}Transfer-Encoding: chunked\r\n\r\n20\r\n{"query":"SEL`],
    ["a chunk of no size", `${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n`],
    ["two lengths", `${POST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["a body too short", `${POST}Content-Length: 100\r\n\r\n{}`],
    ["no host", "GET /projects HTTP/1.1\r\nConnection: close\r\n\r\n"],
    [
      "another host first",
      "GET /projects HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ],
    [
      "a host with a user",
      "GET /projects HTTP/1.1\r\nHost: localhost@evil.example\r\nConnection: close\r\n\r\n",
    ],
    ["an unknown method", "FOO /projects HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"],
    ["the origin null", GET("/projects", "Origin: null\r\n")],
    ["a path upwards", GET("/../../etc/passwd")],
    ["a path upwards, encoded", GET("/projects/%2e%2e%2f%2e%2e%2fetc%2fpasswd")],
    ["a broken encoding", GET("/projects/%zz/datasets")],
    ["a long path", GET(`/projects/p/datasets/${"a".repeat(20_000)}`)],
    ["a control character", GET("/projects", "X: a\u0001b\r\n")],
  ])("%s", async (_, bytes) => {
    const answer = await raw(bytes);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(answer).not.toMatch(/bigquery#|node_modules|root:/);
  });
});

describe("a resumable upload", () => {
  const url = () => `${endpoint.server.url}/upload/bigquery/v2/projects/p/jobs?uploadType=resumable`;
  const load = {
    destinationTable: { ...REF, tableId: "uploaded" },
    sourceFormat: "NEWLINE_DELIMITED_JSON",
    schema: { fields: [{ name: "n", type: "INTEGER" }] },
  };
  const start = async () => {
    const response = await fetch(url(), {
      method: "POST",
      body: JSON.stringify({ configuration: { load } }),
    });
    return response.headers.get("location") ?? "";
  };
  const put = async (to: string, body: string, range: string) => {
    const response = await fetch(to, {
      method: "PUT",
      body,
      headers: { "content-range": range },
      redirect: "manual",
    });
    check(response.status, await response.text(), range);
    return { status: response.status, range: response.headers.get("range") };
  };

  it.each([
    ["{}", "bytes 10-11/20"],
    ["{}", "bytes -1-3/20"],
    ["{}", "bytes 8-3/20"],
    ["{}", "bytes 0-15/8"],
    ["{}\n{}\n{}\n", "bytes 0-3/4"],
    ["{}", "lines 0-1/2"],
    ["{}", `bytes 0-${"9".repeat(30)}/2`],
  ])("refuses %j as %s", async (body, range) => {
    expect((await put(await start(), body, range)).status).toBe(400);
  });

  it("takes one piece at a time, and goes on after a lost connection", async () => {
    const to = await start();
    const both = await Promise.all([
      put(to, '{"n":1}\n', "bytes 0-7/16"),
      put(to, '{"n":1}\n', "bytes 0-7/16"),
    ]);
    expect(both.map(({ status }) => status).filter((status) => status === 308).length).toBeGreaterThan(0);
    const socket = createConnection(endpoint.server.port, "127.0.0.1");
    socket.write(
      `PUT ${to.slice(endpoint.server.url.length)} HTTP/1.1\r\nHost: localhost\r\nContent-Range: bytes 8-15/16\r\nContent-Length: 8\r\n\r\n{"n"`,
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.destroy();
    let asked = await put(to, "", "bytes */16");
    // The server may not have noticed yet.
    for (let attempt = 0; attempt < 50 && asked.status === 400; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      asked = await put(to, "", "bytes */16");
    }
    const arrived = Number(/-(\d+)$/.exec(asked.range ?? "")?.[1]) + 1;
    expect(arrived).toBeGreaterThanOrEqual(8);
    const rest = '{"n":1}\n{"n":2}\n'.slice(arrived);
    expect((await put(to, rest, `bytes ${arrived}-15/16`)).status).toBe(200);
    for (let attempt = 0; attempt < 100; attempt++) {
      const { status } = await endpoint.ask("GET", "/datasets/d/tables/uploaded");
      if (status === 200) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await endpoint.rows("SELECT n FROM d.uploaded ORDER BY n")).toEqual([["1"], ["2"]]);
  });
});
