import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { CommandError, explainServiceError } from "../../../generator/src/project/errors.ts";
import { checkEndpoint, openWarehouse } from "../../../generator/src/warehouse/client.ts";
import { emulatorAddress } from "../../../generator/src/warehouse/endpoint.ts";

describe("emulatorAddress", () => {
  const cases: [string | undefined, string | undefined][] = [
    [undefined, undefined],
    ["", undefined],
    ["localhost:9050", "http://localhost:9050"],
    ["http://127.0.0.1:9050/", "http://127.0.0.1:9050"],
    ["https://bigquery.test", "https://bigquery.test"],
  ];
  for (const [host, want] of cases) {
    it(`reads ${JSON.stringify(host)}`, () =>
      expect(emulatorAddress({ BIGQUERY_EMULATOR_HOST: host })).toBe(want));
  }
});

describe("openWarehouse", () => {
  it("takes an empty BIGQUERY_EMULATOR_HOST for none, for the client and the commands it starts", () => {
    vi.stubEnv("BIGQUERY_EMULATOR_HOST", "");
    const project = { root: "/", projectId: "p", dataset: "d", assertionDataset: "d", location: "US" };
    const { client, endpoint } = openWarehouse(project);
    expect(endpoint).toBeUndefined();
    expect(client.baseUrl).toMatch(/^https:\/\/bigquery\.googleapis\.com/);
    expect(process.env.BIGQUERY_EMULATOR_HOST).toBeUndefined();
    vi.unstubAllEnvs();
  });
});

describe("checkEndpoint", () => {
  const project = { root: "/", projectId: "p", dataset: "d", assertionDataset: "d", location: "US" };
  async function check(answer: string): Promise<void> {
    const server = createServer((_, response) => response.end(answer)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    vi.stubEnv("BIGQUERY_EMULATOR_HOST", `127.0.0.1:${port}`);
    try {
      await checkEndpoint(openWarehouse(project));
    } finally {
      vi.unstubAllEnvs();
      server.close();
    }
  }

  it("takes what answers as BigQuery does", () => expect(check('{"datasets":[]}')).resolves.toBeUndefined());
  it("does not take a web page for an empty warehouse", () =>
    expect(check("<!DOCTYPE html>")).rejects.toThrow(
      /^what answers at http:\/\/127\.0\.0\.1:\d+ is not BigQuery: /,
    ));
});

describe("explainServiceError", () => {
  const explain = (error: unknown) => explainServiceError(error, "http://127.0.0.1:1");
  it("says what to do where nothing answers", () => {
    const error = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" });
    expect(String(explain(error))).toMatch(
      /nothing answers at http:\/\/127\.0\.0\.1:1: start `npm run local`/,
    );
  });
  it("says what to do without credentials", () => {
    expect(String(explain(new Error("Could not load the default credentials. Browse to …")))).toMatch(
      /gcloud auth application-default login/,
    );
  });
  it("puts BigQuery's own message on one line", () => {
    const error = Object.assign(new Error("Syntax error:\n  here"), {
      code: 400,
      errors: [{ reason: "invalidQuery" }],
    });
    expect(explain(error)).toBeInstanceOf(CommandError);
    expect(String(explain(error))).toContain("BigQuery: Syntax error: here");
  });
  it("asks for rights only where rights are missing", () => {
    const refused = (reason: string) =>
      String(explain(Object.assign(new Error("Quota or right"), { code: 403, errors: [{ reason }] })));
    expect(refused("accessDenied")).toContain("grant roles/bigquery.dataEditor");
    expect(refused("quotaExceeded")).toBe(
      "CommandError: BigQuery: Quota or right; wait, run less at once, or ask for a higher quota in the console",
    );
  });
  it("leaves a bug as it is", () => {
    const bug = new TypeError("x is undefined");
    expect(explain(bug)).toBe(bug);
  });
});
