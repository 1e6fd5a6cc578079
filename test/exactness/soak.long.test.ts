/** The random histories of property.test.ts, with a new seed again and again, for `SOAK_MINUTES`. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer } from "../../local/src/server.ts";
import { Endpoint } from "./endpoint.ts";
import { PROJECT } from "./project.ts";
import { checkScenarios, GROUPS, sampleScenarios } from "./property.ts";

const MINUTES = Number(process.env.SOAK_MINUTES ?? 60);
const HISTORIES = 300;

let server: Server;
beforeAll(async () => {
  server = await startServer({ streamedMinutes: () => 0 });
});
afterAll(() => server?.close());

test(
  `random histories for ${MINUTES} minutes, each round with its own seed`,
  async () => {
    const endpoint = new Endpoint(server.url, PROJECT);
    const end = Date.now() + MINUTES * 60_000;
    let histories = 0;
    do {
      const seed = Math.floor(Math.random() * 2 ** 31);
      for (const { options, share } of GROUPS) {
        const scenarios = sampleScenarios(options, HISTORIES * share, seed);
        histories += await checkScenarios(endpoint, scenarios, seed);
      }
      console.log(`EXACTNESS_SEED=${seed} holds; ${histories} histories so far`);
    } while (Date.now() < end);
    expect(histories).toBeGreaterThanOrEqual(HISTORIES);
  },
  MINUTES * 60_000 + 30 * 60_000,
);
