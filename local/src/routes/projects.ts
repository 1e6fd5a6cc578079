import type { FastifyInstance } from "fastify";
import { checkProjectId } from "../storage/names.ts";
import { etagOf } from "./etag.ts";
import type { ProjectParams } from "./names.ts";
import type { Services } from "./services.ts";

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/projects */
export function projectRoutes(app: FastifyInstance, services: Services): void {
  app.get("/projects", () => {
    const ids = services.storage.catalog.listProjects();
    return {
      kind: "bigquery#projectList",
      etag: etagOf(ids),
      projects: ids.map((id) => ({
        kind: "bigquery#project",
        id,
        numericId: "0",
        projectReference: { projectId: id },
        friendlyName: id,
      })),
      totalItems: ids.length,
    };
  });

  app.get<{ Params: ProjectParams }>("/projects/:projectId/serviceAccount", (request) => {
    const projectId = checkProjectId(request.params.projectId);
    return { kind: "bigquery#getServiceAccountResponse", email: `bq-local@${projectId}.localhost` };
  });
}
