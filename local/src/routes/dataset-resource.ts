import { z } from "zod";
import { BigQueryError } from "../errors.ts";
import type { JsonObject } from "../jobs/json.ts";
import type { DatasetEntry } from "../storage/entries.ts";
import { checkLabel } from "../storage/names.ts";
import { checkCollation } from "../storage/schema.ts";
import { USER_EMAIL } from "../user.ts";
import { etagOf } from "./etag.ts";
import { notSupported } from "./request.ts";

/** An int64 in JSON: text or number. */
export const int64Text = z
  .union([z.string().regex(/^-?\d{1,19}$/, "not an integer"), z.int()])
  .transform((value) => String(value));

/** Labels as they are written; null removes one in a patch. */
export const labelsSchema = z.record(z.string(), z.string().nullable());

const datasetSchema = z.looseObject({
  datasetReference: z.looseObject({ datasetId: z.string(), projectId: z.string().nullish() }).nullish(),
  location: z.string().nullish(),
  friendlyName: z.string().nullish(),
  description: z.string().nullish(),
  labels: labelsSchema.nullish(),
  defaultTableExpirationMs: int64Text.nullish(),
  defaultPartitionExpirationMs: int64Text.nullish(),
  isCaseInsensitive: z.boolean().nullish(),
  access: z.array(z.looseObject({})).nullish(),
});

/** The body of datasets.insert, patch and update. */
export type DatasetBody = z.infer<typeof datasetSchema>;

/** Checks the body of datasets.insert, patch and update. */
export const datasetBody: z.ZodType<DatasetBody> = datasetSchema;

/** Members that are kept as given and returned, as they change nothing that the endpoint does. */
const KEPT = [
  "access",
  "defaultCollation",
  "defaultEncryptionConfiguration",
  "defaultRoundingMode",
  "maxTimeTravelHours",
  "resourceTags",
  "storageBillingModel",
] as const;

/** The dataset's resource (https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets#Dataset). */
export function datasetResource(entry: DatasetEntry, baseUrl: string): JsonObject {
  const { projectId, datasetId } = entry;
  return {
    kind: "bigquery#dataset",
    etag: datasetEtag(entry),
    id: `${projectId}:${datasetId}`,
    selfLink: `${baseUrl}/bigquery/v2/projects/${projectId}/datasets/${datasetId}`,
    datasetReference: { datasetId, projectId },
    ...textMembers(entry),
    ...(entry.defaultTableExpirationMs === undefined
      ? {}
      : { defaultTableExpirationMs: entry.defaultTableExpirationMs }),
    ...(entry.defaultPartitionExpirationMs === undefined
      ? {}
      : { defaultPartitionExpirationMs: entry.defaultPartitionExpirationMs }),
    access: DEFAULT_ACCESS,
    ...entry.kept,
    creationTime: String(entry.creationTime),
    lastModifiedTime: String(entry.lastModifiedTime),
    location: entry.location,
    type: "DEFAULT",
  };
}

/** The dataset as it stands in datasets.list. */
export function datasetListItem(entry: DatasetEntry): JsonObject {
  const { projectId, datasetId } = entry;
  return {
    kind: "bigquery#dataset",
    id: `${projectId}:${datasetId}`,
    datasetReference: { datasetId, projectId },
    ...(entry.labels === undefined ? {} : { labels: entry.labels }),
    ...(entry.friendlyName === undefined ? {} : { friendlyName: entry.friendlyName }),
    location: entry.location,
    type: "DEFAULT",
  };
}

/** The dataset's etag. */
export function datasetEtag(entry: DatasetEntry): string {
  return etagOf(entry.projectId, entry.datasetId, entry.lastModifiedTime);
}

/** What a new dataset is made of. */
export function newDataset(
  name: { projectId: string; datasetId: string },
  body: DatasetBody,
  defaults: { location: string; now: number },
): DatasetEntry {
  const base: DatasetEntry = {
    ...name,
    location: readLocation(body.location) ?? defaults.location,
    creationTime: defaults.now,
    lastModifiedTime: defaults.now,
    kept: {},
  };
  return changedDataset(base, body, "patch", defaults.now);
}

