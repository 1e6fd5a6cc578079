import { startServer } from "../../src/server.ts";
import type { Cell, Probe, Step } from "./probe.ts";

/** What came of a probe. */
export type Outcome =
  | { readonly kind: "rows"; readonly rows: readonly (readonly Cell[])[] }
  | { readonly kind: "error"; readonly reason: string; readonly code: number; readonly message: string };

const PROJECT = "support";
const REFUSAL = "Not supported by the local BigQuery endpoint: ";
/** What a script's error says around the error of its statement. */
const IN_A_SCRIPT = /^Query error: (.*) at \[\d+:\d+\]$/s;
/** What a client would take for a fault of the service, and try again. */
const FAULTS = new Set(["internalError", "backendError"]);

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
  readonly body: any;
}

/** An endpoint in memory that probes are tried on. */
export class Prober {
  #datasets = 0;

  private constructor(
    private readonly server: Awaited<ReturnType<typeof startServer>>,
    /** What the endpoint took for its own defects. */
    readonly defects: readonly string[],
  ) {}

  static async open(): Promise<Prober> {
    const defects: string[] = [];
    const onDefect = (error: unknown, what: string) => void defects.push(`${what}: ${String(error)}`);
    return new Prober(await startServer({ onDefect }), defects);
  }

  async close(): Promise<void> {
    await this.server.close();
  }

  /** Runs a probe in a dataset of its own; the first step that fails is its outcome. */
  async run(probe: Probe): Promise<Outcome> {
    const datasetId = `probe_${++this.#datasets}`;
    const datasetReference = { projectId: PROJECT, datasetId };
    await this.#ask("POST", `/bigquery/v2/projects/${PROJECT}/datasets`, { datasetReference });
    let outcome: Outcome = { kind: "rows", rows: [] };
    for (const step of probe.steps) {
      outcome = withoutDataset(await this.#step(step, datasetId), datasetId);
      if (outcome.kind === "error") return outcome;
    }
    return outcome;
  }

  async #step(step: Step, datasetId: string): Promise<Outcome> {
    if (step.job === undefined) {
      const defaultDataset = { projectId: PROJECT, datasetId };
      const query = (step.sql ?? "").replaceAll("DATASET", datasetId);
      const body = { query, useLegacySql: false, defaultDataset, timeoutMs: 60_000 };
      return outcomeOf(await this.#ask("POST", `/bigquery/v2/projects/${PROJECT}/queries`, body));
    }
    const configuration = JSON.parse(step.job.replaceAll("DATASET", datasetId));
    const inserted = await this.#insertJob({ configuration }, step.upload);
    if (inserted.status !== 200) return outcomeOf(inserted);
    const { jobId } = inserted.body.jobReference;
    for (;;) {
      const job = await this.#ask("GET", `/bigquery/v2/projects/${PROJECT}/jobs/${jobId}`);
      if (job.body.status.state !== "DONE") continue;
      const failure = job.body.status.errorResult;
      if (failure === undefined) return { kind: "rows", rows: [] };
      return { kind: "error", code: 200, reason: failure.reason, message: failure.message };
    }
  }

  async #insertJob(job: object, upload: string | undefined): Promise<Answer> {
    if (upload === undefined) return await this.#ask("POST", `/bigquery/v2/projects/${PROJECT}/jobs`, job);
    const part = (type: string, content: string) => `--part\r\nContent-Type: ${type}\r\n\r\n${content}\r\n`;
    const body = `${part("application/json", JSON.stringify(job))}${part("application/octet-stream", upload)}--part--`;
    const response = await fetch(
      `${this.server.url}/upload/bigquery/v2/projects/${PROJECT}/jobs?uploadType=multipart`,
      { method: "POST", headers: { "content-type": "multipart/related; boundary=part" }, body },
    );
    return { status: response.status, body: await response.json() };
  }

  async #ask(method: string, path: string, body?: object): Promise<Answer> {
    const response = await fetch(`${this.server.url}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }
}

/** What is wrong with an outcome, if the support table may not say so. */
export function complaint(probe: Probe, outcome: Outcome): string | undefined {
  if (outcome.kind === "rows") {
    const got = JSON.stringify(outcome.rows);
    if (probe.rows === undefined) return `expected an error, got ${got}`;
    const expected = JSON.stringify(probe.rows);
    return got === expected ? undefined : `expected ${expected}, got ${got}`;
  }
  const { code, reason, message } = outcome;
  if (code >= 500 || FAULTS.has(reason)) return `a fault of the endpoint: ${code} ${reason}: ${message}`;
  if (probe.rows !== undefined) return `expected ${JSON.stringify(probe.rows)}, got the error ${message}`;
  const expected = probe.error ?? `${REFUSAL}${probe.refused}`;
  if (probe.refused !== undefined && message.replace(IN_A_SCRIPT, "$1") === expected) return undefined;
  return message === expected ? undefined : `expected the error ${expected}, got ${message}`;
}

/** Messages name the dataset as probes do. */
function withoutDataset(outcome: Outcome, datasetId: string): Outcome {
  return outcome.kind === "rows"
    ? outcome
    : { ...outcome, message: outcome.message.replaceAll(datasetId, "DATASET") };
}

function outcomeOf({ status, body }: Answer): Outcome {
  if (status !== 200) {
    const { message, errors } = body.error;
    return { kind: "error", code: status, reason: errors[0].reason, message };
  }
  if (body.jobComplete !== true)
    return { kind: "error", code: 500, reason: "backendError", message: "no end" };
  const fields: readonly Field[] = body.schema?.fields ?? [];
  return { kind: "rows", rows: (body.rows ?? []).map((row: RestRow) => cellsOf(row, fields)) };
}

interface Field {
  readonly type: string;
  readonly mode?: string;
  readonly fields?: readonly Field[];
}
interface RestRow {
  readonly f: readonly { readonly v: unknown }[];
}

function cellsOf(row: RestRow, fields: readonly Field[]): readonly Cell[] {
  return row.f.map(({ v }, index) => cellOf(v, fields[index] as Field));
}

function cellOf(value: unknown, field: Field): Cell {
  if (value === null) return null;
  if (field.mode === "REPEATED") {
    return (value as { v: unknown }[]).map(({ v }) => cellOf(v, { ...field, mode: "NULLABLE" }));
  }
  if (field.fields !== undefined) return cellsOf(value as RestRow, field.fields);
  return field.type === "TIMESTAMP" ? new Date(Number(value) * 1000).toISOString() : String(value);
}
