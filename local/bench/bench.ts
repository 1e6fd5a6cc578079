import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { DuckDBInstance } from "@duckdb/node-api";
import { BigQuery } from "@google-cloud/bigquery";
import { startEndpoint } from "./endpoint.ts";
import { openQueryWork, type QueryWork } from "./query-work.ts";
import { writeUpdates } from "./updates.ts";
import { type Sides, type Sizes, type Work, works } from "./work.ts";

const USAGE = `Usage: npm run bench:endpoint -- [options]

The local endpoint beside DuckDB doing the same work directly. Times are the best of the runs.

  --rows N     rows of updates (1000000); users are a tenth of it
  --repeat N   runs of each work (3)
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rows: { type: "string", default: "1000000" },
      repeat: { type: "string", default: "3" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(USAGE);
  const rows = positive("--rows", values.rows);
  const repeat = positive("--repeat", values.repeat);
  const sizes: Sizes = {
    rows,
    users: Math.ceil(rows / 10),
    selected: Math.min(100_000, rows),
    queries: Math.min(1000, rows),
  };
  const folder = mkdtempSync(path.join(tmpdir(), "bench-"));
  const endpoint = await startEndpoint();
  let queryWork: QueryWork | undefined;
  try {
    process.env.BIGQUERY_EMULATOR_HOST = endpoint.url;
    process.env.METADATA_SERVER_DETECTION ??= "none";
    const file = path.join(folder, "updates.ndjson");
    await writeUpdates(file, rows, sizes.users);
    const dataset = "bench";
    const client = new BigQuery({ projectId: "bench", location: "US" });
    await client.createDataset(dataset);
    const instance = await DuckDBInstance.create(":memory:");
    const duck = await instance.connect();
    await duck.run("SET TimeZone = 'UTC'");
    queryWork = await openQueryWork(file);
    const sides = { url: endpoint.url, client, duck, queryWork, dataset, file };
    process.stdout.write(await measure(sides, sizes, repeat));
  } finally {
    await queryWork?.close();
    await endpoint.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(sides: Sides, sizes: Sizes, repeat: number): Promise<string> {
  const lines: (readonly string[])[] = [];
  for (const work of works(sides, sizes)) {
    const { endpoint, direct } = await best(work, repeat);
    const compared = work.direct === undefined ? ["", ""] : [seconds(direct), (endpoint / direct).toFixed(2)];
    lines.push([work.name, seconds(endpoint), ...compared]);
    process.stderr.write(`${work.name}: done\n`);
  }
  const table = aligned([["work", "endpoint (s)", "DuckDB (s)", "ratio"], ...lines]);
  return `${table}\nBest of ${repeat}, ${availableParallelism()} cores.\n`;
}

/** Lines of cells as columns, the first to the left, figures to the right. */
function aligned(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, at) => Math.max(...lines.map((line) => (line[at] ?? "").length)));
  const cell = (text: string, at: number): string =>
    at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0);
  return lines.map((line) => line.map(cell).join("  ").trimEnd()).join("\n");
}

/** The two take turns, so that what else the machine does falls on both. */
async function best(
  { endpoint, direct }: Work,
  repeat: number,
): Promise<{ endpoint: number; direct: number }> {
  const times = { endpoint: Number.POSITIVE_INFINITY, direct: Number.POSITIVE_INFINITY };
  for (let run = 0; run < repeat; run++) {
    if (direct !== undefined) times.direct = Math.min(times.direct, await direct());
    times.endpoint = Math.min(times.endpoint, await endpoint());
  }
  return times;
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  process.stderr.write(`${flag} ${text}: a positive whole number is wanted\n${USAGE}`);
  process.exit(2);
}

await main();
