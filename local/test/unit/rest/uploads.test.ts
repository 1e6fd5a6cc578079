import { existsSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeEngine, TestEndpoint } from "./test-endpoint.ts";

const P = "/projects/p";
let bq: TestEndpoint;

beforeAll(async () => {
  bq = await TestEndpoint.start(new FakeEngine());
  await bq.ask("POST", `${P}/datasets`, { datasetReference: { datasetId: "d" } });
});
afterAll(() => bq.close());

const job = (tableId: string, jobId?: string) => ({
  jobReference: { projectId: "p", ...(jobId === undefined ? {} : { jobId }) },
  configuration: {
    load: {
      destinationTable: { projectId: "p", datasetId: "d", tableId },
      sourceFormat: "NEWLINE_DELIMITED_JSON",
      schema: { fields: [{ name: "k", type: "STRING" }] },
    },
  },
});

function multipart(metadata: object, data: Buffer): { payload: Buffer; headers: Record<string, string> } {
  const head = `--b\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(metadata)}\r\n--b\r\nContent-Type: x/y\r\n\r\n`;
  return {
    payload: Buffer.concat([Buffer.from(head), data, Buffer.from("\r\n--b--\r\n")]),
    headers: { "content-type": "multipart/related; boundary=b" },
  };
}

/** The job's resource once it is done. */
async function finished(jobId: string) {
  for (let attempt = 0; attempt < 200; attempt++) {
    const { body } = await bq.ask("GET", `${P}/jobs/${jobId}`);
    if (body.status.state === "DONE") return body;
    await sleep(10);
  }
  throw new Error("the job does not end");
}

async function count(tableId: string): Promise<string> {
  return (await bq.ask("GET", `${P}/datasets/d/tables/${tableId}`)).body.numRows;
}

const lines = (count: number): Buffer =>
  Buffer.from(Array.from({ length: count }, (_, n) => `{"k":"row ${n}"}\n`).join(""));

describe("multipart uploads", () => {
  it.each(["/upload/bigquery/v2", "/resumable/upload/bigquery/v2", "/upload"])(
    "load what they carry (%s)",
    async (root) => {
      const table = `multi_${root.length}`;
      const { payload, headers } = multipart(job(table, table), lines(3));
      const made = await bq.ask("POST", `${root}${P}/jobs?uploadType=multipart`, payload, headers);
      expect(made.body).toMatchObject({ kind: "bigquery#job", configuration: { jobType: "LOAD" } });
      const done = await finished(table);
      expect(done.status).toEqual({ state: "DONE" });
      expect(done.statistics.load).toMatchObject({
        inputFiles: "1",
        inputFileBytes: String(lines(3).length),
        outputRows: "3",
        badRecords: "0",
      });
      expect(await count(table)).toBe("3");
    },
  );

  it("undo gzip, of the data or of the request", async () => {
    const first = multipart(job("zipped", "zipped"), gzipSync(lines(5)));
    await bq.ask("POST", `/upload/bigquery/v2${P}/jobs?uploadType=multipart`, first.payload, first.headers);
    await finished("zipped");
    expect(await count("zipped")).toBe("5");
    const second = multipart(job("zipped", "zipped2"), lines(2));
    await bq.ask("POST", `/upload/bigquery/v2${P}/jobs?uploadType=multipart`, gzipSync(second.payload), {
      ...second.headers,
      "content-encoding": "gzip",
    });
    await finished("zipped2");
    expect(await count("zipped")).toBe("7");
  });

  it("answer with a job that is done where it takes no second: clients need not ask again", async () => {
    const { payload, headers } = multipart(job("quick", "quick"), lines(3));
    const { body } = await bq.ask("POST", `/upload${P}/jobs?uploadType=multipart`, payload, headers);
    expect(body).toMatchObject({ status: { state: "DONE" }, statistics: { load: { outputRows: "3" } } });
  });

  it("run once under one job id", async () => {
    const { payload, headers } = multipart(job("once", "once"), lines(1));
    const url = `/upload/bigquery/v2${P}/jobs?uploadType=multipart`;
    await bq.ask("POST", url, payload, headers);
    const again = await bq.ask("POST", url, payload, headers);
    expect([again.status, again.body.error.errors[0].reason]).toEqual([409, "duplicate"]);
    await finished("once");
    expect(await count("once")).toBe("1");
  });

  it("that are too large are refused", async () => {
    const { payload, headers } = multipart(job("large"), Buffer.alloc(1024 * 1024 + 1, 0x20));
    const answer = await bq.ask(
      "POST",
      `/upload/bigquery/v2${P}/jobs?uploadType=multipart`,
      payload,
      headers,
    );
    expect([answer.status, answer.body.error.errors[0].reason]).toEqual([413, "uploadTooLarge"]);
    // Small on the wire, too large inside.
    const bomb = multipart(job("bomb", "bomb"), gzipSync(Buffer.alloc(4 * 1024 * 1024, 0x20)));
    await bq.ask("POST", `/upload/bigquery/v2${P}/jobs?uploadType=multipart`, bomb.payload, bomb.headers);
    expect((await finished("bomb")).status.errorResult.reason).toBe("uploadTooLarge");
  });

  it.each([
    ["no boundary", "{}", { "content-type": "application/json" }],
    [
      "no JSON",
      "--b\r\n\r\nnope\r\n--b\r\n\r\nx\r\n--b--",
      { "content-type": "multipart/related; boundary=b" },
    ],
    [
      "no load",
      "--b\r\n\r\n{}\r\n--b\r\n\r\nx\r\n--b--",
      { "content-type": "multipart/related; boundary=b" },
    ],
    ["no end", "--b\r\n\r\n{}\r\n--b\r\n\r\nx", { "content-type": "multipart/related; boundary=b" }],
  ])("with %s are refused", async (_what, payload, headers) => {
    const answer = await bq.ask(
      "POST",
      `/upload/bigquery/v2${P}/jobs?uploadType=multipart`,
      payload,
      headers,
    );
    expect(answer.status).toBe(400);
  });
});

