import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Table } from "@google-cloud/bigquery";
import { SCHEMA } from "./updates.ts";

/** How long a work took. */
export type Milliseconds = number;

/** The work with its duration for a result. */
export function timed(work: () => Promise<unknown>): () => Promise<Milliseconds> {
  return async () => {
    const start = performance.now();
    await work();
    return performance.now() - start;
  };
}

/** Loads a file of updates in the place of a table; gives how long the job ran, as its statistics say. */
export async function loadUpdates(url: string, table: Table, file: string): Promise<Milliseconds> {
  const { projectId } = table.bigQuery;
  const load = {
    destinationTable: { projectId, datasetId: table.dataset.id, tableId: table.id },
    sourceFormat: "NEWLINE_DELIMITED_JSON",
    writeDisposition: "WRITE_TRUNCATE",
    schema: { fields: SCHEMA.map(({ name, type }) => ({ name, type })) },
  };
  // The client's own upload wants credentials, which the endpoint does not.
  const begun = await fetch(`${url}/upload/bigquery/v2/projects/${projectId}/jobs?uploadType=resumable`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ configuration: { load } }),
  });
  const body = Readable.toWeb(createReadStream(file)) as ReadableStream;
  const sent = { method: "PUT", body, duplex: "half" } as RequestInit;
  const { jobReference } = JSON.parse(await text(begun.headers.get("location") ?? "", sent)) as LoadJob;
  for (;;) {
    const job: LoadJob = JSON.parse(
      await text(`${url}/bigquery/v2/projects/${projectId}/jobs/${jobReference.jobId}`),
    );
    const { errorResult, state } = job.status;
    if (errorResult !== undefined) throw new Error(errorResult.message);
    if (state === "DONE") return Number(job.statistics.endTime) - Number(job.statistics.startTime);
    await sleep(20);
  }
}

interface LoadJob {
  readonly jobReference: { readonly jobId: string };
  readonly status: { readonly state: string; readonly errorResult?: { readonly message: string } };
  readonly statistics: { readonly startTime: string; readonly endTime: string };
}

/** Runs a query and reads all pages of its answer as bytes, which no client has to understand. */
export async function readAnswers(
  url: string,
  projectId: string,
  dataset: string,
  sql: string,
): Promise<void> {
  const body = {
    query: sql,
    useLegacySql: false,
    defaultDataset: { datasetId: dataset },
    formatOptions: { useInt64Timestamp: true },
  };
  const queries = `${url}/bigquery/v2/projects/${projectId}/queries`;
  let page = await text(queries, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const jobId = /"jobId":"([^"]+)"/.exec(page)?.[1] ?? "";
  for (;;) {
    const token = /"pageToken":"([^"]+)"/.exec(page.slice(0, 10_000))?.[1];
    if (token === undefined) return;
    page = await text(`${queries}/${jobId}?pageToken=${token}&formatOptions.useInt64Timestamp=true`);
  }
}

async function text(url: string, init?: RequestInit): Promise<string> {
  const answer = await fetch(url, init);
  const body = await answer.text();
  if (!answer.ok) throw new Error(body);
  return body;
}
