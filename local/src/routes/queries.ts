import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyReply } from "fastify";
import { z } from "zod";
import { BigQueryError } from "../errors.ts";
import { type JobBody, jobSchema } from "../jobs/configuration.ts";
import type { Job } from "../jobs/job.ts";
import { type JsonObject, objectAt } from "../jobs/json.ts";
import { newJobId } from "../jobs/registry.ts";
import { checkProjectId } from "../storage/names.ts";
import { parseRestFormat, type RestFormat } from "../storage/rest-values.ts";
import type { ProjectParams } from "./names.ts";
import { pageToken, readPageToken } from "./paging.ts";
import { boolParam, notSupported, type RawQuery, readBody, textParam, uintParam } from "./request.ts";
import { readRows, sendWithRows } from "./rows.ts";
import type { Services } from "./services.ts";

/** How long an answer waits for a job unless the client says (https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query). */
const DEFAULT_WAIT_MS = 10_000;
const MAX_WAIT_MS = 200_000;
/** A requestId is good for so long. */
const REQUEST_ID_MS = 15 * 60 * 1000;
const MAX_REQUEST_IDS = 5_000;

const querySchema = z.looseObject({
  query: z.string({ error: "Required parameter is missing: query" }),
  dryRun: z.boolean().nullish(),
  timeoutMs: z.int().min(0).nullish(),
  jobTimeoutMs: z.union([z.int().min(0), z.string()]).nullish(),
  maxResults: z.int().min(0).nullish(),
  location: z.string().nullish(),
  requestId: z.string().max(128).nullish(),
  labels: z.record(z.string(), z.string()).nullish(),
  formatOptions: z.looseObject({}).nullish(),
  queryResultsFormat: z.string().nullish(),
});
type QueryBody = z.infer<typeof querySchema>;

/** Members of a jobs.query body that are not of its `configuration.query`. */
const NOT_CONFIGURATION = new Set([
  "kind",
  "dryRun",
  "timeoutMs",
  "jobTimeoutMs",
  "maxResults",
  "location",
  "requestId",
  "labels",
  "formatOptions",
  "queryResultsFormat",
  "arrowSerializationOptions",
  "jobCreationMode",
  "reservation",
]);

/** jobs.query and jobs.getQueryResults (https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query). */
export function queryRoutes(app: FastifyInstance, services: Services): void {
  const requests = new RequestIds();

  app.post<{ Params: ProjectParams }>("/projects/:projectId/queries", async (request, reply) => {
    const projectId = checkProjectId(request.params.projectId);
    const body = readBody(querySchema, request.body);
    const format = parseRestFormat(body.formatOptions ?? {});
    checkResultsFormat(body.queryResultsFormat);
    if (body.dryRun) return reply.send(await dryRunAnswer(services, projectId, body));
    const job = await requests.once(projectId, body, () => services.runner.insert(projectId, jobBody(body)));
    await job.wait(waitingTime(body.timeoutMs ?? undefined, job));
    const page = { start: 0, maxResults: body.maxResults ?? undefined };
    return sendResults(reply, "bigquery#queryResponse", job, page, format);
  });

  app.get<{ Params: ProjectParams & { jobId: string }; Querystring: RawQuery }>(
    "/projects/:projectId/queries/:jobId",
    async (request, reply) => {
      const { projectId, jobId } = request.params;
      const { query } = request;
      const job = services.jobs.get(projectId, jobId, textParam(query, "location"));
      if (job.configuration.jobType !== "QUERY") {
        throw new BigQueryError("invalid", `Job ${job.fullName} is not a query job.`);
      }
      const format = parseRestFormat({
        useInt64Timestamp: boolParam(query, "formatOptions.useInt64Timestamp"),
        timestampOutputFormat: textParam(query, "formatOptions.timestampOutputFormat"),
      });
      const token = textParam(query, "pageToken");
      const start =
        token === undefined ? (uintParam(query, "startIndex") ?? 0) : readPageToken(tokenScope(job), token);
      await job.wait(waitingTime(uintParam(query, "timeoutMs"), job));
      const page = { start, maxResults: uintParam(query, "maxResults") };
      return sendResults(reply, "bigquery#getQueryResultsResponse", job, page, format);
    },
  );
}

/** Rows in Arrow's format would need its encoder; a client that asked for them cannot read JSON. */
function checkResultsFormat(format: string | null | undefined): void {
  if (format == null || format === "STRUCT_ENCODING" || format === "QUERY_RESULTS_FORMAT_UNSPECIFIED") return;
  throw notSupported(`queryResultsFormat ${format.slice(0, 100)}`, "queryResultsFormat");
}

