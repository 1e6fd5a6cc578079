import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { openWarehouse } from "../generator/src/warehouse/client.ts";
import { startEndpoint } from "../local/bench/endpoint.ts";
import type { DataSize } from "./data.ts";
import { report } from "./report.ts";
import { type Line, type Place, runScenario } from "./scenario.ts";

const USAGE = `Usage: npm run bench -- [options]

This project beside the tool that it replaces, Dataform's own incremental table, a full recompute, and DuckDB doing the least: bytes by
BigQuery's rules, seconds on the local endpoint, statements. bench/README.md explains the table.

  --quick      20,000 updates of 6 attributes, one batch
  --long       10,000,000 updates as well
  --json       what was measured, as JSON
`;

/** What is measured: sizes of ten updates a user, and the same users with ten times the history. */
function sizes(mode: "quick" | "usual" | "long"): { size: DataSize; shares: readonly number[] }[] {
  const shares = [0.0001, 0.001, 0.01, 0.1];
  if (mode === "quick") return [{ size: { rows: 20_000, users: 2000, attributes: 6 }, shares: [0.01] }];
  const rows = mode === "long" ? [100_000, 1_000_000, 10_000_000] : [100_000, 1_000_000];
  return [6, 50].flatMap((attributes) => [
    ...rows.map((count) => ({ size: { rows: count, users: count / 10, attributes }, shares })),
    { size: { rows: 1_000_000, users: 10_000, attributes }, shares: [0.001] },
  ]);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      long: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(USAGE);
  const endpoint = await startEndpoint();
  try {
    process.env.BIGQUERY_EMULATOR_HOST = endpoint.url;
    const place: Place = {
      client: openWarehouse({
        root: ".",
        projectId: "bench",
        dataset: "bench",
        assertionDataset: "bench",
        location: "US",
      }).client,
      url: endpoint.url,
      say: (text) => process.stderr.write(`${text}\n`),
    };
    const lines: Line[] = [];
    for (const { size, shares } of sizes(values.quick ? "quick" : values.long ? "long" : "usual"))
      lines.push(...(await runScenario(place, size, shares)));
    if (values.json) process.stdout.write(`${JSON.stringify(lines, undefined, 2)}\n`);
    else
      process.stdout.write(`${report(lines)}\n${availableParallelism()} cores, Node ${process.version}.\n`);
  } finally {
    await endpoint.stop();
  }
}

await main();
