import { readEntities } from "../../generate/read-entities.ts";
import { type EntityStatus, readStatus } from "../../warehouse/status.ts";
import { defineCommand, flag } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { formatTable } from "../table.ts";
import { openTarget } from "../target.ts";

/** `npm run status`: how each entity stands. */
export const status = defineCommand({
  name: "status",
  summary: "per entity: watermark, lag, last runs, users, bad rows",
  options: { json: flag("--json", "print it as JSON") },
  examples: [
    { term: "npm run status", meaning: "a table to read" },
    { term: "npm run -s status -- --json", meaning: "the same for a program" },
  ],
  exitCodes: [EXIT.done, EXIT.failed],
  async run(context, { options }) {
    const warehouse = await openTarget(context);
    const entities = await readEntities(warehouse.project.root);
    const statuses = await Promise.all(entities.map((entity) => readStatus(warehouse, entity)));
    if (options.json) context.output.json(statuses);
    else context.output.line(formatStatus(statuses));
    return EXIT.done;
  },
});

/** The entities as one table, their last runs as another. */
function formatStatus(statuses: readonly EntityStatus[], shownRuns = 5): string {
  const summary = formatTable(
    ["entity", "state", "watermark", "lag", "updates waiting", "users", "bad rows in the last run"],
    statuses.map((status) => [
      status.entity,
      status.state,
      status.watermark,
      status.lagSeconds === null ? null : formatDuration(status.lagSeconds),
      status.waiting,
      status.users,
      status.runs[0]?.badRows,
    ]),
  );
  const runs = statuses.flatMap((status) => status.runs.slice(0, shownRuns).map((run) => ({ status, run })));
  if (runs.length === 0) return summary;
  const log = formatTable(
    ["entity", "merged at", "kind", "rows read", "rows changed", "bad rows", "rows from the future"],
    runs.map(({ status, run }) => [
      status.entity,
      run.mergedAt,
      run.kind,
      run.rowsRead,
      run.rowsChanged,
      run.badRows,
      run.futureRows,
    ]),
  );
  return `${summary}\n${log}`;
}

function formatDuration(seconds: number): string {
  if (seconds < 0) return "none";
  const units: readonly (readonly [number, string])[] = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
  ];
  for (const [size, unit] of units) if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`;
  return `${seconds} s`;
}
