import type { FastifyInstance } from "fastify";
import { BigQueryError } from "../errors.ts";
import type { DatasetEntry } from "../storage/entries.ts";
import { checkDatasetId, checkProjectId } from "../storage/names.ts";
import { dropTable } from "../storage/tables.ts";
import {
  changedDataset,
  datasetBody,
  datasetEtag,
  datasetListItem,
  datasetResource,
  newDataset,
} from "./dataset-resource.ts";
import { checkIfMatch, etagOf } from "./etag.ts";
import type { DatasetParams, ProjectParams } from "./names.ts";
import { pageOf } from "./paging.ts";
import {
  boolParam,
  listParam,
  notSupported,
  type RawQuery,
  readBody,
  textParam,
  uintParam,
} from "./request.ts";
import { baseUrl, type Services } from "./services.ts";

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets */
export function datasetRoutes(app: FastifyInstance, services: Services): void {
  const { catalog } = services.storage;

  app.get<{ Params: ProjectParams; Querystring: RawQuery }>("/projects/:projectId/datasets", (request) => {
    const projectId = checkProjectId(request.params.projectId);
    const filter = labelFilter(textParam(request.query, "filter"));
    const all = boolParam(request.query, "all");
    const datasets = catalog
      .listDatasets(projectId)
      .filter((entry) => all || !entry.datasetId.startsWith("_"))
      .filter(filter);
    const { page, nextPageToken } = pageOf(
      datasets,
      `datasets ${projectId}`,
      textParam(request.query, "pageToken"),
      uintParam(request.query, "maxResults"),
    );
    return {
      kind: "bigquery#datasetList",
      etag: etagOf(page.map(datasetEtag)),
      ...(page.length === 0 ? {} : { datasets: page.map(datasetListItem) }),
      ...(nextPageToken === undefined ? {} : { nextPageToken }),
    };
  });

  app.post<{ Params: ProjectParams; Querystring: RawQuery }>(
    "/projects/:projectId/datasets",
    async (request) => {
      const projectId = checkProjectId(request.params.projectId);
      const body = readBody(datasetBody, request.body);
      if (body.datasetReference == null) {
        throw new BigQueryError(
          "required",
          "Required parameter is missing: datasetReference",
          "datasetReference",
        );
      }
      const datasetId = checkDatasetId(body.datasetReference.datasetId);
      if ((body.datasetReference.projectId ?? projectId) !== projectId) {
        throw new BigQueryError(
          "invalid",
          "The dataset's project differs from the request's.",
          "datasetReference",
        );
      }
      const entry = await catalog.change(async (change) => {
        if (change.getDataset(projectId, datasetId) !== undefined) {
          throw new BigQueryError("duplicate", `Already Exists: Dataset ${projectId}:${datasetId}`);
        }
        const created = newDataset({ projectId, datasetId }, body, {
          location: catalog.location,
          now: catalog.now(),
        });
        change.putDataset(created);
        return created;
      });
      return datasetResource(entry, baseUrl(request));
    },
  );

  app.get<{ Params: DatasetParams }>("/projects/:projectId/datasets/:datasetId", (request) => {
    return datasetResource(needDataset(services, request.params), baseUrl(request));
  });

  for (const [method, how] of [
    ["PATCH", "patch"],
    ["PUT", "update"],
  ] as const) {
    app.route<{ Params: DatasetParams }>({
      method,
      url: "/projects/:projectId/datasets/:datasetId",
      handler: async (request) => {
        const body = readBody(datasetBody, request.body);
        const { projectId, datasetId } = request.params;
        const entry = await catalog.change(async (change) => {
          const before = change.needDataset(projectId, datasetId);
          checkIfMatch(request, datasetEtag(before));
          const after = changedDataset(before, body, how, catalog.now());
          change.putDataset(after);
          return after;
        });
        return datasetResource(entry, baseUrl(request));
      },
    });
  }

  app.delete<{ Params: DatasetParams; Querystring: RawQuery }>(
    "/projects/:projectId/datasets/:datasetId",
    async (request, reply) => {
      const { projectId, datasetId } = request.params;
      const deleteContents = boolParam(request.query, "deleteContents");
      await catalog.change(async (change) => {
        checkIfMatch(request, datasetEtag(change.needDataset(projectId, datasetId)));
        const tables = change.listTables(projectId, datasetId);
        const routines = change.listRoutines(projectId, datasetId);
        if (!deleteContents && tables.length + routines.length > 0) {
          throw new BigQueryError("resourceInUse", `Dataset ${projectId}:${datasetId} is still in use`);
        }
        for (const table of tables) await dropTable(change, table);
        for (const routine of routines) change.removeRoutine(projectId, datasetId, routine.routineId);
        change.removeDataset(projectId, datasetId);
      });
      return reply.code(204).send();
    },
  );

  app.post<{ Params: { call: string } }>("/projects/:projectId/datasets/:call", (request, reply) => {
    if (!request.params.call.endsWith(":undelete")) return reply.callNotFound();
    throw notSupported("undelete of a dataset");
  });
}

/** The dataset a path names. */
export function needDataset(services: Services, params: DatasetParams): DatasetEntry {
  const entry = services.storage.catalog.getDataset(params.projectId, params.datasetId);
  if (entry === undefined) {
    throw new BigQueryError("notFound", `Not found: Dataset ${params.projectId}:${params.datasetId}`);
  }
  return entry;
}

/** `labels.key`, `labels.key:value`, several of them with spaces: all must hold. */
function labelFilter(text: string | undefined): (entry: DatasetEntry) => boolean {
  const wanted = listParam({ text: text?.replaceAll(/\s+/g, ",") }, "text").map((term) => {
    const match = /^labels\.([^:]+)(?::(.*))?$/.exec(term);
    if (match?.[1] === undefined) {
      throw new BigQueryError("invalid", `Invalid filter: "${term}" is not labels.KEY:VALUE`, "filter");
    }
    return { key: match[1], value: match[2] };
  });
  return (entry) =>
    wanted.every(({ key, value }) => {
      const label = entry.labels?.[key];
      return label !== undefined && (value === undefined || value === "*" || label === value);
    });
}
