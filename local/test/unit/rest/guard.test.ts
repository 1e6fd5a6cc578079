import { describe, expect, it } from "vitest";
import { checkHeaders, type GuardedHeaders } from "../../../src/routes/guard.ts";

const loopback = { exposed: false, allowedHosts: ["bigquery.test"] };

describe("checkHeaders", () => {
  it.each([
    "127.0.0.1:9050",
    "127.0.0.1",
    "localhost:9050",
    "LOCALHOST:1",
    "[::1]:9050",
    "10.1.2.3:80",
    "bigquery.test:80",
  ])("lets Host %s in", (host) => {
    expect(() => checkHeaders({ host }, loopback)).not.toThrow();
  });

  it.each([
    undefined,
    "",
    "evil.example",
    "evil.example:9050",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "bigquery",
    "a@localhost",
  ])("refuses Host %s", (host) => {
    expect(() => checkHeaders({ host }, loopback)).toThrow("Host header");
  });

  it("lets a service's plain name in when bound to more than loopback", () => {
    const exposed = { exposed: true, allowedHosts: [] };
    expect(() => checkHeaders({ host: "bigquery:9050" }, exposed)).not.toThrow();
    expect(() => checkHeaders({ host: "evil.example" }, exposed)).toThrow("Host header");
  });

  it.each<GuardedHeaders>([
    { host: "localhost", origin: "http://evil.example" },
    { host: "localhost", origin: "null" },
    { host: "localhost", origin: "http://localhost:3000" },
    { host: "localhost", "sec-fetch-site": "cross-site" },
    { host: "localhost", "sec-fetch-site": "same-site" },
  ])("refuses a web page's %j", (headers) => {
    expect(() => checkHeaders(headers, loopback)).toThrow("web pages");
  });

  it("lets a person look with a browser's address bar", () => {
    expect(() => checkHeaders({ host: "localhost:1", "sec-fetch-site": "none" }, loopback)).not.toThrow();
  });
});
