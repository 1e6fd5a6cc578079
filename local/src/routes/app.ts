import { createGunzip } from "node:zlib";
import Fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { BigQueryError } from "../errors.ts";
import { errorEnvelope, toEnvelope } from "./error-envelope.ts";
import { addConditionalReads } from "./etag.ts";
import { checkHeaders, type GuardOptions } from "./guard.ts";
import { parseJsonBody } from "./json-body.ts";
import { methodOf } from "./method-override.ts";
import { addPartialResponses } from "./partial-response.ts";

/** BigQuery takes requests of at most 10 MB (https://cloud.google.com/bigquery/quotas#streaming_inserts); uploads have their own limit. */
const MAX_JSON_BYTES = 10 * 1024 * 1024;

/** How the HTTP side behaves, whatever resources it serves. */
export interface AppOptions {
  readonly guard: GuardOptions;
  /** Told of every defect (an error that is not the client's); never part of an answer. */
  readonly onDefect: (error: unknown, what: string) => void;
  /** Adds hooks that all routes shall have. */
  readonly prepare?: (app: FastifyInstance) => void;
}

/**
 * A Fastify instance with what all routes share: guard, JSON bodies (gzip too), errors in BigQuery's shape. `register` adds the
 * resources; it is called once for each prefix that clients use: `/bigquery/v2`, and none (with BIGQUERY_EMULATOR_HOST).
 */
export async function buildApp(
  options: AppOptions,
  register: (app: FastifyInstance, prefix: string) => void | Promise<void>,
): Promise<FastifyInstance> {
  const app = Fastify({
    bodyLimit: MAX_JSON_BYTES,
    forceCloseConnections: true,
    // Proxies keep connections open longer than Node's default 5 s; a client that reuses one just closed sees a reset.
    keepAliveTimeout: 75_000,
    requestTimeout: 0,
    // The one place before a route is found, which goes by the method.
    rewriteUrl: (request) => {
      request.method = methodOf(request);
      return request.url ?? "/";
    },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 2048, ignoreDuplicateSlashes: true },
    frameworkErrors: (error, _request, reply) => {
      const plain: FastifyReply = reply as FastifyReply;
      void plain.code(400).send(errorEnvelope(400, "parseError", `Parse Error: ${error.code}`));
    },
    clientErrorHandler: (_error, socket) => {
      if (socket.writable) socket.end(plainBadRequest());
    },
  });

  app.addHook("onRequest", async (request) => {
    checkHeaders(request.headers, options.guard);
  });

  options.prepare?.(app);
  addConditionalReads(app);
  addPartialResponses(app);

  app.addHook("preParsing", async (request, _reply, payload) => {
    const encoding = request.headers["content-encoding"]?.toLowerCase();
    if (encoding === undefined || encoding === "identity") return payload;
    if (encoding !== "gzip") {
      throw new BigQueryError("invalid", `Content-Encoding "${encoding}" is not supported; gzip is.`);
    }
    const gunzip = createGunzip();
    let received = 0;
    payload.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    payload.on("error", (error) => gunzip.destroy(error));
    payload.pipe(gunzip);
    return Object.defineProperty(gunzip, "receivedEncodedLength", { get: () => received });
  });

  app.removeAllContentTypeParsers();
  // Clients send JSON under several content types, and DELETE or GET with one but no body.
  app.addContentTypeParser("*", { parseAs: "buffer" }, async (_request: unknown, body: Buffer) =>
    parseJsonBody(body),
  );

  app.setErrorHandler((error, request, reply) => {
    const envelope = toEnvelope(error);
    if (envelope.error.code >= 500 && !(error instanceof BigQueryError)) {
      options.onDefect(error, `${request.method} ${request.url}`);
    }
    return reply.code(envelope.error.code).send(envelope);
  });
  app.setNotFoundHandler((request, reply) => {
    const message = `Not found: ${request.method} ${request.url.split("?")[0]}`;
    return reply.code(404).send(errorEnvelope(404, "notFound", message));
  });

  for (const prefix of ["/bigquery/v2", ""]) {
    await app.register(async (scope) => register(scope, prefix), { prefix });
  }
  return app;
}

function plainBadRequest(): string {
  const body = JSON.stringify(errorEnvelope(400, "badRequest", "Bad Request"));
  return `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
}
