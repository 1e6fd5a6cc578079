import { writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BigQuery, type Dataset } from "@google-cloud/bigquery";
import { OAuth2Client } from "google-auth-library";
import { beforeAll, describe, expect, it } from "vitest";
import { useTarget } from "./target.ts";

const target = useTarget();
let bigquery: BigQuery;
let dataset: Dataset;

beforeAll(async () => {
  const authClient = new OAuth2Client();
  authClient.setCredentials({ access_token: "unused", expiry_date: Date.now() + 86_400_000 });
  bigquery = new BigQuery({ projectId: target.projectId, apiEndpoint: target.url, authClient });
  [dataset] = await bigquery.createDataset(target.dataset);
});

const path_ = (name: string): string => path.join(target.folder, name);

/** What a rejected promise was rejected with. */
async function failure(promise: Promise<unknown>) {
  return promise.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: {
      code?: number;
      message: string;
      errors?: { reason?: string; message?: string; row?: unknown }[];
    }) => error,
  );
}

describe("datasets", () => {
  it("are made, found, listed, changed and deleted", async () => {
    const id = `${target.dataset}_more`;
    const [made] = await bigquery.createDataset(id, { location: "EU", labels: { a: "b" } });
    expect((await made.exists())[0]).toBe(true);
    const [metadata] = await made.getMetadata();
    expect(metadata).toMatchObject({ location: "EU", labels: { a: "b" }, id: `${target.projectId}:${id}` });
    const [all] = await bigquery.getDatasets();
    expect(all.map((item) => item.id)).toEqual(expect.arrayContaining([id, target.dataset]));
    const [changed] = await made.setMetadata({ description: "changed" });
    expect(changed).toMatchObject({ description: "changed", labels: { a: "b" } });
    expect((await failure(bigquery.createDataset(id))).code).toBe(409);
    await made.delete();
    expect((await made.exists())[0]).toBe(false);
    expect(await failure(made.get())).toMatchObject({ code: 404, errors: [{ reason: "notFound" }] });
  });

  it("with tables are deleted only by force", async () => {
    const [made] = await bigquery.createDataset(`${target.dataset}_full`);
    await made.createTable("t", { schema: "a:string" });
    expect(await failure(made.delete())).toMatchObject({ code: 400, errors: [{ reason: "resourceInUse" }] });
    await made.delete({ force: true });
  });
});

describe("tables and views", () => {
  it("are made, described, extended and deleted", async () => {
    const [table] = await dataset.createTable("shape", {
      schema: [
        { name: "id", type: "INTEGER", mode: "REQUIRED" },
        { name: "at", type: "TIMESTAMP" },
        { name: "r", type: "RECORD", fields: [{ name: "x", type: "STRING", mode: "REPEATED" }] },
      ],
      timePartitioning: { type: "DAY", field: "at" },
      clustering: { fields: ["id"] },
    });
    const [metadata] = await table.getMetadata();
    expect(metadata).toMatchObject({
      type: "TABLE",
      numRows: "0",
      timePartitioning: { type: "DAY", field: "at" },
      clustering: { fields: ["id"] },
    });
    const fields = [...metadata.schema.fields, { name: "added", type: "NUMERIC" }];
    const [changed] = await table.setMetadata({ schema: { fields }, description: "a table" });
    expect(changed.description).toBe("a table");
    expect(changed.schema.fields.at(-1)).toMatchObject({ name: "added", type: "NUMERIC" });
    expect((await dataset.getTables())[0].map((item) => item.id)).toContain("shape");
    await table.delete();
    expect((await table.exists())[0]).toBe(false);
    await table.delete({ ignoreNotFound: true });
  });

  it("a view gives what its query gives", async () => {
    await dataset.createTable("base", { schema: "a:string, n:integer" });
    await dataset.table("base").insert([{ a: "x", n: 1 }]);
    const [view] = await dataset.createTable("seen", {
      view: { query: `SELECT n + 1 AS next FROM ${target.dataset}.base`, useLegacySql: false },
    });
    expect((await view.getMetadata())[0]).toMatchObject({
      type: "VIEW",
      schema: { fields: [{ name: "next" }] },
    });
    expect((await bigquery.query(`SELECT * FROM ${target.dataset}.seen`))[0]).toEqual([{ next: 2 }]);
    const wrong = dataset.createTable("wrong", { view: { query: "SELECT nope", useLegacySql: false } });
    expect(await failure(wrong)).toMatchObject({ code: 400, errors: [{ reason: "invalidQuery" }] });
  });
});

