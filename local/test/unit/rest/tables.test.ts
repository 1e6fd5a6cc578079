import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeEngine, numbers, TestEndpoint } from "./test-endpoint.ts";

const TABLES = "/bigquery/v2/projects/p/datasets/d/tables";
let bq: TestEndpoint;
const engine = new FakeEngine();

beforeAll(async () => {
  bq = await TestEndpoint.start(engine);
  await bq.ask("POST", "/projects/p/datasets", { datasetReference: { datasetId: "d" } });
});
afterAll(() => bq.close());

const field = (name: string, type = "STRING", mode = "NULLABLE") => ({ name, type, mode });

async function create(tableId: string, more: object = {}) {
  const answer = await bq.ask("POST", TABLES, {
    tableReference: { tableId },
    schema: { fields: [field("a"), field("n", "INTEGER")] },
    ...more,
  });
  expect(answer.body.error).toBeUndefined();
  return answer.body;
}

describe("tables", () => {
  // https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableConstraints
  it("keeps keys whose columns are there, and lets go of them", async () => {
    const foreignKey = {
      name: "k",
      referencedTable: { projectId: "p", datasetId: "d", tableId: "other" },
      columnReferences: [{ referencingColumn: "N", referencedColumn: "id" }],
    };
    const made = await create("keys", {
      tableConstraints: { primaryKey: { columns: ["A"] }, foreignKeys: [foreignKey] },
    });
    const kept = { ...foreignKey, columnReferences: [{ referencingColumn: "n", referencedColumn: "id" }] };
    expect(made.tableConstraints).toEqual({ primaryKey: { columns: ["a"] }, foreignKeys: [kept] });
    const patched = await bq.ask("PATCH", `${TABLES}/keys`, { tableConstraints: { foreignKeys: [kept] } });
    expect(patched.body.tableConstraints).toEqual({ foreignKeys: [kept] });
    const described = await bq.ask("PATCH", `${TABLES}/keys`, { description: "d" });
    expect(described.body.tableConstraints).toEqual({ foreignKeys: [kept] });
    const cleared = await bq.ask("PATCH", `${TABLES}/keys`, { tableConstraints: null });
    expect(cleared.body.tableConstraints).toBeUndefined();
    for (const tableConstraints of [
      { primaryKey: { columns: ["nope"] } },
      { primaryKey: { columns: "a" } },
      { foreignKeys: [{}] },
    ]) {
      const refused = await bq.ask("PATCH", `${TABLES}/keys`, { tableConstraints });
      expect(refused.body.error).toMatchObject({ code: 400, errors: [{ reason: "invalid" }] });
    }
  });

  it("inserts and gets one with its layout", async () => {
    const made = await create("full", {
      schema: {
        fields: [
          { name: "id", type: "INT64", mode: "REQUIRED", description: "the key" },
          { name: "at", type: "TIMESTAMP" },
          { name: "r", type: "STRUCT", mode: "REPEATED", fields: [{ name: "x", type: "BOOL" }] },
        ],
      },
      timePartitioning: { type: "DAY", field: "at", expirationMs: "86400000" },
      requirePartitionFilter: true,
      clustering: { fields: ["id"] },
      labels: { k: "v" },
      tableConstraints: { primaryKey: { columns: ["id"] } },
    });
    expect(made).toMatchObject({
      kind: "bigquery#table",
      id: "p:d.full",
      type: "TABLE",
      location: "US",
      numRows: "0",
      schema: {
        fields: [
          { name: "id", type: "INTEGER", mode: "REQUIRED", description: "the key" },
          { name: "at", type: "TIMESTAMP", mode: "NULLABLE" },
          { name: "r", type: "RECORD", mode: "REPEATED", fields: [{ name: "x", type: "BOOLEAN" }] },
        ],
      },
      timePartitioning: { type: "DAY", field: "at", expirationMs: "86400000" },
      requirePartitionFilter: true,
      clustering: { fields: ["id"] },
      labels: { k: "v" },
      tableConstraints: { primaryKey: { columns: ["id"] } },
    });
    expect((await bq.ask("GET", `${TABLES}/full`)).body).toEqual(made);
  });

  it("makes a table without columns, which a load gives its schema", async () => {
    const made = await create("bare", { schema: undefined });
    expect(made.schema).toEqual({});
    expect((await bq.ask("GET", `${TABLES}/bare/data`)).body).toMatchObject({ totalRows: "0" });
  });

  it.each([
    [{ tableReference: { tableId: "a.b" } }, "Invalid table ID"],
    [{ tableReference: { tableId: "x", datasetId: "other" } }, "differs"],
    [{}, "tableReference"],
    [{ tableReference: { tableId: "x" }, schema: { fields: [field("a b!")] } }, "Invalid field name"],
    [{ tableReference: { tableId: "x" }, schema: { fields: [field("a", "TEXT")] } }, "TEXT"],
    [{ tableReference: { tableId: "x" }, externalDataConfiguration: {} }, "externalDataConfiguration"],
    [{ tableReference: { tableId: "x" }, view: { query: "q", useLegacySql: true } }, "legacy"],
    [{ tableReference: { tableId: "x" }, timePartitioning: { type: "WEEK" } }, "timePartitioning.type"],
    [{ tableReference: { tableId: "x" }, expirationTime: "1" }, "expirationTime"],
  ])("refuses %j", async (body, message) => {
    const answer = await bq.ask("POST", TABLES, body);
    expect(answer.status).toBe(400);
    expect(answer.body.error.message).toContain(message);
  });

  it("tells what is not there or there already", async () => {
    await create("once");
    const again = await bq.ask("POST", TABLES, { tableReference: { tableId: "once" } });
    expect([again.status, again.body.error.message]).toEqual([409, "Already Exists: Table p:d.once"]);
    const none = await bq.ask("GET", `${TABLES}/none`);
    expect([none.status, none.body.error.message]).toEqual([404, "Not found: Table p:d.none"]);
    expect(none.body.error.errors[0].reason).toBe("notFound");
    const dataset = await bq.ask("GET", "/projects/p/datasets/no/tables/t");
    expect(dataset.body.error.message).toBe("Not found: Dataset p:no");
    expect((await bq.ask("DELETE", `${TABLES}/none`)).status).toBe(404);
  });

  it("adds columns, relaxes and describes them in a patch", async () => {
    const made = await create("grows", { schema: { fields: [field("a", "STRING", "REQUIRED")] } });
    const { body } = await bq.ask("PATCH", `${TABLES}/grows`, {
      schema: { fields: [field("b", "DATE"), { ...field("a"), description: "first" }] },
      description: "it grows",
    });
    expect(body.schema.fields).toEqual([{ ...field("a"), description: "first" }, field("b", "DATE")]);
    expect(body.description).toBe("it grows");
    expect(body.etag).not.toBe(made.etag);
    const late = await bq.ask("PATCH", `${TABLES}/grows`, {}, { "if-match": made.etag });
    expect(late.status).toBe(412);
  });

  it.each([
    [[field("a")], "missing in new schema"],
    [[field("a"), field("n", "STRING")], "changed type"],
    [[field("a", "STRING", "REPEATED"), field("n", "INTEGER")], "changed mode"],
    [[field("a"), field("n", "INTEGER"), field("z", "DATE", "REQUIRED")], "required"],
  ])("refuses to change the schema to %j", async (fields, message) => {
    await bq.ask("POST", TABLES, {
      tableReference: { tableId: "fixed" },
      schema: { fields: [field("a"), field("n", "INTEGER")] },
    });
    const answer = await bq.ask("PATCH", `${TABLES}/fixed`, { schema: { fields } });
    expect(answer.status).toBe(400);
    expect(answer.body.error.message).toContain(message);
    const now = await bq.ask("GET", `${TABLES}/fixed`);
    expect(now.body.schema.fields).toEqual([field("a"), field("n", "INTEGER")]);
  });

  it("lists with totals and pages", async () => {
    await bq.ask("POST", "/projects/p/datasets", { datasetReference: { datasetId: "l" } });
    const base = "/projects/p/datasets/l/tables";
    expect((await bq.ask("GET", base)).body).toMatchObject({ kind: "bigquery#tableList", totalItems: 0 });
    for (const tableId of ["t1", "t2", "t3"]) {
      await bq.ask("POST", base, { tableReference: { tableId }, schema: { fields: [field("a")] } });
    }
    const first = (await bq.ask("GET", `${base}?maxResults=2`)).body;
    expect(first.tables.map((table: { id: string }) => table.id)).toEqual(["p:l.t1", "p:l.t2"]);
    expect(first.totalItems).toBe(3);
    const rest = (await bq.ask("GET", `${base}?maxResults=2&pageToken=${first.nextPageToken}`)).body;
    expect(rest.tables.map((table: { id: string }) => table.id)).toEqual(["p:l.t3"]);
  });

  it("makes a view of what its query gives, and no view of a wrong query", async () => {
    engine.answers.set("SELECT n", () => ({ ...numbers(0), rows: undefined }));
    const { body } = await bq.ask("POST", TABLES, {
      tableReference: { tableId: "v" },
      view: { query: "SELECT n", useLegacySql: false },
      schema: { fields: [{ name: "n", type: "INTEGER", description: "a number" }] },
    });
    expect(body).toMatchObject({
      type: "VIEW",
      view: { query: "SELECT n", useLegacySql: false },
      schema: { fields: [{ name: "n", type: "INTEGER", description: "a number" }] },
    });
    expect(engine.requests.at(-1)?.dryRun).toBe(true);
    const data = await bq.ask("GET", `${TABLES}/v/data`);
    expect([data.status, data.body.error.message]).toEqual([400, expect.stringContaining("VIEW")]);
    const wrong = await bq.ask("POST", TABLES, {
      tableReference: { tableId: "w" },
      view: { query: "wrong" },
    });
    expect(wrong.status).toBe(400);
    expect((await bq.ask("GET", `${TABLES}/w`)).status).toBe(404);
  });

  it("deletes", async () => {
    await create("gone");
    expect((await bq.ask("DELETE", `${TABLES}/gone`)).status).toBe(204);
    expect((await bq.ask("GET", `${TABLES}/gone`)).status).toBe(404);
  });
});

