import { randomUUID } from "node:crypto";
import { BigQueryError } from "../errors.ts";
import { checkLabel } from "../storage/names.ts";
import type { Storage } from "../storage/storage.ts";
import type { FieldSchema, TableRef } from "../types.ts";
import {
  type CopyConfiguration,
  checkQueryFeatures,
  destinationRef,
  type JobBody,
  type QueryConfiguration,
  refused,
} from "./configuration.ts";
import { runCopy } from "./copy-job.ts";
import { DefectReporter, type OnDefect } from "./defects.ts";
import type { Faults } from "./faults.ts";
import {
  anonymousTable,
  type ChildOutcome,
  cancelled,
  type Job,
  type JobOutcome,
  type JobResult,
} from "./job.ts";
import { type JsonObject, objectAt } from "./json.ts";
import { runLoadJob } from "./load-job.ts";
import { resolveLocation } from "./location.ts";
import type { ChildJob, Loader, QueryEngine } from "./ports.ts";
import { runQuery, runQueryJob } from "./query-job.ts";
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
  async insert(projectId: string, body: JobBody, upload?: SpoolFile): Promise<Job> {
    const { configuration, jobReference } = body;
    const { kind, work, target } = this.#workOf(projectId, body, upload);
    for (const [key, value] of Object.entries(configuration.labels ?? {})) checkLabel(key, value);
    this.#parts.queue.checkRoom();
    const job = this.#parts.jobs.add({
      projectId,
      jobId: jobReference?.jobId || newJobId(),
      location: resolveLocation(this.#parts.storage.catalog, jobReference?.location, target),
      configuration: { ...configuration, jobType: kind },
      isReadOnly: isReadOnly(configuration.query),
    });
    const limit = configuration.jobTimeoutMs;
    const kept = this.#parts.jobs.keep(job);
    void this.#parts.queue
      .run(async () => {
        try {
          await kept;
          await this.#execute(job, work, limit ?? undefined);
        } catch (error) {
          // What a job has done cannot be kept: at least whoever waits for it is told.
          if (!job.isDone()) job.finish({ error: this.#defects.toBigQueryError(error, job.fullName) });
        }
      })
      .finally(() => upload?.remove());
    // Who is told of a job finds it after a crash as well.
    await kept;
    return job;
  }

  /** Checks a job without running it. Only queries can be checked so; what is wrong is thrown. */
  async dryRun(projectId: string, body: JobBody): Promise<DryRun> {
    const query = body.configuration.query;
    if (query == null) throw refused("dryRun of a job that is no query", "dryRun");
    checkQueryFeatures(query);
    const { catalog } = this.#parts.storage;
    let location = resolveLocation(catalog, body.jobReference?.location, targetOf(projectId, query));
    let outcome: JobOutcome | undefined;
    let failure: unknown;
    this.#parts.queue.checkRoom();
    await this.#parts.queue.run(async () => {
      try {
        const result = await runQuery(this.#parts, projectId, query, {
          jobId: newJobId(),
          location: body.jobReference?.location,
          dryRun: true,
          signal: new AbortController().signal,
        });
        outcome = queryJobOutcome(result, true);
        if (!body.jobReference?.location) location = result.location ?? location;
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
    const { undeclaredQueryParameters } = outcome.statistics.query as JsonObject;
    if (undeclaredQueryParameters !== undefined) {
      throw new BigQueryError("invalidQuery", "Query parameters cannot be used in a view.", "query");
    }
    if (outcome.schema === undefined) {
      throw new BigQueryError("invalidQuery", "A view's query must be a SELECT statement.", "query");
    }
    return [...outcome.schema];
  }

  /** Runs one statement that makes a routine; anything else is refused before it runs. */
  async define(sql: string, projectId: string): Promise<void> {
    const { outcome } = await this.dryRun(projectId, { configuration: { query: { query: sql } } });
    const type = objectAt(outcome.statistics, "query")?.statementType;
    if (!/^CREATE_(TABLE_)?FUNCTION$/.test(String(type))) {
      throw new BigQueryError("invalid", "Invalid definitionBody: it is more than one expression or query.");
    }
    const run = {
      jobId: newJobId(),
      location: undefined,
      dryRun: false,
      signal: new AbortController().signal,
    };
    await runQuery(this.#parts, projectId, { query: sql }, run);
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
    if (extract != null)
      throw refused("extract jobs, whose destination is Cloud Storage", "configuration.extract");
    if (upload !== undefined && load == null) {
      throw new BigQueryError("invalid", "An upload needs configuration.load.", "configuration");
    }
    if (query != null) {
      checkQueryFeatures(query);
      const work: Work = (job) => runQueryJob(this.#parts, job, query, body.jobReference?.location);
      return { kind: "QUERY", work, target: targetOf(projectId, query) };
    }
    if (load != null) {
      const work: Work = (job) => runLoadJob(this.#parts, job, load, upload);
      return { kind: "LOAD", work, target: datasetOf(destinationRef(load.destinationTable, projectId)) };
    }
    const copying = copy as CopyConfiguration;
    return {
      kind: "COPY",
      work: () => runCopy(this.#parts.storage, projectId, copying),
      target: datasetOf(destinationRef(copying.destinationTable, projectId)),
    };
  }

  async #execute(job: Job, work: Work, timeoutMs: number | undefined): Promise<void> {
    const { signal } = job.controller;
    if (signal.aborted) {
      await this.#parts.jobs.finish(job, { error: cancelled() });
      return;
    }
    job.start();
    const timer =
      timeoutMs === undefined || timeoutMs === 0
        ? undefined
        : setTimeout(() => job.controller.abort(timedOut(timeoutMs)), timeoutMs);
    const result = await this.#resultOf(job, work);
    clearTimeout(timer);
    await this.#addChildren(job, result.outcome?.children ?? []);
    await this.#parts.jobs.finish(job, result);
  }

  async #resultOf(job: Job, work: Work): Promise<JobResult> {
    try {
      return { outcome: await work(job) };
    } catch (error) {
      const outcome = this.#outcomeOfFailure(error);
      return { error: this.#errorOf(job, error), ...(outcome === undefined ? {} : { outcome }) };
    }
  }

  #errorOf(job: Job, error: unknown): BigQueryError {
    const { signal } = job.controller;
    if (!signal.aborted) return this.#defects.toBigQueryError(error, job.fullName);
    return signal.reason instanceof BigQueryError ? signal.reason : cancelled();
  }

  /** A script that fails has done its first statements all the same. */
  #outcomeOfFailure(error: unknown): JobOutcome | undefined {
    const children = this.#parts.childrenOf?.(error) ?? [];
    if (children.length === 0) return undefined;
    return queryJobOutcome(
      {
        statementType: "SCRIPT",
        bytesProcessed: sumOf(children, "bytesProcessed"),
        bytesBilled: sumOf(children, "bytesBilled"),
        children,
      },
      false,
    );
  }

  async #addChildren(job: Job, children: readonly ChildOutcome[]): Promise<void> {
    const finished = children.map((child, index) => {
      const { projectId, location } = job;
      const jobId = `script_job_${randomUUID().replaceAll("-", "")}_${index}`;
      const added = this.#parts.jobs.add({
        projectId,
        jobId,
        location,
        configuration: { jobType: "QUERY", query: childQuery(projectId, jobId, child) },
        parentJobId: job.jobId,
      });
      added.start(child.startTime);
      const result = {
        ...(child.outcome === undefined ? {} : { outcome: child.outcome }),
        ...(child.error === undefined ? {} : { error: child.error }),
      };
      return this.#parts.jobs.finish(added, result, child.endTime);
    });
    await Promise.all(finished);
  }
}

