import { randomUUID } from "node:crypto";
import { BigQueryError } from "../errors.ts";
import type { Storage } from "../storage/storage.ts";
import type { FieldSchema, TableRef } from "../types.ts";
import {
  type CopyConfiguration,
  checkQueryFeatures,
  fullRef,
  type JobBody,
  type LoadConfiguration,
  type QueryConfiguration,
  refused,
} from "./configuration.ts";
import { runCopy } from "./copy-job.ts";
import { DefectReporter, type OnDefect } from "./defects.ts";
import type { Faults } from "./faults.ts";
import { anonymousTable, cancelled, type Job, type JobOutcome } from "./job.ts";
import type { JsonObject } from "./json.ts";
import { resolveLocation } from "./location.ts";
import { readParameters } from "./parameters.ts";
import type { ChildJob, Loader, QueryEngine, QueryOutcome } from "./ports.ts";
import { queryJobOutcome } from "./query-statistics.ts";
import type { WorkQueue } from "./queue.ts";
import { type JobRegistry, newJobId } from "./registry.ts";
import type { SpoolFile } from "./spool.ts";

/** What a runner works with. */
export interface RunnerParts {
  readonly storage: Storage;
  readonly jobs: JobRegistry;
  readonly queue: WorkQueue;
  readonly engine: QueryEngine;
  readonly loader: Loader;
  /** The statements that a script had run when it failed with this error. */
  readonly childrenOf?: (error: unknown) => readonly ChildJob[];
  readonly faults: Faults;
  readonly onDefect: OnDefect;
}

/** What a dry run gives instead of a job. */
export interface DryRun {
  readonly configuration: JsonObject;
  readonly location: string;
  readonly outcome: JobOutcome;
}

type Work = (job: Job) => Promise<JobOutcome>;