describe("queries", () => {
  it("give values of every type as the client reads them", async () => {
    const [[row]] = await bigquery.query(`SELECT
      9 AS i, 1.5 AS f, TRUE AS b, 'é' AS s, b'\\x00\\xff' AS y, DATE '2026-01-02' AS d,
      DATETIME '2026-01-02 03:04:05.678' AS dt, TIME '03:04:05' AS t,
      TIMESTAMP '2026-01-02 03:04:05.678901 UTC' AS ts, NUMERIC '1.25' AS n, BIGNUMERIC '1e-20' AS bn,
      JSON '{"a": [1, 2]}' AS j, [1, 2] AS a, STRUCT(1 AS x, [STRUCT('in' AS y)] AS z) AS st, CAST(NULL AS STRING) AS nil`);
    expect(row).toMatchObject({
      i: 9,
      f: 1.5,
      b: true,
      s: "é",
      y: Buffer.from([0, 255]),
      d: { value: "2026-01-02" },
      dt: { value: "2026-01-02T03:04:05.678000" },
      t: { value: "03:04:05" },
      ts: { value: "2026-01-02T03:04:05.678901000Z" },
      j: '{"a":[1,2]}',
      a: [1, 2],
      st: { x: 1, z: [{ y: "in" }] },
      nil: null,
    });
    expect(row.n.toString()).toBe("1.25");
    expect(row.bn.toString()).toBe("1e-20");
  });

  it("take named parameters of every type", async () => {
    const params = {
      i: 7,
      f: 0.5,
      b: false,
      s: "it's",
      y: Buffer.from("bytes").toString("base64"),
      d: BigQuery.date("2026-01-02"),
      dt: BigQuery.datetime("2026-01-02T03:04:05"),
      t: BigQuery.time("03:04:05.5"),
      ts: BigQuery.timestamp("2026-01-02T03:04:05.000Z"),
      a: [1, 2, 3],
      st: { x: 1, y: "z", n: { deep: true } },
      sts: [{ k: "a" }, { k: "b" }],
      n: "1.25",
      j: '{"a":1}',
      big: "9007199254740993",
      none: null,
    };
    const types = { y: "BYTES", n: "NUMERIC", j: "JSON", big: "INT64", none: "STRING" };
    const [[row]] = await bigquery.query({
      query: `SELECT @i AS i, @f AS f, @b AS b, @s AS s, @y AS y, @d AS d, @dt AS dt, @t AS t, @ts AS ts,
        @a AS a, @st AS st, ARRAY_LENGTH(@sts) AS sts, CAST(@n * 2 AS STRING) AS n, JSON_VALUE(@j, '$.a') AS j,
        CAST(@big AS STRING) AS big, @none IS NULL AS none`,
      params,
      types: types as never,
    });
    expect(row).toMatchObject({
      i: 7,
      f: 0.5,
      b: false,
      s: "it's",
      y: Buffer.from("bytes"),
      d: { value: "2026-01-02" },
      dt: { value: "2026-01-02T03:04:05" },
      t: { value: "03:04:05.500000" },
      ts: { value: "2026-01-02T03:04:05.000Z" },
      a: [1, 2, 3],
      st: { x: 1, y: "z", n: { deep: true } },
      sts: 2,
      n: "2.5",
      j: "1",
      big: "9007199254740993",
      none: true,
    });
  });

  it("give and take ranges", async () => {
    const ranges = {
      d: BigQuery.range("[2026-01-02, UNBOUNDED)", "DATE"),
      dt: BigQuery.range({ start: BigQuery.datetime("2026-01-02T03:04:05"), end: undefined }, "DATETIME"),
      ts: BigQuery.range("[2020-10-01 12:00:00+08, 2020-12-31 12:00:00.123+08)", "TIMESTAMP"),
    };
    const [[row]] = await bigquery.query({
      query: "SELECT @d AS d, @dt AS dt, @ts AS ts, [@d] AS a, CAST(NULL AS RANGE<DATE>) AS nil",
      params: ranges,
    });
    const read = (range: typeof ranges.d): unknown => [
      range.elementType,
      range.start?.value,
      range.end?.value,
    ];
    expect(read(row.d)).toEqual(["DATE", "2026-01-02", undefined]);
    expect(read(row.dt)).toEqual(["DATETIME", "2026-01-02T03:04:05", undefined]);
    expect(read(row.ts)).toEqual(["TIMESTAMP", "2020-10-01T04:00:00.000Z", "2020-12-31T04:00:00.123Z"]);
    expect(row.a.map(read)).toEqual([read(row.d)]);
    expect(row.nil).toBeNull();
    const [[positional]] = await bigquery.query({
      query: "SELECT RANGE_CONTAINS(?, DATE '2026-02-01') AS found",
      params: [ranges.d],
    });
    expect(positional).toEqual({ found: true });
  });

  it("take positional parameters, an empty array too", async () => {
    const [[row]] = await bigquery.query({
      query: "SELECT ? AS a, ? + 1 AS b, ARRAY_LENGTH(?) AS c",
      params: ["x", 41, []],
      types: ["STRING", "INT64", ["STRING"]] as never,
    });
    expect(row).toEqual({ a: "x", b: 42, c: 0 });
  });

  it("fail with reason, place and message", async () => {
    expect(await failure(bigquery.query("SELECT nope"))).toMatchObject({
      code: 400,
      message: expect.stringContaining("Unrecognized name: nope at [1:8]"),
      errors: [{ reason: "invalidQuery" }],
    });
    expect(await failure(bigquery.query(`SELECT * FROM ${target.dataset}.nope`))).toMatchObject({
      code: 404,
      message: expect.stringContaining(`Not found: Table ${target.projectId}:${target.dataset}.nope`),
      errors: [{ reason: "notFound" }],
    });
    const [job] = await bigquery.createQueryJob("SELECT 1 / 0");
    expect((await failure(job.getQueryResults())).message).toContain("division by zero");
    const [metadata] = await job.getMetadata();
    expect(metadata.status).toMatchObject({ state: "DONE", errorResult: { reason: "invalidQuery" } });
  });

  it("page through many rows, at once and as a stream", async () => {
    const query = "SELECT n FROM UNNEST(GENERATE_ARRAY(1, 2500)) AS n ORDER BY n";
    const [job] = await bigquery.createQueryJob({ query, labels: { suite: "node" } });
    const [page, next] = await job.getQueryResults({ maxResults: 1000, autoPaginate: false });
    expect(page).toHaveLength(1000);
    const [second] = await job.getQueryResults({ ...next, autoPaginate: false });
    expect(second[0]).toEqual({ n: 1001 });
    const [all] = await job.getQueryResults();
    expect(all).toHaveLength(2500);
    let sum = 0;
    for await (const row of bigquery.createQueryStream(query)) sum += row.n;
    expect(sum).toBe((2500 * 2501) / 2);
    const [metadata] = await job.getMetadata();
    expect(metadata.configuration.labels).toEqual({ suite: "node" });
    expect(metadata.statistics.query.statementType).toBe("SELECT");
  });

  it("tell what they would read in a dry run", async () => {
    await dataset.createTable("sized", { schema: "n:integer, s:string" });
    await dataset.table("sized").insert([
      { n: 1, s: "abc" },
      { n: 2, s: "" },
    ]);
    const [job] = await bigquery.createQueryJob({
      query: `SELECT n FROM ${target.dataset}.sized`,
      dryRun: true,
    });
    expect(job.metadata.statistics.totalBytesProcessed).toBe("16");
    expect(job.metadata.statistics.query.schema.fields).toMatchObject([{ name: "n", type: "INTEGER" }]);
    const wrong = bigquery.createQueryJob({ query: "SELECT nope", dryRun: true });
    expect(await failure(wrong)).toMatchObject({ code: 400 });
  });

  it("change tables and tell how many rows", async () => {
    const table = `${target.dataset}.changed`;
    await bigquery.query(`CREATE TABLE ${table} (k STRING, n INT64)`);
    const run = async (sql: string) => {
      const [job] = await bigquery.createQueryJob(sql);
      await job.getQueryResults();
      const [metadata] = await job.getMetadata();
      return metadata.statistics.query;
    };
    expect(await run(`INSERT ${table} VALUES ('a', 1), ('b', 2)`)).toMatchObject({
      statementType: "INSERT",
      numDmlAffectedRows: "2",
      dmlStats: { insertedRowCount: "2" },
    });
    const merged =
      await run(`MERGE ${table} t USING (SELECT 'a' k, 5 n UNION ALL SELECT 'c', 6) s ON t.k = s.k
      WHEN MATCHED THEN UPDATE SET n = s.n WHEN NOT MATCHED THEN INSERT ROW
      WHEN NOT MATCHED BY SOURCE THEN DELETE`);
    expect(merged).toMatchObject({
      statementType: "MERGE",
      numDmlAffectedRows: "3",
      dmlStats: { insertedRowCount: "1", updatedRowCount: "1", deletedRowCount: "1" },
    });
    expect((await bigquery.query(`SELECT * FROM ${table} ORDER BY k`))[0]).toEqual([
      { k: "a", n: 5 },
      { k: "c", n: 6 },
    ]);
    expect(await run(`DROP TABLE ${table}`)).toMatchObject({
      statementType: "DROP_TABLE",
      ddlOperationPerformed: "DROP",
      ddlTargetTable: { tableId: "changed" },
    });
  });

  it("run scripts, whose statements are jobs of their own", async () => {
    const [job] = await bigquery.createQueryJob(
      "DECLARE x INT64 DEFAULT 20; SET x = x + 1; SELECT x AS a; SELECT x * 2 AS b;",
    );
    expect((await job.getQueryResults())[0]).toEqual([{ b: 42 }]);
    const [metadata] = await job.getMetadata();
    expect(metadata.statistics.query.statementType).toBe("SCRIPT");
    expect(Number(metadata.statistics.numChildJobs)).toBeGreaterThanOrEqual(2);
    const [children] = await bigquery.getJobs({ parentJobId: job.id });
    expect(children.length).toBe(Number(metadata.statistics.numChildJobs));
  });

  it("write to a destination table, once or again", async () => {
    const destination = dataset.table("written");
    const write = async (query: string, writeDisposition?: string) => {
      const [job] = await bigquery.createQueryJob({ query, destination, writeDisposition });
      await job.getQueryResults();
      await job.promise();
      // A table object keeps the schema it saw first.
      return (await dataset.table("written").getRows())[0];
    };
    expect(await write("SELECT 1 AS n")).toEqual([{ n: 1 }]);
    expect(await failure(write("SELECT 2 AS n"))).toMatchObject({
      message: expect.stringContaining("Already Exists"),
    });
    expect(await write("SELECT 3 AS n", "WRITE_APPEND")).toHaveLength(2);
    expect(await write("SELECT 'x' AS s", "WRITE_TRUNCATE")).toEqual([{ s: "x" }]);
  });

  it("are cancelled", async () => {
    const [job] = await bigquery.createQueryJob(
      "SELECT COUNT(*) FROM UNNEST(GENERATE_ARRAY(1, 100000)) a, UNNEST(GENERATE_ARRAY(1, 1000000)) b WHERE MOD(a * b, 7) = 3",
    );
    await sleep(50);
    await job.cancel();
    const error = await failure(job.promise());
    expect(error.message).toContain("cancelled");
  });

  it("share what they leave in a session", async () => {
    const [first] = await bigquery.createQueryJob({
      query: "CREATE TEMP TABLE kept AS SELECT 5 AS n",
      createSession: true,
    });
    await first.getQueryResults();
    const [metadata] = await first.getMetadata();
    const value = metadata.statistics.sessionInfo.sessionId;
    const within = async (query: string) => {
      const connectionProperties = [{ key: "session_id", value }];
      const [job] = await bigquery.createQueryJob({ query, connectionProperties });
      return (await job.getQueryResults())[0];
    };
    expect(await within("SELECT n FROM kept")).toEqual([{ n: 5 }]);
    await within("CALL BQ.ABORT_SESSION()");
    expect((await failure(within("SELECT 1"))).code).toBe(404);
  });

  it("under one job id run once", async () => {
    const jobId = `once_${target.dataset}`;
    const [job] = await bigquery.createQueryJob({ query: "SELECT 1 AS n", jobId });
    expect((await job.getQueryResults())[0]).toEqual([{ n: 1 }]);
    expect(await failure(bigquery.createQueryJob({ query: "SELECT 2 AS n", jobId }))).toMatchObject({
      code: 409,
      message: expect.stringContaining("Already Exists: Job"),
    });
  });
});

