import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeEngine, TestEndpoint } from "./test-endpoint.ts";

const P = "/bigquery/v2/projects/p";
let bq: TestEndpoint;

beforeAll(async () => {
  bq = await TestEndpoint.start(new FakeEngine());
});
afterAll(() => bq.close());

/** Makes a dataset and returns its resource. */
async function create(datasetId: string, more: object = {}) {
  return (await bq.ask("POST", `${P}/datasets`, { datasetReference: { datasetId }, ...more })).body;
}

describe("datasets", () => {
  it("inserts and gets one, under both prefixes", async () => {
    const made = await create("first", { friendlyName: "First", description: "d", labels: { team: "a" } });
    expect(made).toMatchObject({
      kind: "bigquery#dataset",
      id: "p:first",
      datasetReference: { projectId: "p", datasetId: "first" },
      friendlyName: "First",
      description: "d",
      labels: { team: "a" },
      location: "US",
    });
    for (const prefix of ["/bigquery/v2", ""]) {
      const got = await bq.ask("GET", `${prefix}/projects/p/datasets/first`);
      expect(got.body).toEqual(made);
    }
  });

  it("tells a name that is taken", async () => {
    await create("taken");
    const again = await bq.ask("POST", `${P}/datasets`, { datasetReference: { datasetId: "taken" } });
    expect(again.status).toBe(409);
    expect(again.body).toEqual({
      error: {
        code: 409,
        message: "Already Exists: Dataset p:taken",
        errors: [{ message: "Already Exists: Dataset p:taken", domain: "global", reason: "duplicate" }],
        status: "ALREADY_EXISTS",
      },
    });
  });

  it.each([
    [{}, "datasetReference"],
    [{ datasetReference: { datasetId: "a-b" } }, "Invalid dataset ID"],
    [{ datasetReference: { datasetId: 5 } }, "datasetReference.datasetId"],
    [{ datasetReference: { datasetId: "x" }, labels: { Bad: "x" } }, "Label key"],
    [{ datasetReference: { datasetId: "x" }, location: "../.." }, "Invalid location"],
    [{ datasetReference: { datasetId: "x" }, isCaseInsensitive: true }, "Not supported"],
    [{ datasetReference: { datasetId: "x" }, defaultTableExpirationMs: "soon" }, "defaultTableExpirationMs"],
  ])("refuses %j", async (body, message) => {
    const answer = await bq.ask("POST", `${P}/datasets`, body);
    expect(answer.status).toBe(400);
    expect(answer.body.error.message).toContain(message);
    expect(answer.body.error.status).toBe("INVALID_ARGUMENT");
  });

  it("tells one that is not there", async () => {
    for (const method of ["GET", "PATCH", "PUT", "DELETE"] as const) {
      const answer = await bq.ask(method, `${P}/datasets/nope`, method === "GET" ? undefined : {});
      expect(answer.status).toBe(404);
      expect(answer.body.error.errors[0]).toMatchObject({
        reason: "notFound",
        message: "Not found: Dataset p:nope",
      });
    }
  });

  it("patches what is given and keeps the rest; null removes", async () => {
    await create("patched", { description: "d", friendlyName: "f", labels: { a: "1", b: "2" } });
    const { body } = await bq.ask("PATCH", `${P}/datasets/patched`, {
      description: null,
      labels: { a: null, c: "3" },
      access: [{ role: "OWNER", userByEmail: "a@b" }],
    });
    expect(body.description).toBeUndefined();
    expect(body.friendlyName).toBe("f");
    expect(body.labels).toEqual({ b: "2", c: "3" });
    expect(body.access).toEqual([{ role: "OWNER", userByEmail: "a@b" }]);
  });

  it("updates as a whole: what is not given goes", async () => {
    await create("replaced", { description: "d", labels: { a: "1" } });
    const { body } = await bq.ask("PUT", `${P}/datasets/replaced`, { friendlyName: "f" });
    expect(body).toMatchObject({ friendlyName: "f" });
    expect(body.description).toBeUndefined();
    expect(body.labels).toBeUndefined();
  });

  it("changes its etag with each change, and refuses a change made from an older state", async () => {
    const made = await create("tagged");
    const changed = await bq.ask(
      "PATCH",
      `${P}/datasets/tagged`,
      { description: "1" },
      { "if-match": made.etag },
    );
    expect(changed.status).toBe(200);
    expect(changed.body.etag).not.toBe(made.etag);
    const late = await bq.ask(
      "PATCH",
      `${P}/datasets/tagged`,
      { description: "2" },
      { "if-match": made.etag },
    );
    expect(late.status).toBe(412);
    expect(late.body.error.errors[0].reason).toBe("conditionNotMet");
    expect((await bq.ask("GET", `${P}/datasets/tagged`)).body.description).toBe("1");
  });

  it("refuses to move a dataset", async () => {
    await create("here", { location: "eu" });
    const answer = await bq.ask("PATCH", `${P}/datasets/here`, { location: "US" });
    expect(answer.status).toBe(400);
    expect((await bq.ask("PATCH", `${P}/datasets/here`, { location: "EU" })).status).toBe(200);
  });

  it("lists page by page, by label, hidden ones only when asked", async () => {
    const base = "/projects/lists/datasets";
    for (const id of ["a", "b", "c", "_hidden"]) {
      const labels = id === "b" ? { env: "prod" } : {};
      await bq.ask("POST", base, { datasetReference: { datasetId: id }, labels });
    }
    const ids = (body: { datasets?: { datasetReference: { datasetId: string } }[] }) =>
      (body.datasets ?? []).map((item) => item.datasetReference.datasetId);
    const first = (await bq.ask("GET", `${base}?maxResults=2`)).body;
    expect(ids(first)).toEqual(["a", "b"]);
    const second = (await bq.ask("GET", `${base}?maxResults=2&pageToken=${first.nextPageToken}`)).body;
    expect(ids(second)).toEqual(["c"]);
    expect(second.nextPageToken).toBeUndefined();
    expect(ids((await bq.ask("GET", `${base}?filter=labels.env:prod`)).body)).toEqual(["b"]);
    expect(ids((await bq.ask("GET", `${base}?all=true`)).body)).toContain("_hidden");
    expect((await bq.ask("GET", `${base}?pageToken=zzz`)).status).toBe(400);
    expect((await bq.ask("GET", `${base}?maxResults=-1`)).status).toBe(400);
    expect((await bq.ask("GET", "/projects/none/datasets")).body.datasets).toBeUndefined();
  });

  it("deletes an empty one, and one with tables only when told to", async () => {
    await create("full");
    const table = {
      tableReference: { tableId: "t" },
      schema: { fields: [{ name: "a", type: "STRING" }] },
    };
    expect((await bq.ask("POST", `${P}/datasets/full/tables`, table)).status).toBe(200);
    const refused = await bq.ask("DELETE", `${P}/datasets/full`);
    expect(refused.status).toBe(400);
    expect(refused.body.error.errors[0].reason).toBe("resourceInUse");
    const done = await bq.ask("DELETE", `${P}/datasets/full?deleteContents=true`);
    expect([done.status, done.body]).toEqual([204, ""]);
    expect((await bq.ask("GET", `${P}/datasets/full/tables/t`)).status).toBe(404);
  });

  it("says that undelete is not there", async () => {
    const answer = await bq.ask("POST", `${P}/datasets/full:undelete`, {});
    expect(answer.status).toBe(400);
    expect(answer.body.error.message).toContain("undelete");
    // And takes nothing else for it.
    expect((await bq.ask("POST", `${P}/datasets/full`, {})).status).toBe(404);
  });

  it.each(["PATCH", "patch"])("takes a POST that says it is a %s for one", async (method) => {
    await create(`posted_${method}`, { labels: { a: "1" } });
    const headers = { "x-http-method-override": method };
    const { body } = await bq.ask("POST", `${P}/datasets/posted_${method}`, { description: "d" }, headers);
    expect(body).toMatchObject({ description: "d", labels: { a: "1" } });
    const other = await bq.ask(
      "POST",
      `${P}/datasets/posted_${method}`,
      {},
      { "x-http-method-override": "TRACE" },
    );
    expect(other.status).toBe(404);
  });

  it("knows projects by their datasets", async () => {
    await create("any");
    const { body } = await bq.ask("GET", "/bigquery/v2/projects");
    expect(body.projects.map((project: { id: string }) => project.id)).toContain("p");
    const account = await bq.ask("GET", "/projects/p/serviceAccount");
    expect(account.body.kind).toBe("bigquery#getServiceAccountResponse");
  });
});
