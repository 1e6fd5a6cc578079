import type { Partitioning } from "../../compiler/compiled.ts";
import { BigQueryError, unsupported } from "../../errors.ts";
import type { FieldSchema } from "../../types.ts";
import { parseSchema } from "../schema.ts";

/** `configuration.load` of a job, checked: https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfigurationLoad */
export interface LoadOptions {
  readonly format: "NEWLINE_DELIMITED_JSON" | "CSV" | "PARQUET";
  readonly schema?: readonly FieldSchema[];
  readonly writeDisposition: "WRITE_APPEND" | "WRITE_TRUNCATE" | "WRITE_EMPTY";
  readonly createIfNeeded: boolean;
  readonly autodetect: boolean;
  readonly ignoreUnknownValues: boolean;
  readonly maxBadRecords: number;
  readonly addFields: boolean;
  readonly relaxFields: boolean;
  readonly partitioning: Partitioning;
  readonly requirePartitionFilter?: boolean;
  readonly clustering: readonly string[];
  readonly description?: string;
  readonly friendlyName?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly csv: CsvOptions;
  readonly latin1: boolean;
  /** Parquet lists become REPEATED fields instead of RECORDs with a `list` in them. */
  readonly listInference: boolean;
}

/** What is particular to CSV. */
export interface CsvOptions {
  readonly delimiter: string;
  /** "" where nothing is quoted. */
  readonly quote: string;
  readonly skipRows: number;
  /** Whether skipRows was given: the row before the data then names the columns for autodetection. */
  readonly skipGiven: boolean;
  /** Undefined where the client gave none: then an empty cell is NULL. */
  readonly nullMarkers?: readonly string[];
  readonly allowQuotedNewlines: boolean;
  readonly allowJaggedRows: boolean;
}

type Body = Readonly<Record<string, unknown>>;

const REFUSED = [
  "hivePartitioningOptions",
  "projectionFields",
  "decimalTargetTypes",
  "jsonExtension",
  "fileSetSpecType",
  "referenceFileSchemaUri",
  "schemaInline",
  "connectionProperties",
  "copyFilesOnly",
  "dateFormat",
  "datetimeFormat",
  "timeFormat",
  "timestampFormat",
];

/** Reads and checks the options of a load job. */
export function parseLoadOptions(body: Body): LoadOptions {
  for (const name of REFUSED) {
    const value = body[name];
    const empty = value === undefined || value === null || (Array.isArray(value) && value.length === 0);
    if (!empty) throw unsupported(`load option ${name}`);
  }
  const format = choice(body, "sourceFormat", ["CSV", "NEWLINE_DELIMITED_JSON", "PARQUET"], "CSV", true);
  const schema = record(body.schema)?.fields;
  const updates = texts(body.schemaUpdateOptions, "schemaUpdateOptions");
  for (const update of updates) {
    if (update !== "ALLOW_FIELD_ADDITION" && update !== "ALLOW_FIELD_RELAXATION") {
      throw invalid(`Invalid value for schemaUpdateOptions: ${update} is not a valid value`);
    }
  }
  const properties = record(body.destinationTableProperties) ?? {};
  const timePartitioning = record(body.timePartitioning);
  return {
    format,
    schema: schema === undefined || schema === null ? undefined : parseSchema(schema),
    writeDisposition: choice(
      body,
      "writeDisposition",
      ["WRITE_APPEND", "WRITE_TRUNCATE", "WRITE_EMPTY"],
      "WRITE_APPEND",
    ),
    createIfNeeded:
      choice(body, "createDisposition", ["CREATE_IF_NEEDED", "CREATE_NEVER"], "CREATE_IF_NEEDED") ===
      "CREATE_IF_NEEDED",
    autodetect: flag(body, "autodetect"),
    ignoreUnknownValues: flag(body, "ignoreUnknownValues"),
    maxBadRecords: count(body, "maxBadRecords"),
    addFields: updates.includes("ALLOW_FIELD_ADDITION"),
    relaxFields: updates.includes("ALLOW_FIELD_RELAXATION"),
    partitioning: parsePartitioning(body),
    requirePartitionFilter: timePartitioning?.requirePartitionFilter === true ? true : undefined,
    clustering: texts(record(body.clustering)?.fields, "clustering.fields"),
    description: text(properties, "description"),
    friendlyName: text(properties, "friendlyName"),
    labels: record(properties.labels) as Readonly<Record<string, string>> | undefined,
    csv: parseCsvOptions(body),
    latin1: isLatin1(text(body, "encoding")),
    listInference: record(body.parquetOptions)?.enableListInference === true,
  };
}