/** `configuration.query` of a script's statement; its rows, where it has some, are in a table of their own. */
function childQuery(projectId: string, jobId: string, child: ChildOutcome): JsonObject {
  const hasRows = child.outcome?.rows !== undefined;
  const destinationTable = hasRows ? anonymousTable(projectId, jobId) : child.writtenTable;
  return {
    query: child.sql,
    ...(destinationTable === undefined ? {} : { destinationTable }),
    useLegacySql: false,
    priority: "INTERACTIVE",
  };
}

/** Whether a query is sure to change nothing: one SELECT whose rows go to its client. What is not sure at a glance counts as a change. */
function isReadOnly(query: QueryConfiguration | null | undefined): boolean {
  return query?.destinationTable == null && /^\s*(?:SELECT|WITH)\b[^;]*;?\s*$/i.test(query?.query ?? "");
}

type TargetDataset = Pick<TableRef, "projectId" | "datasetId">;

/** The dataset that says where a query runs when nobody else does. */
function targetOf(projectId: string, query: QueryConfiguration): TargetDataset | undefined {
  if (query.destinationTable != null) return datasetOf(destinationRef(query.destinationTable, projectId));
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

function sumOf(children: readonly ChildJob[], what: "bytesProcessed" | "bytesBilled"): number {
  return children.reduce((sum, { outcome }) => sum + (outcome?.[what] ?? 0), 0);
}
