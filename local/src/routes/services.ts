import type { FastifyRequest } from "fastify";
import type { Faults } from "../jobs/faults.ts";
import type { JobRegistry } from "../jobs/registry.ts";
import type { JobRunner } from "../jobs/runner.ts";
import type { Spool } from "../jobs/spool.ts";
import type { ColumnDefaults } from "../storage/column-defaults.ts";
import type { Storage } from "../storage/storage.ts";

/** What the routes work with. */
export interface Services {
  readonly storage: Storage;
  readonly jobs: JobRegistry;
  readonly runner: JobRunner;
  readonly spool: Spool;
  readonly faults: Faults;
  readonly columnDefaults: ColumnDefaults;
}

/** How the client names this server: links in answers lead back to it. */
export function baseUrl(request: FastifyRequest): string {
  return `http://${request.headers.host ?? "localhost"}`;
}
