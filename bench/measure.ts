import type { BigQuery } from "@google-cloud/bigquery";

/** What a run cost. */
export interface Cost {
  /** Bytes processed by the rules, each column of a table once a statement. */
  readonly bytes: number;
  /** The same where columns of a target that DML both looks at and rewrites count twice, as `q + t` may be read. At most. */
  readonly bytesByTheLetter: number;
  /** With the least that each table costs. */
  readonly billed: number;
  /** How long the jobs ran, one after the other. */
  readonly seconds: number;
  /** Statements that ran, those of scripts each. */
  readonly statements: number;
}

/** Nothing. */
export const NO_COST: Cost = { bytes: 0, bytesByTheLetter: 0, billed: 0, seconds: 0, statements: 0 };

interface JobItem {
  readonly jobReference: { readonly jobId: string };
  readonly parentJobId?: string;
  readonly configuration?: { readonly query?: { readonly destinationTable?: TableName } };
  readonly statistics: {
    readonly creationTime: string;
    readonly startTime?: string;
    readonly endTime?: string;
    readonly parentJobId?: string;
    readonly numChildJobs?: string;
    readonly totalBytesProcessed?: string;
    readonly query?: {
      readonly totalBytesProcessed?: string;
      readonly totalBytesBilled?: string;
      readonly statementType?: string;
    };
  };
}

interface TableName {
  readonly datasetId: string;
  readonly tableId: string;
}

/** Adds up. */
export function sumCosts(costs: readonly Cost[]): Cost {
  return costs.reduce(
    (sum, each) => ({
      bytes: sum.bytes + each.bytes,
      bytesByTheLetter: sum.bytesByTheLetter + each.bytesByTheLetter,
      billed: sum.billed + each.billed,
      seconds: sum.seconds + each.seconds,
      statements: sum.statements + each.statements,
    }),
    NO_COST,
  );
}

/** Does the work and adds up the query jobs that it ran, as the warehouse tells of them; `target` is the table that DML changes. */
export async function measure(
  client: BigQuery,
  url: string,
  target: TableName,
  work: () => Promise<unknown>,
): Promise<Cost> {
  const before = new Set((await listJobs(url, client.projectId)).map((job) => job.jobReference.jobId));
  const size = await sizeOf(client, target);
  await work();
  const jobs = (await listJobs(url, client.projectId)).filter(
    (job) => !before.has(job.jobReference.jobId) && job.statistics.query !== undefined,
  );
  const costs: Cost[] = [];
  for (const job of jobs) {
    const children =
      job.statistics.numChildJobs === undefined
        ? [job]
        : await listJobs(url, client.projectId, job.jobReference.jobId);
    const changes = children.filter((child) => changesTable(child, target)).length;
    const { query, startTime = 0, endTime = 0 } = job.statistics;
    const bytes = Number(query?.totalBytesProcessed ?? 0);
    costs.push({
      bytes,
      bytesByTheLetter: bytes + changes * size,
      billed: sumBilled(children),
      seconds: (Number(endTime) - Number(startTime)) / 1000,
      statements: children.length,
    });
  }
  return sumCosts(costs);
}

function changesTable({ configuration, statistics }: JobItem, target: TableName): boolean {
  const written = configuration?.query?.destinationTable;
  return (
    /^(UPDATE|DELETE|MERGE)$/.test(statistics.query?.statementType ?? "") &&
    written?.tableId === target.tableId &&
    written.datasetId === target.datasetId
  );
}

function sumBilled(jobs: readonly JobItem[]): number {
  return jobs.reduce((sum, { statistics }) => sum + Number(statistics.query?.totalBytesBilled ?? 0), 0);
}

/** Bytes that a query would process, by a dry run. */
export async function bytesOf(client: BigQuery, query: string): Promise<number> {
  const [job] = await client.createQueryJob({ query, dryRun: true });
  return Number((job.metadata as JobItem).statistics.totalBytesProcessed ?? 0);
}

async function sizeOf(client: BigQuery, { datasetId, tableId }: TableName): Promise<number> {
  const table = client.dataset(datasetId).table(tableId);
  const [exists] = await table.exists();
  return exists ? Number((await table.getMetadata())[0].numBytes ?? 0) : 0;
}

async function listJobs(url: string, projectId: string, parent?: string): Promise<JobItem[]> {
  const jobs: JobItem[] = [];
  let page = "";
  do {
    const of = parent === undefined ? "" : `&parentJobId=${parent}`;
    const path = `${url}/bigquery/v2/projects/${projectId}/jobs?projection=full&maxResults=1000${of}${page}`;
    const answer = (await (await fetch(path)).json()) as { jobs?: JobItem[]; nextPageToken?: string };
    jobs.push(...(answer.jobs ?? []));
    page = answer.nextPageToken === undefined ? "" : `&pageToken=${encodeURIComponent(answer.nextPageToken)}`;
  } while (page !== "");
  return jobs;
}