/** The dataset after a patch (what is absent stays) or an update (what is absent goes). */
export function changedDataset(
  entry: DatasetEntry,
  body: DatasetBody,
  how: "patch" | "update",
  now: number,
): DatasetEntry {
  if (body.isCaseInsensitive) throw notSupported("isCaseInsensitive", "isCaseInsensitive");
  checkCollation(body.defaultCollation);
  if (body.defaultRoundingMode === "ROUND_HALF_EVEN") {
    throw notSupported("defaultRoundingMode ROUND_HALF_EVEN", "defaultRoundingMode");
  }
  const location = readLocation(body.location);
  if (location !== undefined && location !== entry.location) {
    throw new BigQueryError("invalid", "Cannot change the location of a dataset.", "location");
  }
  return {
    ...entry,
    friendlyName: changedMember(entry.friendlyName, body.friendlyName, how),
    description: changedMember(entry.description, body.description, how),
    labels: changedLabels(entry.labels, body.labels, how),
    defaultTableExpirationMs: changedMember(
      entry.defaultTableExpirationMs,
      lifetime(body.defaultTableExpirationMs, "defaultTableExpirationMs", HOUR_MS),
      how,
    ),
    defaultPartitionExpirationMs: changedMember(
      entry.defaultPartitionExpirationMs,
      lifetime(body.defaultPartitionExpirationMs, "defaultPartitionExpirationMs", 1),
      how,
    ),
    kept: changedKept(entry.kept, body, KEPT, how),
    lastModifiedTime: now,
  };
}

const HOUR_MS = 3_600_000;

/**
 * A lifetime in milliseconds; 0 is none. Tables live an hour at least
 * (https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets#Dataset.FIELDS.default_table_expiration_ms).
 */
function lifetime(text: string | null | undefined, member: string, least: number): string | null | undefined {
  if (text == null) return text;
  const value = Number(text);
  if (value === 0) return null;
  if (value >= least && Number.isSafeInteger(value)) return text;
  throw new BigQueryError("invalid", `Invalid value for ${member}: ${text} is less than ${least}.`, member);
}

/** A member after a change: null removes it; absent leaves it in a patch and removes it in an update. */
export function changedMember<T>(
  before: T | undefined,
  given: T | null | undefined,
  how: "patch" | "update",
): T | undefined {
  if (given === undefined) return how === "patch" ? before : undefined;
  return given ?? undefined;
}

/** Labels after a change; a patch merges them by key. */
export function changedLabels(
  before: Readonly<Record<string, string>> | undefined,
  given: Readonly<Record<string, string | null>> | null | undefined,
  how: "patch" | "update",
): Record<string, string> | undefined {
  if (given === undefined && how === "patch") return before;
  const merged: Record<string, string | null> = {
    ...(how === "patch" && given !== null ? before : {}),
    ...given,
  };
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(merged)) {
    if (value === null) continue;
    checkLabel(key, value);
    labels[key] = value;
  }
  return Object.keys(labels).length === 0 ? undefined : labels;
}

/** Members that are only kept, after a change. */
export function changedKept(
  before: Readonly<JsonObject>,
  body: Readonly<JsonObject>,
  members: readonly string[],
  how: "patch" | "update",
): JsonObject {
  const kept: JsonObject = {};
  for (const member of members) {
    const value = changedMember(before[member], body[member], how);
    if (value !== undefined) kept[member] = value;
  }
  return kept;
}

/** Names and labels that datasets and tables have alike. */
export function textMembers(entry: {
  readonly friendlyName?: string;
  readonly description?: string;
  readonly labels?: Readonly<Record<string, string>>;
}): JsonObject {
  return {
    ...(entry.friendlyName === undefined ? {} : { friendlyName: entry.friendlyName }),
    ...(entry.description === undefined ? {} : { description: entry.description }),
    ...(entry.labels === undefined ? {} : { labels: entry.labels }),
  };
}

/** A location as BigQuery writes it: `US` and `EU` in capitals, regions in lower case. */
function readLocation(location: string | null | undefined): string | undefined {
  if (location === undefined || location === null || location === "") return undefined;
  if (!/^[A-Za-z0-9-]{2,40}$/.test(location)) {
    throw new BigQueryError("invalid", `Invalid location "${location.slice(0, 100)}".`, "location");
  }
  return location.length === 2 ? location.toUpperCase() : location.toLowerCase();
}

const DEFAULT_ACCESS = [
  { role: "WRITER", specialGroup: "projectWriters" },
  { role: "OWNER", specialGroup: "projectOwners" },
  { role: "OWNER", userByEmail: USER_EMAIL },
  { role: "READER", specialGroup: "projectReaders" },
];
