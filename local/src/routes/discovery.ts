import type { FastifyInstance } from "fastify";
import type { JsonObject } from "../jobs/json.ts";
import { baseUrl } from "./services.ts";

/** `body` takes one; `?a b*` are query parameters, those with a star repeat. */
type Method = readonly [http: string, path: string, query?: string, body?: "body"];

const DATASET = "projects/{+projectId}/datasets/{+datasetId}";
const TABLE = `${DATASET}/tables/{+tableId}`;
const FORMATS = "formatOptions.useInt64Timestamp formatOptions.timestampOutputFormat";

/** The methods that this endpoint answers, by resource (https://cloud.google.com/bigquery/docs/reference/rest). */
const RESOURCES: Readonly<Record<string, Readonly<Record<string, Method>>>> = {
  projects: {
    list: ["GET", "projects", "maxResults pageToken"],
    getServiceAccount: ["GET", "projects/{+projectId}/serviceAccount"],
  },
  datasets: {
    list: ["GET", "projects/{+projectId}/datasets", "all filter maxResults pageToken"],
    insert: ["POST", "projects/{+projectId}/datasets", "accessPolicyVersion", "body"],
    get: ["GET", DATASET, "datasetView accessPolicyVersion"],
    patch: ["PATCH", DATASET, "updateMode accessPolicyVersion", "body"],
    update: ["PUT", DATASET, "updateMode accessPolicyVersion", "body"],
    delete: ["DELETE", DATASET, "deleteContents"],
    undelete: ["POST", `${DATASET}:undelete`, "", "body"],
  },
  tables: {
    list: ["GET", `${DATASET}/tables`, "maxResults pageToken"],
    insert: ["POST", `${DATASET}/tables`, "", "body"],
    get: ["GET", TABLE, "selectedFields view"],
    patch: ["PATCH", TABLE, "autodetect_schema", "body"],
    update: ["PUT", TABLE, "autodetect_schema", "body"],
    delete: ["DELETE", TABLE],
  },
  tabledata: {
    list: ["GET", `${TABLE}/data`, `maxResults pageToken selectedFields startIndex ${FORMATS}`],
    insertAll: ["POST", `${TABLE}/insertAll`, "", "body"],
  },
  jobs: {
    list: [
      "GET",
      "projects/{+projectId}/jobs",
      "allUsers maxCreationTime maxResults minCreationTime pageToken parentJobId projection stateFilter*",
    ],
    insert: ["POST", "projects/{+projectId}/jobs", "", "body"],
    get: ["GET", "projects/{+projectId}/jobs/{+jobId}", "location"],
    cancel: ["POST", "projects/{+projectId}/jobs/{+jobId}/cancel", "location"],
    delete: ["DELETE", "projects/{+projectId}/jobs/{+jobId}/delete", "location"],
    query: ["POST", "projects/{+projectId}/queries", "", "body"],
    getQueryResults: [
      "GET",
      "projects/{+projectId}/queries/{+jobId}",
      `location maxResults pageToken startIndex timeoutMs ${FORMATS}`,
    ],
  },
  routines: {
    list: ["GET", `${DATASET}/routines`, "filter maxResults pageToken readMask"],
    get: ["GET", `${DATASET}/routines/{+routineId}`, "readMask"],
    insert: ["POST", `${DATASET}/routines`, "", "body"],
    update: ["PUT", `${DATASET}/routines/{+routineId}`, "", "body"],
    delete: ["DELETE", `${DATASET}/routines/{+routineId}`],
  },
  models: {
    list: ["GET", `${DATASET}/models`, "maxResults pageToken"],
    get: ["GET", `${DATASET}/models/{+modelId}`],
  },
};

const WHOLE_NUMBERS = new Set(["maxResults", "timeoutMs"]);

/** The discovery document, from which `bq` and Google's generic clients learn paths and parameters. */
export function discoveryRoutes(app: FastifyInstance): void {
  for (const url of ["/$discovery/rest", "/discovery/v1/apis/bigquery/v2/rest"]) {
    app.get(url, (request) => discoveryDocument(baseUrl(request)));
  }
}

function discoveryDocument(base: string): JsonObject {
  const resources = Object.entries(RESOURCES).map(([resource, methods]) => {
    const described = Object.entries(methods).map(([name, method]) => [
      name,
      describe(resource, name, method),
    ]);
    return [resource, { methods: Object.fromEntries(described) }];
  });
  return {
    kind: "discovery#restDescription",
    discoveryVersion: "v1",
    id: "bigquery:v2",
    name: "bigquery",
    version: "v2",
    title: "BigQuery API, served locally",
    protocol: "rest",
    rootUrl: `${base}/`,
    servicePath: "bigquery/v2/",
    basePath: "/bigquery/v2/",
    baseUrl: `${base}/bigquery/v2/`,
    batchPath: "batch/bigquery/v2",
    parameters: Object.fromEntries(
      ["alt", "fields", "key", "prettyPrint", "quotaUser", "uploadType"].map((name) => [
        name,
        parameter(name),
      ]),
    ),
    schemas: { Message: { id: "Message", type: "object", properties: {} } },
    resources: Object.fromEntries(resources),
  };
}

function describe(resource: string, name: string, [httpMethod, path, query, body]: Method): JsonObject {
  const inPath = [...path.matchAll(/\{\+(\w+)\}/g)].map((match) => match[1] ?? "");
  const inQuery = (query ?? "").split(" ").filter((text) => text !== "");
  return {
    id: `bigquery.${resource}.${name}`,
    httpMethod,
    path,
    flatPath: path.replaceAll("{+", "{"),
    parameterOrder: inPath,
    parameters: Object.fromEntries([
      ...inPath.map((part) => [part, { location: "path", required: true, type: "string" }]),
      ...inQuery.map((part) => [part.replace("*", ""), parameter(part)]),
    ]),
    ...(body === undefined ? {} : { request: { $ref: "Message" } }),
    ...(httpMethod === "DELETE" ? {} : { response: { $ref: "Message" } }),
    ...(resource === "jobs" && name === "insert" ? UPLOAD : {}),
  };
}

function parameter(name: string): JsonObject {
  const type = WHOLE_NUMBERS.has(name) ? { type: "integer", format: "uint32" } : { type: "string" };
  return { location: "query", ...type, ...(name.endsWith("*") ? { repeated: true } : {}) };
}

const UPLOAD: JsonObject = {
  supportsMediaUpload: true,
  mediaUpload: {
    accept: ["*/*"],
    protocols: {
      simple: { multipart: true, path: "/upload/bigquery/v2/projects/{+projectId}/jobs" },
      resumable: { multipart: true, path: "/resumable/upload/bigquery/v2/projects/{+projectId}/jobs" },
    },
  },
};
