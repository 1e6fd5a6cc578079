import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { faultSchema } from "../jobs/faults.ts";
import { readBody } from "./request.ts";
import type { Services } from "./services.ts";

const bodySchema = z.strictObject({ faults: z.array(faultSchema) });

/** Plans failures while the server runs; only there when it was started for it. */
export function faultRoutes(app: FastifyInstance, services: Services): void {
  app.post("/-/faults", async (request) => {
    const { faults } = readBody(bodySchema, request.body);
    services.faults.plan(faults);
    return { planned: faults.length };
  });

  app.delete("/-/faults", async (_request, reply) => {
    services.faults.clear();
    return reply.code(204).send();
  });
}