describe("resumable uploads", () => {
  const start = async (tableId: string): Promise<string> => {
    const url = `/upload/bigquery/v2${P}/jobs?uploadType=resumable`;
    const { status, headers } = await bq.ask("POST", url, job(tableId, tableId));
    expect(status).toBe(200);
    const location = new URL(String(headers.location));
    return location.pathname + location.search;
  };

  it("come in pieces, of which some come twice", async () => {
    const url = await start("pieces");
    const data = lines(100);
    const put = (from: number, to: number, total: string) =>
      bq.ask("PUT", url, data.subarray(from, to), { "content-range": `bytes ${from}-${to - 1}/${total}` });
    const first = await put(0, 500, "*");
    expect([first.status, first.headers.range]).toEqual([308, "bytes=0-499"]);
    // The answer was lost, say: the client asks how much is there, and then sends more than was missing.
    const asked = await bq.ask("PUT", url, undefined, { "content-range": `bytes */${data.length}` });
    expect([asked.status, asked.headers.range]).toEqual([308, "bytes=0-499"]);
    const second = await put(400, 900, String(data.length));
    expect([second.status, second.headers.range]).toEqual([308, "bytes=0-899"]);
    const gap = await put(1000, data.length, String(data.length));
    expect(gap.status).toBe(400);
    const last = await put(900, data.length, String(data.length));
    expect(last.body.kind).toBe("bigquery#job");
    const again = await put(900, data.length, String(data.length));
    expect(again.body.jobReference).toEqual(last.body.jobReference);
    await finished("pieces");
    expect(await count("pieces")).toBe("100");
  });

  it("go on without a 308 for a client that takes it for a redirect", async () => {
    const url = await start("piecewise");
    const data = lines(10);
    const post = (from: number, to: number, total: string) =>
      bq.ask("POST", url, data.subarray(from, to), {
        "content-range": `bytes ${from}-${to - 1}/${total}`,
        "x-guploader-no-308": "yes",
      });
    const first = await post(0, 40, "*");
    expect([first.status, first.headers["x-http-status-code-override"]]).toEqual([200, "308"]);
    const last = await post(40, data.length, String(data.length));
    expect([last.status, last.headers["x-http-status-code-override"]]).toEqual([200, undefined]);
    await finished("piecewise");
    expect(await count("piecewise")).toBe("10");
  });

  it("come as a whole, too", async () => {
    const url = await start("whole");
    const { body } = await bq.ask("PUT", url, lines(4));
    expect(body.configuration.jobType).toBe("LOAD");
    await finished("whole");
    expect(await count("whole")).toBe("4");
  });

  it("load an empty file", async () => {
    const url = await start("nothing");
    const { body } = await bq.ask("PUT", url, undefined, { "content-range": "bytes */0" });
    expect(body.kind).toBe("bigquery#job");
    expect((await finished("nothing")).statistics.load).toMatchObject({ outputRows: "0" });
  });

  it("end when they are cancelled, and are unknown to others", async () => {
    const url = await start("stopped");
    expect((await bq.ask("DELETE", url)).status).toBe(499);
    expect((await bq.ask("PUT", url, lines(1))).status).toBe(404);
    expect((await bq.ask("PUT", `/upload/bigquery/v2${P}/jobs?upload_id=nope`, lines(1))).status).toBe(404);
  });

  it("refuse what is too large before it is sent", async () => {
    const url = `/upload/bigquery/v2${P}/jobs?uploadType=resumable`;
    const answer = await bq.ask("POST", url, job("huge"), { "x-upload-content-length": "99999999999" });
    expect(answer.status).toBe(413);
  });
});

it("leaves no file behind when it closes", async () => {
  const other = await TestEndpoint.start(new FakeEngine());
  const folder = path.dirname(other.endpoint.services.spool.create().path);
  expect(existsSync(folder)).toBe(true);
  await other.close();
  expect(existsSync(folder)).toBe(false);
});
