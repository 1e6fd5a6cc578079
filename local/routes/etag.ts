import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { BigQueryError } from "../errors.ts";
import type { JsonObject } from "../jobs/json.ts";

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
 * Answers a read of a resource: 304 and nothing else where the client has that state already (If-None-Match), 412 where it wants another
 * one (If-Match), as Google's APIs with etags do (https://google.aip.dev/154).
 */
export function sendResource(
  request: FastifyRequest,
  reply: FastifyReply,
  etag: string,
  resource: () => JsonObject | Promise<JsonObject>,
): FastifyReply | JsonObject | Promise<JsonObject> {
  checkIfMatch(request, etag);
  reply.header("ETag", `"${etag}"`);
  const known = request.headers["if-none-match"];
  if (known !== undefined && matches(known, etag)) return reply.code(304).send();
  return resource();
}

/** Whether a list of etags in a header has this one; clients send it with quotes and without. */
function matches(header: string, etag: string): boolean {
  if (header.trim() === "*") return true;
  return header.split(",").some((tag) => tag.trim().replace(/^(?:W\/)?"(.*)"$/, "$1") === etag);
}
