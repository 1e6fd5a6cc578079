import { createHash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { BigQueryError } from "../errors.ts";

/** An etag of what makes a resource what it is. */
export function etagOf(...parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64").slice(0, 22).concat("==");
}

/** Refuses a change that was made from an older state of the resource than the one there is. */
export function checkIfMatch(request: FastifyRequest, etag: string): void {
  const wanted = request.headers["if-match"];
  if (wanted === undefined || wanted === "*") return;
  const tags = wanted.split(",").map((tag) => tag.trim().replace(/^(?:W\/)?"(.*)"$/, "$1"));
  if (!tags.includes(etag)) throw new BigQueryError("conditionNotMet", "Precondition check failed.");
}
