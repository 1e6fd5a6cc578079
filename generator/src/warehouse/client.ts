import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import {
  BigQuery,
  type Job,
  type JobLoadMetadata,
  type Table,
  type TableField,
} from "@google-cloud/bigquery";
import type { Place } from "../generate/model.ts";
import type { Project } from "../project/dataform-json.ts";
import { CommandError, codeOf, isNotFound, unreachable } from "../project/errors.ts";
import { emulatorAddress } from "./endpoint.ts";

/** The project's BigQuery: the real one, or a local endpoint that stands in for it. */
export interface Warehouse {
  readonly project: Project;
  readonly client: BigQuery;
  /** The local endpoint's address, undefined for BigQuery itself. */
  readonly endpoint: string | undefined;
}

/**
 * Opens the project's BigQuery: the endpoint that BIGQUERY_EMULATOR_HOST names, without credentials, or else the
 * service itself with Application Default Credentials.
 */
export function openWarehouse(project: Project): Warehouse {
  const endpoint = emulatorAddress();
  if (endpoint !== undefined) {
    process.env.BIGQUERY_EMULATOR_HOST = endpoint;
    process.env.METADATA_SERVER_DETECTION ??= "none";
  } else {
    // Set but empty, as CI sets a variable that it has no value for, the client takes it for the address of an emulator.
    delete process.env.BIGQUERY_EMULATOR_HOST;
  }
  const client = new BigQuery({ projectId: project.projectId, location: project.location });
  if (endpoint !== undefined) allowUploadsWithoutCredentials(client);
  return { project, client, endpoint };
}

/** Asks a local endpoint for a sign of life: the client itself would try for a quarter of a minute before it gave up. */
export async function checkEndpoint({ endpoint, project }: Warehouse): Promise<void> {
  if (endpoint === undefined) return;
  const answer = await fetch(`${endpoint}/bigquery/v2/projects/${project.projectId}/datasets?maxResults=1`)
    .then((response) => response.text())
    .catch((error: unknown) => {
      throw unreachable(endpoint, error);
    });
  if (answer.trimStart().startsWith("{")) return;
  throw new CommandError(
    `what answers at ${endpoint} is not BigQuery: set BIGQUERY_EMULATOR_HOST to the address that \`npm run local\` prints, or unset it to use BigQuery itself`,
  );
}

/** The table in the client's words. */
export function tableOf(warehouse: Warehouse, { project, dataset, table }: Place): Table {
  return warehouse.client.dataset(dataset, project === undefined ? {} : { projectId: project }).table(table);
}

/** The table as SQL names it. */
export function sqlName({ project: own }: Warehouse, { project, dataset, table }: Place): string {
  return `\`${project ?? own.projectId}.${dataset}.${table}\``;
}

/** A table's metadata, or undefined when it does not exist. */
export async function findTable(table: Table): Promise<TableMetadataFound | undefined> {
  try {
    const [metadata] = await table.getMetadata();
    return metadata as TableMetadataFound;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The part of a table's resource that this project reads. */
export interface TableMetadataFound {
  schema?: { fields?: TableField[] };
  description?: string;
  numRows?: string;
  /** In milliseconds since 1970, as the next one. */
  creationTime?: string;
  lastModifiedTime?: string;
  type?: string;
  /** What a view shows. */
  view?: { query?: string };
  timePartitioning?: { type?: string; field?: string; expirationMs?: string };
  /** When the table goes, in milliseconds since 1970. */
  expirationTime?: string;
  requirePartitionFilter?: boolean;
  clustering?: { fields?: string[] };
}

/** Runs a load job with `source` as its data and waits for its end; throws what the job failed with. */
export async function loadFrom(source: Readable, table: Table, configuration: JobLoadMetadata): Promise<Job> {
  const jobId = `load_${randomUUID()}`;
  const job = await submitUpload(source, table, { ...configuration, jobId });
  await job.promise();
  return job;
}

async function submitUpload(source: Readable, table: Table, configuration: JobLoadMetadata): Promise<Job> {
  const upload = table.createWriteStream(configuration);
  const submitted = once(upload, "job") as Promise<[Job]>;
  source.on("error", (error) => upload.destroy(error));
  source.pipe(upload);
  try {
    const [job] = await submitted;
    return job;
  } catch (error) {
    const job = await findJobAfterLostAnswer(error, table, configuration.jobId);
    if (job === undefined) throw error;
    return job;
  }
}

/** An answer that got lost on its way does not mean a job that does not run: its id tells. */
async function findJobAfterLostAnswer(
  error: unknown,
  table: Table,
  jobId: string | undefined,
): Promise<Job | undefined> {
  const answered = typeof codeOf(error) === "number" && codeOf(error) !== 503;
  if (answered || jobId === undefined) return undefined;
  const job = table.bigQuery.job(jobId, { location: table.bigQuery.location });
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await job.getMetadata();
      return job;
    } catch {
      await sleep(200 * 2 ** attempt);
    }
  }
  return undefined;
}

/**
 * Without credentials the client hands an upload to its HTTP library with no `headers`, which that library then writes
 * to: a TypeError outside every promise, the end of the process. An empty object is all it takes.
 */
function allowUploadsWithoutCredentials(client: BigQuery): void {
  const send = client.makeAuthenticatedRequest;
  const withHeaders = (request: object, ...rest: unknown[]): unknown =>
    Reflect.apply(send, client, [{ headers: {}, ...request }, ...rest]);
  client.makeAuthenticatedRequest = withHeaders as typeof send;
}
