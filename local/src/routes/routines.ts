import type { FastifyInstance } from "fastify";
import { BigQueryError } from "../errors.ts";
import type { JsonObject } from "../jobs/json.ts";
import type { RoutineEntry } from "../storage/entries.ts";
import { checkRoutineId } from "../storage/names.ts";
import { needDataset } from "./datasets.ts";
import { checkIfMatch, etagOf } from "./etag.ts";
import type { DatasetParams } from "./names.ts";
import { pageOf } from "./paging.ts";
import { type RawQuery, readBody, textParam, uintParam } from "./request.ts";
import { createStatement, type RoutineBody, routineBody } from "./routine-definition.ts";
import type { Services } from "./services.ts";

const ROUTINES = "/projects/:projectId/datasets/:datasetId/routines";
const MODELS = "/projects/:projectId/datasets/:datasetId/models";

interface RoutineParams extends DatasetParams {
  readonly routineId: string;
}

/**
 * Functions in SQL and JavaScript are made here as by SQL; procedures by SQL alone (https://cloud.google.com/bigquery/docs/reference/rest/v2/routines).
 * There are no models, which clients may ask for all the same.
 */
export function routineRoutes(app: FastifyInstance, services: Services): void {
  const { catalog } = services.storage;

  app.get<{ Params: DatasetParams; Querystring: RawQuery }>(ROUTINES, (request) => {
    const { projectId, datasetId } = request.params;
    needDataset(services, request.params);
    const { page, nextPageToken } = pageOf(
      catalog.listRoutines(projectId, datasetId),
      `routines ${projectId} ${datasetId}`,
      textParam(request.query, "pageToken"),
      uintParam(request.query, "maxResults"),
    );
    return {
      ...(page.length === 0 ? {} : { routines: page.map(routineResource) }),
      ...(nextPageToken === undefined ? {} : { nextPageToken }),
    };
  });

  app.get<{ Params: RoutineParams }>(`${ROUTINES}/:routineId`, (request) => {
    return routineResource(needRoutine(services, request.params));
  });

  app.delete<{ Params: RoutineParams }>(`${ROUTINES}/:routineId`, async (request, reply) => {
    const { projectId, datasetId, routineId } = request.params;
    await catalog.change(async (change) => {
      checkIfMatch(request, routineEtag(needRoutine(services, request.params)));
      change.removeRoutine(projectId, datasetId, routineId);
    });
    return reply.code(204).send();
  });

  app.post<{ Params: DatasetParams }>(ROUTINES, async (request) => {
    needDataset(services, request.params);
    const body = readBody(routineBody, request.body);
    const routineId = body.routineReference?.routineId;
    if (routineId === undefined) {
      throw new BigQueryError(
        "required",
        "Required parameter is missing: routineReference",
        "routineReference",
      );
    }
    return routineResource(await define(services, { ...request.params, routineId }, body, false));
  });

  // One after the other: what one has seen unchanged, another may be about to replace.
  let updates: Promise<unknown> = Promise.resolve();
  app.put<{ Params: RoutineParams }>(`${ROUTINES}/:routineId`, async (request) => {
    const body = readBody(routineBody, request.body);
    const update = updates.then(() => {
      checkIfMatch(request, routineEtag(needRoutine(services, request.params)));
      return define(services, request.params, body, true);
    });
    updates = update.catch(() => undefined);
    return routineResource(await update);
  });

  app.get<{ Params: DatasetParams }>(MODELS, (request) => {
    needDataset(services, request.params);
    return {};
  });

  app.get<{ Params: DatasetParams & { modelId: string } }>(`${MODELS}/:modelId`, (request) => {
    needDataset(services, request.params);
    const { projectId, datasetId, modelId } = request.params;
    throw new BigQueryError("notFound", `Not found: Model ${projectId}:${datasetId}.${modelId}`);
  });
}

/** Makes the routine by the statement that says the same, and keeps what the client wrote. */
async function define(
  services: Services,
  params: RoutineParams,
  body: RoutineBody,
  replace: boolean,
): Promise<RoutineEntry> {
  const { projectId, datasetId, routineId } = params;
  const path = [projectId, datasetId, checkRoutineId(routineId)];
  await services.runner.define(createStatement(path, body, replace), projectId);
  return services.storage.catalog.change(async (change) => {
    const entry = change.getRoutine(projectId, datasetId, routineId) ?? needRoutine(services, params);
    const { definitionBody, returnTableType, returnType } = body;
    const kept = {
      ...entry.kept,
      ...(body.arguments == null ? {} : { arguments: body.arguments }),
      ...(returnType == null ? {} : { returnType }),
      ...(returnTableType == null ? {} : { returnTableType }),
      definitionBody,
    };
    const defined = { ...entry, description: body.description ?? undefined, kept };
    change.putRoutine(defined);
    return defined;
  });
}

function needRoutine(services: Services, params: RoutineParams): RoutineEntry {
  const { projectId, datasetId, routineId } = params;
  const entry = services.storage.catalog.getRoutine(projectId, datasetId, routineId);
  if (entry !== undefined) return entry;
  needDataset(services, params);
  throw new BigQueryError("notFound", `Not found: Routine ${projectId}:${datasetId}.${routineId}`);
}

function routineEtag(entry: RoutineEntry): string {
  return etagOf(
    entry.projectId,
    entry.datasetId,
    entry.routineId,
    entry.version,
    entry.description,
    entry.kept,
  );
}

function routineResource(entry: RoutineEntry): JsonObject {
  const { projectId, datasetId, routineId } = entry;
  return {
    etag: routineEtag(entry),
    routineReference: { projectId, datasetId, routineId },
    routineType: entry.routineType,
    creationTime: String(entry.creationTime),
    lastModifiedTime: String(entry.lastModifiedTime),
    language: "SQL",
    ...(entry.description === undefined ? {} : { description: entry.description }),
    ...(entry.text === undefined ? {} : { ddl: entry.text }),
    ...entry.kept,
  };
}
