import { createHash } from "node:crypto";
import { BigQueryError, type ErrorProto } from "../errors.ts";
import type { FieldSchema, TableRef } from "../types.ts";
import { USER_EMAIL } from "../user.ts";
import type { SqlValue } from "../values.ts";
import type { JsonObject } from "./json.ts";

/** Rows that a job left to be read page by page. */
export interface JobRows {
  readonly schema: readonly FieldSchema[];
  readonly totalRows: number;
  page(start: number, count: number): Promise<SqlValue[][]>;
  dispose?(): Promise<void> | void;
}

/** What a finished job says of itself, next to its rows. */
export interface JobOutcome {
  /** Members of `statistics`: query, load, copy, totalBytesProcessed, numChildJobs, scriptStatistics … */
  readonly statistics: JsonObject;
  readonly rows?: JobRows;
  /** There were rows, which are no longer kept. */
  readonly rowsGone?: boolean;
  /** The result's schema, which a dry run has without rows. */
  readonly schema?: readonly FieldSchema[];
  /** Members of `configuration` that only running decided (the anonymous destination table, …). */
  readonly configuration?: JsonObject;
  /** Problems that did not fail the job (bad records of a load). */
  readonly warnings?: readonly ErrorProto[];
  readonly children?: readonly ChildOutcome[];
}

/** One statement of a script, which BigQuery shows as a job of its own. */
export interface ChildOutcome {
  readonly sql: string;
  /** The table it has put rows into. */
  readonly writtenTable?: TableRef;
  readonly startTime: number;
  readonly endTime: number;
  readonly outcome?: JobOutcome;
  readonly error?: BigQueryError;
}

/** The state of a job as its resource shows it. */
export type JobState = "PENDING" | "RUNNING" | "DONE";

/** What a new job is made of. */
export interface NewJob {
  readonly projectId: string;
  readonly jobId: string;
  readonly location: string;
  readonly configuration: JsonObject;
  readonly parentJobId?: string;
  /** Now, when absent; in milliseconds. */
  readonly creationTime?: number;
  /** It is known to change nothing. */
  readonly isReadOnly?: boolean;
}

/** How a job ended: with an outcome, with an error, or (a script that failed midway) with both. */
export interface JobResult {
  readonly outcome?: JobOutcome;
  readonly error?: BigQueryError;
}

/** A job: its resource (https://cloud.google.com/bigquery/docs/reference/rest/v2/Job), and what running it gave. */
export class Job {
  readonly projectId: string;
  readonly jobId: string;
  readonly parentJobId: string | undefined;
  readonly configuration: JsonObject;
  readonly creationTime: number;
  readonly isReadOnly: boolean;
  location: string;
  startTime: number | undefined;
  endTime: number | undefined;
  state: JobState = "PENDING";
  error: BigQueryError | undefined;
  outcome: JobOutcome | undefined;
  /** Aborts the work when the job is cancelled. */
  readonly controller = new AbortController();
  readonly done: Promise<void>;
  #finish: () => void = () => {};

  constructor(spec: NewJob) {
    this.projectId = spec.projectId;
    this.jobId = spec.jobId;
    this.location = spec.location;
    this.configuration = spec.configuration;
    this.parentJobId = spec.parentJobId;
    this.isReadOnly = spec.isReadOnly ?? false;
    this.creationTime = spec.creationTime ?? Date.now();
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** The job's work has begun. */
  start(time = Date.now()): void {
    this.state = "RUNNING";
    this.startTime = time;
  }

  /** The job is over. */
  finish(result: JobResult, time = Date.now()): void {
    this.startTime ??= time;
    this.endTime = time;
    this.state = "DONE";
    this.outcome = result.outcome;
    this.error = result.error;
    Object.assign(this.configuration, result.outcome?.configuration);
    this.#finish();
  }

  /** Forgets the rows of an old job; its resource stays. */
  dropRows(): void {
    if (this.outcome !== undefined) this.outcome = { ...this.outcome, rows: undefined, rowsGone: true };
  }

  /** Waits until the job is done, at most so long. */
  async wait(milliseconds: number): Promise<boolean> {
    if (this.state === "DONE") return true;
    if (milliseconds <= 0) return false;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds);
    });
    await Promise.race([this.done, late]);
    clearTimeout(timer);
    return this.isDone();
  }

  /** Whether the job is over. */
  isDone(): boolean {
    return this.state === "DONE";
  }

  /** The name BigQuery's messages give a job. */
  get fullName(): string {
    return `${this.projectId}:${this.location}.${this.jobId}`;
  }

  /** The job's resource. */
  toResource(baseUrl: string): JsonObject {
    const { projectId, jobId, location } = this;
    return {
      kind: "bigquery#job",
      etag: this.#etag(),
      id: this.fullName,
      selfLink: `${baseUrl}/bigquery/v2/projects/${projectId}/jobs/${jobId}?location=${location}`,
      user_email: USER_EMAIL,
      configuration: this.configuration,
      jobReference: { projectId, jobId, location },
      statistics: this.#statistics(),
      status: this.status(),
      principal_subject: `user:${USER_EMAIL}`,
      jobCreationReason: { code: "REQUESTED" },
    };
  }

  /** `status`: a failed job is told by `errorResult` alone, its state is DONE like any other's. */
  status(): JsonObject {
    const errors = [
      ...(this.error === undefined ? [] : [this.error.toProto(), ...this.error.details]),
      ...(this.outcome?.warnings ?? []),
    ];
    return {
      ...(this.error === undefined ? {} : { errorResult: this.error.toProto() }),
      ...(errors.length === 0 ? {} : { errors }),
      state: this.state,
    };
  }

  #statistics(): JsonObject {
    return {
      creationTime: String(this.creationTime),
      ...(this.startTime === undefined ? {} : { startTime: String(this.startTime) }),
      ...(this.endTime === undefined
        ? {}
        : {
            endTime: String(this.endTime),
            finalExecutionDurationMs: String(this.endTime - (this.startTime ?? this.endTime)),
          }),
      ...(this.parentJobId === undefined ? {} : { parentJobId: this.parentJobId }),
      ...this.outcome?.statistics,
    };
  }

  #etag(): string {
    const text = `${this.fullName} ${this.creationTime} ${this.state} ${this.endTime ?? ""}`;
    return createHash("sha256").update(text).digest("base64url").slice(0, 22);
  }
}

/** The table a query's rows are readable from when the request names none; the name hides it from lists, as BigQuery's does. */
export function anonymousTable(projectId: string, jobId: string): TableRef {
  const digest = createHash("sha256").update(`${projectId} ${jobId}`).digest("hex");
  return { projectId, datasetId: `_${digest.slice(0, 40)}`, tableId: `anon${digest.slice(0, 48)}` };
}

/** An error of a job that was cancelled. */
export function cancelled(): BigQueryError {
  return new BigQueryError("stopped", "Job execution was cancelled: User requested cancellation");
}
