import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { DatasetParams } from "./names.ts";
import { notSupported, readBody } from "./request.ts";

const testBody = z.looseObject({ permissions: z.array(z.string()).nullish() });

/**
 * Who may do what to a table or routine (https://cloud.google.com/bigquery/docs/reference/rest/v2/tables/getIamPolicy): the
 * endpoint knows no users, so all is allowed, and there are no policies.
 */
export function iamRoutes(app: FastifyInstance): void {
  for (const resource of ["tables", "routines"]) {
    const url = `/projects/:projectId/datasets/:datasetId/${resource}/:call`;
    app.post<{ Params: DatasetParams & { call: string } }>(url, (request, reply) => {
      const action = /:(getIamPolicy|setIamPolicy|testIamPermissions)$/.exec(request.params.call)?.[1];
      if (action === undefined) return reply.callNotFound();
      if (action !== "testIamPermissions") throw notSupported(action);
      const { permissions } = readBody(testBody, request.body);
      return permissions == null || permissions.length === 0 ? {} : { permissions };
    });
  }
}
