/** A small client of BigQuery's REST API: enough to create, load, run and read, with every answer checked. */
import { boundOf, type Field, isRange, type Row } from "./values.ts";
import { type Cell, ndjsonLine } from "./wire.ts";

/** A column as the REST API describes it. */
export interface RestField {
  readonly name: string;
  readonly type: string;
  readonly mode?: string;
  readonly fields?: readonly RestField[];
  readonly rangeElementType?: { readonly type: string };
}

/** A query's result. */
export interface Result {
  readonly schema: readonly RestField[];
  readonly rows: readonly (readonly Cell[])[];
  /** Processed, of a script by all of its statements. */
  readonly bytes: number;
}

interface QueryAnswer {
  readonly jobComplete?: boolean;
  readonly jobReference?: { readonly jobId: string; readonly location?: string };
  readonly schema?: { readonly fields?: readonly RestField[] };
  readonly rows?: readonly { readonly f: readonly Cell[] }[];
  readonly pageToken?: string;
  readonly totalBytesProcessed?: string;
}

interface JobAnswer {
  readonly jobReference: { readonly jobId: string };
  readonly status: {
    readonly state: string;
    readonly errorResult?: { readonly reason: string; readonly message: string };
  };
}

/** What the endpoint refused, in its own words. */
class EndpointError extends Error {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

const REST_TYPES: Partial<Record<string, string>> = { INT64: "INTEGER", FLOAT64: "FLOAT", BOOL: "BOOLEAN" };

/** A field as BigQuery's schema JSON writes it. */
export function restField(field: Field): RestField {
  const { name, type, mode = "NULLABLE", fields } = field;
  if (isRange(field)) return { name, type: "RANGE", rangeElementType: { type: boundOf(field).type }, mode };
  return { name, type: REST_TYPES[type] ?? type, mode, ...(fields ? { fields: fields.map(restField) } : {}) };
}

/** The endpoint at a URL, for one project. */
export class Endpoint {
  readonly url: string;
  readonly project: string;

  constructor(url: string, project = "exactness") {
    this.url = url;
    this.project = project;
  }

  async #call(method: string, path: string, body?: unknown, type = "application/json"): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : {
            headers: { "content-type": type },
            body: typeof body === "string" ? body : JSON.stringify(body),
          }),
    });
    const text = await response.text();
    const answer: unknown = text === "" ? {} : JSON.parse(text);
    if (!response.ok) {
      const { error } = answer as { error?: { message?: string } };
      throw new EndpointError(error?.message ?? text, response.status);
    }
    return answer;
  }

  /** Creates a dataset. */
  async createDataset(dataset: string): Promise<void> {
    const datasetReference = { projectId: this.project, datasetId: dataset };
    await this.#call("POST", `/bigquery/v2/projects/${this.project}/datasets`, {
      datasetReference,
      location: "US",
    });
  }

  /** Drops a dataset with all its tables. */
  async dropDataset(dataset: string): Promise<void> {
    await this.#call(
      "DELETE",
      `/bigquery/v2/projects/${this.project}/datasets/${dataset}?deleteContents=true`,
    );
  }

  /** Creates an append-only table, partitioned by the day of `partition`. */
  async createTable(
    dataset: string,
    table: string,
    fields: readonly Field[],
    partition: string,
  ): Promise<void> {
    await this.#call("POST", `/bigquery/v2/projects/${this.project}/datasets/${dataset}/tables`, {
      tableReference: { projectId: this.project, datasetId: dataset, tableId: table },
      schema: { fields: fields.map(restField) },
      timePartitioning: { type: "DAY", field: partition },
    });
  }

  /** Appends rows by a load job of NDJSON; by streaming where there is a RANGE among them, which no load job takes. */
  async load(dataset: string, table: string, fields: readonly Field[], rows: readonly Row[]): Promise<void> {
    if (rows.length === 0) return;
    if (hasRange(fields)) return this.stream(dataset, table, fields, rows);
    const configuration = {
      load: {
        destinationTable: { projectId: this.project, datasetId: dataset, tableId: table },
        sourceFormat: "NEWLINE_DELIMITED_JSON",
        writeDisposition: "WRITE_APPEND",
        createDisposition: "CREATE_NEVER",
        schema: { fields: fields.map(restField) },
      },
    };
    const boundary = "exactness-boundary";
    const parts = [
      `--${boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify({ configuration })}\r\n`,
      `--${boundary}\r\nContent-Type: application/octet-stream\r\n\r\n${rows.map((row) => ndjsonLine(fields, row)).join("\n")}\r\n`,
      `--${boundary}--`,
    ];
    const path = `/upload/bigquery/v2/projects/${this.project}/jobs?uploadType=multipart`;
    let job = (await this.#call(
      "POST",
      path,
      parts.join(""),
      `multipart/related; boundary=${boundary}`,
    )) as JobAnswer;
    while (job.status.state !== "DONE") {
      await pause();
      job = (await this.#call(
        "GET",
        `/bigquery/v2/projects/${this.project}/jobs/${job.jobReference.jobId}`,
      )) as JobAnswer;
    }
    if (job.status.errorResult) throw new EndpointError(job.status.errorResult.message, 400);
  }

  /** Appends rows by insertAll. */
  async stream(
    dataset: string,
    table: string,
    fields: readonly Field[],
    rows: readonly Row[],
  ): Promise<void> {
    const path = `/bigquery/v2/projects/${this.project}/datasets/${dataset}/tables/${table}/insertAll`;
    const body = `{"rows":[${rows.map((row) => `{"json":${ndjsonLine(fields, row, "insertAll")}}`).join(",")}]}`;
    const { insertErrors } = (await this.#call("POST", path, body)) as { insertErrors?: unknown };
    if (insertErrors !== undefined) throw new EndpointError(JSON.stringify(insertErrors), 400);
  }

  /** Plans failures; the endpoint must have been started for it. */
  async plan(faults: readonly unknown[]): Promise<void> {
    await this.#call("POST", "/-/faults", { faults });
  }

  /** Forgets the planned failures. */
  async clearPlan(): Promise<void> {
    await this.#call("DELETE", "/-/faults");
  }

  /** Runs a query or script and reads all of its result. */
  async query(sql: string): Promise<Result> {
    const formatOptions = { useInt64Timestamp: true };
    const base = `/bigquery/v2/projects/${this.project}/queries`;
    const request = { query: sql, useLegacySql: false, timeoutMs: 600_000, formatOptions, location: "US" };
    let answer = (await this.#call("POST", base, request)) as QueryAnswer;
    const jobId = answer.jobReference?.jobId;
    const rows: (readonly Cell[])[] = [];
    for (;;) {
      rows.push(...(answer.rows ?? []).map((row) => row.f));
      if (answer.jobComplete === true && answer.pageToken === undefined) break;
      if (answer.jobComplete !== true) await pause();
      const token =
        answer.pageToken === undefined ? "" : `&pageToken=${encodeURIComponent(answer.pageToken)}`;
      const path = `${base}/${jobId}?formatOptions.useInt64Timestamp=true&location=US${token}`;
      answer = (await this.#call("GET", path)) as QueryAnswer;
    }
    return { schema: answer.schema?.fields ?? [], rows, bytes: Number(answer.totalBytesProcessed) };
  }
}

function hasRange(fields: readonly Field[]): boolean {
  return fields.some((field) => isRange(field) || hasRange(field.fields ?? []));
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
