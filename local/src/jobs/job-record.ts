import { BigQueryError, type ErrorProto, type ErrorReason } from "../errors.ts";
import type { FieldSchema } from "../types.ts";
import { Job, type JobResult } from "./job.ts";
import type { JsonObject } from "./json.ts";

/** A job as it is kept for after a restart: all of it but its rows. */
interface JobRecord {
  readonly projectId: string;
  readonly jobId: string;
  readonly location: string;
  readonly parentJobId?: string;
  readonly configuration: JsonObject;
  readonly creationTime: number;
  readonly startTime?: number;
  /** Absent while the job runs. */
  readonly endTime?: number;
  readonly error?: ErrorProto & { readonly details: readonly ErrorProto[] };
  readonly outcome?: {
    readonly statistics: JsonObject;
    readonly schema?: readonly FieldSchema[];
    readonly warnings?: readonly ErrorProto[];
    readonly hadRows: boolean;
  };
}

/** The record of a job that has begun, or with its result and the time of its end. */
export function writeRecord(job: Job, end?: { result: JobResult; time: number }): string {
  const outcome = end?.result.outcome;
  const error = end?.result.error;
  const record: JobRecord = {
    projectId: job.projectId,
    jobId: job.jobId,
    location: job.location,
    parentJobId: job.parentJobId,
    configuration: { ...job.configuration, ...outcome?.configuration },
    creationTime: job.creationTime,
    startTime: job.startTime,
    endTime: end?.time,
    ...(error === undefined ? {} : { error: { ...error.toProto(), details: error.details } }),
    ...(outcome === undefined
      ? {}
      : {
          outcome: {
            statistics: outcome.statistics,
            schema: outcome.schema,
            warnings: outcome.warnings,
            hadRows: outcome.rows !== undefined,
          },
        }),
  };
  return JSON.stringify(record);
}

/** The job of a record. One that had not ended ended with the process that ran it. */
export function readRecord(text: string): Job {
  const record = JSON.parse(text) as JobRecord;
  const job = new Job(record);
  job.start(record.startTime ?? record.creationTime);
  if (record.endTime === undefined) {
    job.finish({ error: interrupted() });
    return job;
  }
  const { error, outcome } = record;
  job.finish(
    {
      ...(error === undefined
        ? {}
        : {
            error: new BigQueryError(
              error.reason as ErrorReason,
              error.message,
              error.location,
              error.details,
            ),
          }),
      ...(outcome === undefined
        ? {}
        : {
            outcome: {
              statistics: outcome.statistics,
              schema: outcome.schema,
              warnings: outcome.warnings,
              rowsGone: outcome.hadRows,
            },
          }),
    },
    record.endTime,
  );
  return job;
}

/** Not a reason that clients try again for by themselves: some of the job's statements may have been committed. */
function interrupted(): BigQueryError {
  return new BigQueryError(
    "stopped",
    "Job execution was interrupted: the local BigQuery endpoint was stopped while the job was running. What the job had committed by then stays.",
  );
}
