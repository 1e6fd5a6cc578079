import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LiveEndpoint } from "./live-endpoint.ts";

// What would be kept in silence and then not be done is refused by its name.
const NOT = "Not supported by the local BigQuery endpoint: ";
let streamedMinutes = 30;
let endpoint: LiveEndpoint;
beforeAll(async () => {
  endpoint = await LiveEndpoint.start({ streamedMinutes: () => streamedMinutes });
  await endpoint.rows("CREATE TABLE d.t (k STRING, n INT64, j JSON); SELECT 1");
});
afterAll(async () => {
  await endpoint.close();
  expect(endpoint.defects).toEqual([]);
});

async function message(method: string, path: string, body?: object): Promise<string> {
  const answer = await endpoint.ask(method, path, body);
  expect(answer.status).toBe(400);
  return answer.body.error.message;
}

const table = (more: object, fields: object[] = [{ name: "a", type: "STRING" }]) => ({
  tableReference: { tableId: "refused" },
  schema: { fields },
  ...more,
});

describe("collations, ways of rounding and ranges", () => {
  it.each([
    ["/datasets/d/tables", table({ defaultCollation: "und:ci" }), "collation und:ci"],
    [
      "/datasets/d/tables",
      table({}, [{ name: "a", type: "STRING", collation: "und:ci" }]),
      "collation und:ci",
    ],
    [
      "/datasets/d/tables",
      table({ defaultRoundingMode: "ROUND_HALF_EVEN" }),
      "defaultRoundingMode ROUND_HALF_EVEN",
    ],
    ["/datasets", { datasetReference: { datasetId: "e" }, defaultCollation: "und:ci" }, "collation und:ci"],
    [
      "/datasets",
      { datasetReference: { datasetId: "e" }, defaultRoundingMode: "ROUND_HALF_EVEN" },
      "defaultRoundingMode ROUND_HALF_EVEN",
    ],
    ["/datasets/d/tables/t:getIamPolicy", {}, "getIamPolicy"],
    ["/datasets/d/tables/t:setIamPolicy", {}, "setIamPolicy"],
    ["/datasets/d:undelete", {}, "undelete of a dataset"],
    ["/queries", { query: "SELECT 1", queryResultsFormat: "ARROW" }, "queryResultsFormat ARROW"],
  ])("POST %s %j", async (path, body, what) => {
    expect(await message("POST", path, body)).toBe(`${NOT}${what}`);
  });

  it("that say nothing are taken", async () => {
    const body = table({ defaultCollation: "", defaultRoundingMode: "ROUND_HALF_AWAY_FROM_ZERO" });
    expect((await endpoint.ask("POST", "/datasets/d/tables", body)).status).toBe(200);
  });
});

describe("jobs", () => {
  it("that write to Cloud Storage are refused", async () => {
    const extract = {
      sourceTable: { projectId: "p", datasetId: "d", tableId: "t" },
      destinationUris: ["gs://b/f"],
    };
    expect(await message("POST", "/jobs", { configuration: { extract } })).toBe(
      `${NOT}extract jobs, whose destination is Cloud Storage`,
    );
  });

  // https://cloud.google.com/bigquery/docs/labels-intro#requirements
  it.each([[{ Upper: "x" }], [{ a: "Not Fine" }], [{ "": "x" }], [{ a: "x".repeat(64) }]])(
    "with the labels %j",
    async (labels) => {
      expect(await message("POST", "/queries", { query: "SELECT 1", labels })).toContain(
        "has invalid characters",
      );
      const query = { query: "SELECT 1" };
      expect(await message("POST", "/jobs", { configuration: { query, labels } })).toContain("Label");
    },
  );

  it("that copy tell how much", async () => {
    await endpoint.rows("CREATE TABLE d.source AS SELECT 1 AS n UNION ALL SELECT 2; SELECT 1");
    const ref = (tableId: string) => ({ projectId: "p", datasetId: "d", tableId });
    const { statistics } = await endpoint.job({
      copy: { sourceTable: ref("source"), destinationTable: ref("target") },
    });
    expect(statistics.copy).toEqual({ copiedRows: "2", copiedLogicalBytes: "16" });
  });
});

describe("lifetimes", () => {
  // https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets#Dataset
  it.each([
    ["defaultTableExpirationMs", "3599999"],
    ["defaultTableExpirationMs", "-1"],
    ["defaultPartitionExpirationMs", "-5"],
    ["defaultPartitionExpirationMs", "9999999999999999999"],
  ])("%s %s is refused", async (member, value) => {
    expect(await message("PATCH", "/datasets/d", { [member]: value })).toContain(
      `Invalid value for ${member}`,
    );
  });

  it("of 0 are none", async () => {
    await endpoint.ask("PATCH", "/datasets/d", { defaultTableExpirationMs: "3600000" });
    const { body } = await endpoint.ask("PATCH", "/datasets/d", { defaultTableExpirationMs: "0" });
    expect(body.defaultTableExpirationMs).toBeUndefined();
  });
});