/** Turns the bodies of jobs.insert and jobs.query into running jobs. */
export class JobRunner {
  readonly #parts: RunnerParts;
  readonly #defects: DefectReporter;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    this.#defects = new DefectReporter(parts.onDefect);
  }

  /** Registers and starts a job. The answer does not wait for its work. */
  insert(projectId: string, body: JobBody, upload?: SpoolFile): Job {
    const { configuration, jobReference } = body;
    const { kind, work, target } = this.#workOf(projectId, body, upload);
    this.#parts.queue.checkRoom();
    const job = this.#parts.jobs.add({
      projectId,
      jobId: jobReference?.jobId || newJobId(),
      location: resolveLocation(this.#parts.storage.catalog, jobReference?.location, target),
      configuration: { ...configuration, jobType: kind },
    });
    const limit = configuration.jobTimeoutMs;
    void this.#parts.queue
      .run(() => this.#execute(job, work, limit ?? undefined))
      .finally(() => upload?.remove());
    return job;
  }

  /** Checks a job without running it. Only queries can be checked so; what is wrong is thrown. */
  async dryRun(projectId: string, body: JobBody): Promise<DryRun> {
    const query = body.configuration.query;
    if (query == null) throw refused("dryRun of a job that is no query", "dryRun");
    checkQueryFeatures(query);
    const { catalog } = this.#parts.storage;
    const location = resolveLocation(catalog, body.jobReference?.location, targetOf(projectId, query));
    let outcome: JobOutcome | undefined;
    let failure: unknown;
    this.#parts.queue.checkRoom();
    await this.#parts.queue.run(async () => {
      try {
        const result = await this.#query(projectId, query, {
          jobId: newJobId(),
          location: body.jobReference?.location,
          dryRun: true,
          signal: new AbortController().signal,
        });
        outcome = queryJobOutcome(result, true);
      } catch (error) {
        failure = error;
      }
    });
    if (outcome === undefined) throw this.#defects.toBigQueryError(failure, query.query);
    return { configuration: { ...body.configuration, jobType: "QUERY" }, location, outcome };
  }

  /** The columns a query gives, for a view that is made of it. */
  async schemaOfQuery(sql: string, projectId: string): Promise<FieldSchema[]> {
    const { outcome } = await this.dryRun(projectId, { configuration: { query: { query: sql } } });
    if (outcome.schema === undefined) {
      throw new BigQueryError("invalidQuery", "A view's query must be a SELECT statement.", "query");
    }
    return [...outcome.schema];
  }

  /** The finished query whose rows an anonymous table stands for. */
  anonymous(ref: TableRef): Job | undefined {
    if (!ref.datasetId.startsWith("_")) return undefined;
    return this.#parts.jobs.all().find((job) => {
      if (job.outcome?.rows === undefined || job.projectId !== ref.projectId) return false;
      const table = anonymousTable(job.projectId, job.jobId);
      return table.datasetId === ref.datasetId && table.tableId === ref.tableId;
    });
  }

  #workOf(
    projectId: string,
    body: JobBody,
    upload: SpoolFile | undefined,
  ): { kind: string; work: Work; target: TargetDataset | undefined } {
    const { query, load, copy, extract } = body.configuration;
    const given = [query, load, copy, extract].filter((part) => part != null);
    if (given.length !== 1) {
      throw new BigQueryError("required", "Required parameter is missing: one of query, load, copy, extract");
    }
    if (extract != null) throw refused("extract jobs", "configuration.extract");
    if (upload !== undefined && load == null) {
      throw new BigQueryError("invalid", "An upload needs configuration.load.", "configuration");
    }
    if (query != null) {
      checkQueryFeatures(query);
      const work: Work = (job) => this.#runQuery(job, projectId, query, body.jobReference?.location);
      return { kind: "QUERY", work, target: targetOf(projectId, query) };
    }
    if (load != null) {
      const work: Work = (job) => this.#runLoad(job, projectId, load, upload);
      return { kind: "LOAD", work, target: datasetOf(fullRef(load.destinationTable, projectId)) };
    }
    const copying = copy as CopyConfiguration;
    return {
      kind: "COPY",
      work: () => runCopy(this.#parts.storage, projectId, copying),
      target: datasetOf(fullRef(copying.destinationTable, projectId)),
    };
  }

  async #execute(job: Job, work: Work, timeoutMs: number | undefined): Promise<void> {
    const { signal } = job.controller;
    if (signal.aborted) {
      job.finish({ error: cancelled() });
      return;
    }
    job.start();
    const timer =
      timeoutMs === undefined || timeoutMs === 0
        ? undefined
        : setTimeout(() => job.controller.abort(timedOut(timeoutMs)), timeoutMs);
    try {
      const outcome = await work(job);
      this.#addChildren(job, outcome);
      job.finish({ outcome });
    } catch (error) {
      const outcome = this.#outcomeOfFailure(job, error);
      job.finish({ error: this.#errorOf(job, error), ...(outcome === undefined ? {} : { outcome }) });
    } finally {
      clearTimeout(timer);
    }
  }

  #errorOf(job: Job, error: unknown): BigQueryError {
    const { signal } = job.controller;
    if (!signal.aborted) return this.#defects.toBigQueryError(error, job.fullName);
    return signal.reason instanceof BigQueryError ? signal.reason : cancelled();
  }

  /** A script that fails has done its first statements all the same. */
  #outcomeOfFailure(job: Job, error: unknown): JobOutcome | undefined {
    const children = this.#parts.childrenOf?.(error) ?? [];
    if (children.length === 0) return undefined;
    const outcome = queryJobOutcome({ statementType: "SCRIPT", bytesProcessed: 0, children }, false);
    this.#addChildren(job, outcome);
    return outcome;
  }

  async #runQuery(
    job: Job,
    projectId: string,
    query: QueryConfiguration,
    location: string | null | undefined,
  ): Promise<JobOutcome> {
    await this.#checkBytesBilled(job, projectId, query, location);
    const outcome = await this.#query(projectId, query, {
      jobId: job.jobId,
      location,
      dryRun: false,
      signal: job.controller.signal,
    });
    if (!location) job.location = outcome.location ?? this.#locationOf(outcome.ddlTarget) ?? job.location;
    const anonymous = outcome.rows !== undefined && query.destinationTable == null;
    return {
      ...queryJobOutcome(outcome, false),
      configuration: {
        query: {
          createDisposition: "CREATE_IF_NEEDED",
          writeDisposition: anonymous ? "WRITE_TRUNCATE" : "WRITE_EMPTY",
          ...(anonymous ? { destinationTable: anonymousTable(projectId, job.jobId) } : {}),
          priority: "INTERACTIVE",
          ...query,
          useLegacySql: false,
        },
      },
    };
  }

  #locationOf(ref: TableRef | undefined): string | undefined {
    if (ref === undefined) return undefined;
    return this.#parts.storage.catalog.getDataset(ref.projectId, ref.datasetId)?.location;
  }

  /** BigQuery refuses a query before it runs when it would read more than the client wants to pay for. */
  async #checkBytesBilled(
    job: Job,
    projectId: string,
    query: QueryConfiguration,
    location: string | null | undefined,
  ): Promise<void> {
    const limit = query.maximumBytesBilled ?? 0;
    if (limit === 0) return;
    const estimate = await this.#query(projectId, query, {
      jobId: job.jobId,
      location,
      dryRun: true,
      signal: job.controller.signal,
    });
    const statistics = queryJobOutcome(estimate, false).statistics.query as JsonObject;
    const billed = Number(statistics.totalBytesBilled);
    if (billed > limit) {
      throw new BigQueryError(
        "bytesBilledLimitExceeded",
        `Query exceeded limit for bytes billed: ${limit}. ${billed} or higher required.`,
      );
    }
  }

  #query(
    projectId: string,
    query: QueryConfiguration,
    run: { jobId: string; location: string | null | undefined; dryRun: boolean; signal: AbortSignal },
  ): Promise<QueryOutcome> {
    const { faults } = this.#parts;
    return this.#parts.engine.runQuery({
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
        : { destinationTable: fullRef(query.destinationTable, projectId) }),
      ...(query.writeDisposition == null ? {} : { writeDisposition: query.writeDisposition }),
      ...(query.createDisposition == null ? {} : { createDisposition: query.createDisposition }),
      signal: run.signal,
      onStatement: run.dryRun ? undefined : (when, statement) => faults.onStatement(when, statement),
    });
  }

  async #runLoad(
    job: Job,
    projectId: string,
    load: LoadConfiguration,
    upload: SpoolFile | undefined,
  ): Promise<JobOutcome> {
    if (upload === undefined) {
      throw refused("loading from sourceUris; upload the data with the job", "configuration.load.sourceUris");
    }
    const inputFileBytes = upload.bytes;
    await upload.settle();
    this.#parts.faults.onStatement("before", { text: "LOAD", type: "LOAD" });
    const outcome = await this.#parts.loader.load({
      projectId,
      destinationTable: fullRef(load.destinationTable, projectId),
      file: upload.path,
      options: load,
      signal: job.controller.signal,
    });
    this.#parts.faults.onStatement("after", { text: "LOAD", type: "LOAD" });
    return {
      statistics: {
        totalBytesProcessed: "0",
        load: {
          inputFiles: "1",
          inputFileBytes: String(inputFileBytes),
          outputRows: String(outcome.outputRows),
          outputBytes: String(outcome.outputBytes),
          badRecords: String(outcome.badRecords),
        },
      },
      warnings: outcome.warnings,
    };
  }

  #addChildren(job: Job, outcome: JobOutcome): void {
    for (const [index, child] of (outcome.children ?? []).entries()) {
      const added = this.#parts.jobs.add({
        projectId: job.projectId,
        jobId: `script_job_${randomUUID().replaceAll("-", "")}_${index}`,
        location: job.location,
        configuration: child.configuration,
        parentJobId: job.jobId,
      });
      added.start(child.startTime);
      added.finish(
        {
          ...(child.outcome === undefined ? {} : { outcome: child.outcome }),
          ...(child.error === undefined ? {} : { error: child.error }),
        },
        child.endTime,
      );
    }
  }
}

type TargetDataset = Pick<TableRef, "projectId" | "datasetId">;

/** The dataset that says where a query runs when nobody else does. */
function targetOf(projectId: string, query: QueryConfiguration): TargetDataset | undefined {
  if (query.destinationTable != null) return datasetOf(fullRef(query.destinationTable, projectId));
  if (query.defaultDataset == null) return undefined;
  return {
    projectId: query.defaultDataset.projectId || projectId,
    datasetId: query.defaultDataset.datasetId,
  };
}

function datasetOf(ref: TableRef): TargetDataset {
  return { projectId: ref.projectId, datasetId: ref.datasetId };
}

function timedOut(milliseconds: number): BigQueryError {
  return new BigQueryError("stopped", `Operation timed out after ${milliseconds / 1000} seconds.`);
}
