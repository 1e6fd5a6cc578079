import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { BigQueryError } from "../errors.ts";

/** An etag of what makes a resource what it is. */
export function etagOf(...parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64").slice(0, 22).concat("==");
}

/** Refuses a change that was made from an older state of the resource than the one there is. */
export function checkIfMatch(request: FastifyRequest, etag: string): void {
  const wanted = request.headers["if-match"];
  if (wanted !== undefined && !matches(wanted, etag)) {
    throw new BigQueryError("conditionNotMet", "Precondition check failed.");
  }
}

/**
 * Makes reads depend on etags: 304 and nothing else where the client has that state already (If-None-Match), 412 where it wants another
 * one (If-Match), for whatever has an etag, as Google's APIs do (https://google.aip.dev/154).
 */
export function addConditionalReads(app: FastifyInstance): void {
  app.addHook("preSerialization", async (request, reply, payload) => {
    const { etag } = (payload ?? {}) as { readonly etag?: unknown };
    if (request.method !== "GET" || reply.statusCode !== 200 || typeof etag !== "string") return payload;
    checkIfMatch(request, etag);
    reply.header("ETag", `"${etag}"`);
    const known = request.headers["if-none-match"];
    if (known !== undefined && matches(known, etag)) reply.code(304);
    return payload;
  });
  app.addHook("onSend", async (_request, reply, payload) => (reply.statusCode === 304 ? null : payload));
}

/** Whether a list of etags in a header has this one; clients send it with quotes and without. */
function matches(header: string, etag: string): boolean {
  if (header.trim() === "*") return true;
  return header.split(",").some((tag) => tag.trim().replace(/^(?:W\/)?"(.*)"$/, "$1") === etag);
}