describe("tables.get", () => {
  // https://cloud.google.com/bigquery/docs/reference/rest/v2/tables/get
  it("gives the columns that are asked for", async () => {
    const { body } = await endpoint.ask("GET", "/datasets/d/tables/t?selectedFields=n,j");
    expect(body.schema.fields.map((field: { name: string }) => field.name)).toEqual(["n", "j"]);
    expect(await message("GET", "/datasets/d/tables/t?selectedFields=nope")).toBe("Invalid field name: nope");
  });

  it("leaves the size out of the basic view", async () => {
    const basic = (await endpoint.ask("GET", "/datasets/d/tables/t?view=BASIC")).body;
    expect([basic.numRows, basic.numBytes, basic.schema.fields.length]).toEqual([undefined, undefined, 3]);
    expect((await endpoint.ask("GET", "/datasets/d/tables/t?view=FULL")).body.numRows).toBe("0");
    expect(await message("GET", "/datasets/d/tables/t?view=ALL")).toBe("Invalid value for view: ALL");
  });
});

describe("permissions", () => {
  it("are all given", async () => {
    const permissions = ["bigquery.tables.get", "bigquery.tables.delete"];
    const { body } = await endpoint.ask("POST", "/datasets/d/tables/t:testIamPermissions", { permissions });
    expect(body).toEqual({ permissions });
  });
});

describe("tabledata.insertAll", () => {
  const insert = (body: object) => endpoint.ask("POST", "/datasets/d/tables/t/insertAll", body);

  it("refuses a row with half a surrogate pair in a JSON column", async () => {
    for (const value of ["\ud800", { "\udfff": 1 }, ["a\ud83d"]]) {
      const { status, body } = await insert({ rows: [{ json: { j: JSON.stringify(value) } }] });
      expect(status).toBe(200);
      expect(body.insertErrors).toMatchObject([{ index: 0, errors: [{ reason: "invalid", location: "j" }] }]);
    }
    expect(
      (await insert({ rows: [{ json: { j: JSON.stringify("🙂") } }] })).body.insertErrors,
    ).toBeUndefined();
    const queryParameters = [
      { name: "j", parameterType: { type: "JSON" }, parameterValue: { value: '"\\ud800"' } },
    ];
    await expect(endpoint.rows("SELECT @j", { queryParameters })).rejects.toThrow("could not parse");
  });

  // https://cloud.google.com/bigquery/docs/data-manipulation-language#limitations
  it("keeps its rows from being changed until they are out of the streaming buffer", async () => {
    await endpoint.rows("CREATE TABLE d.s AS SELECT 'loaded' AS k, 1 AS n; SELECT 1");
    const body = { rows: [{ json: { k: "streamed", n: 2 } }] };
    await endpoint.ask("POST", "/datasets/d/tables/s/insertAll", body);
    const buffer = async () => (await endpoint.ask("GET", "/datasets/d/tables/s")).body.streamingBuffer;
    expect(await buffer()).toMatchObject({ estimatedRows: "1", oldestEntryTime: expect.any(String) });
    const changes = [
      "DELETE FROM d.s WHERE n = 2",
      "DELETE FROM d.s WHERE TRUE",
      "TRUNCATE TABLE d.s",
      "UPDATE d.s SET n = 3 WHERE TRUE",
      "MERGE d.s USING (SELECT 2 AS m) ON n = m WHEN MATCHED THEN DELETE",
      "BEGIN TRANSACTION; DELETE FROM d.s WHERE n = 2; COMMIT TRANSACTION",
    ];
    for (const change of changes)
      await expect(endpoint.rows(change), change).rejects.toThrow(
        "UPDATE or DELETE statement over table p.d.s would affect rows in the streaming buffer, which is not supported",
      );
    await endpoint.rows(
      "UPDATE d.s SET n = 5 WHERE k = 'loaded'; INSERT INTO d.s VALUES ('more', 7); SELECT 1",
    );
    await endpoint.rows("DELETE FROM d.s WHERE k = 'more'");
    expect(await endpoint.rows("SELECT k, n FROM d.s ORDER BY n")).toEqual([
      ["streamed", "2"],
      ["loaded", "5"],
    ]);
    streamedMinutes = 0;
    await endpoint.rows("DELETE FROM d.s WHERE TRUE");
    expect(await buffer()).toBeUndefined();
  });

  // https://cloud.google.com/bigquery/docs/streaming-data-into-bigquery#template-tables
  it("makes tables from a template", async () => {
    for (const k of ["a", "b"]) {
      expect(
        (await insert({ templateSuffix: "_x", rows: [{ json: { k, n: 1 } }] })).body.insertErrors,
      ).toBeUndefined();
    }
    expect(await endpoint.rows("SELECT k, n FROM d.t_x ORDER BY k")).toEqual([
      ["a", "1"],
      ["b", "1"],
    ]);
    expect(await endpoint.rows("SELECT COUNT(*) FROM d.t WHERE n = 1")).toEqual([["0"]]);
    for (const templateSuffix of ["/x", 5, "$20260101"]) {
      expect((await insert({ templateSuffix, rows: [{ json: {} }] })).status).toBe(400);
    }
  });
});
