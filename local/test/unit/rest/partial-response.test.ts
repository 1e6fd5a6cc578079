import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyMask, parseFieldMask } from "../../../src/routes/partial-response.ts";
import { FakeEngine, numbers, TestEndpoint } from "./test-endpoint.ts";

// https://cloud.google.com/bigquery/docs/api-performance#partial-response
const value = {
  kind: "k",
  id: "x",
  items: [
    { id: 1, at: { a: 1, b: 2 } },
    { id: 2, at: { a: 3, b: 4 } },
  ],
  schema: { fields: [{ name: "n", type: "T" }] },
};

describe("a selection of fields", () => {
  it.each([
    ["kind", { kind: "k" }],
    ["id,kind", { kind: "k", id: "x" }],
    ["items/id", { items: [{ id: 1 }, { id: 2 }] }],
    [
      "items(id,at/b)",
      {
        items: [
          { id: 1, at: { b: 2 } },
          { id: 2, at: { b: 4 } },
        ],
      },
    ],
    ["items/at(a), id", { id: "x", items: [{ at: { a: 1 } }, { at: { a: 3 } }] }],
    [
      "items/*/a",
      {
        items: [{ at: { a: 1 } }, { at: { a: 3 } }],
      },
    ],
    ["schema.fields.name", { schema: { fields: [{ name: "n" }] } }],
    [
      "items/id,items/at/a",
      {
        items: [
          { id: 1, at: { a: 1 } },
          { id: 2, at: { a: 3 } },
        ],
      },
    ],
    ["items/at/a,items", { items: value.items }],
    ["*", value],
    ["absent,id", { id: "x" }],
    ["__proto__,id", { id: "x" }],
  ])("%s", (text, wanted) => {
    expect(applyMask(value, parseFieldMask(text))).toEqual(wanted);
  });

  it.each([
    ",",
    "a,",
    "a(",
    "a(b",
    "a)",
    "a(b))",
    "/a",
    "a/",
    "a//b",
    "()",
    "a(b,)",
    "a".concat("(a".repeat(5000)),
  ])("%s is refused", (text) => {
    expect(() => parseFieldMask(text)).toThrow("Invalid field selection");
  });
});

describe("fields=", () => {
  const engine = new FakeEngine();
  let endpoint: TestEndpoint;
  beforeAll(async () => {
    endpoint = await TestEndpoint.start(engine);
    engine.answers.set("SELECT", () => numbers(3));
    await endpoint.ask("POST", "/projects/p/datasets", { datasetReference: { datasetId: "d" } });
  });
  afterAll(() => endpoint.close());

  it("cuts resources, lists and rows down to what is asked for", async () => {
    const dataset = "/bigquery/v2/projects/p/datasets/d";
    expect((await endpoint.ask("GET", `${dataset}?fields=id,datasetReference/datasetId`)).body).toEqual({
      id: "p:d",
      datasetReference: { datasetId: "d" },
    });
    const list = await endpoint.ask(
      "GET",
      "/projects/p/datasets?fields=datasets(datasetReference(datasetId))",
    );
    expect(list.body).toEqual({ datasets: [{ datasetReference: { datasetId: "d" } }] });
    const answer = await endpoint.ask("POST", "/projects/p/queries?fields=rows,totalRows", {
      query: "SELECT",
    });
    expect(answer.body).toEqual({ totalRows: "3", rows: ["0", "1", "2"].map((v) => ({ f: [{ v }] })) });
  });

  it("leaves errors whole, and tells wrong syntax before anything is done", async () => {
    const missing = await endpoint.ask("GET", "/projects/p/datasets/nope?fields=id");
    expect(missing.body.error).toMatchObject({ code: 404, errors: [{ reason: "notFound" }] });
    const body = { datasetReference: { datasetId: "unmade" } };
    const wrong = await endpoint.ask("POST", "/projects/p/datasets?fields=id(", body);
    expect(wrong.status).toBe(400);
    expect(wrong.body.error.message).toBe("Invalid field selection id(");
    expect((await endpoint.ask("GET", "/projects/p/datasets/unmade")).status).toBe(404);
  });
});
