import { randomUUID } from "node:crypto";
import { BigQueryError } from "../errors.ts";
import { sameLocation } from "../storage/names.ts";
import { Job, type JobResult, type NewJob } from "./job.ts";
import { readRecord, writeRecord } from "./job-record.ts";

/** BigQuery keeps jobs for six months; a laptop keeps the newest so many. */
export const MAX_JOBS = 5_000;
/** Of so many jobs the rows are kept; of older ones only the resource. */
const MAX_RESULTS = 2_000;

/** What `list` gives of all jobs. */
export interface JobFilter {
  readonly states?: readonly string[];
  readonly parentJobId?: string | undefined;
  readonly minCreationTime?: number | undefined;
  readonly maxCreationTime?: number | undefined;
}

/** Where the records of jobs are kept, by key. */
export interface JobKeeper {
  /** Done once a crash can no longer undo it. */
  write(key: string, record: string | undefined): Promise<void>;
  writeSoon(key: string, record: string): void;
  close(): Promise<void>;
}

/** All jobs of this server, by project and id. */
export class JobRegistry {
  readonly #jobs = new Map<string, Job>();
  readonly #withRows = new Set<Job>();
  readonly #keeper: JobKeeper | undefined;

  /** `records` are the kept ones of an earlier server, the oldest first. Without a keeper jobs are gone with the server. */
  constructor(keeper?: JobKeeper, records: readonly string[] = []) {
    this.#keeper = keeper;
    for (const record of records) {
      const job = readRecord(record);
      this.#jobs.set(keyOf(job.projectId, job.jobId), job);
    }
  }

  /**
   * Keeps the job as one that has begun: after a crash its id is still taken, so nobody runs it twice. One that only reads may be
   * run twice, and waits for no disk.
   */
  async keep(job: Job): Promise<void> {
    if (job.isReadOnly) return;
    await this.#keeper?.write(keyOf(job.projectId, job.jobId), writeRecord(job));
  }

  /** Ends a job; it is kept before anybody is told. */
  async finish(job: Job, result: JobResult, time = Date.now()): Promise<void> {
    const key = keyOf(job.projectId, job.jobId);
    const record = this.#keeper === undefined ? "" : writeRecord(job, { result, time });
    try {
      if (job.isReadOnly) this.#keeper?.writeSoon(key, record);
      else await this.#keeper?.write(key, record);
    } finally {
      job.finish(result, time);
    }
  }

  /** Registers a job. Its id is what makes a retried request harmless: the second insert is told that the first one happened. */
  add(spec: NewJob): Job {
    checkJobId(spec.jobId);
    const key = keyOf(spec.projectId, spec.jobId);
    if (this.#jobs.has(key)) {
      throw new BigQueryError(
        "duplicate",
        `Already Exists: Job ${spec.projectId}:${spec.location}.${spec.jobId}`,
      );
    }
    const job = new Job(spec);
    this.#jobs.set(key, job);
    void job.done.then(() => this.#finished(job));
    this.#forgetOld();
    return job;
  }

  /** A job by its id; one in another location is not found, as on BigQuery. */
  get(projectId: string, jobId: string, location?: string): Job {
    const job = this.#jobs.get(keyOf(projectId, jobId));
    if (job === undefined || (location !== undefined && !sameLocation(location, job.location))) {
      const place = location === undefined ? "" : `${location}.`;
      throw new BigQueryError("notFound", `Not found: Job ${projectId}:${place}${jobId}`);
    }
    return job;
  }

  /** Jobs of a project, newest first; a script's statements only when asked for by their parent. */
  list(projectId: string, filter: JobFilter = {}): Job[] {
    return [...this.#jobs.values()]
      .filter((job) => job.projectId === projectId)
      .filter((job) => job.parentJobId === filter.parentJobId)
      .filter((job) => filter.states === undefined || filter.states.includes(job.state))
      .filter((job) => job.creationTime >= (filter.minCreationTime ?? 0))
      .filter((job) => job.creationTime <= (filter.maxCreationTime ?? Number.MAX_SAFE_INTEGER))
      .reverse();
  }

  /** Every job there is, statements of scripts too. */
  all(): Job[] {
    return [...this.#jobs.values()];
  }

  /** Deletes a finished job and its children. */
  async delete(job: Job): Promise<void> {
    if (!job.isDone()) {
      throw new BigQueryError("invalid", `Job ${job.fullName} is still running; cancel it first.`);
    }
    for (const child of this.all().filter((other) => other.parentJobId === job.jobId)) {
      if (child.projectId === job.projectId) await this.#remove(child);
    }
    await this.#remove(job);
  }

  /** Cancels all that runs and waits for it; frees all rows. */
  async close(): Promise<void> {
    for (const job of this.#jobs.values()) if (!job.isDone()) job.controller.abort();
    await Promise.all([...this.#jobs.values()].map((job) => job.done));
    for (const job of this.#withRows) await job.outcome?.rows?.dispose?.();
    this.#withRows.clear();
    await this.#keeper?.close();
  }

  async #remove(job: Job): Promise<void> {
    await this.#keeper?.write(keyOf(job.projectId, job.jobId), undefined);
    await this.#forget(job);
  }

  async #forget(job: Job): Promise<void> {
    this.#jobs.delete(keyOf(job.projectId, job.jobId));
    this.#withRows.delete(job);
    await job.outcome?.rows?.dispose?.();
  }

  #finished(job: Job): void {
    if (job.outcome?.rows === undefined) return;
    this.#withRows.add(job);
    if (this.#withRows.size <= MAX_RESULTS) return;
    const [oldest] = this.#withRows;
    if (oldest === undefined) return;
    this.#withRows.delete(oldest);
    void oldest.outcome?.rows?.dispose?.();
    oldest.dropRows();
  }

  #forgetOld(): void {
    if (this.#jobs.size <= MAX_JOBS) return;
    for (const job of this.#jobs.values()) {
      if (!job.isDone()) continue;
      void this.#forget(job);
      return;
    }
  }
}

/** A job id for a request that brings none. */
export function newJobId(): string {
  return `job_${randomUUID().replaceAll("-", "")}`;
}

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/JobReference: letters, digits, underscores, dashes; at most 1,024. */
function checkJobId(jobId: string): void {
  if (!/^[A-Za-z0-9_-]{1,1024}$/.test(jobId)) {
    throw new BigQueryError(
      "invalid",
      `Invalid job ID "${jobId.slice(0, 100)}". Job IDs must be alphanumeric (plus underscores and dashes) and must be at most 1024 characters long.`,
    );
  }
}

function keyOf(projectId: string, jobId: string): string {
  return `${projectId}\n${jobId}`;
}
