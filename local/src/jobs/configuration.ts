import { z } from "zod";
import { BigQueryError } from "../errors.ts";
import { checkPartitionRef, checkTableRef } from "../storage/names.ts";
import type { TableRef } from "../types.ts";
import { parametersSchema } from "./parameters.ts";
import type { QueryRequest } from "./ports.ts";

/** Members that are refused when present: silently leaving them out would change what the job does. */
const REFUSED_IN_QUERY = [
  "tableDefinitions",
  "userDefinedFunctionResources",
  "systemVariables",
  "continuous",
] as const;

const tableReference = z.looseObject({
  projectId: z.string().nullish(),
  datasetId: z.string(),
  tableId: z.string(),
});

const writeDisposition = z.enum(["WRITE_EMPTY", "WRITE_TRUNCATE", "WRITE_APPEND"]);
const createDisposition = z.enum(["CREATE_IF_NEEDED", "CREATE_NEVER"]);
const flag = z.union([z.boolean(), z.enum(["true", "false"]).transform((text) => text === "true")]);
const count = z.union([
  z.int().min(0),
  z
    .string()
    .regex(/^\d{1,15}$/, "not a number")
    .transform(Number),
]);

const queryConfiguration = z.looseObject({
  query: z.string({ error: "Required parameter is missing: query" }),
  useLegacySql: flag.nullish(),
  defaultDataset: z.looseObject({ datasetId: z.string(), projectId: z.string().nullish() }).nullish(),
  destinationTable: tableReference.nullish(),
  writeDisposition: writeDisposition.nullish(),
  createDisposition: createDisposition.nullish(),
  createSession: flag.nullish(),
  connectionProperties: z
    .array(z.looseObject({ key: z.string().nullish(), value: z.string().nullish() }))
    .nullish(),
  parameterMode: z.string().nullish(),
  queryParameters: parametersSchema.nullish(),
  maximumBytesBilled: count.nullish(),
});

const loadConfiguration = z.looseObject({
  destinationTable: tableReference,
  sourceUris: z.array(z.string()).nullish(),
  writeDisposition: writeDisposition.nullish(),
  createDisposition: createDisposition.nullish(),
});

const copyConfiguration = z.looseObject({
  sourceTable: tableReference.nullish(),
  sourceTables: z.array(tableReference).nullish(),
  destinationTable: tableReference,
  writeDisposition: writeDisposition.nullish(),
  createDisposition: createDisposition.nullish(),
  operationType: z.string().nullish(),
  destinationExpirationTime: z.iso.datetime({ offset: true }).nullish(),
});

/** The body of jobs.insert. */
export const jobSchema = z.looseObject({
  jobReference: z
    .looseObject({
      projectId: z.string().nullish(),
      jobId: z.string().nullish(),
      location: z.string().nullish(),
    })
    .nullish(),
  configuration: z.looseObject(
    {
      query: queryConfiguration.nullish(),
      load: loadConfiguration.nullish(),
      copy: copyConfiguration.nullish(),
      extract: z.looseObject({}).nullish(),
      dryRun: flag.nullish(),
      labels: z.record(z.string(), z.string()).nullish(),
      jobTimeoutMs: count.nullish(),
    },
    { error: "Required parameter is missing: configuration" },
  ),
});

/** The body of jobs.insert. */
export type JobBody = z.infer<typeof jobSchema>;
/** `configuration.query`. */
export type QueryConfiguration = z.infer<typeof queryConfiguration>;
/** `configuration.load`. */
export type LoadConfiguration = z.infer<typeof loadConfiguration>;
/** `configuration.copy`. */
export type CopyConfiguration = z.infer<typeof copyConfiguration>;

/** Refuses what a query of this endpoint cannot do. */
export function checkQueryFeatures(query: QueryConfiguration): void {
  if (query.useLegacySql === true || /^\s*#legacySQL\b/i.test(query.query)) {
    throw refused("legacy SQL; set useLegacySql to false", "useLegacySql");
  }
  for (const member of REFUSED_IN_QUERY) {
    const value = query[member];
    const isEmpty = value == null || value === false || (Array.isArray(value) && value.length === 0);
    if (!isEmpty) throw refused(`the query option ${member}`, member);
  }
  for (const { key, value } of query.connectionProperties ?? []) checkConnectionProperty(key, value);
  if (query.createSession && sessionOf(query) === undefined) {
    throw new BigQueryError("invalid", "createSession and session_id cannot both be set.", "createSession");
  }
  if (Buffer.byteLength(query.query) > 1024 * 1024) {
    throw new BigQueryError(
      "invalid",
      "The query is too large. The maximum standard SQL query length is 1024.00K characters, including comments and white space characters.",
      "query",
    );
  }
}

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/ConnectionProperty */
function checkConnectionProperty(key: string | null | undefined, value: string | null | undefined): void {
  if (key === "session_id" || key === "query_label") return;
  if (key === "time_zone" && /^(Etc\/)?UTC$/i.test(value ?? "")) return;
  throw refused(`the connection property ${key ?? ""} = ${value ?? ""}`, "connectionProperties");
}

/** The session that a query asks for; undefined also where it asks for two at once. */
export function sessionOf(query: QueryConfiguration): QueryRequest["session"] {
  const id = query.connectionProperties?.findLast(({ key }) => key === "session_id")?.value;
  if (query.createSession) return id ? undefined : { create: true };
  return id ? { id } : undefined;
}

/** A table reference with the request's project where it names none; its names are checked. */
export function fullRef(
  ref: { projectId?: string | null | undefined; datasetId: string; tableId: string },
  projectId: string,
): TableRef {
  return checkTableRef({
    projectId: ref.projectId || projectId,
    datasetId: ref.datasetId,
    tableId: ref.tableId,
  });
}

/** As `fullRef`, for a table that is written, which may be one partition of a table. */
export function destinationRef(ref: Parameters<typeof fullRef>[0], projectId: string): TableRef {
  const { datasetId, tableId } = ref;
  return checkPartitionRef({ projectId: ref.projectId || projectId, datasetId, tableId });
}

/** A feature that jobs of this endpoint have not. */
export function refused(feature: string, location?: string): BigQueryError {
  return new BigQueryError("invalid", `Not supported by the local BigQuery endpoint: ${feature}`, location);
}
