import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { processOutput } from "../generator/src/cli/output.ts";
import { openWarehouse } from "../generator/src/warehouse/client.ts";
import { startEndpoint } from "../local/bench/endpoint.ts";
import type { DataSize } from "./data.ts";
import { report } from "./report.ts";
import { countTurns, type Measured, type Place, runDay, runScenario } from "./scenario.ts";

const USAGE = `Usage: npm run bench -- [options]

This project beside the tool that it replaces, Dataform's own incremental table, a full recompute, and DuckDB doing the least: bytes by
BigQuery's rules, seconds on the local endpoint, statements. bench/README.md explains the table.

  --quick      20,000 updates, one batch
  --long       10,000,000 updates as well
  --json       what was measured, as JSON
  --quiet      no word on the way
`;

/** One size, with the batches that are run as shares of its rows, or a day of hourly runs. */
interface Part {
  readonly size: DataSize;
  readonly shares?: readonly number[];
}

/** What is measured: ten updates a user and three, the same users and batch with ten times the history, by density and by days, and a day. */
function parts(mode: "quick" | "usual" | "long"): Part[] {
  const most = { quick: 20_000, usual: 1_000_000, long: 10_000_000 }[mode];
  const rows = [20_000, 100_000, 1_000_000, 10_000_000].filter(
    (count) => count <= most && (mode === "quick" || count > 20_000),
  );
  const least = rows[0] ?? most;
  const shares = mode === "quick" ? [0.01] : [0.0001, 0.001, 0.01, 0.1];
  const of = (count: number, users: number, attributes: number, days = 30): DataSize => ({
    rows: count,
    users,
    attributes,
    days,
  });
  return [6, 50].flatMap((attributes) => [
    ...rows.map((count) => ({ size: of(count, count / 10, attributes), shares })),
    { size: of(least, Math.floor(least / 3), attributes), shares: [0.01] },
    { size: of(least * 10, least / 10, attributes), shares: [0.001] },
    { size: of(least * 10, least / 10, attributes, 300), shares: [0.001] },
    { size: of(least, least / 10, attributes) },
  ]);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      long: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      quiet: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(USAGE);
  const output = processOutput({ isQuiet: values.quiet, isForPrograms: true });
  const all = parts(values.quick ? "quick" : values.long ? "long" : "usual");
  const total = all.reduce((sum, { shares }) => sum + countTurns(shares), 0);
  const progress = output.progress("{value}/{total} {bar} {turn}, {duration_formatted}", total);
  let done = 0;
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
      turn: (turn) => {
        progress.update(done, { turn });
        if (process.stderr.isTTY !== true) output.say(`${done + 1}/${total} ${turn}`);
        done += 1;
      },
    };
    const measured: Measured[] = [];
    for (const { size, shares } of all)
      measured.push(
        shares === undefined ? await runDay(place, size) : await runScenario(place, size, shares),
      );
    progress.stop();
    const sum: Measured = {
      lines: measured.flatMap(({ lines }) => lines),
      stored: measured.flatMap(({ stored }) => stored),
      readings: measured.flatMap(({ readings }) => readings),
    };
    if (values.json) process.stdout.write(`${JSON.stringify(sum, undefined, 2)}\n`);
    else process.stdout.write(`${report(sum)}\n${availableParallelism()} cores, Node ${process.version}.\n`);
  } finally {
    progress.stop();
    await endpoint.stop();
  }
}

await main();
