import { BigQueryError } from "../errors.ts";
import { parseDestinationOptions } from "../storage/load/destination-options.ts";
import type { Storage } from "../storage/storage.ts";
import type { TableRef } from "../types.ts";
import { destinationRef, type QueryConfiguration, sessionOf } from "./configuration.ts";
import type { Faults } from "./faults.ts";
import { anonymousTable, type Job, type JobOutcome } from "./job.ts";
import { readParameters } from "./parameters.ts";
import type { QueryEngine, QueryOutcome } from "./ports.ts";
import { queryJobOutcome } from "./query-statistics.ts";

/** What queries are run with. */
export interface QueryParts {
  readonly storage: Storage;
  readonly engine: QueryEngine;
  readonly faults: Faults;
}

/** Runs a query job. */
export async function runQueryJob(
  parts: QueryParts,
  job: Job,
  query: QueryConfiguration,
  location: string | null | undefined,
): Promise<JobOutcome> {
  await checkBytesBilled(parts, job, query, location);
  const outcome = await runQuery(parts, job.projectId, query, {
    jobId: job.jobId,
    location,
    dryRun: false,
    signal: job.controller.signal,
  });
  if (!location) job.location = outcome.location ?? locationOf(parts, outcome.ddlTarget) ?? job.location;
  const anonymous = outcome.rows !== undefined && query.destinationTable == null;
  const destinationTable = anonymous ? anonymousTable(job.projectId, job.jobId) : outcome.writtenTable;
  return {
    ...queryJobOutcome(outcome, false),
    configuration: {
      query: {
        createDisposition: "CREATE_IF_NEEDED",
        writeDisposition: anonymous ? "WRITE_TRUNCATE" : "WRITE_EMPTY",
        ...(destinationTable === undefined ? {} : { destinationTable }),
        priority: "INTERACTIVE",
        ...query,
        useLegacySql: false,
      },
    },
  };
}

function locationOf({ storage }: QueryParts, ref: TableRef | undefined): string | undefined {
  if (ref === undefined) return undefined;
  return storage.catalog.getDataset(ref.projectId, ref.datasetId)?.location;
}

/** BigQuery refuses a query before it runs when it would read more than the client wants to pay for. */
async function checkBytesBilled(
  parts: QueryParts,
  job: Job,
  query: QueryConfiguration,
  location: string | null | undefined,
): Promise<void> {
  const limit = query.maximumBytesBilled ?? 0;
  if (limit === 0) return;
  const estimate = await runQuery(parts, job.projectId, query, {
    jobId: job.jobId,
    location,
    dryRun: true,
    signal: job.controller.signal,
  });
  const billed = estimate.bytesBilled;
  if (billed > limit) {
    throw new BigQueryError(
      "bytesBilledLimitExceeded",
      `Query exceeded limit for bytes billed: ${limit}. ${billed} or higher required.`,
    );
  }
}

/** Asks the engine to run a query, or only to check it. */
export function runQuery(
  { engine, faults }: QueryParts,
  projectId: string,
  query: QueryConfiguration,
  run: { jobId: string; location: string | null | undefined; dryRun: boolean; signal: AbortSignal },
): Promise<QueryOutcome> {
  return engine.runQuery({
    sql: query.query,
    projectId,
    ...(query.defaultDataset == null
      ? {}
      : {
          defaultDataset: {
            projectId: query.defaultDataset.projectId || projectId,
            datasetId: query.defaultDataset.datasetId,
          },
        }),
    parameters: readParameters(query.queryParameters ?? [], query.parameterMode),
    dryRun: run.dryRun,
    jobId: run.jobId,
    ...(run.location ? { location: run.location } : {}),
    ...(query.destinationTable == null
      ? {}
      : {
          destinationTable: destinationRef(query.destinationTable, projectId),
          destinationOptions: parseDestinationOptions(query),
        }),
    ...(query.writeDisposition == null ? {} : { writeDisposition: query.writeDisposition }),
    ...(query.createDisposition == null ? {} : { createDisposition: query.createDisposition }),
    session: sessionOf(query),
    signal: run.signal,
    onStatement: run.dryRun ? undefined : (when, statement) => faults.onStatement(when, statement),
  });
}
