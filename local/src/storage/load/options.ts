import { unsupported } from "../../errors.ts";
import type { FieldSchema } from "../../types.ts";
import { parseSchema } from "../schema.ts";
import {
  checkSchemaUpdates,
  type DestinationOptions,
  parseDestinationOptions,
} from "./destination-options.ts";
import { type Body, choice, count, flag, invalid, record, text, texts } from "./option-values.ts";

/** `configuration.load` of a job, checked: https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfigurationLoad */
export interface LoadOptions extends DestinationOptions {
  readonly format: "NEWLINE_DELIMITED_JSON" | "CSV" | "PARQUET";
  readonly schema?: readonly FieldSchema[];
  readonly writeDisposition: "WRITE_APPEND" | "WRITE_TRUNCATE" | "WRITE_EMPTY";
  readonly createIfNeeded: boolean;
  readonly autodetect: boolean;
  readonly ignoreUnknownValues: boolean;
  readonly maxBadRecords: number;
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
  /** Whether a NUL may stand in the file: https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv#csv-options */
  readonly keepsControls: boolean;
}

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
  const properties = record(body.destinationTableProperties) ?? {};
  const destination = parseDestinationOptions(body);
  const writeDisposition = choice(
    body,
    "writeDisposition",
    ["WRITE_APPEND", "WRITE_TRUNCATE", "WRITE_EMPTY"],
    "WRITE_APPEND",
  );
  checkSchemaUpdates(destination, writeDisposition);
  return {
    ...destination,
    format,
    schema: schema === undefined || schema === null ? undefined : parseSchema(schema),
    writeDisposition,
    createIfNeeded:
      choice(body, "createDisposition", ["CREATE_IF_NEEDED", "CREATE_NEVER"], "CREATE_IF_NEEDED") ===
      "CREATE_IF_NEEDED",
    autodetect: flag(body, "autodetect"),
    ignoreUnknownValues: flag(body, "ignoreUnknownValues"),
    maxBadRecords: count(body, "maxBadRecords"),
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
    keepsControls: flag(body, "preserveAsciiControlCharacters"),
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
