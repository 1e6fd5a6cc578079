import type { FastifyError } from "fastify";
import { BigQueryError } from "../errors.ts";

/** The body of every answer that is not 2xx (https://cloud.google.com/bigquery/docs/error-messages). */
export interface ErrorEnvelope {
  error: {
    code: number;
    message: string;
    errors: { message: string; domain: "global"; reason: string; location?: string; locationType?: string }[];
    status: string;
  };
}

const CANONICAL: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  405: "INVALID_ARGUMENT",
  409: "ALREADY_EXISTS",
  412: "FAILED_PRECONDITION",
  413: "INVALID_ARGUMENT",
  429: "RESOURCE_EXHAUSTED",
  499: "CANCELLED",
  500: "INTERNAL",
  503: "UNAVAILABLE",
};

/** Wraps a status, reason and message as Google's APIs do. */
export function errorEnvelope(
  code: number,
  reason: string,
  message: string,
  location?: string,
): ErrorEnvelope {
  return {
    error: {
      code,
      message,
      errors: [{ message, domain: "global", reason, ...whereInRequest(location) }],
      status: CANONICAL[code] ?? "UNKNOWN",
    },
  };
}

/** jobs.query answers name the parameter `q` where a job's own error says `query`. */
function whereInRequest(location: string | undefined): { location?: string; locationType?: string } {
  if (location === undefined) return {};
  return { location: location === "query" ? "q" : location, locationType: "parameter" };
}

/**
 * What a client is told of anything thrown while its request was served. A message reaches the client only where this endpoint
 * or Fastify's own request checks wrote it: anything else may hold a path or a stack.
 */
export function toEnvelope(thrown: unknown): ErrorEnvelope {
  if (thrown instanceof BigQueryError) {
    const envelope = errorEnvelope(thrown.status, thrown.reason, thrown.message, thrown.location);
    for (const detail of thrown.details) {
      envelope.error.errors.push({
        message: detail.message,
        domain: "global",
        reason: detail.reason,
        ...whereInRequest(detail.location),
      });
    }
    return envelope;
  }
  const status = isFastifyError(thrown) ? (thrown.statusCode ?? 500) : 500;
  if (status === 413) {
    return errorEnvelope(413, "uploadTooLarge", "Request payload size exceeds the limit.");
  }
  if (isFastifyError(thrown) && status >= 400 && status < 500) {
    return errorEnvelope(status === 415 ? 400 : status, "parseError", `Parse Error: ${thrown.message}`);
  }
  if (isBrokenBody(thrown)) return errorEnvelope(400, "parseError", "Parse Error: the body cannot be read.");
  return errorEnvelope(
    500,
    "internalError",
    "The local BigQuery endpoint failed on this request; its own log says why.",
  );
}

/** Bytes that are no gzip, or a client that went away while it was sending. */
function isBrokenBody(thrown: unknown): boolean {
  if (!(thrown instanceof Error) || !("code" in thrown) || typeof thrown.code !== "string") return false;
  return /^Z_|^ECONNRESET$|^ERR_STREAM_PREMATURE_CLOSE$|^EPIPE$/.test(thrown.code);
}

function isFastifyError(thrown: unknown): thrown is FastifyError {
  return (
    thrown instanceof Error &&
    "code" in thrown &&
    typeof thrown.code === "string" &&
    thrown.code.startsWith("FST_")
  );
}