function parseCsvOptions(body: Body): CsvOptions {
  const markers = body.nullMarkers === undefined ? [] : texts(body.nullMarkers, "nullMarkers");
  const marker = text(body, "nullMarker");
  if (marker !== undefined && marker !== "" && markers.length > 0) {
    throw invalid("nullMarker and nullMarkers cannot both be set");
  }
  const quote = text(body, "quote") ?? '"';
  if ([...quote].length > 1) throw invalid(`Invalid quote: "${quote}" is more than one character`);
  return {
    delimiter: delimiter(text(body, "fieldDelimiter")),
    quote,
    skipRows: count(body, "skipLeadingRows"),
    skipGiven: body.skipLeadingRows !== undefined && body.skipLeadingRows !== null,
    nullMarkers: markers.length > 0 ? markers : marker === undefined || marker === "" ? undefined : [marker],
    allowQuotedNewlines: flag(body, "allowQuotedNewlines"),
    allowJaggedRows: flag(body, "allowJaggedRows"),
  };
}

function delimiter(given: string | undefined): string {
  if (given === undefined || given === "") return ",";
  if (given === "\\t" || given.toLowerCase() === "tab") return "\t";
  if ([...given].length > 1 || given === "\n" || given === "\r") {
    throw invalid(`Invalid fieldDelimiter: "${given}" is not a single character`);
  }
  return given;
}

function isLatin1(encoding: string | undefined): boolean {
  switch ((encoding ?? "").toUpperCase()) {
    case "":
    case "UTF-8":
    case "UTF8":
      return false;
    case "ISO-8859-1":
      return true;
    default:
      throw unsupported(`load encoding ${encoding}`);
  }
}

function parsePartitioning(body: Body): Partitioning {
  const time = record(body.timePartitioning);
  const range = record(body.rangePartitioning);
  const bounds = record(range?.range) ?? {};
  return {
    ...(time === undefined
      ? {}
      : {
          timePartitioning: {
            type: choice(time, "type", ["DAY", "HOUR", "MONTH", "YEAR"], "DAY"),
            ...(text(time, "field") === undefined ? {} : { field: text(time, "field") }),
            ...(time.expirationMs === undefined || time.expirationMs === null
              ? {}
              : { expirationMs: String(time.expirationMs) }),
          },
        }),
    ...(range === undefined
      ? {}
      : {
          rangePartitioning: {
            field: text(range, "field") ?? "",
            range: {
              start: String(bounds.start ?? "0"),
              end: String(bounds.end ?? "0"),
              interval: String(bounds.interval ?? "1"),
            },
          },
        }),
  };
}

function record(value: unknown): Body | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object" || Array.isArray(value))
    throw invalid("Invalid load configuration: not an object");
  return value as Body;
}

function text(body: Body, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw invalid(`Invalid value for ${name}: it must be a string`);
  return value;
}

function texts(value: unknown, name: string): string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value as string[];
  throw invalid(`Invalid value for ${name}: it must be an array of strings`);
}

function flag(body: Body, name: string): boolean {
  return body[name] === true || body[name] === "true";
}

function count(body: Body, name: string): number {
  const value = body[name];
  if (value === undefined || value === null) return 0;
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 0)
    throw invalid(`Invalid value for ${name}: ${String(value)}`);
  return number;
}

function choice<T extends string>(
  body: Body,
  name: string,
  allowed: readonly T[],
  otherwise: T,
  known = false,
): T {
  const value = text(body, name);
  if (value === undefined || value === "") return otherwise;
  const found = allowed.find((item) => item === value.toUpperCase());
  if (found !== undefined) return found;
  if (known && ["AVRO", "ORC", "DATASTORE_BACKUP"].includes(value)) throw unsupported(`${name} ${value}`);
  throw invalid(`Invalid value for ${name}: ${value} is not a valid value`);
}

function invalid(message: string): BigQueryError {
  return new BigQueryError("invalid", message);
}
