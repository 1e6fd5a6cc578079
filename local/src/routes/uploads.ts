import { randomUUID } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { BigQueryError } from "../errors.ts";
import { type JobBody, jobSchema } from "../jobs/configuration.ts";
import type { JsonObject } from "../jobs/json.ts";
import type { SpoolFile } from "../jobs/spool.ts";
import { checkProjectId } from "../storage/names.ts";
import { insertJob } from "./jobs.ts";
import { parseJsonBody } from "./json-body.ts";
import { boundaryOf, readMultipart } from "./multipart.ts";
import type { ProjectParams } from "./names.ts";
import { type RawQuery, readBody, textParam } from "./request.ts";
import { baseUrl, type Services } from "./services.ts";

const MAX_METADATA_BYTES = 1024 * 1024;
/** A resumable upload that nobody goes on with; Google's live for a week. */
const SESSION_MS = 24 * 60 * 60 * 1000;
const MAX_SESSIONS = 10_000;

interface UploadSession {
  readonly projectId: string;
  readonly body: JobBody;
  readonly file: SpoolFile;
  readonly created: number;
  /** The answer, once all data is there; a client that missed it may ask again. */
  answer?: JsonObject;
  busy: boolean;
}

type UploadRequest = FastifyRequest<{ Params: ProjectParams; Querystring: RawQuery }>;

/** Uploads of data for load jobs (https://cloud.google.com/bigquery/docs/reference/api-uploads). */
export function uploadRoutes(app: FastifyInstance, services: Services): void {
  const sessions = new Sessions();
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // Data goes to disk as it comes; its limit is the spool's.
    scope.addContentTypeParser("*", (_request, payload, done) => done(null, payload));

    for (const root of [
      "/upload/bigquery/v2",
      "/resumable/upload/bigquery/v2",
      "/upload",
      "/resumable/upload",
    ]) {
      const url = `${root}/projects/:projectId/jobs`;
      scope.post<{ Params: ProjectParams; Querystring: RawQuery }>(url, async (request, reply) => {
        checkProjectId(request.params.projectId);
        const isResumable = root.startsWith("/resumable");
        const type = textParam(request.query, "uploadType") ?? (isResumable ? "resumable" : "multipart");
        if (textParam(request.query, "upload_id") !== undefined) {
          return receive(services, sessions, request, reply);
        }
        if (type === "multipart") return multipartUpload(services, request);
        if (type === "resumable") return startSession(services, sessions, request, reply, url);
        throw new BigQueryError(
          "invalid",
          `Invalid uploadType "${type}": use multipart or resumable.`,
          "uploadType",
        );
      });
      scope.put<{ Params: ProjectParams; Querystring: RawQuery }>(url, (request, reply) =>
        receive(services, sessions, request, reply),
      );
      scope.delete<{ Params: ProjectParams; Querystring: RawQuery }>(url, async (request, reply) => {
        await sessions.remove(sessions.need(request));
        return reply.code(499).send();
      });
    }
  });
}

async function multipartUpload(services: Services, request: UploadRequest): Promise<JsonObject> {
  const boundary = boundaryOf(request.headers["content-type"]);
  const file = services.spool.create();
  try {
    let metadata: string | undefined;
    await readMultipart(bodyOf(request), boundary, {
      metadata: (text) => {
        metadata = text;
      },
      data: (chunk) => file.append(chunk),
    });
    const body = readBody(jobSchema, parseJsonBody(Buffer.from(metadata ?? "")));
    return await insertJob(services, request.params.projectId, body, baseUrl(request), file);
  } catch (error) {
    await file.remove();
    throw error;
  }
}

async function startSession(
  services: Services,
  sessions: Sessions,
  request: UploadRequest,
  reply: FastifyReply,
  url: string,
): Promise<FastifyReply> {
  const { projectId } = request.params;
  const body = readBody(jobSchema, parseJsonBody(await readAll(bodyOf(request))));
  if (body.configuration.load == null) {
    throw new BigQueryError("invalid", "An upload needs configuration.load.", "configuration");
  }
  const declared = Number(request.headers["x-upload-content-length"] ?? 0);
  if (declared > services.spool.maxBytes) {
    throw new BigQueryError("uploadTooLarge", "The upload exceeds the limit of the local BigQuery endpoint.");
  }
  const id = await sessions.add({
    projectId,
    body,
    file: services.spool.create(),
    created: Date.now(),
    busy: false,
  });
  const path = url.replace(":projectId", encodeURIComponent(projectId));
  return reply
    .header("Location", `${baseUrl(request)}${path}?uploadType=resumable&upload_id=${id}`)
    .header("X-GUploader-UploadID", id)
    .code(200)
    .send();
}

