import { isIP } from "node:net";
import type { FastifyInstance } from "fastify";
import { registerFunctions } from "./compiler/functions/register.ts";
import type { FaultInput } from "./jobs/faults.ts";
import { JobRegistry, MAX_JOBS } from "./jobs/registry.ts";
import { createEndpoint } from "./routes/endpoint.ts";
import { childrenOf, Engine } from "./scripting/engine.ts";
import type { ColumnDefaults } from "./storage/column-defaults.ts";
import { JobLog } from "./storage/job-log.ts";
import { TableLoader } from "./storage/load/loader.ts";
import { openStorage, type Storage } from "./storage/storage.ts";
import { dropTable } from "./storage/tables.ts";

/** How to start the endpoint. */
export interface ServerOptions {
  /** 0 (the default) takes any free port. */
  readonly port?: number;
  /** Loopback only, unless told otherwise. */
  readonly host?: string;
  /** Where tables are kept; in memory when absent. */
  readonly dataFile?: string;
  /** Where new datasets live unless their creator says otherwise. */
  readonly location?: string;
  /** Host header names to answer besides IP addresses and localhost. */
  readonly allowedHosts?: readonly string[];
  /** Failures to come; an empty list only opens the route that plans some. */
  readonly faults?: readonly FaultInput[];
  /** Jobs that run at once, and that wait for it. */
  readonly queue?: { readonly running?: number; readonly waiting?: number };
  /** For how many minutes no statement may change rows of insertAll: 30, as in BigQuery. A test that waits lets them pass. */
  readonly streamedMinutes?: () => number;
  /** The largest upload, decompressed. */
  readonly maxUploadBytes?: number;
  /** Told of defects; without it they go to stderr, one line each. */
  readonly onDefect?: (error: unknown, what: string) => void;
}

/** A running endpoint. */
export interface Server {
  readonly url: string;
  readonly port: number;
  /** Cancels what runs, stops GoogleSQL's server, closes the data file. */
  close(): Promise<void>;
}

const DEFAULT_MAX_UPLOAD = 16 * 1024 ** 3;
const DEFAULT_RUNNING = 8;
const DEFAULT_WAITING = 2_000;
const EXPIRY_CHECK_MS = 60_000;

/** Starts a BigQuery endpoint and answers once it takes requests. */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const host = options.host ?? "127.0.0.1";
  const onDefect = options.onDefect ?? reportDefect;
  const cleanups: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  try {
    const storage = await openStorage({
      file: options.dataFile,
      location: options.location,
      prepare: registerFunctions,
      streamedMinutes: options.streamedMinutes,
    });
    cleanups.push(() => storage.close());
    const jobs = await openJobs(storage);
    const engine = new Engine(storage, {
      jobs: (projectId) => jobs.all().filter((job) => job.projectId === projectId),
    });
    cleanups.push(() => engine.close());
    await engine.start();
    const cleaner = setInterval(() => {
      dropExpiredTables(storage).catch((error) => onDefect(error, "dropping expired tables"));
    }, EXPIRY_CHECK_MS);
    cleaner.unref();
    cleanups.push(async () => clearInterval(cleaner));
    const columnDefaults: ColumnDefaults = (fields) => engine.columnDefaults(fields);
    const endpoint = await createEndpoint({
      storage,
      jobs,
      engine,
      loader: new TableLoader(storage.catalog, columnDefaults),
      columnDefaults,
      childrenOf,
      guard: {
        exposed: !isLoopback(host),
        allowedHosts: [host, ...(options.allowedHosts ?? [])].map((name) => name.toLowerCase()),
      },
      onDefect,
      queue: {
        running: options.queue?.running ?? DEFAULT_RUNNING,
        waiting: options.queue?.waiting ?? DEFAULT_WAITING,
      },
      maxUploadBytes: options.maxUploadBytes ?? DEFAULT_MAX_UPLOAD,
      ...(options.faults === undefined ? {} : { faults: options.faults }),
    });
    cleanups.push(() => endpoint.close());
    // Planned faults are for clients.
    if (options.faults === undefined) await warmUp(endpoint.app);
    // A burst of clients finds room; Node's default would reset the 512th.
    await endpoint.app.listen({ port: options.port ?? 0, host, backlog: 4096 });
    const port = portOf(endpoint.app);
    let closing: Promise<void> | undefined;
    return {
      url: `http://${urlHost(host)}:${port}`,
      port,
      close: () => {
        closing ??= closeAll();
        return closing;
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Sends dry runs through all that stands before the engine: a first request takes four times as long, and no client shall wait for it. */
async function warmUp(app: FastifyInstance): Promise<void> {
  for (const query of ["SELECT 1 AS n", "SELECT 'a' AS s", "SELECT TRUE AS b"]) {
    const payload = { query, useLegacySql: false, dryRun: true };
    await app.inject({ method: "POST", url: "/bigquery/v2/projects/first/queries", payload });
  }
}

/** The jobs of the servers that had this data file before. */
async function openJobs({ database }: Storage): Promise<JobRegistry> {
  if (!database.isDurable) return new JobRegistry();
  const { log, values } = await JobLog.open(database, MAX_JOBS);
  return new JobRegistry(log, values);
}

/** Expired tables are hidden at once; this frees what they hold. */
async function dropExpiredTables(storage: Storage): Promise<void> {
  if (storage.catalog.expiredTables().length === 0) return;
  await storage.catalog.change(async (change) => {
    for (const table of storage.catalog.expiredTables()) await dropTable(change, table);
  });
}

function portOf(app: FastifyInstance): number {
  const address = app.server.address();
  if (address === null || typeof address === "string") throw new Error("the server listens on no port");
  return address.port;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\./.test(host);
}

/** The address to name to clients: one bound to all interfaces is reached on this machine by loopback. */
function urlHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return isIP(host) === 6 ? `[${host}]` : host;
}

function reportDefect(error: unknown, what: string): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`bigquery endpoint: defect at ${what.slice(0, 200)}: ${text}\n`);
}
