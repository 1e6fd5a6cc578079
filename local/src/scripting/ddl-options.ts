import type { Options } from "../compiler/compiled.ts";
import { BigQueryError } from "../errors.ts";
import type { TableEntry } from "../storage/entries.ts";
import type { Partitioning } from "../types.ts";

/** The members of a table that its OPTIONS set. */
export type OptionFields = Partial<
  Pick<
    TableEntry,
    | "description"
    | "friendlyName"
    | "labels"
    | "expirationTime"
    | "requirePartitionFilter"
    | "partitioning"
    | "kept"
  >
>;

/** Options that are kept and shown but change nothing here, by their name in REST. */
const KEPT: Readonly<Record<string, string>> = {
  allow_non_incremental_definition: "allowNonIncrementalDefinition",
  default_rounding_mode: "defaultRoundingMode",
  enable_change_history: "enableChangeHistory",
  enable_refresh: "enableRefresh",
  kms_key_name: "kmsKeyName",
  max_staleness: "maxStaleness",
  refresh_interval_minutes: "refreshIntervalMinutes",
};

/**
 * Reads an OPTIONS list of a table or view; NULL takes an option away.
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#table_option_list
 */
export function readTableOptions(options: Options, partitioning: Partitioning): OptionFields {
  const fields: { -readonly [K in keyof OptionFields]: OptionFields[K] } = {};
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    switch (name) {
      case "description":
        fields.description = readText(name, value);
        break;
      case "friendly_name":
        fields.friendlyName = readText(name, value);
        break;
      case "labels":
        fields.labels = readLabels(value);
        break;
      case "expiration_timestamp":
        fields.expirationTime = readTimestamp(value);
        break;
      case "require_partition_filter":
        fields.requirePartitionFilter = readBoolean(name, value);
        break;
      case "partition_expiration_days":
        fields.partitioning = withExpiration(partitioning, value);
        break;
      default: {
        const rest = KEPT[name];
        if (rest === undefined) throw invalid(`Unknown option: ${name}`);
        kept[rest] = value;
      }
    }
  }
  if (Object.keys(kept).length > 0) fields.kept = kept;
  return fields;
}

/** A text option; NULL takes it away. */
export function readText(name: string, value: unknown): string | undefined {
  if (value === null) return undefined;
  if (typeof value === "string") return value;
  throw invalid(`Option ${name} must be of type STRING`);
}

/** `[("name", "value"), …]` as labels. */
export function readLabels(value: unknown): Record<string, string> | undefined {
  if (value === null) return undefined;
  if (!Array.isArray(value)) throw invalid("Option labels must be of type ARRAY<STRUCT<STRING, STRING>>");
  const labels: Record<string, string> = {};
  for (const pair of value as unknown[]) {
    const [name, text] = Array.isArray(pair) ? (pair as unknown[]) : [];
    if (typeof name !== "string" || typeof text !== "string") {
      throw invalid("Option labels must be of type ARRAY<STRUCT<STRING, STRING>>");
    }
    if (name in labels) throw invalid(`Duplicate label: ${name}`);
    labels[name] = text;
  }
  return labels;
}

/** A number of days as milliseconds. */
export function readDays(name: string, value: unknown): string | undefined {
  if (value === null) return undefined;
  const days = Number(value);
  if (!Number.isFinite(days) || days < 0) throw invalid(`Option ${name} must be a positive number`);
  return String(Math.round(days * 86_400_000));
}

function readBoolean(name: string, value: unknown): boolean | undefined {
  if (value === null) return undefined;
  if (typeof value === "boolean") return value;
  throw invalid(`Option ${name} must be of type BOOL`);
}

function readTimestamp(value: unknown): number | undefined {
  if (value === null) return undefined;
  const time = typeof value === "string" ? Date.parse(value) : Number(value);
  if (!Number.isFinite(time)) throw invalid("Option expiration_timestamp must be of type TIMESTAMP");
  return time;
}

function withExpiration(partitioning: Partitioning, value: unknown): Partitioning {
  const { timePartitioning } = partitioning;
  if (timePartitioning === undefined) {
    throw invalid("Option partition_expiration_days needs a table that is partitioned by time");
  }
  const expirationMs = readDays("partition_expiration_days", value);
  return { ...partitioning, timePartitioning: { ...timePartitioning, expirationMs } };
}

function invalid(message: string): BigQueryError {
  return new BigQueryError("invalidQuery", message, "query");
}
