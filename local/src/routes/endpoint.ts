import type { FastifyInstance } from "fastify";
import type { OnDefect } from "../jobs/defects.ts";
import { type FaultInput, Faults } from "../jobs/faults.ts";
import type { ChildJob, Loader, QueryEngine } from "../jobs/ports.ts";
import { type QueueLimits, WorkQueue } from "../jobs/queue.ts";
import type { JobRegistry } from "../jobs/registry.ts";
import { JobRunner } from "../jobs/runner.ts";
import { Spool } from "../jobs/spool.ts";
import type { ColumnDefaults } from "../storage/column-defaults.ts";
import type { Storage } from "../storage/storage.ts";
import { buildApp } from "./app.ts";
import { discoveryRoutes } from "./discovery.ts";
import { errorEnvelope } from "./error-envelope.ts";
import { faultRoutes } from "./fault-routes.ts";
import type { GuardOptions } from "./guard.ts";
import { registerResources } from "./register.ts";
import type { Services } from "./services.ts";
import { uploadRoutes } from "./uploads.ts";

/** What the HTTP side is put on top of. */
export interface EndpointParts {
  readonly storage: Storage;
  readonly jobs: JobRegistry;
  readonly engine: QueryEngine;
  readonly loader: Loader;
  readonly columnDefaults: ColumnDefaults;
  /** The statements that a script had run when it failed with this error. */
  readonly childrenOf?: (error: unknown) => readonly ChildJob[];
  readonly guard: GuardOptions;
  readonly onDefect: OnDefect;
  readonly queue: QueueLimits;
  readonly maxUploadBytes: number;
  /** Failures planned from the start; undefined takes the route for planning them away as well. */
  readonly faults?: readonly FaultInput[];
}

/** The HTTP side, ready to listen. */
export interface Endpoint {
  readonly app: FastifyInstance;
  readonly services: Services;
  /** Stops taking requests, cancels what runs, frees files and rows. */
  close(): Promise<void>;
}

/** Puts all routes together. */
export async function createEndpoint(parts: EndpointParts): Promise<Endpoint> {
  const faults = new Faults(parts.faults);
  const spool = await Spool.open(parts.maxUploadBytes);
  const { jobs } = parts;
  const runner = new JobRunner({ ...parts, faults, queue: new WorkQueue(parts.queue) });
  const services: Services = {
    storage: parts.storage,
    jobs,
    runner,
    spool,
    faults,
    columnDefaults: parts.columnDefaults,
  };
  const options = {
    guard: parts.guard,
    onDefect: parts.onDefect,
    prepare: (app: FastifyInstance) => {
      if (parts.faults !== undefined) addRequestFaults(app, faults);
    },
  };
  const app = await buildApp(options, (scope, prefix) => {
    registerResources(scope, services);
    if (prefix === "") uploadRoutes(scope, services);
    if (prefix === "") discoveryRoutes(scope);
    if (prefix === "" && parts.faults !== undefined) faultRoutes(scope, services);
  });
  return {
    app,
    services,
    close: async () => {
      await app.close();
      await jobs.close();
      await spool.close();
    },
  };
}

/** Requests that fail as planned: not handled at all, or handled and never answered. */
function addRequestFaults(app: FastifyInstance, faults: Faults): void {
  app.addHook("onRequest", async (request, reply) => {
    if (request.url.startsWith("/-/")) return;
    const fault = faults.onRequest(request.method, request.url);
    if (fault === undefined) return;
    if (fault.kind === "status") {
      const reason = fault.status === 429 ? "rateLimitExceeded" : "backendError";
      await reply
        .code(fault.status)
        .send(errorEnvelope(fault.status, reason, `Injected fault ${fault.status}`));
    } else if (fault.when === "before") {
      reply.hijack();
      request.raw.socket.destroy();
    } else {
      // The work is done as for any other request; its answer finds the connection gone.
      const { raw } = reply;
      raw.writeHead = () => {
        request.raw.socket.destroy();
        return raw;
      };
    }
  });
}
