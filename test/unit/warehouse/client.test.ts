import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, vi } from "vitest";
import {
  CommandError,
  explainDataformError,
  explainServiceError,
} from "../../../generator/src/project/errors.ts";
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

const PROJECT = { root: "/", projectId: "p", dataset: "d", assertionDataset: "d", location: "US" };
/** The environment of somebody who never signed in. */
const NOBODY = {
  GOOGLE_APPLICATION_CREDENTIALS: "",
  HOME: "/nobody",
  APPDATA: "/nobody",
  METADATA_SERVER_DETECTION: "none",
};

describe("openWarehouse", () => {
  it("takes an empty BIGQUERY_EMULATOR_HOST for none, for the client and the commands it starts", () => {
    vi.stubEnv("BIGQUERY_EMULATOR_HOST", "");
    const { client, endpoint } = openWarehouse(PROJECT);
    expect(endpoint).toBeUndefined();
    expect(client.baseUrl).toMatch(/^https:\/\/bigquery\.googleapis\.com/);
    expect(process.env.BIGQUERY_EMULATOR_HOST).toBeUndefined();
    vi.unstubAllEnvs();
  });
});

describe("checkEndpoint", () => {
  async function check(answer: string): Promise<void> {
    const server = createServer((_, response) => response.end(answer)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    vi.stubEnv("BIGQUERY_EMULATOR_HOST", `127.0.0.1:${port}`);
    try {
      await checkEndpoint(openWarehouse(PROJECT));
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
  it("says what to do where Google's own client finds no credentials, and what that said", async () => {
    for (const [name, value] of Object.entries({ ...NOBODY, BIGQUERY_EMULATOR_HOST: "" }))
      vi.stubEnv(name, value);
    const { client } = openWarehouse(PROJECT);
    const error = await client.authClient.getAccessToken().catch((thrown: unknown) => thrown);
    vi.unstubAllEnvs();
    expect(String(explain(error))).toMatch(
      /no Google Cloud credentials: Could not load the default credentials\. .*; run `gcloud auth application-default login`/,
    );
  });
  it("says of managed Dataform which role is missing", () => {
    const refused = "Permission 'dataform.releaseConfigs.create' denied on 'projects/acme'";
    const error = Object.assign(new Error(refused), { code: 7 });
    expect(explainDataformError(error).message).toBe(
      `managed Dataform: ${refused}; dataform.releaseConfigs.create is missing: grant roles/dataform.admin on the project`,
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
