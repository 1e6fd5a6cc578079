import type { FastifyInstance } from "fastify";
import { BigQueryError } from "../errors.ts";
import { type JobBody, jobSchema } from "../jobs/configuration.ts";
import type { Job, JobState } from "../jobs/job.ts";
import type { JsonObject } from "../jobs/json.ts";
import type { SpoolFile } from "../jobs/spool.ts";
import { checkProjectId } from "../storage/names.ts";
import { etagOf } from "./etag.ts";
import type { ProjectParams } from "./names.ts";
import { pageOf } from "./paging.ts";
import { listParam, type RawQuery, readBody, textParam, uintParam } from "./request.ts";
import { baseUrl, type Services } from "./services.ts";

interface JobParams extends ProjectParams {
  readonly jobId: string;
}

const STATES: Readonly<Record<string, JobState>> = { pending: "PENDING", running: "RUNNING", done: "DONE" };

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs */
export function jobRoutes(app: FastifyInstance, services: Services): void {
  const { jobs } = services;

  app.post<{ Params: ProjectParams }>("/projects/:projectId/jobs", async (request) => {
    const projectId = checkProjectId(request.params.projectId);
    return insertJob(services, projectId, readBody(jobSchema, request.body), baseUrl(request));
  });

  app.get<{ Params: ProjectParams; Querystring: RawQuery }>("/projects/:projectId/jobs", (request) => {
    const projectId = checkProjectId(request.params.projectId);
    const { query } = request;
    const states = listParam(query, "stateFilter").map((state) => {
      const known = STATES[state.toLowerCase()];
      if (known === undefined)
        throw new BigQueryError("invalid", `Invalid stateFilter: ${state}`, "stateFilter");
      return known;
    });
    const found = jobs.list(projectId, {
      ...(states.length === 0 ? {} : { states }),
      parentJobId: textParam(query, "parentJobId"),
      minCreationTime: uintParam(query, "minCreationTime"),
      maxCreationTime: uintParam(query, "maxCreationTime"),
    });
    const isFull = textParam(query, "projection")?.toLowerCase() === "full";
    const { page, nextPageToken } = pageOf(
      found,
      `jobs ${projectId}`,
      textParam(query, "pageToken"),
      uintParam(query, "maxResults") ?? 50,
    );
    const items = page.map((job) => listItem(job, isFull, baseUrl(request)));
    return {
      kind: "bigquery#jobList",
      etag: etagOf(items),
      ...(nextPageToken === undefined ? {} : { nextPageToken }),
      ...(items.length === 0 ? {} : { jobs: items }),
    };
  });

  app.get<{ Params: JobParams; Querystring: RawQuery }>("/projects/:projectId/jobs/:jobId", (request) => {
    return findJob(services, request.params, request.query).toResource(baseUrl(request));
  });

  app.post<{ Params: JobParams; Querystring: RawQuery }>(
    "/projects/:projectId/jobs/:jobId/cancel",
    (request) => {
      const job = findJob(services, request.params, request.query);
      if (!job.isDone()) job.controller.abort();
      return { kind: "bigquery#jobCancelResponse", job: job.toResource(baseUrl(request)) };
    },
  );

  app.delete<{ Params: JobParams; Querystring: RawQuery }>(
    "/projects/:projectId/jobs/:jobId/delete",
    async (request, reply) => {
      const job = findJob(services, request.params, request.query);
      if (job.parentJobId !== undefined) {
        throw new BigQueryError("invalid", "Cannot delete a child job; delete its parent job.");
      }
      await jobs.delete(job);
      return reply.code(204).send();
    },
  );
}

/**
 * Whoever has sent a file waits for its job anyway, and clients ask for it every half second or second: most loads are done before, and
 * the answer may as well say so.
 */
const UPLOAD_WAIT_MS = 1000;

/** Starts the job, or answers what a dry run finds. */
export async function insertJob(
  services: Services,
  projectId: string,
  body: JobBody,
  base: string,
  upload?: SpoolFile,
): Promise<JsonObject> {
  if ((body.jobReference?.projectId || projectId) !== projectId) {
    throw new BigQueryError(
      "invalid",
      "The job's project differs from the request's.",
      "jobReference.projectId",
    );
  }
  if (body.configuration.dryRun) {
    const { configuration, location, outcome } = await services.runner.dryRun(projectId, body);
    return {
      kind: "bigquery#job",
      configuration,
      jobReference: { projectId, location },
      statistics: { creationTime: String(Date.now()), ...outcome.statistics },
      status: { state: "DONE" },
    };
  }
  const job = await services.runner.insert(projectId, body, upload);
  if (upload !== undefined) await job.wait(UPLOAD_WAIT_MS);
  return job.toResource(base);
}

function findJob(services: Services, params: JobParams, query: RawQuery): Job {
  return services.jobs.get(params.projectId, params.jobId, textParam(query, "location"));
}

function listItem(job: Job, isFull: boolean, base: string): JsonObject {
  const resource = job.toResource(base);
  const { kind, id, jobReference, statistics, status, user_email } = resource;
  const item = { kind, id, jobReference, state: job.state, statistics, status, user_email };
  return {
    ...item,
    ...(job.error === undefined ? {} : { errorResult: job.error.toProto() }),
    ...(isFull ? { configuration: job.configuration } : {}),
  };
}
