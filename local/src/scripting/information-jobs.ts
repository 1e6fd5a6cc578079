import type { ListedJob } from "../jobs/ports.ts";
import type { SqlType } from "../types.ts";
import type { SqlValue } from "../values.ts";
import type { Columns } from "./information-values.ts";

/** Gives the jobs of a project, newest first. */
export type JobLister = (projectId: string) => readonly ListedJob[];

const STRING: SqlType = { kind: "STRING" };
const INT64: SqlType = { kind: "INT64" };
const BOOL: SqlType = { kind: "BOOL" };
const TIMESTAMP: SqlType = { kind: "TIMESTAMP" };

function struct(...fields: readonly (readonly [string, SqlType])[]): SqlType {
  return { kind: "STRUCT", fields: fields.map(([name, type]) => ({ name, type })) };
}

const TABLE = struct(["project_id", STRING], ["dataset_id", STRING], ["table_id", STRING]);

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/ErrorProto */
export const ERROR_PROTO: SqlType = struct(
  ["reason", STRING],
  ["location", STRING],
  ["debug_info", STRING],
  ["message", STRING],
);

/** https://cloud.google.com/bigquery/docs/information-schema-jobs#schema, what of it means something here. */
export const jobColumns: Columns = [
  ["creation_time", TIMESTAMP],
  ["project_id", STRING],
  ["user_email", STRING],
  ["job_id", STRING],
  ["job_type", STRING],
  ["statement_type", STRING],
  ["priority", STRING],
  ["start_time", TIMESTAMP],
  ["end_time", TIMESTAMP],
  ["query", STRING],
  ["state", STRING],
  ["total_bytes_processed", INT64],
  ["total_bytes_billed", INT64],
  ["total_slot_ms", INT64],
  ["error_result", ERROR_PROTO],
  ["cache_hit", BOOL],
  ["destination_table", TABLE],
  ["referenced_tables", { kind: "ARRAY", element: TABLE }],
  ["labels", { kind: "ARRAY", element: struct(["key", STRING], ["value", STRING]) }],
  ["parent_job_id", STRING],
  [
    "dml_statistics",
    struct(["inserted_row_count", INT64], ["deleted_row_count", INT64], ["updated_row_count", INT64]),
  ],
  ["session_info", struct(["session_id", STRING])],
];

/** The rows of INFORMATION_SCHEMA.JOBS. */
export function jobRows(jobs: readonly ListedJob[]): SqlValue[][] {
  return jobs.map((job) => {
    const resource = job.toResource("") as unknown as JobResource;
    const { configuration, statistics } = resource;
    const { query } = statistics;
    const error = resource.status.errorResult;
    const dml = query?.dmlStats;
    return [
      milliseconds(statistics.creationTime),
      job.projectId,
      resource.user_email ?? null,
      job.jobId,
      configuration.jobType ?? null,
      query?.statementType ?? null,
      configuration.query?.priority ?? "INTERACTIVE",
      milliseconds(statistics.startTime),
      milliseconds(statistics.endTime),
      configuration.query?.query ?? null,
      job.state,
      integer(statistics.totalBytesProcessed ?? query?.totalBytesProcessed),
      integer(query?.totalBytesBilled),
      0n,
      error === undefined
        ? null
        : [error.reason ?? null, error.location ?? null, null, error.message ?? null],
      query?.cacheHit ?? null,
      tableValue(configuration.query?.destinationTable ?? configuration.load?.destinationTable),
      (query?.referencedTables ?? []).map(tableValue),
      Object.entries(configuration.labels ?? {}),
      job.parentJobId ?? null,
      dml === undefined
        ? null
        : [integer(dml.insertedRowCount), integer(dml.deletedRowCount), integer(dml.updatedRowCount)],
      statistics.sessionInfo === undefined ? null : [statistics.sessionInfo.sessionId ?? null],
    ];
  });
}

interface TableJson {
  readonly projectId?: string;
  readonly datasetId?: string;
  readonly tableId?: string;
}

/** The parts of a job's resource that the view shows. */
interface JobResource {
  readonly user_email?: string;
  readonly configuration: {
    readonly jobType?: string;
    readonly labels?: Record<string, string>;
    readonly load?: { readonly destinationTable?: TableJson };
    readonly query?: {
      readonly query?: string;
      readonly priority?: string;
      readonly destinationTable?: TableJson;
    };
  };
  readonly statistics: {
    readonly creationTime?: string;
    readonly startTime?: string;
    readonly endTime?: string;
    readonly totalBytesProcessed?: string;
    readonly sessionInfo?: { readonly sessionId?: string };
    readonly query?: {
      readonly statementType?: string;
      readonly totalBytesProcessed?: string;
      readonly totalBytesBilled?: string;
      readonly cacheHit?: boolean;
      readonly referencedTables?: readonly TableJson[];
      readonly dmlStats?: {
        readonly insertedRowCount?: string;
        readonly deletedRowCount?: string;
        readonly updatedRowCount?: string;
      };
    };
  };
  readonly status: { readonly errorResult?: { reason?: string; location?: string; message?: string } };
}

function milliseconds(text: string | undefined): bigint | null {
  return text === undefined ? null : BigInt(text) * 1000n;
}

function integer(text: string | undefined): bigint | null {
  return text === undefined ? null : BigInt(text);
}

function tableValue(table: TableJson | undefined): SqlValue {
  return table === undefined
    ? null
    : [table.projectId ?? null, table.datasetId ?? null, table.tableId ?? null];
}