describe("loads", () => {
  const schema = {
    fields: [
      { name: "k", type: "STRING" },
      { name: "n", type: "INTEGER" },
    ],
  };

  it("take NDJSON and CSV files", async () => {
    const table = dataset.table("loaded");
    writeFileSync(path_("a.json"), '{"k":"a","n":1}\n{"k":"b","n":"9007199254740993"}\n');
    const [done] = await table.load(path_("a.json"), { schema, sourceFormat: "NEWLINE_DELIMITED_JSON" });
    expect(done.status?.state).toBe("DONE");
    expect(done.statistics?.load).toMatchObject({ outputRows: "2", badRecords: "0", inputFiles: "1" });
    writeFileSync(path_("b.csv"), 'k,n\n"c ""quoted""",3\n,4\n');
    await table.load(path_("b.csv"), { skipLeadingRows: 1 });
    const [rows] = await bigquery.query(
      `SELECT k, CAST(n AS STRING) AS n FROM ${target.dataset}.loaded ORDER BY n`,
    );
    expect(rows).toEqual([
      { k: "a", n: "1" },
      { k: 'c "quoted"', n: "3" },
      { k: null, n: "4" },
      { k: "b", n: "9007199254740993" },
    ]);
    writeFileSync(path_("c.json"), '{"k":"only","n":0}\n');
    await table.load(path_("c.json"), { schema, writeDisposition: "WRITE_TRUNCATE", format: "JSON" });
    expect((await table.getRows())[0]).toEqual([{ k: "only", n: 0 }]);
  });

  it("find out the schema", async () => {
    writeFileSync(path_("auto.csv"), "id,price,day\n1,2.5,2026-01-02\n2,3,2026-01-03\n");
    const table = dataset.table("detected");
    await table.load(path_("auto.csv"), { autodetect: true });
    const [metadata] = await table.getMetadata();
    expect(
      metadata.schema.fields.map((field: { name: string; type: string }) => [field.name, field.type]),
    ).toEqual([
      ["id", "INTEGER"],
      ["price", "FLOAT"],
      ["day", "DATE"],
    ]);
  });

  it("keep nothing of a file with a bad line, unless some are allowed", async () => {
    writeFileSync(path_("bad.json"), '{"k":"a","n":1}\n{"k":"b","n":"x"}\n{"k":"c","n":3}\n');
    const table = dataset.table("picky");
    const error = await failure(table.load(path_("bad.json"), { schema, format: "JSON" }));
    expect(JSON.stringify(error.errors)).toContain("invalid");
    expect((await table.exists())[0]).toBe(false);
    const [done] = await table.load(path_("bad.json"), { schema, format: "JSON", maxBadRecords: 1 });
    expect(done.statistics?.load).toMatchObject({ outputRows: "2", badRecords: "1" });
  });

  it("refuse what is not uploaded", async () => {
    const [job] = await bigquery.createJob({
      configuration: {
        load: {
          destinationTable: { projectId: target.projectId, datasetId: target.dataset, tableId: "remote" },
          sourceUris: ["gs://bucket/file"],
        },
      },
    });
    expect((await failure(job.promise())).message).toContain("Not supported by the local BigQuery endpoint");
  });
});

