import type { IncomingMessage } from "node:http";

const OVERRIDES: ReadonlySet<string> = new Set(["PATCH", "PUT", "DELETE"]);

/**
 * The method a request means. The Java client cannot send PATCH, and sends a POST that names it, as Google's APIs allow
 * (https://cloud.google.com/apis/docs/system-parameters); any other override is left out.
 */
export function methodOf(request: Pick<IncomingMessage, "method" | "headers">): string {
  const { method = "GET" } = request;
  const wanted = request.headers["x-http-method-override"];
  if (method !== "POST" || typeof wanted !== "string") return method;
  const upper = wanted.toUpperCase();
  return OVERRIDES.has(upper) ? upper : method;
}