describe("tabledata", () => {
  it("streams rows in and lists them, selected and page by page", async () => {
    await create("rows", {
      schema: {
        fields: [
          field("a"),
          field("n", "INTEGER"),
          { name: "r", type: "RECORD", mode: "REPEATED", fields: [field("x"), field("y", "FLOAT")] },
          field("t", "TIMESTAMP"),
        ],
      },
    });
    const body = `{"rows":[
      {"json":{"a":"x","n":9007199254740993,"r":[{"x":"1","y":1.5},{"x":"2"}],"t":"2026-01-02T03:04:05.000006Z"}},
      {"json":{"A":null,"n":"2"}},
      {"json":{}}]}`;
    const inserted = await bq.ask("POST", `${TABLES}/rows/insertAll`, body, {
      "content-type": "application/json",
    });
    expect(inserted.body).toEqual({ kind: "bigquery#tableDataInsertAllResponse" });

    const int64 = "formatOptions.useInt64Timestamp=true";
    const all = (await bq.ask("GET", `${TABLES}/rows/data?${int64}`)).body;
    expect(all.totalRows).toBe("3");
    expect(all.rows[0].f).toEqual([
      { v: "x" },
      { v: "9007199254740993" },
      { v: [{ v: { f: [{ v: "1" }, { v: "1.5" }] } }, { v: { f: [{ v: "2" }, { v: null }] } }] },
      { v: "1767323045000006" },
    ]);
    expect(all.rows[2].f).toEqual([{ v: null }, { v: null }, { v: [] }, { v: null }]);

    const some = (await bq.ask("GET", `${TABLES}/rows/data?selectedFields=r.y,a&maxResults=1`)).body;
    expect(some.rows).toEqual([
      { f: [{ v: "x" }, { v: [{ v: { f: [{ v: "1.5" }] } }, { v: { f: [{ v: null }] } }] }] },
    ]);
    const next = (await bq.ask("GET", `${TABLES}/rows/data?selectedFields=n&pageToken=${some.pageToken}`))
      .body;
    expect(next.rows).toEqual([{ f: [{ v: "2" }] }, { f: [{ v: null }] }]);
    const start = (await bq.ask("GET", `${TABLES}/rows/data?selectedFields=n&startIndex=2`)).body;
    expect(start.rows).toEqual([{ f: [{ v: null }] }]);
    expect((await bq.ask("GET", `${TABLES}/rows/data?selectedFields=zz`)).status).toBe(400);
    expect((await bq.ask("GET", `${TABLES}/rows`)).body.numRows).toBe("3");
  });

  it("refuses all rows for one bad row, or stores the good ones when told to", async () => {
    await create("partial");
    const rows = [{ json: { a: "1" } }, { json: { n: "x" } }, { json: { zz: 1 } }];
    const all = (await bq.ask("POST", `${TABLES}/partial/insertAll`, { rows })).body.insertErrors;
    expect(
      all.map((row: { index: number; errors: { reason: string }[] }) => [row.index, row.errors[0]?.reason]),
    ).toEqual([
      [0, "stopped"],
      [1, "invalid"],
      [2, "invalid"],
    ]);
    expect(all[2].errors[0]).toMatchObject({
      location: "zz",
      message: expect.stringContaining("no such field"),
    });
    expect((await bq.ask("GET", `${TABLES}/partial`)).body.numRows).toBe("0");

    const some = await bq.ask("POST", `${TABLES}/partial/insertAll`, { rows, skipInvalidRows: true });
    expect(some.body.insertErrors).toHaveLength(2);
    const known = await bq.ask("POST", `${TABLES}/partial/insertAll`, {
      rows: [{ json: { zz: 1, a: "2" } }],
      ignoreUnknownValues: true,
    });
    expect(known.body.insertErrors).toBeUndefined();
    expect((await bq.ask("GET", `${TABLES}/partial`)).body.numRows).toBe("2");
  });

  // https://cloud.google.com/bigquery/docs/streaming-data-into-bigquery#send_range_data
  it("stores ranges of an object's start and end, and shows them as texts", async () => {
    const range = (name: string, type: string): object => ({
      name,
      type: "RANGE",
      rangeElementType: { type },
    });
    await create("ranges", { schema: { fields: [range("d", "DATE"), range("ts", "TIMESTAMP")] } });
    const insert = (...rows: object[]) =>
      bq.ask("POST", `${TABLES}/ranges/insertAll`, { rows: rows.map((json) => ({ json })) });
    const good = await insert(
      { d: { start: "1970-01-02", end: null } },
      { d: { end: "1970-01-02" }, ts: { start: "2026-01-02T03:04:05.000006Z", end: 1_767_323_045.5 } },
      { d: null, ts: {} },
    );
    expect(good.body.insertErrors).toBeUndefined();
    const cells = async (query: string): Promise<unknown[][]> => {
      const { rows } = (await bq.ask("GET", `${TABLES}/ranges/data${query}`)).body;
      return rows.map((row: { f: { v: unknown }[] }) => row.f.map(({ v }) => v));
    };
    expect(await cells("?formatOptions.useInt64Timestamp=true")).toEqual([
      ["[1970-01-02, UNBOUNDED)", null],
      ["[UNBOUNDED, 1970-01-02)", "[1767323045000006, 1767323045500000)"],
      [null, "[UNBOUNDED, UNBOUNDED)"],
    ]);
    expect((await cells(""))[1]?.[1]).toBe("[1.767323045000006E9, 1.7673230455E9)");
    expect((await bq.ask("GET", `${TABLES}/ranges`)).body.numBytes).toBe("64");
    for (const [d, location, message] of [
      [{ start: "1970-01-02", end: "1970-01-02" }, "d", "Invalid RANGE value"],
      [{ start: "x" }, "d.start", "Invalid date: 'x'"],
      [{ start: "1970-01-02", stop: null }, "d.stop", "no such field: d.stop."],
      [
        "[1970-01-02, UNBOUNDED)",
        "d",
        "a RANGE that is no JSON object with the fields start and end (field d)",
      ],
    ]) {
      const [error] = (await insert({ d })).body.insertErrors;
      expect(error.errors[0]).toMatchObject({
        location,
        message: expect.stringContaining(message as string),
      });
    }
  });

  it("has an element for every RANGE, and for nothing else", async () => {
    const refused = async (field: object): Promise<string> => {
      const body = { tableReference: { tableId: "no" }, schema: { fields: [{ name: "r", ...field }] } };
      const answer = await bq.ask("POST", TABLES, body);
      expect(answer.status).toBe(400);
      return answer.body.error.message;
    };
    const needed =
      "Field r is type RANGE and needs a rangeElementType whose type is one of DATE, DATETIME, TIMESTAMP";
    expect(await refused({ type: "RANGE" })).toBe(needed);
    expect(await refused({ type: "RANGE", rangeElementType: { type: "TIME" } })).toBe(needed);
    expect(await refused({ type: "DATE", rangeElementType: { type: "DATE" } })).toContain(
      "only RANGE fields have one",
    );
    await create("element", {
      schema: { fields: [{ name: "r", type: "RANGE", rangeElementType: { type: "date" } }] },
    });
    const other = {
      schema: { fields: [{ name: "r", type: "RANGE", rangeElementType: { type: "DATETIME" } }] },
    };
    const patched = await bq.ask("PATCH", `${TABLES}/element`, other);
    expect(patched.body.error.message).toContain(
      "Field r has changed type from RANGE<DATE> to RANGE<DATETIME>",
    );
  });

  it("stores a row once however often its insertId comes", async () => {
    await create("dedupe");
    const rows = [
      { insertId: "1", json: { a: "1" } },
      { insertId: "2", json: { a: "2" } },
      { insertId: "1", json: { a: "1" } },
    ];
    for (let time = 0; time < 3; time++) await bq.ask("POST", `${TABLES}/dedupe/insertAll`, { rows });
    expect((await bq.ask("GET", `${TABLES}/dedupe`)).body.numRows).toBe("2");
  });

  // https://cloud.google.com/bigquery/docs/default-values: a row that has no data for the column
  it("gives a column that a row leaves out its default value, and keeps an explicit null", async () => {
    await create("defaults", {
      schema: {
        fields: [
          field("a"),
          { ...field("b"), type: "STRING", defaultValueExpression: "'x'" },
          { ...field("c"), mode: "REPEATED", defaultValueExpression: "[1, 2]" },
        ],
      },
    });
    const rows = [{ json: { a: "1" } }, { json: { a: "2", b: null, c: ["3"] } }, { json: { b: "y" } }];
    const answer = await bq.ask("POST", `${TABLES}/defaults/insertAll`, { rows });
    expect(answer.body.insertErrors).toBeUndefined();
    const data = await bq.ask("GET", `${TABLES}/defaults/data`);
    const cells = data.body.rows.map((row: { f: { v: unknown }[] }) => row.f.map(({ v }) => v));
    expect(cells).toEqual([
      ["1", "x", [{ v: "1" }, { v: "2" }]],
      ["2", null, [{ v: "3" }]],
      [null, "y", [{ v: "1" }, { v: "2" }]],
    ]);
  });

  it.each([
    [{}, "No rows"],
    [{ rows: [] }, "No rows"],
    [{ rows: [{}] }, "rows[0]"],
    [{ rows: [{ json: { a: "1" } }], templateSuffix: "/x" }, "Invalid table ID"],
  ])("refuses insertAll of %j", async (body, message) => {
    await bq.ask("POST", TABLES, { tableReference: { tableId: "in" }, schema: { fields: [field("a")] } });
    const answer = await bq.ask("POST", `${TABLES}/in/insertAll`, body);
    expect(answer.status).toBe(400);
    expect(answer.body.error.message).toContain(message);
  });
});
