import type { FastifyInstance } from "fastify";
import { datasetRoutes } from "./datasets.ts";
import { iamRoutes } from "./iam.ts";
import { insertAllRoutes } from "./insert-all.ts";
import { jobRoutes } from "./jobs.ts";
import { projectRoutes } from "./projects.ts";
import { queryRoutes } from "./queries.ts";
import { routineRoutes } from "./routines.ts";
import type { Services } from "./services.ts";
import { tabledataRoutes } from "./tabledata.ts";
import { tableRoutes } from "./tables.ts";

/** Every resource of the REST API below a prefix. */
export function registerResources(app: FastifyInstance, services: Services): void {
  projectRoutes(app, services);
  datasetRoutes(app, services);
  tableRoutes(app, services);
  tabledataRoutes(app, services);
  insertAllRoutes(app, services);
  jobRoutes(app, services);
  queryRoutes(app, services);
  routineRoutes(app, services);
  iamRoutes(app);
}