/** One piece of a resumable upload, or the question how much has arrived. */
async function receive(
  services: Services,
  sessions: Sessions,
  request: UploadRequest,
  reply: FastifyReply,
): Promise<FastifyReply | JsonObject> {
  const session = sessions.need(request);
  if (session.answer !== undefined) return session.answer;
  if (session.busy) throw new BigQueryError("invalid", "Another request is sending data of this upload.");
  session.busy = true;
  try {
    const range = readRange(request.headers["content-range"]);
    const { file } = session;
    if (range.start !== undefined) {
      if (range.start > file.bytes) {
        throw new BigQueryError("invalid", `Invalid Content-Range: ${file.bytes} bytes have arrived so far.`);
      }
      await file.appendAll(skip(bodyOf(request), file.bytes - range.start));
    }
    if (range.total !== undefined && file.bytes > range.total) {
      await sessions.remove(session);
      throw new BigQueryError(
        "invalid",
        `More than the ${range.total} bytes that were announced have arrived.`,
      );
    }
    const isComplete = range.total === undefined ? range.isWhole : file.bytes >= range.total;
    if (!isComplete) {
      if (file.bytes > 0) reply.header("Range", `bytes=0-${file.bytes - 1}`);
      // The Go client asks for no 308, which is a redirect to everybody else, and looks at the other header alone.
      const code = request.headers["x-guploader-no-308"] === "yes" ? 200 : 308;
      return reply.header("X-HTTP-Status-Code-Override", "308").code(code).send();
    }
    session.answer = await insertJob(services, session.projectId, session.body, baseUrl(request), file);
    return session.answer;
  } finally {
    session.busy = false;
  }
}

interface ContentRange {
  /** Absent where the client only asks. */
  readonly start: number | undefined;
  /** Absent while the client does not know it. */
  readonly total: number | undefined;
  /** The body is all there is, and nothing says how much that is. */
  readonly isWhole: boolean;
}

/** A body without Content-Range is the whole upload. */
function readRange(header: string | undefined): ContentRange {
  if (header === undefined) return { start: 0, total: undefined, isWhole: true };
  const match = /^bytes\s+(?:\*|(\d+)-(\d+))\/(\d+|\*)$/.exec(header);
  if (match === null) throw new BigQueryError("invalid", `Invalid Content-Range: ${header.slice(0, 100)}`);
  const start = match[1] === undefined ? undefined : Number(match[1]);
  const total = match[3] === "*" ? undefined : Number(match[3]);
  const end = Number(match[2] ?? -1);
  if (end < (start ?? -1) || (total !== undefined && end >= total)) {
    throw new BigQueryError("invalid", `Invalid Content-Range: ${header.slice(0, 100)}`);
  }
  return { start, total, isWhole: false };
}

/** A client that lost an answer sends bytes again that are there already. */
async function* skip(source: AsyncIterable<Buffer>, count: number): AsyncGenerator<Buffer> {
  let left = count;
  for await (const chunk of source) {
    if (left < chunk.length) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

function bodyOf(request: UploadRequest): AsyncIterable<Buffer> {
  // Without a body Fastify calls no parser.
  return (request.body ?? request.raw) as AsyncIterable<Buffer>;
}

async function readAll(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > MAX_METADATA_BYTES)
      throw new BigQueryError("uploadTooLarge", "The job's metadata is too long.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

class Sessions {
  readonly #sessions = new Map<string, UploadSession>();

  async add(session: UploadSession): Promise<string> {
    for (const [id, old] of this.#sessions) {
      if (old.created + SESSION_MS > Date.now() && this.#sessions.size < MAX_SESSIONS) break;
      this.#sessions.delete(id);
      if (old.answer === undefined) await old.file.remove();
    }
    const id = randomUUID();
    this.#sessions.set(id, session);
    return id;
  }

  need(request: UploadRequest): UploadSession {
    const session = this.#sessions.get(textParam(request.query, "upload_id") ?? "");
    if (session === undefined || session.projectId !== request.params.projectId) {
      throw new BigQueryError("notFound", "Not found: this upload is unknown or has expired.", "upload_id");
    }
    return session;
  }

  async remove(session: UploadSession): Promise<void> {
    for (const [id, known] of this.#sessions) if (known === session) this.#sessions.delete(id);
    if (session.answer === undefined) await session.file.remove();
  }
}
