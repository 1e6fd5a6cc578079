import { z } from "zod";
import { BigQueryError } from "../errors.ts";
import type { JsonObject } from "../jobs/json.ts";
import type { TableEntry } from "../storage/entries.ts";
import { tableName } from "../storage/entries.ts";
import { checkCollation } from "../storage/schema.ts";
import type { Partitioning, TableConstraints } from "../types.ts";
import { int64Text, labelsSchema, textMembers } from "./dataset-resource.ts";
import { etagOf } from "./etag.ts";
import { materializedView, materializedViewBody, withoutOptions } from "./materialized-view.ts";
import { notSupported } from "./request.ts";

const constraintsSchema = z.object({
  primaryKey: z.object({ columns: z.array(z.string()) }).nullish(),
  foreignKeys: z
    .array(
      z.object({
        name: z.string().optional(),
        referencedTable: z.object({ projectId: z.string(), datasetId: z.string(), tableId: z.string() }),
        columnReferences: z.array(z.object({ referencingColumn: z.string(), referencedColumn: z.string() })),
      }),
    )
    .nullish(),
});

const tableSchema = z.looseObject({
  tableReference: z
    .looseObject({ projectId: z.string().nullish(), datasetId: z.string().nullish(), tableId: z.string() })
    .nullish(),
  schema: z.looseObject({ fields: z.array(z.unknown()).nullish() }).nullish(),
  view: z.looseObject({ query: z.string().nullish(), useLegacySql: z.boolean().nullish() }).nullish(),
  materializedView: materializedViewBody.nullish(),
  timePartitioning: z
    .looseObject({
      type: z.string().nullish(),
      field: z.string().nullish(),
      expirationMs: int64Text.nullish(),
      requirePartitionFilter: z.boolean().nullish(),
    })
    .nullish(),
  rangePartitioning: z
    .looseObject({
      field: z.string(),
      range: z.looseObject({ start: int64Text, end: int64Text, interval: int64Text }),
    })
    .nullish(),
  clustering: z.looseObject({ fields: z.array(z.string()).nullish() }).nullish(),
  tableConstraints: constraintsSchema.nullish(),
  requirePartitionFilter: z.boolean().nullish(),
  expirationTime: int64Text.nullish(),
  friendlyName: z.string().nullish(),
  description: z.string().nullish(),
  labels: labelsSchema.nullish(),
});

/** The body of tables.insert, patch and update. */
export type TableBody = z.infer<typeof tableSchema>;

/** Checks the body of tables.insert, patch and update. */
export const tableBody: z.ZodType<TableBody> = tableSchema;

/** Members that are kept as given and returned, as they change nothing that the endpoint does. */
export const KEPT_TABLE_MEMBERS = [
  "defaultCollation",
  "defaultRoundingMode",
  "encryptionConfiguration",
  "maxStaleness",
  "resourceTags",
  "tableConstraints",
] as const;

/** Refuses what a table of this endpoint cannot be, or cannot be made by REST; a clone's own definition may come back. */
export function checkTableFeatures(body: TableBody, before?: TableEntry): void {
  for (const member of [
    "externalDataConfiguration",
    ...(before?.base === undefined ? ["snapshotDefinition", "cloneDefinition"] : []),
    "biglakeConfiguration",
    "externalCatalogTableOptions",
    "tableReplicationInfo",
    "partitionDefinition",
  ]) {
    if (body[member] != null) throw notSupported(member, member);
  }
  checkCollation(body.defaultCollation);
  if (body.defaultRoundingMode === "ROUND_HALF_EVEN") {
    throw notSupported("defaultRoundingMode ROUND_HALF_EVEN", "defaultRoundingMode");
  }
  if (body.view?.useLegacySql === true) throw notSupported("views in legacy SQL", "view.useLegacySql");
}

/** The keys a body asks for (https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableConstraints). */
export function readConstraints(given: NonNullable<TableBody["tableConstraints"]>): TableConstraints {
  return {
    ...(given.primaryKey == null ? {} : { primaryKey: given.primaryKey }),
    ...(given.foreignKeys == null ? {} : { foreignKeys: given.foreignKeys }),
  };
}

/** The partitioning a body asks for. */
export function readPartitioning(body: TableBody): Partitioning {
  const time = body.timePartitioning;
  const range = body.rangePartitioning;
  return {
    ...(time == null
      ? {}
      : {
          timePartitioning: {
            type: readGranularity(time.type),
            ...(time.field == null ? {} : { field: time.field }),
            ...(time.expirationMs == null ? {} : { expirationMs: time.expirationMs }),
          },
        }),
    ...(range == null
      ? {}
      : {
          rangePartitioning: {
            field: range.field,
            range: { start: range.range.start, end: range.range.end, interval: range.range.interval },
          },
        }),
  };
}

/** Whether a body asks that queries name their partitions; BigQuery takes it in two places. */
export function readPartitionFilter(body: TableBody): boolean | undefined {
  return body.requirePartitionFilter ?? body.timePartitioning?.requirePartitionFilter ?? undefined;
}

