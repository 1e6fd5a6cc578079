import { describe, expect, it } from "vitest";
import { emulatorAddress } from "../../../warehouse/client.ts";
import { CommandError, explainServiceError } from "../../../warehouse/errors.ts";

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
  it("leaves a bug as it is", () => {
    const bug = new TypeError("x is undefined");
    expect(explain(bug)).toBe(bug);
  });
});