describe("rows", () => {
  it("are inserted, in part where some are bad", async () => {
    const [table] = await dataset.createTable("streamed", { schema: "k:string, n:integer" });
    await table.insert([{ k: "a", n: 1 }, { k: "b" }]);
    const error = await failure(
      table.insert(
        [
          { k: "c", n: 3 },
          { k: "d", n: "x" },
        ],
        { skipInvalidRows: true },
      ),
    );
    expect(error.errors).toMatchObject([{ errors: [{ reason: "invalid" }], row: { k: "d", n: "x" } }]);
    const [rows] = await table.getRows();
    expect(rows).toHaveLength(3);
    const streamed: unknown[] = [];
    for await (const row of table.createReadStream()) streamed.push(row);
    expect(streamed).toEqual(rows);
  });

  it("have ranges, inserted and loaded", async () => {
    const fields = [
      { name: "k", type: "STRING" },
      { name: "r", type: "RANGE", rangeElementType: { type: "TIMESTAMP" } },
    ];
    const [table] = await dataset.createTable("ranges", { schema: { fields } });
    expect((await table.getMetadata())[0].schema.fields[1]).toMatchObject(fields[1] ?? {});
    await table.insert([
      { k: "a", r: BigQuery.range("[2020-10-01 12:00:00+08, 2020-12-31 12:00:00+08)", "TIMESTAMP") },
      { k: "b", r: BigQuery.range("[2020-10-01 12:00:00+08, UNBOUNDED)", "TIMESTAMP") },
      { k: "c" },
    ]);
    writeFileSync(path_("ranges.csv"), 'd,"[NULL, 2021-01-01 00:00:00)"\n');
    await table.load(path_("ranges.csv"));
    const [rows] = await bigquery.query(
      `SELECT k, RANGE_START(r) AS s, RANGE_END(r) AS e FROM ${target.dataset}.ranges ORDER BY k`,
    );
    expect(rows.map((row) => [row.k, row.s?.value, row.e?.value])).toEqual([
      ["a", "2020-10-01T04:00:00.000Z", "2020-12-31T04:00:00.000Z"],
      ["b", "2020-10-01T04:00:00.000Z", undefined],
      ["c", undefined, undefined],
      ["d", undefined, "2021-01-01T00:00:00.000Z"],
    ]);
    const [read] = await table.getRows();
    expect(read.map((row) => row.r?.apiValue ?? null).sort()).toEqual([
      "[2020-10-01T04:00:00.000Z, 2020-12-31T04:00:00.000Z)",
      "[2020-10-01T04:00:00.000Z, UNBOUNDED)",
      "[UNBOUNDED, 2021-01-01T00:00:00.000Z)",
      null,
    ]);
  });

  it("are copied to another table", async () => {
    const source = dataset.table("streamed");
    const copy = dataset.table("copied");
    const [job] = await source.copy(copy);
    expect(job.status?.state).toBe("DONE");
    expect((await copy.getRows())[0]).toEqual((await source.getRows())[0]);
    expect(await failure(source.copy(copy))).toBeDefined();
  });
});

describe("other things clients ask for", () => {
  it("the project's service account", async () => {
    const response = await fetch(`${target.url}/projects/${target.projectId}/serviceAccount`);
    expect(await response.json()).toMatchObject({ kind: "bigquery#getServiceAccountResponse" });
  });

  it("routines and models of a dataset", async () => {
    await bigquery.query(`CREATE FUNCTION ${target.dataset}.twice(x INT64) AS (x * 2)`);
    expect((await dataset.getRoutines())[0].map((routine) => routine.id)).toEqual(["twice"]);
    expect((await bigquery.query(`SELECT ${target.dataset}.twice(21) AS n`))[0]).toEqual([{ n: 42 }]);
    expect((await dataset.getModels())[0]).toEqual([]);
  });
});