function readGranularity(type: string | null | undefined): "DAY" | "HOUR" | "MONTH" | "YEAR" {
  switch (type) {
    case "DAY":
    case "HOUR":
    case "MONTH":
    case "YEAR":
      return type;
    default:
      throw new BigQueryError(
        "invalid",
        `Invalid value for timePartitioning.type: ${type ?? ""}. Supported are DAY, HOUR, MONTH and YEAR.`,
        "timePartitioning.type",
      );
  }
}

/** Milliseconds of an expirationTime member. */
export function readExpiration(text: string | null | undefined): number | undefined {
  if (text == null) return undefined;
  const time = Number(text);
  if (time <= Date.now()) {
    throw new BigQueryError(
      "invalid",
      "Invalid value for expirationTime: it is in the past.",
      "expirationTime",
    );
  }
  return time;
}

/** What a table's entry does not say: when it or its rows last changed (milliseconds), and what it holds, where that is asked for. */
export interface TableState {
  readonly lastModified: number;
  readonly size?: { readonly rows: number; readonly bytes: number } | undefined;
  /** What was streamed in lately. */
  readonly streamed?: { readonly rows: number; readonly oldest: number } | undefined;
}

/** The table's resource (https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#Table). */
export function tableResource(entry: TableEntry, state: TableState, baseUrl: string): JsonObject {
  const { projectId, datasetId, tableId } = entry.ref;
  return {
    kind: "bigquery#table",
    etag: tableEtag(entry, state.lastModified),
    id: tableName(entry.ref),
    selfLink: `${baseUrl}/bigquery/v2/projects/${projectId}/datasets/${datasetId}/tables/${encodeURIComponent(tableId)}`,
    tableReference: { projectId, datasetId, tableId },
    ...textMembers(entry),
    // Present even without columns: the Dataform CLI reads its fields unasked.
    schema: { ...(entry.schema.length === 0 ? {} : { fields: entry.schema }) },
    ...layoutMembers(entry),
    ...withoutOptions(entry.kept),
    ...(state.size === undefined ? {} : sizeMembers(state.size)),
    ...streamingMembers(state),
    creationTime: String(entry.creationTime),
    ...(entry.expirationTime === undefined ? {} : { expirationTime: String(entry.expirationTime) }),
    lastModifiedTime: String(state.lastModified),
    type: entry.kind,
    ...viewMembers(entry),
    ...baseMembers(entry),
    location: entry.location,
  };
}

function sizeMembers({ bytes, rows }: NonNullable<TableState["size"]>): JsonObject {
  return {
    numBytes: String(bytes),
    numLongTermBytes: "0",
    numRows: String(rows),
    numTotalLogicalBytes: String(bytes),
    numActiveLogicalBytes: String(bytes),
    numLongTermLogicalBytes: "0",
  };
}

/** What may not be changed yet (https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#Streamingbuffer). */
function streamingMembers({ size, streamed }: TableState): JsonObject {
  if (size === undefined || streamed === undefined || size.rows === 0) return {};
  const rows = Math.min(streamed.rows, size.rows);
  const estimatedBytes = String(Math.floor((size.bytes / size.rows) * rows));
  return {
    streamingBuffer: {
      estimatedRows: String(rows),
      estimatedBytes,
      oldestEntryTime: String(streamed.oldest),
    },
  };
}

/** The table as it stands in tables.list. */
export function tableListItem(entry: TableEntry): JsonObject {
  return {
    kind: "bigquery#table",
    id: tableName(entry.ref),
    tableReference: entry.ref,
    ...(entry.friendlyName === undefined ? {} : { friendlyName: entry.friendlyName }),
    type: entry.kind,
    ...layoutMembers(entry),
    ...(entry.labels === undefined ? {} : { labels: entry.labels }),
    ...(entry.kind === "VIEW" ? { view: { useLegacySql: false } } : {}),
    creationTime: String(entry.creationTime),
    ...(entry.expirationTime === undefined ? {} : { expirationTime: String(entry.expirationTime) }),
  };
}

/** The table's etag: as BigQuery's it changes whenever the table was modified, its rows included. */
export function tableEtag(entry: TableEntry, lastModified: number): string {
  return etagOf(entry.ref, entry.version, lastModified);
}

function layoutMembers(entry: TableEntry): JsonObject {
  return {
    ...entry.partitioning,
    ...(entry.requirePartitionFilter === undefined
      ? {}
      : { requirePartitionFilter: entry.requirePartitionFilter }),
    ...(entry.clustering.length === 0 ? {} : { clustering: { fields: entry.clustering } }),
  };
}

/** Of what a clone or snapshot was made, and when. */
function baseMembers({ base, kind }: TableEntry): JsonObject {
  if (base === undefined) return {};
  const baseTableReference = { ...base.table };
  const time = new Date(base.time).toISOString();
  return kind === "SNAPSHOT"
    ? { snapshotDefinition: { baseTableReference, snapshotTime: time } }
    : { cloneDefinition: { baseTableReference, cloneTime: time } };
}

function viewMembers(entry: TableEntry): JsonObject {
  if (entry.kind === "VIEW") return { view: { query: entry.viewQuery, useLegacySql: false } };
  if (entry.kind === "MATERIALIZED_VIEW") return { materializedView: materializedView(entry) };
  return {};
}
