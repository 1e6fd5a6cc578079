/** R1 to R5, R7, R8, R11, R12: any history, in any order and any batches, gives the oracle's tables. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Server, startServer } from "../../local/src/server.ts";
import { Endpoint } from "./endpoint.ts";
import { PROJECT } from "./project.ts";
import { checkScenarios, GROUPS, SETTINGS, sampleScenarios } from "./property.ts";

const { histories, seed } = SETTINGS;
const MINUTES = 60_000;

let server: Server;
let endpoint: Endpoint;
beforeAll(async () => {
  server = await startServer({ streamedMinutes: () => 0 });
  endpoint = new Endpoint(server.url, PROJECT);
});
afterAll(() => server?.close());

describe(`random histories (EXACTNESS_SEED=${seed})`, () => {
  test.each(GROUPS)(
    "$name: every table is what the oracle says, after every run",
    async ({ options, share }) => {
      const scenarios = sampleScenarios(options, histories * share, seed);
      expect(await checkScenarios(endpoint, scenarios, seed)).toBeGreaterThanOrEqual(histories * share);
    },
    10 * MINUTES * Math.max(1, histories / 1_000),
  );
});