function waitingTime(asked: number | undefined, job: Job): number {
  // A client that says 0 only looks; BigQuery's jobs.query lets quick queries finish all the same.
  return job.isDone() ? 0 : Math.min(asked ?? DEFAULT_WAIT_MS, MAX_WAIT_MS);
}

function tokenScope(job: Job): string {
  return `rows ${job.fullName}`;
}

async function sendResults(
  reply: FastifyReply,
  kind: string,
  job: Job,
  page: { start: number; maxResults: number | undefined },
  format: RestFormat,
): Promise<FastifyReply> {
  const { projectId, jobId, location } = job;
  const head = { kind, jobReference: { projectId, jobId, location } };
  if (!job.isDone()) return reply.send({ ...head, jobComplete: false });
  if (job.error !== undefined) throw job.error;
  const outcome = job.outcome;
  const statistics = objectAt(outcome?.statistics, "query");
  const answer: JsonObject = {
    ...head,
    jobComplete: true,
    cacheHit: false,
    totalBytesProcessed: statistics?.totalBytesProcessed ?? "0",
    ...(kind === "bigquery#queryResponse" && outcome?.statistics.sessionInfo !== undefined
      ? { sessionInfo: outcome.statistics.sessionInfo }
      : {}),
    ...(statistics?.numDmlAffectedRows === undefined
      ? {}
      : { numDmlAffectedRows: statistics.numDmlAffectedRows, dmlStats: statistics.dmlStats }),
    ...(kind === "bigquery#queryResponse" ? timesOf(job) : {}),
  };
  const rows = outcome?.rows;
  if (rows === undefined) {
    if (outcome?.rowsGone) throw expired(job);
    return reply.send(answer);
  }
  const text = await readRows(rows, page.start, page.maxResults, format);
  const end = page.start + text.count;
  return sendWithRows(
    reply,
    {
      ...answer,
      schema: { fields: rows.schema },
      totalRows: String(rows.totalRows),
      ...(end < rows.totalRows ? { pageToken: pageToken(tokenScope(job), end) } : {}),
    },
    text,
  );
}

function timesOf(job: Job): JsonObject {
  return {
    creationTime: String(job.creationTime),
    startTime: String(job.startTime ?? job.creationTime),
    endTime: String(job.endTime ?? job.creationTime),
    queryId: job.jobId,
  };
}

/** Only the newest jobs' rows are kept; BigQuery's are gone after a day. */
function expired(job: Job): BigQueryError {
  return new BigQueryError("notFound", `Not found: the results of job ${job.fullName} have expired.`);
}

async function dryRunAnswer(services: Services, projectId: string, body: QueryBody): Promise<JsonObject> {
  const { outcome, location } = await services.runner.dryRun(projectId, jobBody(body));
  return {
    kind: "bigquery#queryResponse",
    jobReference: { projectId, location },
    ...(outcome.schema === undefined ? {} : { schema: { fields: outcome.schema } }),
    totalBytesProcessed: outcome.statistics.totalBytesProcessed,
    jobComplete: true,
    cacheHit: false,
  };
}

/** The body of jobs.insert that does the same. */
function jobBody(body: QueryBody): JobBody {
  const query = Object.fromEntries(Object.entries(body).filter(([member]) => !NOT_CONFIGURATION.has(member)));
  return readBody(jobSchema, {
    jobReference: { jobId: newJobId(), location: body.location },
    configuration: {
      query,
      ...(body.labels == null ? {} : { labels: body.labels }),
      ...(body.jobTimeoutMs == null ? {} : { jobTimeoutMs: body.jobTimeoutMs }),
    },
  });
}

/** A client that got no answer sends its request again under the same id; the query must not run again. */
class RequestIds {
  readonly #jobs = new Map<string, { job: Promise<Job>; expires: number }>();

  /** The job that an earlier request of this id and content started, or the one that is started now. */
  once(projectId: string, body: QueryBody, start: () => Promise<Job>): Promise<Job> {
    if (!body.requestId) return start();
    const key = keyOf(projectId, body);
    const now = Date.now();
    const known = this.#jobs.get(key);
    if (known !== undefined && known.expires > now) return known.job;
    for (const [old, { expires }] of this.#jobs) {
      if (expires > now && this.#jobs.size < MAX_REQUEST_IDS) break;
      this.#jobs.delete(old);
    }
    const job = start();
    this.#jobs.set(key, { job, expires: now + REQUEST_ID_MS });
    // A request that was refused has started nothing.
    job.catch(() => this.#jobs.delete(key));
    return job;
  }
}

function keyOf(projectId: string, body: QueryBody): string {
  const { timeoutMs: _timeout, ...content } = body;
  return createHash("sha256")
    .update(JSON.stringify([projectId, content]))
    .digest("base64");
}
