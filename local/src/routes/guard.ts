import { isIP } from "node:net";
import { BigQueryError } from "../errors.ts";

/** What the guard looks at in a request. */
export interface GuardedHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly "sec-fetch-site"?: string | string[] | undefined;
}

/** Which Host headers are answered, beyond IP addresses and `localhost`. */
export interface GuardOptions {
  /** Bound to more than loopback: names without a dot (a container's, a service's) are accepted as well. */
  readonly exposed: boolean;
  /** Further host names, in lower case. */
  readonly allowedHosts: readonly string[];
}

/**
 * Refuses what only a web page sends. A page reaches a loopback server in two ways: directly, and then its browser says so in
 * `Origin` or `Sec-Fetch-Site`; or through a name of its own that it points at 127.0.0.1, and then that name stands in `Host`.
 * No BigQuery client does either.
 */
export function checkHeaders(headers: GuardedHeaders, options: GuardOptions): void {
  if (headers.origin !== undefined) {
    throw new BigQueryError("forbidden", "Requests from web pages are refused: the Origin header is set.");
  }
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "none" && site !== "same-origin") {
    throw new BigQueryError("forbidden", "Requests from web pages are refused.");
  }
  if (!isAllowedHost(headers.host, options)) {
    throw new BigQueryError(
      "forbidden",
      "The Host header names no address of this endpoint; start it with --allow-host NAME to accept another name.",
    );
  }
}

function isAllowedHost(header: string | undefined, options: GuardOptions): boolean {
  if (header === undefined) return false;
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d+)?$/i.exec(header);
  const name = (match?.[1] ?? match?.[2])?.toLowerCase();
  if (name === undefined) return false;
  if (isIP(name) !== 0 || name === "localhost") return true;
  if (options.allowedHosts.includes(name)) return true;
  return options.exposed && /^[a-z0-9_-]+$/.test(name);
}
