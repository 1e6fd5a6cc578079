import { describe, expect, it, vi } from "vitest";
import { NAMES, runScenario, WORK } from "../../bench/scenario.ts";
import { clientOf, type TestProject, useEndpoint, useProjects } from "./harness.ts";

const endpoint = useEndpoint();
const projectWith = useProjects(endpoint);

const DAYS = 20;
const USERS = 50;

/** One update of every user at noon of a day. */
function updatesOf(day: number): string {
  const ingested = new Date(Date.UTC(2026, 0, day, 12)).toISOString();
  return Array.from(
    { length: USERS },
    (_, user) => `${JSON.stringify({ id: `user${user}`, at: ingested, name: `name of day ${day}` })}\n`,
  ).join("");
}

/** Bytes that the job which made the newest batch read. */
async function bytesOfBatch(project: TestProject): Promise<number> {
  const [job] = (await project.query(`
    SELECT total_bytes_processed AS bytes
    FROM \`region-us\`.INFORMATION_SCHEMA.JOBS
    WHERE REGEXP_CONTAINS(LOWER(query), r'create or replace table [^ ]+temp_visitor_updates')
    ORDER BY creation_time DESC
    LIMIT 1`)) as { bytes: number }[];
  return job?.bytes ?? 0;
}

describe("R7: a run with news", () => {
  it("reads the partitions since the watermark, not all of them", async () => {
    const schema = [
      { name: "id", type: "STRING" },
      { name: "at", type: "TIMESTAMP" },
      { name: "name", type: "STRING" },
    ];
    const project = await projectWith({
      entities: [{ name: "visitor", schema: "schemas/visitor.json", key: ["id"], ingestTimestamp: "at" }],
      files: { "schemas/visitor.json": JSON.stringify(schema) },
    });
    const succeed = async (...[command = "", ...args]: string[]): Promise<void> => {
      const { exitCode, stdout, stderr } = await project.npm(command, ...args);
      expect(exitCode, stderr || stdout).toBe(0);
    };
    await succeed("generate");
    await succeed("init");
    const days = Array.from({ length: DAYS }, (_, index) => updatesOf(index + 1));
    await succeed("load", "visitor", await project.write("history.ndjson", days.join("")));
    await succeed("update");
    const first = await bytesOfBatch(project);
    await succeed("load", "visitor", await project.write("news.ndjson", updatesOf(DAYS + 1)));
    await succeed("update");
    const second = await bytesOfBatch(project);
    expect(first).toBeGreaterThan(0);
    // The partition that the watermark stands in, and the new one.
    expect(second / first).toBeLessThan(2.5 / DAYS);
    expect(second / first).toBeGreaterThan(1.5 / DAYS);
  });
});

/** By BigQuery's rules, of a data set of the bench: users who registered with 50 attributes and then changed a few. */
describe("what a run costs beside the tool replaced", () => {
  it("is little more with news, next to nothing without, and little of it is versions", async () => {
    vi.stubEnv("BIGQUERY_EMULATOR_HOST", endpoint.url);
    try {
      const place = { client: clientOf(endpoint.url), url: endpoint.url, turn: () => undefined };
      const size = { rows: 6000, users: 2000, attributes: 50, days: 30 };
      const { lines, stored } = await runScenario(place, size, [0.01]);
      const bytes = (work: string, who: string) =>
        lines.find((line) => line.work === work && line.contender === who)?.bytes ?? Number.NaN;
      const times = (work: string) => bytes(work, NAMES.project) / bytes(work, NAMES.tool);
      expect(times(WORK.first)).toBeLessThan(1.2);
      expect(times(WORK.batch(0.01))).toBeLessThan(1.15);
      expect(times(WORK.idle)).toBeLessThan(0.1);
      for (const { values, versions } of stored) expect(versions / values).toBeLessThan(0.15);
      expect(stored).toHaveLength(1);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});
